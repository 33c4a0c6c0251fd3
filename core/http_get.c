// SPDX-License-Identifier: Apache-2.0
// A public document, retried.
#include <errno.h>

#include "core/clock.h"
#include "core/http.h"
#include "core/retry.h"

static const int64_t first_contact_ns = 15LL * NS_PER_S;
static const int64_t limit_ns = 60LL * NS_PER_S;

static int take_body(struct http_response *resp, struct str *body, struct err *err)
{
	str_addn(body, resp->body.s, resp->body.len);
	return str_check(body, "the reply", err);
}

int http_get(struct http *http, const char *url, uint64_t max_bytes, struct str *body,
	     long *status, struct err *err)
{
	cleanup_response struct http_response resp = {0};
	int64_t start_ns = clock_mono_ns(), delay_ns = 0;
	struct http_request req = {
		.method = "GET", .url = url, .class = HTTP_BULK, .max_bytes = max_bytes};
	struct retry retry = {.is_idempotent = true,
			      .deadline_ns = start_ns + first_contact_ns};
	struct rng rng;
	int r = retry_base_from_env(&retry.base_ns, err);

	if (r < 0)
		return r;
	rng_init(&rng, rng_entropy());
	retry_begin(&retry, start_ns);
	for (;;) {
		struct err why = {0};
		struct retry_event event;

		req.deadline_ns = retry.deadline_ns;
		req.on_new_connection = retry.failures > 0;
		r = http_do(http, &req, &resp, &why);
		if (resp.status)
			retry.deadline_ns = start_ns + limit_ns;
		event = (struct retry_event){.outcome = resp.outcome,
					     .status = resp.status,
					     .retry_after_ns = resp.retry_after_ns};
		if (retry_decide(&retry, &event, clock_mono_ns(), &rng, &delay_ns) !=
		    RETRY_AGAIN) {
			*status = resp.status;
			return r < 0 ? err_set(err, r, "%s", why.text)
				     : take_body(&resp, body, err);
		}
		http_pause(clock_mono_ns() + delay_ns, -1);
	}
}
