// SPDX-License-Identifier: Apache-2.0
// Writing small objects in one request, composing, and settling who wrote what.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/plant.h"
#include "core/store_gcs_impl.h"

enum { COMPOSE_MAX = 32 };

/*
 * "Applied at most once" is not "answered alike": when a first try was carried out and
 * its reply lost, the next one is told 412. The nonce says whose write it was.
 */
int gcs_settle(struct gcs *gcs, const struct gcs_call *call, const char *nonce,
	       struct obj_meta *ret_meta, struct err *err)
{
	struct obj_meta meta = {0};
	struct err why = {0};
	int r = gcs_stat(&gcs->store, call->name, &meta, &why);

	if (r == 0 && strcmp(meta.nonce, nonce) == 0) {
		*ret_meta = meta;
		return 0;
	}
	if (r == 0 || r == -ENOENT)
		return gcs_fail(
			gcs, call, -EEXIST, err,
			"the precondition failed: somebody else's write came first");
	return gcs_fail(gcs, call, r, err, "was it written or not? %s", why.text);
}

/* The reply to a write; what arrived must be what was sent. */
static int take_meta(const struct gcs *gcs, const struct gcs_call *call,
		     const uint32_t *crc32c, struct obj_meta *ret_meta, struct err *err)
{
	struct err why = {0};
	int r = gcs_meta_parse(&call->resp.body, ret_meta, &why);

	if (r < 0)
		return gcs_fail(gcs, call, r, err, "%s", why.text);
	if (crc32c && ret_meta->has_crc32c && ret_meta->crc32c != *crc32c)
		return gcs_fail(gcs, call, -EBADMSG, err,
				"the server stored other bytes (checksum)");
	return 0;
}

static int send(struct gcs *gcs, struct gcs_call *call, const char *nonce,
		const uint32_t *crc32c, struct obj_meta *ret_meta, struct err *err)
{
	struct err why = {0};
	int r = gcs_run(gcs, call, &why);

	if (r == 0)
		return take_meta(gcs, call, crc32c, ret_meta, err);
	if (r == -EEXIST && call->retry.is_ambiguous)
		return gcs_settle(gcs, call, nonce, ret_meta, err);
	return err_set(err, r, "%s", why.text);
}

/* multipart/related (RFC 2387): the description, then the bytes; line ends are CRLF. */
static int put_multipart(struct gcs *gcs, const char *name, const struct put_req *req,
			 const void *data, size_t n, struct obj_meta *ret_meta,
			 struct err *err)
{
	cleanup_free char *url = gcs_upload_url(gcs, "multipart", name, req);
	cleanup_str struct str head = STR_INIT(GCS_META_MAX);
	cleanup_str struct str tail = STR_INIT(256);
	cleanup_str struct str type = STR_INIT(256);
	cleanup_json json_t *doc = NULL;
	struct gcs_call call = {0};
	uint32_t crc32c = crc32c_update(0, data, n);
	char nonce[NONCE_CAP], boundary[NONCE_CAP];
	int r;

	rng_nonce(nonce);
	rng_nonce(boundary);
	doc = gcs_resource(name, req, nonce, &crc32c);
	str_addf(&type, "Content-Type: multipart/related; boundary=%s", boundary);
	str_addf(&head, "--%s\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n",
		 boundary);
	r = json_dump(doc, &head, err);
	if (r < 0)
		return r;
	str_addf(&head, "\r\n--%s\r\nContent-Type: %s\r\n\r\n", boundary,
		 json_string_value(json_object_get(doc, "contentType")));
	str_addf(&tail, "\r\n--%s--\r\n", boundary);
	call = (struct gcs_call){.doing = "write",
				 .name = name,
				 .method = "POST",
				 .url = url,
				 .headers = {str_text(&type)},
				 .parts = {{.data = head.s, .n = head.len},
					   {.data = data, .n = n},
					   {.data = tail.s, .n = tail.len}},
				 .is_idempotent = req->precondition != PUT_ANY};
	r = send(gcs, &call, nonce, &crc32c, ret_meta, err);
	gcs_call_done(&call);
	return r;
}

/* A small file is read first: its checksum stands before its bytes. */
static int put_small_file(struct gcs *gcs, const char *name, const struct put_req *req,
			  struct obj_meta *ret_meta, struct err *err)
{
	size_t n = (size_t)req->file_bytes, have = 0;
	cleanup_free char *data = malloc(n + 1);

	if (!data)
		return err_set(err, -ENOMEM, "no memory for %zu bytes", n);
	while (have < n) {
		ssize_t got = pread(req->fd, data + have, n - have, (off_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, -errno, "reading the file for %s", name);
		if (got == 0)
			return err_set(err, -EIO, "the file for %s became shorter", name);
		have += (size_t)got;
	}
	return put_multipart(gcs, name, req, data, n, ret_meta, err);
}

int gcs_put(struct store *store, const char *name, const struct put_req *req,
	    struct obj_meta *ret_meta, struct err *err)
{
	struct gcs *gcs = (struct gcs *)store;
	uint64_t n = req->data ? req->n : req->file_bytes, most = GCS_MULTIPART_MAX;
	struct obj_meta unused;

	if (!ret_meta)
		ret_meta = &unused;
	if (!req->data)
		most = plant_bytes("MUSTER_MULTIPART_MAX_BYTES", most);
	if (req->is_resumable || n > most)
		return gcs_put_resumable(gcs, name, req, ret_meta, err);
	if (!req->data && n)
		return put_small_file(gcs, name, req, ret_meta, err);
	return put_multipart(gcs, name, req, req->data ? req->data : "", (size_t)n,
			     ret_meta, err);
}

static json_t *compose_body(const char *const *sources, size_t n,
			    const struct put_req *req, const char *nonce)
{
	json_t *doc = json_object(), *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *source = json_object();

		json_object_set_new(source, "name", json_text(sources[i]));
		json_array_append_new(list, source);
	}
	json_object_set_new(doc, "sourceObjects", list);
	json_object_set_new(doc, "destination", gcs_resource(NULL, req, nonce, NULL));
	return doc;
}

int gcs_compose(struct store *store, const char *name, const char *const *sources,
		size_t n, const struct put_req *req, struct obj_meta *ret_meta,
		struct err *err)
{
	struct gcs *gcs = (struct gcs *)store;
	cleanup_free char *query = gcs_precondition(req);
	cleanup_free char *url = gcs_object_url(gcs, name, "/compose", query);
	cleanup_str struct str text = STR_INIT(GCS_META_MAX);
	cleanup_json json_t *body = NULL;
	struct gcs_call call = {.doing = "compose",
				.name = name,
				.method = "POST",
				.url = url,
				.headers = {"Content-Type: application/json"},
				.is_idempotent = req->precondition != PUT_ANY};
	struct obj_meta unused;
	char nonce[NONCE_CAP];
	int r;

	if (n < 1 || n > COMPOSE_MAX)
		return err_set(err, -EINVAL, "an object is composed of 1 to %d objects",
			       COMPOSE_MAX);
	rng_nonce(nonce);
	body = compose_body(sources, n, req, nonce);
	r = json_dump(body, &text, err);
	if (r < 0)
		return r;
	call.parts[0] = (struct http_part){.data = text.s, .n = text.len};
	r = send(gcs, &call, nonce, NULL, ret_meta ? ret_meta : &unused, err);
	gcs_call_done(&call);
	return r;
}
