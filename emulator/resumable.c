// SPDX-License-Identifier: Apache-2.0
// Resumable uploads: sending chunks, asking, cancelling.
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "core/json.h"
#include "emulator/handlers.h"
#include "emulator/range.h"
#include "emulator/server.h"
#include "emulator/upload.h"

/* The state of one request to a session. */
struct chunk {
	struct emu_session *session;
	struct emu_content_range range;
	bool is_owner; /* this request writes; its bytes count */
	uint64_t skip; /* leading bytes that are persisted already */
	uint64_t got;
};

static uint64_t persisted_bytes(const struct emu_session *s)
{
	return s->blob ? s->blob->size : s->writer.sealed_bytes;
}

/* 308, or what a client that cannot take a 308 asks for instead. */
static void answer_incomplete(struct emu_req *req, const struct emu_session *s)
{
	const char *no_308 = emu_req_header(req, "X-GUploader-No-308");
	bool is_200 = no_308 && strcasecmp(no_308, "yes") == 0;

	emu_reply_empty(req, is_200 ? 200 : 308);
	if (is_200)
		emu_reply_header(req, "X-Http-Status-Code-Override", "308");
	if (persisted_bytes(s))
		emu_reply_header(req, "Range", "bytes=0-%llu",
				 (unsigned long long)persisted_bytes(s) - 1);
	emu_reply_header(req, "X-GUploader-UploadID", "%s", s->id);
}

/* A session that is over answers everything from memory. */
static bool answer_finished(struct emu_req *req, struct emu_session *s)
{
	struct emu_fail f = {0};

	switch (s->state) {
	case EMU_SESSION_COMPLETE:
		emu_reply_json(req, 200, json_deep_copy(s->result));
		return true;
	case EMU_SESSION_FAILED:
		emu_reply_fail(req, &s->fail);
		return true;
	case EMU_SESSION_CANCELLED:
		emu_fail(&f, 404, "notFound", "No such upload session.");
		emu_reply_fail(req, &f);
		return true;
	default:
		return false;
	}
}

static void answer_invalid(struct emu_req *req, const char *why)
{
	struct emu_fail f = {0};

	emu_fail(&f, 400, "invalid", "%s", why);
	emu_reply_fail(req, &f);
}

/* Offsets past what is persisted: a text, not a JSON error, as the service answers. */
static void answer_gap(struct emu_req *req, uint64_t offset, uint64_t persisted)
{
	cleanup_free char *text = xasprintf(
		"Invalid request.  According to the Content-Range header, the upload "
		"offset is %llu byte(s), which exceeds already uploaded size of %llu "
		"byte(s).",
		(unsigned long long)offset, (unsigned long long)persisted);

	emu_reply_text(req, 503, "text/plain; charset=utf-8", text);
}

/* The Content-Range header, or what its absence means: the whole object at once. */
static int read_range(struct emu_req *req, struct emu_content_range *ret)
{
	const char *range = emu_req_header(req, "Content-Range");
	const char *length = emu_req_header(req, "Content-Length");
	uint64_t n = 0, want;

	if (length && parse_u64(length, &n, NULL) < 0)
		return -EINVAL;
	if (!range) {
		*ret = (struct emu_content_range){.has_total = length != NULL,
						  .has_end = n > 0,
						  .is_query = length && n == 0,
						  .end = n - 1,
						  .total = n};
		return 0;
	}
	if (emu_content_range_parse(range, ret) < 0)
		return -EINVAL;
	want = ret->is_query ? 0 : ret->end - ret->start + 1;
	return length && (ret->is_query || ret->has_end) && n != want ? -EINVAL : 0;
}

static bool is_final(const struct emu_content_range *r)
{
	return !r->has_end || (r->has_total && r->end + 1 == r->total);
}

/* May this chunk be written? Answers otherwise. The session is locked. */
static bool take_ownership(struct emu_req *req, struct chunk *c)
{
	struct emu_session *s = c->session;
	const struct emu_content_range *r = &c->range;
	uint64_t persisted = persisted_bytes(s);

	if (r->is_query)
		return true;
	if (r->has_total && s->has_total && r->total != s->total) {
		answer_invalid(req, "The total size differs from the one given before.");
		return false;
	}
	if (r->has_total && r->total < persisted) {
		answer_invalid(req, "The total size is less than what was uploaded.");
		return false;
	}
	if (r->has_total && r->total > req->server->max_object_bytes) {
		answer_invalid(req, "The object is too large.");
		return false;
	}
	if (!is_final(r) && r->end - r->start + 1 < EMU_UNIT_BYTES) {
		answer_invalid(req, "A chunk that is not the last one must be a "
				    "multiple of 256 KiB.");
		return false;
	}
	if (r->start > persisted) {
		answer_gap(req, r->start, persisted);
		return false;
	}
	if (r->has_total) {
		s->has_total = true;
		s->total = r->total;
	}
	emu_writer_drop_tail(&s->writer);
	s->writer.damages = req->hit.kind == EMU_FAULT_CORRUPT;
	s->owner = req;
	c->is_owner = true;
	c->skip = persisted - r->start;
	return true;
}

static void chunk_begin(struct emu_req *req)
{
	struct emu_session *s =
		emu_sessions_find(req->server->sessions, emu_req_text(req, "upload_id"));
	struct emu_fail f = {0};
	struct chunk *c;

	if (!s) {
		emu_fail(&f, 404, "notFound", "No such upload session.");
		emu_reply_fail(req, &f);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->session = s;
	req->state = c;
	pthread_mutex_lock(&s->mu);
	if (!answer_finished(req, s)) {
		if (read_range(req, &c->range) < 0)
			answer_invalid(req, "Invalid Content-Range header.");
		else
			take_ownership(req, c);
	}
	pthread_mutex_unlock(&s->mu);
}

/* A failure that ends the session for good. */
static void fail_session(struct emu_req *req, struct emu_session *s,
			 const struct emu_fail *f)
{
	s->state = EMU_SESSION_FAILED;
	s->fail = *f;
	emu_writer_done(&s->writer);
	emu_reply_fail(req, f);
}

/* The part of a piece of the body that is new and inside the chunk's range. */
static size_t clip(struct chunk *c, const char **data, size_t n)
{
	const struct emu_content_range *r = &c->range;
	uint64_t left = r->has_end ? r->end - r->start + 1 : UINT64_MAX;
	uint64_t skip = c->got < c->skip ? c->skip - c->got : 0;

	left -= c->got < left ? c->got : left;
	c->got += n;
	if (n > left)
		n = (size_t)left;
	if (skip > n)
		skip = n;
	*data += skip;
	return n - (size_t)skip;
}

static void chunk_data(struct emu_req *req, const char *data, size_t n)
{
	struct chunk *c = req->state;
	struct emu_session *s = c->session;
	struct emu_fail f = {0};
	struct err err = {0};
	int r = 0;

	n = clip(c, &data, n);
	pthread_mutex_lock(&s->mu);
	if (n && s->owner == req)
		r = emu_writer_add(&s->writer, data, n, &err);
	if (r < 0)
		emu_upload_data_fail(&f, r, &err);
	if (r == -EFBIG) {
		fail_session(req, s, &f);
	} else if (r < 0) {
		emu_writer_drop_tail(&s->writer);
		emu_reply_fail(req, &f);
	}
	pthread_mutex_unlock(&s->mu);
}

static int make_blob(struct emu_req *req, struct emu_session *s, struct emu_fail *f)
{
	const char *hash = emu_req_header(req, "x-goog-hash");
	struct emu_digests want = s->digests;
	int status = hash ? emu_meta_hash_header(hash, &want, f) : 0;

	if (status || s->blob)
		return status;
	status = emu_upload_blob(&s->writer, &want, &s->blob, f);
	if (!status) {
		s->has_total = true;
		s->total = s->blob->size;
	}
	return status;
}

static void complete(struct emu_req *req, struct emu_session *s)
{
	cleanup_object struct emu_object *o = NULL;
	cleanup_free char *base = emu_req_base(req);
	struct emu_target t = {.bucket = s->bucket, .name = s->name, .cond = s->cond};
	struct emu_fail f = {0};
	int status;

	if (s->has_total && !s->blob &&
	    s->total != s->writer.sealed_bytes + s->writer.tail_len) {
		answer_invalid(req, "The total size differs from the one given before.");
		return;
	}
	status = make_blob(req, s, &f);
	if (!status)
		status = emu_store_put(&req->server->store, &t, json_deep_copy(s->meta),
				       emu_blob_ref(s->blob), &o, &f);
	if (status == 429 || status >= 500) {
		emu_reply_fail(req, &f);
		return;
	}
	emu_blob_unref(s->blob);
	s->blob = NULL;
	if (status) {
		fail_session(req, s, &f);
		return;
	}
	s->result = emu_object_json(o, base, NULL);
	s->state = EMU_SESSION_COMPLETE;
	emu_reply_object(req, o);
}

static void query_finish(struct emu_req *req, struct chunk *c)
{
	struct emu_session *s = c->session;

	if (!c->range.has_total || c->range.total != persisted_bytes(s)) {
		answer_incomplete(req, s);
		return;
	}
	emu_writer_drop_tail(&s->writer);
	s->owner = NULL;
	complete(req, s);
}

static void chunk_finish(struct emu_req *req)
{
	struct chunk *c = req->state;
	struct emu_session *s = c->session;
	struct emu_fail f = {0};

	pthread_mutex_lock(&s->mu);
	if (answer_finished(req, s)) {
		/* another request ended the session meanwhile */
	} else if (c->range.is_query) {
		query_finish(req, c);
	} else if (s->owner != req) {
		emu_fail(&f, 503, "backendError",
			 "A newer request took this upload over.");
		emu_reply_fail(req, &f);
	} else if (c->range.has_end && c->got != c->range.end - c->range.start + 1) {
		answer_invalid(req, "The body is not as long as Content-Range says.");
	} else if (is_final(&c->range)) {
		complete(req, s);
	} else {
		emu_writer_drop_tail(&s->writer);
		answer_incomplete(req, s);
	}
	pthread_mutex_unlock(&s->mu);
}

/* Also when the connection broke: whole units stay, the rest is forgotten. */
static void chunk_done(struct emu_req *req)
{
	struct chunk *c = req->state;

	if (!c)
		return;
	pthread_mutex_lock(&c->session->mu);
	if (c->is_owner && c->session->owner == req) {
		emu_writer_drop_tail(&c->session->writer);
		c->session->owner = NULL;
	}
	pthread_mutex_unlock(&c->session->mu);
	emu_session_unref(c->session);
	free(c);
}

const struct emu_route emu_route_chunk = {.begin = chunk_begin,
					  .data = chunk_data,
					  .finish = chunk_finish,
					  .done = chunk_done};

void emu_api_session_delete(struct emu_req *req)
{
	struct emu_session *s =
		emu_sessions_find(req->server->sessions, emu_req_text(req, "upload_id"));
	struct emu_fail f = {0};

	if (!s) {
		emu_fail(&f, 404, "notFound", "No such upload session.");
		emu_reply_fail(req, &f);
		return;
	}
	pthread_mutex_lock(&s->mu);
	if (s->state == EMU_SESSION_OPEN) {
		s->state = EMU_SESSION_CANCELLED;
		s->owner = NULL;
		emu_writer_done(&s->writer);
		emu_sessions_remove(req->server->sessions, s);
		emu_reply_empty(req, 499);
	} else {
		answer_finished(req, s);
	}
	pthread_mutex_unlock(&s->mu);
	emu_session_unref(s);
}
