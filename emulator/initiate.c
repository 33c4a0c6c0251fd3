// SPDX-License-Identifier: Apache-2.0
// Resumable uploads: starting a session.
#include "core/json.h"
#include "emulator/handlers.h"
#include "emulator/server.h"
#include "emulator/upload.h"

static int keep_session(struct emu_req *req, struct emu_upload *u, struct emu_fail *f)
{
	const char *length = emu_req_header(req, "X-Upload-Content-Length");
	cleanup_free char *base = emu_req_base(req);
	cleanup_str struct str name = STR_INIT(4 * EMU_NAME_MAX);
	struct emu_session *s;
	uint64_t total = 0;

	if (length && parse_u64(length, &total, NULL) < 0)
		return emu_fail(f, 400, "invalid", "Invalid X-Upload-Content-Length.");
	if (total > req->server->max_object_bytes)
		return emu_fail(f, 413, "uploadTooLarge", "The object is too large.");
	s = emu_session_new(u->target.bucket, u->target.name, steal_ptr(u->meta));
	s->cond = u->target.cond;
	s->digests = u->digests;
	s->has_total = length != NULL;
	s->total = total;
	emu_writer_init(&s->writer, req->server->store.disk,
			req->server->max_object_bytes);
	emu_sessions_add(req->server->sessions, s);
	str_add_percent(&name, s->name, "");
	emu_reply_empty(req, 200);
	emu_reply_header(req, "Location",
			 "%s/upload/storage/v1/b/%s/o?uploadType=resumable&name=%s"
			 "&upload_id=%s",
			 base, s->bucket, str_text(&name), s->id);
	emu_reply_header(req, "X-GUploader-UploadID", "%s", s->id);
	emu_session_unref(s);
	return 0;
}

static void initiate_finish(struct emu_req *req)
{
	cleanup_json json_t *resource = NULL;
	struct emu_upload u = {0};
	struct emu_fail f = {0};
	int status = emu_req_json(req, &resource, &f);

	if (!status)
		status = emu_upload_read(req, resource, &u, &f);
	if (!status) {
		emu_upload_default_type(&u, emu_req_header(req, "X-Upload-Content-Type"));
		status = emu_store_check(&req->server->store, &u.target, &f);
	}
	if (!status)
		status = keep_session(req, &u, &f);
	emu_upload_done(&u);
	if (status)
		emu_reply_fail(req, &f);
}

const struct emu_route emu_route_initiate = {.finish = initiate_finish};
