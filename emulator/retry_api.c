// SPDX-License-Identifier: Apache-2.0
// storage-testbench's retry API: /retry_test and /retry_tests.
#include "core/json.h"
#include "emulator/handlers.h"
#include "emulator/retry_test.h"
#include "emulator/route.h"
#include "emulator/server.h"

void emu_admin_retry_list(struct emu_req *req)
{
	emu_reply_json(req, 200, emu_retry_tests_list(req->server->retry_tests));
}

void emu_admin_retry_add(struct emu_req *req)
{
	cleanup_json json_t *doc = NULL;
	json_t *test = NULL;
	struct emu_fail f = {0};
	int status = emu_req_json(req, &doc, &f);

	if (!status)
		status = emu_retry_tests_add(req->server->retry_tests, doc,
					     emu_route_has_rpc, &test, &f);
	if (status)
		emu_reply_fail(req, &f);
	else
		emu_reply_json(req, 200, test);
}

void emu_admin_retry_get(struct emu_req *req)
{
	json_t *test = NULL;
	struct emu_fail f = {0};

	if (emu_retry_tests_get(req->server->retry_tests, req->args[0], &test, &f))
		emu_reply_fail(req, &f);
	else
		emu_reply_json(req, 200, test);
}

void emu_admin_retry_delete(struct emu_req *req)
{
	cleanup_free char *text = xasprintf("Deleted %s", req->args[0]);
	struct emu_fail f = {0};

	if (emu_retry_tests_delete(req->server->retry_tests, req->args[0], &f))
		emu_reply_fail(req, &f);
	else
		emu_reply_text(req, 200, "text/plain", text);
}
