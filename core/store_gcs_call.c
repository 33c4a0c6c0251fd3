// SPDX-License-Identifier: Apache-2.0
// One logical operation on Cloud Storage: attempts, credentials, waiting, giving up.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/store_gcs_impl.h"

/* RFC 9562, version 4: 128 random bits but for six. It names a call in the service's
 * log and decides nothing. */
static void make_uuid(struct rng *rng, char out[GCS_UUID_CAP])
{
	char hex[NONCE_CAP];

	snprintf(hex, sizeof(hex), "%016llx%016llx", (unsigned long long)rng_next(rng),
		 (unsigned long long)rng_next(rng));
	hex[12] = '4';
	hex[16] = "89ab"[hex[16] & 3];
	snprintf(out, GCS_UUID_CAP, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		 hex + 16, hex + 20);
}

void gcs_begin(struct gcs *gcs, struct gcs_call *call)
{
	call->retry = (struct retry){.class = call->class,
				     .is_idempotent = call->is_idempotent,
				     .can_refresh = gcs->needs_auth,
				     .base_ns = gcs->base_ns,
				     .bulk_limit_ns = gcs->bulk_limit_ns,
				     .deadline_ns = gcs->store.deadline_ns};
	call->begun_ns = clock_mono_ns();
	call->tries = 0;
	retry_begin(&call->retry, call->begun_ns);
	call->full_deadline_ns = call->retry.deadline_ns;
	/* of each call until one is answered: a server may come later than its clients */
	if (!gcs->has_contact) {
		int64_t first_ns = call->begun_ns + gcs->first_contact_ns;

		if (first_ns < call->retry.deadline_ns)
			call->retry.deadline_ns = first_ns;
	}
	make_uuid(&gcs->rng, call->uuid);
}

int gcs_fail(const struct gcs *gcs, const struct gcs_call *call, int code,
	     struct err *err, const char *fmt, ...)
{
	cleanup_str struct str text = STR_INIT(4096);
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	if (text.s)
		log_redact(text.s);
	return err_set(err, code, "cannot %s gs://%s%s%.200s: %s", call->doing,
		       gcs->store.bucket, call->name ? "/" : "",
		       call->name ? call->name : "", str_text(&text));
}

/* Why the last try failed: the transport's words or the server's. */
static void describe(const struct gcs_call *call, const struct err *why, struct str *ret)
{
	cleanup_str struct str reason = STR_INIT(2048);

	if (call->resp.outcome != HTTP_ANSWERED) {
		str_add(ret, why->text);
		return;
	}
	gcs_reason(str_text(&call->resp.body), call->resp.body.len, &reason);
	str_addf(ret, "HTTP %ld%s%s", call->resp.status, reason.len ? ": " : "",
		 str_text(&reason));
}

static int final(struct gcs *gcs, struct gcs_call *call, enum retry_verdict verdict,
		 int r, const struct err *why, struct err *err)
{
	cleanup_str struct str text = STR_INIT(4096);
	double spent_s = (double)(clock_mono_ns() - call->begun_ns) / NS_PER_S;

	if (call->resp.outcome == HTTP_ANSWERED)
		r = gcs_errno(call->resp.status);
	describe(call, why, &text);
	if (verdict == RETRY_GIVE_UP)
		return gcs_fail(gcs, call, r, err, "gave up after %u tries in %.1f s: %s",
				call->tries, spent_s, str_text(&text));
	if (retry_is_transient(call->resp.outcome, call->resp.status))
		return gcs_fail(gcs, call, r, err,
				"%s (not tried again: without a precondition that could "
				"do it twice)",
				str_text(&text));
	return gcs_fail(gcs, call, r, err, "%s", str_text(&text));
}

static int wait_again(struct gcs *gcs, struct gcs_call *call, int64_t delay_ns,
		      const struct err *why, struct err *err)
{
	cleanup_str struct str text = STR_INIT(4096);

	describe(call, why, &text);
	log_line(LOG_DEBUG, "%s gs://%s/%s: try %u: %s; again in %" PRId64 " ms",
		 call->doing, gcs->store.bucket, call->name ? call->name : "",
		 call->tries, str_text(&text), delay_ns / NS_PER_MS);
	gcs->store.retries++;
	if (http_pause(clock_mono_ns() + delay_ns, gcs->store.cancel_fd) < 0)
		return gcs_fail(gcs, call, -ECANCELED, err, "interrupted");
	return 1;
}

static int send_once(struct gcs *gcs, struct gcs_call *call, const char *credential,
		     struct err *why)
{
	cleanup_free char *token =
		xasprintf("x-goog-gcs-idempotency-token: %s", call->uuid);
	struct http_request req = {.method = call->method,
				   .url = call->url,
				   .class = call->class == RETRY_BULK ? HTTP_BULK
								      : HTTP_SMALL,
				   .cancel_fd = &gcs->store.cancel_fd,
				   .plain_host = gcs->plain_host,
				   .on_new_connection = call->on_new_connection,
				   .max_bytes = call->max_bytes,
				   .on_data = call->on_data,
				   .on_sent = call->on_sent,
				   .arg = call->arg};
	size_t n = 0;
	int r;

	/* a bulk transfer that goes on is not cut off: its stall limit ends it */
	if (!call->retry.is_moving)
		req.deadline_ns = call->full_deadline_ns;
	if (!gcs->has_contact)
		req.answer_by_ns = call->retry.deadline_ns;
	for (size_t i = 0; i < GCS_HEADERS_MAX; i++)
		req.headers[n++] = call->headers[i];
	for (size_t i = 0; i < GCS_EXTRA_MAX; i++)
		req.headers[n++] = gcs->extra_headers[i];
	req.headers[n++] = token;
	req.headers[n++] = credential;
	memcpy(req.parts, call->parts, sizeof(req.parts));
	if (call->has_progress)
		*call->has_progress = false;
	r = http_do(gcs->http, &req, &call->resp, why);
	gcs->store.requests++;
	gcs->store.bytes_sent += call->resp.sent_bytes;
	gcs->store.bytes_received += call->resp.received_bytes;
	call->on_new_connection = r < 0;
	if (call->resp.status && !gcs->has_contact) {
		gcs->has_contact = true;
		call->retry.deadline_ns = call->full_deadline_ns;
	}
	return r;
}

static struct retry_event event_of(const struct gcs_call *call)
{
	return (struct retry_event){.outcome = call->resp.outcome,
				    .status = call->resp.status,
				    .retry_after_ns = call->resp.retry_after_ns,
				    .has_progress =
					    call->has_progress && *call->has_progress};
}

int gcs_try(struct gcs *gcs, struct gcs_call *call, struct err *err)
{
	cleanup_secret struct str credential = STR_INIT(8192);
	struct err why = {0};
	struct retry_event event;
	enum retry_verdict verdict;
	int64_t delay_ns = 0;
	int r = 0;

	call->tries++;
	if (gcs->needs_auth && auth_may_send(call->url))
		r = auth_token(gcs->http, call->retry.deadline_ns, gcs->store.cancel_fd,
			       &credential, &why);
	if (r < 0)
		return gcs_fail(gcs, call, r, err, "%s", why.text);
	r = send_once(gcs, call, credential.len ? credential.s : NULL, &why);
	event = event_of(call);
	verdict =
		retry_decide(&call->retry, &event, clock_mono_ns(), &gcs->rng, &delay_ns);
	switch (verdict) {
	case RETRY_DONE:
		if (call->resp.status < 300 ||
		    (call->resp.status == 308 && call->takes_308))
			return 0;
		break;
	case RETRY_AGAIN:
		return wait_again(gcs, call, delay_ns, &why, err);
	case RETRY_REFRESH:
		auth_forget(str_text(&credential));
		return 1;
	case RETRY_SETTLE:
	case RETRY_FAIL:
	case RETRY_GIVE_UP:
	case RETRY_CANCEL:
		break;
	}
	return final(gcs, call, verdict, r, &why, err);
}

int gcs_run(struct gcs *gcs, struct gcs_call *call, struct err *err)
{
	int r;

	gcs_begin(gcs, call);
	do
		r = gcs_try(gcs, call, err);
	while (r > 0);
	return r;
}
