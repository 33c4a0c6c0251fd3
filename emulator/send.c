// SPDX-License-Identifier: Apache-2.0
// Replies as libmicrohttpd wants them.
#include "emulator/send.h"

#include <string.h>

#include "core/json.h"
#include "emulator/fields.h"
#include "emulator/net.h"
#include "emulator/script.h"
#include "emulator/server.h"

enum { READ_BYTES = 256 * 1024, SLOW_STEPS_PER_S = 20 };

/* What a reply's body is read from while it is sent. */
struct source {
	struct emu_server *server;
	struct MHD_Connection *conn;
	struct emu_blob *blob; /* or */
	char *text;
	uint64_t offset;
	struct emu_hit hit;
	uint64_t cut;	   /* bytes after which the connection is closed, or */
	uint64_t stall_at; /* nothing is sent for a while */
	bool is_stalled;
};

static ssize_t source_end(struct source *src)
{
	if (src->hit.kind == EMU_FAULT_RESET) {
		src->server->stats.resets++;
		emu_net_reset(src->conn);
	}
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Waits as the fault has it; returns how much may be sent at once. */
static size_t source_pace(struct source *src, uint64_t pos, size_t max)
{
	struct emu_faults *faults = src->server->faults;

	if (src->hit.kind == EMU_FAULT_STALL && pos < src->stall_at &&
	    max > src->stall_at - pos)
		return (size_t)(src->stall_at - pos);
	if (src->hit.kind == EMU_FAULT_STALL && pos == src->stall_at &&
	    !src->is_stalled) {
		src->is_stalled = true;
		emu_faults_sleep(faults, src->hit.seconds);
	}
	if (src->hit.kind == EMU_FAULT_SLOW) {
		uint64_t step = src->hit.bytes_per_s / SLOW_STEPS_PER_S;

		max = max > step ? (size_t)(step ? step : 1) : max;
		emu_faults_sleep(faults, (double)max / (double)src->hit.bytes_per_s);
	}
	return max;
}

static ssize_t source_read(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct source *src = arg;
	ssize_t n;

	if (pos >= src->cut)
		return source_end(src);
	if (max > src->cut - pos)
		max = (size_t)(src->cut - pos);
	max = source_pace(src, pos, max);
	if (src->blob) {
		n = emu_blob_read(src->blob, src->offset + pos, buf, max);
		if (n <= 0)
			return MHD_CONTENT_READER_END_WITH_ERROR;
	} else {
		n = (ssize_t)max;
		memcpy(buf, src->text + pos, max);
	}
	if (src->hit.kind == EMU_FAULT_CORRUPT && pos == 0 && src->blob)
		buf[0] ^= 1;
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

	if (!r->json || r->text.len)
		return;
	if (fields && *fields && r->status < 300 && !req->is_xml && !r->is_selected &&
	    emu_fields_apply(&r->json, fields, &f))
		emu_reply_fail(req, &f);
	if (json_dump(r->json, &r->text, NULL) < 0)
		r->status = 500;
}

uint64_t emu_send_bytes(struct emu_req *req)
{
	render(req);
	return req->reply.blob ? req->reply.len : req->reply.text.len;
}

/* Where in @len bytes the reply ends for good. */
static uint64_t cut_of(const struct emu_hit *hit, uint64_t len)
{
	switch (hit->kind) {
	case EMU_FAULT_TRUNCATE:
		return len / 2;
	case EMU_FAULT_BROKEN:
	case EMU_FAULT_RESET:
		return hit->after_bytes < len ? hit->after_bytes : len;
	default:
		return len;
	}
}

/* A stall strikes once: in the request's body, or else in the reply's. */
static uint64_t stall_of(const struct emu_req *req)
{
	uint64_t after = req->hit.after_bytes;

	return after && req->body_bytes < after ? after : UINT64_MAX;
}

static struct MHD_Response *body(struct emu_req *req, uint64_t len)
{
	struct emu_reply *r = &req->reply;
	struct MHD_Response *response;
	struct source *src;

	if (!len)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	src = xcalloc(1, sizeof(*src));
	src->server = req->server;
	src->blob = steal_ptr(r->blob);
	src->offset = r->offset;
	src->conn = req->conn;
	src->hit = req->hit;
	src->cut = cut_of(&req->hit, len);
	src->stall_at = stall_of(req);
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
	uint64_t len = emu_send_bytes(req);
	struct MHD_Response *response;
	enum MHD_Result sent;

	emu_script_reply(req, len);
	response = body(req, len);
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
