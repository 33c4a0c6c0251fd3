// SPDX-License-Identifier: Apache-2.0
// /_emulator/instances: the machines the metadata server answers for.
#include "emulator/handlers.h"
#include "emulator/instances.h"
#include "emulator/server.h"

void emu_admin_instance_list(struct emu_req *req)
{
	emu_reply_json(req, 200, emu_instances_json(req->server->instances));
}

void emu_admin_instance_put(struct emu_req *req)
{
	json_t *doc = NULL, *stored = NULL;
	struct emu_instance in = {0};
	struct emu_fail f = {0};
	int status = emu_req_json(req, &doc, &f);

	if (!status)
		status = emu_instance_read(req->args[0], doc, &in, &f);
	if (!status)
		status = emu_instances_put(req->server->instances, &in, &stored, &f);
	emu_instance_done(&in);
	json_decref(doc);
	if (stored)
		emu_reply_json(req, status, stored);
	else
		emu_reply_fail(req, &f);
}

void emu_admin_instance_delete(struct emu_req *req)
{
	struct emu_fail f = {0};

	if (emu_instances_delete(req->server->instances, req->args[0], &f))
		emu_reply_fail(req, &f);
	else
		emu_reply_empty(req, 204);
}

void emu_admin_instance_preempt(struct emu_req *req)
{
	json_t *stored = NULL;
	struct emu_fail f = {0};

	if (emu_instances_preempt(req->server->instances, req->args[0], &stored, &f))
		emu_reply_fail(req, &f);
	else
		emu_reply_json(req, 200, stored);
}
