// SPDX-License-Identifier: Apache-2.0
// Uploads in one request: media and multipart; and the choice between the three kinds.
#include "emulator/upload.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "core/json.h"
#include "emulator/handlers.h"
#include "emulator/multipart.h"
#include "emulator/server.h"

/* The state of a request that uploads. */
struct body {
	struct emu_writer writer;
	struct emu_multipart parts;
};

void emu_upload_done(struct emu_upload *u)
{
	json_decref(u->meta);
	u->meta = NULL;
}

int emu_upload_read(const struct emu_req *req, const json_t *resource,
		    struct emu_upload *ret, struct emu_fail *f)
{
	const char *name = emu_req_param(req, "name");
	const char *encoding = emu_req_param(req, "contentEncoding");
	const char *hash = emu_req_header(req, "x-goog-hash");
	struct emu_upload u = {0};
	int status;

	if (!name)
		name = json_string_value(json_object_get(resource, "name"));
	status = emu_name_check(name ? name : "", f);
	if (!status)
		status = emu_req_target(req, req->args[0], name, &u.target, f);
	/* `generation` selects a version to read; an upload has none yet */
	u.target.has_generation = false;
	if (!status)
		status = emu_meta_digests(resource, &u.digests, f);
	if (!status && hash)
		status = emu_meta_hash_header(hash, &u.digests, f);
	if (!status)
		status = emu_meta_read(resource, &u.meta, f);
	if (status)
		return status;
	if (encoding && *encoding)
		json_object_set_new(u.meta, "contentEncoding", json_text(encoding));
	*ret = u;
	return 0;
}

void emu_upload_default_type(struct emu_upload *u, const char *type)
{
	if (!type || !*type)
		type = "application/octet-stream";
	if (!json_object_get(u->meta, "contentType"))
		json_object_set_new(u->meta, "contentType", json_text(type));
}

int emu_upload_data_fail(struct emu_fail *f, int code, const struct err *err)
{
	if (code == -EFBIG)
		return emu_fail(f, 413, "uploadTooLarge", "%s.", err->text);
	if (code == -EINVAL)
		return emu_fail(f, 400, "badRequest", "%s", err->text);
	return emu_fail(f, 500, "backendError", "%s", err->text);
}

int emu_upload_blob(struct emu_writer *w, const struct emu_digests *want,
		    struct emu_blob **ret, struct emu_fail *f)
{
	struct emu_blob *blob = NULL;
	struct err err = {0};
	int r = emu_writer_finish(w, &blob, &err);
	int status;

	if (r < 0)
		return emu_upload_data_fail(f, r, &err);
	status = emu_digests_check(want, blob, f);
	if (status)
		emu_blob_unref(blob);
	else
		*ret = blob;
	return status;
}

static void upload_done(struct emu_req *req)
{
	struct body *b = req->state;

	if (!b)
		return;
	emu_writer_done(&b->writer);
	emu_multipart_done(&b->parts);
	free(b);
}

static struct body *body_new(struct emu_req *req)
{
	struct body *b = xcalloc(1, sizeof(*b));
	struct emu_server *s = req->server;

	emu_writer_init(&b->writer, s->store.disk, s->max_object_bytes);
	b->writer.damages = req->hit.kind == EMU_FAULT_CORRUPT;
	req->state = b;
	return b;
}

static void answer_data_fail(struct emu_req *req, int code, const struct err *err)
{
	struct emu_fail f = {0};

	emu_upload_data_fail(&f, code, err);
	emu_reply_fail(req, &f);
}

static void media_data(struct emu_req *req, const char *data, size_t n)
{
	struct body *b = req->state;
	struct err err = {0};
	int r = emu_writer_add(&b->writer, data, n, &err);

	if (r < 0)
		answer_data_fail(req, r, &err);
}

static void finish(struct emu_req *req, const json_t *resource, const char *type)
{
	cleanup_object struct emu_object *o = NULL;
	struct body *b = req->state;
	struct emu_blob *blob = NULL;
	struct emu_upload u = {0};
	struct emu_fail f = {0};
	int status = emu_upload_read(req, resource, &u, &f);

	if (!status) {
		emu_upload_default_type(&u, type);
		status = emu_upload_blob(&b->writer, &u.digests, &blob, &f);
	}
	if (!status)
		status = emu_store_put(&req->server->store, &u.target, steal_ptr(u.meta),
				       blob, &o, &f);
	emu_upload_done(&u);
	if (status)
		emu_reply_fail(req, &f);
	else
		emu_reply_object(req, o);
}

static void media_finish(struct emu_req *req)
{
	cleanup_json json_t *nothing = json_object();

	finish(req, nothing, emu_req_header(req, "Content-Type"));
}

static int part_data(void *arg, const void *data, size_t n, struct err *err)
{
	return emu_writer_add(arg, data, n, err);
}

static void multipart_begin(struct emu_req *req)
{
	const char *type = emu_req_header(req, "Content-Type");
	struct body *b = body_new(req);
	struct err err = {0};
	int r;

	/* room for the head and the piece of data that comes along with it */
	r = emu_multipart_init(&b->parts, type ? type : "", 2 * EMU_JSON_MAX, part_data,
			       &b->writer, &err);
	if (r < 0)
		answer_data_fail(req, r, &err);
}

static void multipart_data(struct emu_req *req, const char *data, size_t n)
{
	struct body *b = req->state;
	struct err err = {0};
	int r = emu_multipart_add(&b->parts, data, n, &err);

	if (r < 0)
		answer_data_fail(req, r, &err);
}

static void multipart_finish(struct emu_req *req)
{
	cleanup_json json_t *resource = NULL;
	struct body *b = req->state;
	struct emu_fail f = {0};
	struct err err = {0};
	int r = emu_multipart_end(&b->parts, &err);

	if (r < 0) {
		answer_data_fail(req, r, &err);
		return;
	}
	str_add(&req->body, b->parts.json);
	if (emu_req_json(req, &resource, &f)) {
		emu_reply_fail(req, &f);
		return;
	}
	finish(req, resource, b->parts.content_type);
}

static const struct emu_route route_media = {
	.data = media_data, .finish = media_finish, .done = upload_done};
static const struct emu_route route_multipart = {
	.data = multipart_data, .finish = multipart_finish, .done = upload_done};

/* A bucket that is not there is told before the data are taken. */
static int check_bucket(struct emu_req *req, struct emu_fail *f)
{
	return emu_bucket_get(&req->server->store, req->args[0], NULL, f);
}

void emu_api_upload_begin(struct emu_req *req)
{
	const char *kind = emu_req_text(req, "uploadType");
	const char *type = emu_req_header(req, "Content-Type");
	struct emu_fail f = {0};

	if (emu_req_param(req, "upload_id")) {
		req->route = &emu_route_chunk;
		req->route->begin(req);
		return;
	}
	if (!*kind)
		kind = type && strncasecmp(type, "multipart/", 10) == 0 ? "multipart"
									: "media";
	if (check_bucket(req, &f)) {
		req->route = NULL;
		emu_reply_fail(req, &f);
	} else if (strcmp(kind, "resumable") == 0) {
		req->route = &emu_route_initiate;
	} else if (strcmp(kind, "multipart") == 0) {
		req->route = &route_multipart;
		multipart_begin(req);
	} else if (strcmp(kind, "media") == 0) {
		req->route = &route_media;
		body_new(req);
	} else {
		req->route = NULL;
		emu_fail(&f, 400, "invalid", "Invalid uploadType: '%s'.", kind);
		emu_reply_fail(req, &f);
	}
}
