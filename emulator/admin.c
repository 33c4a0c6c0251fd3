// SPDX-License-Identifier: Apache-2.0
// The emulator's own endpoints under /_emulator: faults, request log, statistics.
#include <string.h>

#include "emulator/handlers.h"
#include "emulator/server.h"

void emu_admin_faults_get(struct emu_req *req)
{
	emu_reply_json(req, 200, emu_faults_json(req->server->faults));
}

static void set_faults(struct emu_req *req, const json_t *doc)
{
	struct emu_fail f = {0};
	struct err err = {0};

	if (emu_faults_set(req->server->faults, doc, &err) < 0) {
		emu_fail(&f, 400, "invalid", "%s", err.text);
		emu_reply_fail(req, &f);
		return;
	}
	emu_admin_faults_get(req);
}

void emu_admin_faults_set(struct emu_req *req)
{
	json_t *doc = NULL;
	struct emu_fail f = {0};

	if (emu_req_json(req, &doc, &f)) {
		emu_reply_fail(req, &f);
		return;
	}
	set_faults(req, doc);
	json_decref(doc);
}

void emu_admin_faults_clear(struct emu_req *req)
{
	json_t *none = json_object();

	set_faults(req, none);
	json_decref(none);
}

void emu_admin_requests_get(struct emu_req *req)
{
	uint64_t since = 0, limit = EMU_REQLOG_MAX;
	struct emu_fail f = {0};
	bool has;
	int status = emu_req_u64(req, "since", &has, &since, &f);

	if (!status)
		status = emu_req_u64(req, "limit", &has, &limit, &f);
	if (status)
		emu_reply_fail(req, &f);
	else
		emu_reply_json(req, 200,
			       emu_reqlog_json(req->server->log, since, (size_t)limit));
}

void emu_admin_requests_clear(struct emu_req *req)
{
	emu_reqlog_clear(req->server->log);
	emu_reply_empty(req, 204);
}

void emu_admin_stats(struct emu_req *req)
{
	struct emu_server *s = req->server;
	uint64_t objects, bytes;
	json_t *v, *by_class = json_object();

	emu_store_counts(&s->store, &objects, &bytes);
	for (int i = 1; i < 6; i++) {
		char key[4] = {(char)('0' + i), 'x', 'x', '\0'};

		json_object_set_new(by_class, key,
				    json_integer((json_int_t)s->stats.by_class[i]));
	}
	v = json_pack("{s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "requests",
		      (json_int_t)s->stats.requests, "replies", by_class, "faults",
		      (json_int_t)s->stats.faults, "resets", (json_int_t)s->stats.resets,
		      "bytes_in", (json_int_t)s->stats.bytes_in, "bytes_out",
		      (json_int_t)s->stats.bytes_out, "connections",
		      (json_int_t)s->stats.connections, "sessions",
		      (json_int_t)emu_sessions_count(s->sessions), "objects",
		      (json_int_t)objects, "object_bytes", (json_int_t)bytes);
	emu_reply_json(req, 200, v);
}
