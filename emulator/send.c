// SPDX-License-Identifier: Apache-2.0
// Replies as libmicrohttpd wants them.
#include "emulator/send.h"

#include <string.h>

#include "core/json.h"
#include "emulator/fields.h"
#include "emulator/server.h"

enum { READ_BYTES = 256 * 1024 };

/* What a reply's body is read from while it is sent. */
struct source {
	struct emu_server *server;
	struct emu_blob *blob; /* or */
	char *text;
	uint64_t offset;
	uint64_t cut; /* bytes after which the connection is closed */
};

static ssize_t source_read(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct source *src = arg;
	ssize_t n;

	if (pos >= src->cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (max > src->cut - pos)
		max = (size_t)(src->cut - pos);
	if (src->blob) {
		n = emu_blob_read(src->blob, src->offset + pos, buf, max);
		if (n <= 0)
			return MHD_CONTENT_READER_END_WITH_ERROR;
	} else {
		n = (ssize_t)max;
		memcpy(buf, src->text + pos, max);
	}
	src->server->stats.bytes_out += (uint64_t)n;
	return n;
}

static void source_free(void *arg)
{
	struct source *src = arg;

	emu_blob_unref(src->blob);
	free(src->text);
	free(src);
}

static void render(struct emu_req *req)
{
	struct emu_reply *r = &req->reply;
	const char *fields = emu_req_param(req, "fields");
	struct emu_fail f = {0};

	if (!r->json)
		return;
	if (fields && *fields && r->status < 300 && !req->is_xml &&
	    emu_fields_apply(&r->json, fields, &f))
		emu_reply_fail(req, &f);
	if (json_dump(r->json, &r->text, NULL) < 0)
		r->status = 500;
}

static struct MHD_Response *body(struct emu_req *req)
{
	struct emu_reply *r = &req->reply;
	uint64_t len = r->blob ? r->len : r->text.len;
	struct MHD_Response *response;
	struct source *src;

	if (!len)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	src = xcalloc(1, sizeof(*src));
	src->server = req->server;
	src->blob = steal_ptr(r->blob);
	src->offset = r->offset;
	src->cut = req->hit.kind == EMU_FAULT_TRUNCATE ? len / 2 : len;
	if (!src->blob)
		src->text = str_steal(&r->text);
	response = MHD_create_response_from_callback(
		len, len < READ_BYTES ? (size_t)len : READ_BYTES, source_read, src,
		source_free);
	if (!response)
		source_free(src);
	return response;
}

enum MHD_Result emu_send(struct emu_req *req)
{
	struct emu_reply *r = &req->reply;
	struct MHD_Response *response;
	enum MHD_Result sent;

	render(req);
	response = body(req);
	if (!response)
		return MHD_NO;
	if (r->type)
		MHD_add_response_header(response, "Content-Type", r->type);
	for (size_t i = 0; i < r->n_headers; i++)
		MHD_add_response_header(response, r->headers[i].key, r->headers[i].value);
	req->server->stats.by_class[r->status / 100 % 6]++;
	sent = MHD_queue_response(req->conn, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return sent;
}
