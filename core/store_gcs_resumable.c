// SPDX-License-Identifier: Apache-2.0
// Resumable uploads: one big request, continued after a break from what the server kept.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "core/store_gcs_impl.h"

enum {
	RESTARTS_MAX = 3,
	READ_BYTES = 256 * 1024,
	UNIT_BYTES = 256 * 1024, /* the server keeps whole ones of an unfinished upload */
};

/* The session's URL is a secret: who knows it may write. It is never part of a text. */
struct upload {
	struct gcs *gcs;
	const char *name;
	const struct put_req *req;
	uint64_t total, persisted;
	uint64_t at;	 /* the next byte to go out */
	uint64_t summed; /* leading bytes in @crc32c */
	uint64_t sent;	 /* no byte from here on was ever given to this session */
	uint32_t crc32c;
	char nonce[NONCE_CAP];
	struct str session;
	bool is_declared;  /* the session was begun with the checksum */
	bool asks;	   /* the next request asks what was kept, instead of sending */
	bool is_ambiguous; /* some try may have completed the object */
	bool has_progress; /* this try gave it bytes that no earlier one had */
};

static bool is_summed(const struct upload *up)
{
	return up->summed == up->total;
}

/* Completes the checksum with what was not sent yet. */
static int checksum(struct upload *up, struct err *err)
{
	cleanup_free char *buf = NULL;

	if (up->req->data) {
		up->crc32c = crc32c_update(up->crc32c,
					   (const char *)up->req->data + up->summed,
					   (size_t)(up->total - up->summed));
		up->summed = up->total;
		return 0;
	}
	buf = malloc(READ_BYTES);
	if (!buf)
		return err_set(err, -ENOMEM, "no memory for a read buffer");
	while (!is_summed(up)) {
		uint64_t left = up->total - up->summed;
		size_t want = left < READ_BYTES ? (size_t)left : READ_BYTES;
		ssize_t got = pread(up->req->fd, buf, want, (off_t)up->summed);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, -errno, "reading the file for %s",
					 up->name);
		if (got == 0)
			return err_set(err, -EIO, "the file for %s became shorter",
				       up->name);
		up->crc32c = crc32c_update(up->crc32c, buf, (size_t)got);
		up->summed += (uint64_t)got;
	}
	return 0;
}

/* A file is read once, for its checksum and its upload; bytes sent again are known. */
static void on_sent(const void *bytes, size_t n, void *arg)
{
	struct upload *up = arg;
	uint64_t known = up->summed - up->at;

	up->at += n;
	up->has_progress |= up->at > up->sent;
	if (n <= known)
		return;
	up->crc32c =
		crc32c_update(up->crc32c, (const char *)bytes + known, n - (size_t)known);
	up->summed = up->at;
}

uint64_t gcs_upload_end(uint64_t persisted, uint64_t total, bool is_summed)
{
	uint64_t units = total ? (total - 1) / UNIT_BYTES * UNIT_BYTES : 0;

	if (is_summed)
		return total;
	return units > persisted ? units : persisted;
}

static int start(struct upload *up, struct gcs_call *call, struct err *err)
{
	cleanup_free char *url = gcs_upload_url(up->gcs, "resumable", up->name, up->req);
	cleanup_json json_t *doc = gcs_resource(up->name, up->req, up->nonce,
						is_summed(up) ? &up->crc32c : NULL);
	cleanup_str struct str text = STR_INIT(GCS_META_MAX);
	cleanup_free char *length =
		xasprintf("X-Upload-Content-Length: %" PRIu64, up->total);
	cleanup_free char *type =
		xasprintf("X-Upload-Content-Type: %s",
			  json_string_value(json_object_get(doc, "contentType")));
	char session[8192];
	int r = json_dump(doc, &text, err);

	if (r < 0)
		return r;
	*call = (struct gcs_call){
		.doing = "write",
		.name = up->name,
		.method = "POST",
		.url = url,
		.headers = {"Content-Type: application/json", length, type},
		.parts = {{.data = text.s, .n = text.len}},
		.is_idempotent = up->req->precondition != PUT_ANY};
	r = gcs_run(up->gcs, call, err);
	if (r < 0)
		return r;
	if (!http_header(&call->resp, "Location", session, sizeof(session)))
		return gcs_fail(up->gcs, call, -EBADMSG, err,
				"the server names no upload session");
	auth_wipe(&up->session);
	up->session = STR_INIT(sizeof(session));
	str_add(&up->session, session);
	explicit_bzero(session, sizeof(session));
	up->persisted = up->sent = 0;
	up->is_declared = is_summed(up);
	up->asks = false;
	return 0;
}

/* The headers of one request of an upload that change from one to the next. */
struct texts {
	char range[96], hash[32 + CRC32C_B64_CAP];
};

/* Asks what was kept, or sends what comes next; the last bytes never without checksum. */
static int prepare(struct upload *up, struct gcs_call *call, struct texts *texts,
		   struct err *err)
{
	const struct put_req *req = up->req;
	uint64_t end = gcs_upload_end(up->persisted, up->total, is_summed(up));
	char sum[CRC32C_B64_CAP];
	int r = 0;

	if (end == up->persisted && !is_summed(up)) {
		r = checksum(up, err);
		end = up->total;
	}
	if (r < 0)
		return r;
	crc32c_base64(up->crc32c, sum);
	snprintf(texts->hash, sizeof(texts->hash), "x-goog-hash: crc32c=%s", sum);
	call->headers[1] =
		end == up->total && !up->asks && !up->is_declared ? texts->hash : NULL;
	up->at = up->persisted;
	if (up->asks || end == up->persisted) {
		snprintf(texts->range, sizeof(texts->range),
			 "Content-Range: bytes */%" PRIu64, up->total);
		call->parts[0] = (struct http_part){.n = 0};
		return 0;
	}
	snprintf(texts->range, sizeof(texts->range),
		 "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, up->persisted,
		 end - 1, up->total);
	call->parts[0] = (struct http_part){
		.data = req->data ? (const char *)req->data + up->persisted : NULL,
		.fd = req->fd,
		.offset = up->persisted,
		.n = end - up->persisted};
	return 0;
}

/*
 * 308: the server keeps a prefix. Less than it once had, or more than it was given, would
 * be somebody's damage: going on from there would hide it.
 */
static int take_range(struct upload *up, struct gcs_call *call, struct err *err)
{
	struct err why = {0};
	uint64_t kept = 0;
	char range[64];
	int r;

	http_header(&call->resp, "Range", range, sizeof(range));
	r = gcs_persisted(range, &kept, &why);
	if (r < 0)
		return gcs_fail(up->gcs, call, r, err, "%s", why.text);
	if (kept < up->persisted || kept > up->sent)
		return gcs_fail(up->gcs, call, -EIO, err,
				"the server has %" PRIu64 " bytes after it had %" PRIu64
				" and was sent %" PRIu64,
				kept, up->persisted, up->sent);
	if (kept > up->persisted)
		retry_progressed(&call->retry, clock_mono_ns());
	else if (!up->asks && ++call->retry.failures > RESTARTS_MAX)
		return gcs_fail(up->gcs, call, -EIO, err,
				"the server keeps nothing of what is sent");
	up->persisted = kept;
	up->asks = false;
	return 0;
}

/* Sends and asks until the object is there: 0, -errno, or -ENOENT for a lost session. */
static int transfer(struct upload *up, struct gcs_call *call, struct err *err)
{
	struct texts texts;
	int r;

	*call = (struct gcs_call){.doing = "write",
				  .name = up->name,
				  .method = "PUT",
				  .url = str_text(&up->session),
				  .headers = {texts.range},
				  .class = RETRY_BULK,
				  .is_idempotent = true, /* by the protocol */
				  .takes_308 = true,
				  .on_sent = on_sent,
				  .arg = up,
				  .has_progress = &up->has_progress};
	gcs_begin(up->gcs, call);
	for (;;) {
		r = prepare(up, call, &texts, err);
		if (r < 0)
			return r;
		r = gcs_try(up->gcs, call, err);
		if (up->sent < up->persisted + call->resp.sent_bytes)
			up->sent = up->persisted + call->resp.sent_bytes;
		up->is_ambiguous |= call->retry.is_ambiguous;
		if (r < 0)
			return r;
		if (r > 0) {
			up->asks = true;
			continue;
		}
		if (call->resp.status != 308)
			return 0;
		r = take_range(up, call, err);
		if (r < 0)
			return r;
	}
}

/* A server that does not look at the checksum keeps damaged bytes: not for long. */
static int verify(struct upload *up, const struct gcs_call *call,
		  const struct obj_meta *meta, struct err *err)
{
	struct store *store = &up->gcs->store;

	if (meta->size_bytes == up->total &&
	    (!meta->has_crc32c || meta->crc32c == up->crc32c))
		return 0;
	if (meta->generation)
		store->ops->del(store, up->name, meta->generation, NULL);
	return gcs_fail(up->gcs, call, -EBADMSG, err, "the server stored other bytes");
}

/* Without a precondition a second session could write the object a second time. */
static bool is_finished_perhaps(const struct upload *up, const struct gcs_call *call)
{
	return up->req->precondition == PUT_ANY && call->retry.is_ambiguous &&
	       up->sent == up->total;
}

static int finish(struct upload *up, struct gcs_call *call, int r, struct err *why,
		  struct obj_meta *ret_meta, struct err *err)
{
	if (r == -EEXIST && up->is_ambiguous) {
		r = gcs_settle(up->gcs, call, up->nonce, ret_meta, err);
	} else if (r < 0) {
		return err_set(err, r, "%s", why->text);
	} else {
		r = gcs_meta_parse(&call->resp.body, ret_meta, err);
		if (r < 0)
			err_wrap(err, r, "write of %s", up->name);
	}
	return r < 0 ? r : verify(up, call, ret_meta, err);
}

int gcs_put_resumable(struct gcs *gcs, const char *name, const struct put_req *req,
		      struct obj_meta *ret_meta, struct err *err)
{
	struct upload up = {.gcs = gcs,
			    .name = name,
			    .req = req,
			    .total = req->data ? req->n : req->file_bytes};
	struct gcs_call call = {0};
	struct err why = {0};
	/* of what is small at once, for then all is said in one request */
	int r = up.total <= GCS_MULTIPART_MAX ? checksum(&up, &why) : 0;

	rng_nonce(up.nonce);
	for (unsigned restarts = 0; r == 0; restarts++) {
		r = start(&up, &call, &why);
		up.is_ambiguous |= call.retry.is_ambiguous;
		if (r < 0)
			break;
		http_response_done(&call.resp);
		r = transfer(&up, &call, &why);
		/* only a session that is gone is begun anew: all it had is lost */
		if ((call.resp.status != 404 && call.resp.status != 410) ||
		    restarts == RESTARTS_MAX || is_finished_perhaps(&up, &call))
			break;
		up.is_ambiguous = true;
		http_response_done(&call.resp);
		err_clear(&why);
		gcs->store.retries++;
		r = 0;
	}
	r = finish(&up, &call, r, &why, ret_meta, err);
	gcs_call_done(&call);
	auth_wipe(&up.session);
	return r;
}
