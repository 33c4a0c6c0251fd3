// SPDX-License-Identifier: Apache-2.0
// What handlers ask a request for.
#include "emulator/req.h"

#include <string.h>

#include <microhttpd.h>

#include "core/json.h"
#include "emulator/server.h"

const char *emu_req_param(const struct emu_req *req, const char *key)
{
	for (size_t i = 0; i < req->n_params; i++)
		if (strcmp(req->params[i].key, key) == 0)
			return req->params[i].value;
	return NULL;
}

const char *emu_req_text(const struct emu_req *req, const char *key)
{
	const char *value = emu_req_param(req, key);

	return value ? value : "";
}

const char *emu_req_header(const struct emu_req *req, const char *name)
{
	return MHD_lookup_connection_value(req->conn, MHD_HEADER_KIND, name);
}

int emu_req_u64(const struct emu_req *req, const char *key, bool *ret_has, uint64_t *ret,
		struct emu_fail *f)
{
	const char *text = emu_req_param(req, key);

	*ret_has = text != NULL;
	if (text && parse_u64(text, ret, NULL) < 0)
		return emu_fail(f, 400, "invalid",
				"Invalid unsigned integer value: '%s'.", text);
	return 0;
}

static int read_target(const struct emu_req *req, bool is_source, const char *bucket,
		       const char *name, struct emu_target *ret, struct emu_fail *f)
{
	struct emu_target t = {.bucket = bucket, .name = name};
	int status = emu_req_u64(req, is_source ? "sourceGeneration" : "generation",
				 &t.has_generation, &t.generation, f);

	for (enum emu_cond_kind k = 0; !status && k < EMU_COND_KINDS; k++)
		status = emu_req_u64(req, emu_cond_name(k, is_source), &t.cond.has[k],
				     &t.cond.value[k], f);
	/* 0 is the live version: gcsfuse deletes with it */
	t.has_generation = t.generation != 0;
	if (!status)
		*ret = t;
	return status;
}

int emu_req_target(const struct emu_req *req, const char *bucket, const char *name,
		   struct emu_target *ret, struct emu_fail *f)
{
	return read_target(req, false, bucket, name, ret, f);
}

int emu_req_source(const struct emu_req *req, const char *bucket, const char *name,
		   struct emu_target *ret, struct emu_fail *f)
{
	return read_target(req, true, bucket, name, ret, f);
}

int emu_req_json(const struct emu_req *req, json_t **ret, struct emu_fail *f)
{
	const char *text = str_text(&req->body);
	json_t *v = NULL;
	struct err err = {0};

	if (text[strspn(text, " \t\r\n")] == '\0' && req->body.len == strlen(text)) {
		*ret = json_object();
		return 0;
	}
	if (json_load(text, req->body.len, EMU_JSON_MAX, "Parse Error", &v, &err) < 0)
		return emu_fail(f, 400, "parseError", "%s", err.text);
	if (!json_is_object(v)) {
		json_decref(v);
		return emu_fail(f, 400, "parseError", "Parse Error: not a JSON object.");
	}
	*ret = v;
	return 0;
}

char *emu_req_base(const struct emu_req *req)
{
	const char *host = emu_req_header(req, "Host");

	if (host && *host && str_is_utf8(host, strlen(host)))
		return xasprintf("http://%s", host);
	return xstrdup(req->server->url);
}
