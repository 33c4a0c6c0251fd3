// SPDX-License-Identifier: Apache-2.0
// The XML API, path-style: reading objects, which is all that clients use it for here.
#include <string.h>

#include "emulator/handlers.h"
#include "emulator/server.h"

static int read_condition(const struct emu_req *req, const char *header,
			  enum emu_cond_kind kind, struct emu_cond *ret,
			  struct emu_fail *f)
{
	const char *text = emu_req_header(req, header);

	if (!text)
		return 0;
	ret->has[kind] = true;
	if (parse_u64(text, &ret->value[kind], NULL) < 0)
		return emu_fail(f, 400, "invalid", "Invalid argument.");
	return 0;
}

void emu_xml_get(struct emu_req *req)
{
	cleanup_object struct emu_object *o = NULL;
	struct emu_fail f = {0};
	struct emu_target t = {.bucket = req->args[0], .name = req->args[1]};
	int status = emu_req_u64(req, "generation", &t.has_generation, &t.generation, &f);

	t.has_generation = t.generation != 0;
	if (!status)
		status = read_condition(req, "x-goog-if-generation-match",
					EMU_IF_GENERATION_MATCH, &t.cond, &f);
	if (!status)
		status = read_condition(req, "x-goog-if-metageneration-match",
					EMU_IF_METAGENERATION_MATCH, &t.cond, &f);
	if (!status)
		status = emu_store_get(&req->server->store, &t, &o, &f);
	if (status)
		emu_reply_fail(req, &f);
	else
		emu_reply_media(req, o);
}

void emu_xml_other(struct emu_req *req)
{
	struct emu_fail f = {0};

	emu_fail(&f, 501, "notImplemented",
		 "Of the XML API only GET and HEAD of an object are emulated.");
	emu_reply_fail(req, &f);
}
