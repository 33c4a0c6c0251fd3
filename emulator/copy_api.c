// SPDX-License-Identifier: Apache-2.0
// Objects made from objects over the JSON API: compose, copy, rewrite, move.
#include <string.h>

#include "emulator/handlers.h"
#include "emulator/server.h"

/* Components in one request (JSON API reference, "Objects: compose"). */
enum { SOURCES_MAX = 32 };

static int read_number(const json_t *v, const char *what, bool *ret_has, uint64_t *ret,
		       struct emu_fail *f)
{
	*ret_has = v && !json_is_null(v);
	if (!*ret_has)
		return 0;
	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		*ret = (uint64_t)json_integer_value(v);
		return 0;
	}
	if (json_is_string(v) && parse_u64(json_string_value(v), ret, NULL) == 0)
		return 0;
	return emu_fail(f, 400, "invalid", "Invalid value for: %s", what);
}

static int read_source(const struct emu_req *req, const json_t *v, struct emu_target *ret,
		       struct emu_fail *f)
{
	const json_t *cond = json_object_get(v, "objectPreconditions");
	struct emu_target t = {.bucket = req->args[0]};
	int status;

	t.name = json_string_value(json_object_get(v, "name"));
	status = emu_name_check(t.name ? t.name : "", f);
	if (!status)
		status = read_number(json_object_get(v, "generation"), "generation",
				     &t.has_generation, &t.generation, f);
	t.has_generation = t.generation != 0;
	if (!status)
		status = read_number(json_object_get(cond, "ifGenerationMatch"),
				     "ifGenerationMatch",
				     &t.cond.has[EMU_IF_GENERATION_MATCH],
				     &t.cond.value[EMU_IF_GENERATION_MATCH], f);
	*ret = t;
	return status;
}

static int read_sources(const struct emu_req *req, const json_t *body,
			struct emu_target *ret, size_t *ret_n, struct emu_fail *f)
{
	const json_t *list = json_object_get(body, "sourceObjects");
	size_t n = json_array_size(list);
	int status = 0;

	if (n < 1)
		return emu_fail(f, 400, "required",
				"You must provide at least one source component.");
	if (n > SOURCES_MAX)
		return emu_fail(f, 400, "invalid",
				"The number of source components provided (%zu) exceeds "
				"the maximum (%d)",
				n, SOURCES_MAX);
	for (size_t i = 0; i < n && !status; i++)
		status = read_source(req, json_array_get(list, i), &ret[i], f);
	*ret_n = n;
	return status;
}

static int read_destination(const json_t *body, json_t **ret_meta, struct emu_fail *f)
{
	const json_t *v = json_object_get(body, "destination");

	if (v && !json_is_null(v))
		return emu_meta_read(v, ret_meta, f);
	*ret_meta = json_object();
	return 0;
}

static void answer(struct emu_req *req, int status, struct emu_object *o,
		   const struct emu_fail *f)
{
	if (status)
		emu_reply_fail(req, f);
	else
		emu_reply_object(req, o);
}

void emu_api_compose(struct emu_req *req)
{
	cleanup_object struct emu_object *o = NULL;
	struct emu_target from[SOURCES_MAX], to;
	struct emu_fail f = {0};
	json_t *body = NULL, *meta = NULL;
	size_t n = 0;
	int status = emu_req_json(req, &body, &f);

	if (!status)
		status = emu_name_check(req->args[1], &f);
	if (!status)
		status = emu_req_target(req, req->args[0], req->args[1], &to, &f);
	if (!status)
		status = read_sources(req, body, from, &n, &f);
	if (!status)
		status = read_destination(body, &meta, &f);
	if (!status)
		status = emu_store_compose(&req->server->store, from, n, &to, meta, &o,
					   &f);
	json_decref(body);
	answer(req, status, o, &f);
}

/* A body replaces the source's metadata; without one they are copied. */
static int copy(struct emu_req *req, const struct emu_target *from,
		const struct emu_target *to, enum emu_copy how, struct emu_object **ret,
		struct emu_fail *f)
{
	json_t *body = NULL, *meta = NULL;
	int status = emu_req_json(req, &body, f);

	if (status)
		return status;
	status = emu_name_check(to->name, f);
	if (!status && how == EMU_COPY && json_object_size(body))
		status = emu_meta_read(body, &meta, f);
	json_decref(body);
	if (status)
		return status;
	return emu_store_copy(&req->server->store, from, to, how, meta, ret, f);
}

static int copy_to(struct emu_req *req, struct emu_object **ret, struct emu_fail *f)
{
	struct emu_target from, to;
	int status = emu_req_source(req, req->args[0], req->args[1], &from, f);

	if (!status)
		status = emu_req_target(req, req->args[2], req->args[3], &to, f);
	if (status)
		return status;
	to.has_generation = false;
	return copy(req, &from, &to, EMU_COPY, ret, f);
}

void emu_api_copy(struct emu_req *req)
{
	cleanup_object struct emu_object *o = NULL;
	struct emu_fail f = {0};
	int status = copy_to(req, &o, &f);

	answer(req, status, o, &f);
}

void emu_api_rewrite(struct emu_req *req)
{
	cleanup_object struct emu_object *o = NULL;
	cleanup_free char *base = emu_req_base(req);
	struct emu_fail f = {0};
	json_t *size;

	if (copy_to(req, &o, &f)) {
		emu_reply_fail(req, &f);
		return;
	}
	size = json_sprintf("%llu", (unsigned long long)o->blob->size);
	emu_reply_json(req, 200,
		       json_pack("{s:s, s:O, s:o, s:b, s:o}", "kind",
				 "storage#rewriteResponse", "totalBytesRewritten", size,
				 "objectSize", size, "done", 1, "resource",
				 emu_object_json(o, base, NULL)));
}

void emu_api_move(struct emu_req *req)
{
	cleanup_object struct emu_object *o = NULL;
	struct emu_target from, to;
	struct emu_fail f = {0};
	int status = emu_req_source(req, req->args[0], req->args[1], &from, &f);

	if (!status)
		status = emu_req_target(req, req->args[0], req->args[2], &to, &f);
	if (!status && strcmp(from.name, to.name) == 0)
		status = emu_fail(&f, 400, "invalid",
				  "Source and destination are the same object.");
	to.has_generation = false;
	if (!status)
		status = copy(req, &from, &to, EMU_MOVE, &o, &f);
	answer(req, status, o, &f);
}
