// SPDX-License-Identifier: Apache-2.0
// Buckets over the JSON API.
#include <string.h>

#include "core/clock.h"
#include "emulator/handlers.h"
#include "emulator/server.h"

/* Buckets have no changeable properties here: their metageneration stays 1. */
static int check(struct emu_req *req, int64_t *ret_created_ns, struct emu_fail *f)
{
	int status = emu_bucket_get(&req->server->store, req->args[0], ret_created_ns, f);
	struct emu_target t;

	if (!status)
		status = emu_req_target(req, req->args[0], "", &t, f);
	if (status)
		return status;
	t.cond.has[EMU_IF_GENERATION_MATCH] = false;
	t.cond.has[EMU_IF_GENERATION_NOT_MATCH] = false;
	return emu_cond_check(&t.cond, 1, 1, f);
}

static json_t *bucket_json(const struct emu_req *req, const char *name,
			   int64_t created_ns)
{
	cleanup_free char *base = emu_req_base(req);
	char at[RFC3339_CAP];

	clock_format(created_ns, at);
	return json_pack(
		"{s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
		"kind", "storage#bucket", "id", name, "selfLink",
		json_sprintf("%s/storage/v1/b/%s", base, name), "projectNumber", "0",
		"name", name, "timeCreated", at, "updated", at, "metageneration", "1",
		"location", "US", "locationType", "multi-region", "storageClass",
		"STANDARD", "etag", "CAE=", "rpo", "DEFAULT");
}

void emu_api_bucket_get(struct emu_req *req)
{
	struct emu_fail f = {0};
	int64_t created_ns = 0;

	if (check(req, &created_ns, &f))
		emu_reply_fail(req, &f);
	else
		emu_reply_json(req, 200, bucket_json(req, req->args[0], created_ns));
}

void emu_api_bucket_insert(struct emu_req *req)
{
	struct emu_fail f = {0};
	json_t *body = NULL;
	const char *name;
	int64_t created_ns = 0;
	int status = emu_req_json(req, &body, &f);

	if (!status) {
		name = json_string_value(json_object_get(body, "name"));
		status = name ? emu_bucket_create(&req->server->store, name, &f)
			      : emu_fail(&f, 400, "required", "Required parameter: name");
	}
	if (!status)
		status = emu_bucket_get(&req->server->store, name, &created_ns, &f);
	if (status)
		emu_reply_fail(req, &f);
	else
		emu_reply_json(req, 200, bucket_json(req, name, created_ns));
	json_decref(body);
}

void emu_api_bucket_list(struct emu_req *req)
{
	size_t n, prefix_len = strlen(emu_req_text(req, "prefix"));
	char **names = emu_bucket_names(&req->server->store, &n);
	json_t *items = json_array();
	struct emu_fail f = {0};

	for (size_t i = 0; i < n; i++) {
		int64_t created_ns = 0;

		if (strncmp(names[i], emu_req_text(req, "prefix"), prefix_len) == 0 &&
		    !emu_bucket_get(&req->server->store, names[i], &created_ns, &f))
			json_array_append_new(items,
					      bucket_json(req, names[i], created_ns));
		free(names[i]);
	}
	free(names);
	emu_reply_json(
		req, 200,
		json_pack("{s:s, s:o}", "kind", "storage#buckets", "items", items));
}

void emu_api_bucket_delete(struct emu_req *req)
{
	struct emu_fail f = {0};
	int status = check(req, NULL, &f);

	if (!status)
		status = emu_bucket_delete(&req->server->store, req->args[0], &f);
	if (status)
		emu_reply_fail(req, &f);
	else
		emu_reply_empty(req, 204);
}

void emu_api_bucket_layout(struct emu_req *req)
{
	struct emu_fail f = {0};

	if (check(req, NULL, &f))
		emu_reply_fail(req, &f);
	else
		emu_reply_json(req, 200,
			       json_pack("{s:s, s:s, s:s, s:s, s:{s:b}}", "kind",
					 "storage#storageLayout", "bucket", req->args[0],
					 "location", "US", "locationType", "multi-region",
					 "hierarchicalNamespace", "enabled", 0));
}

void emu_api_bucket_permissions(struct emu_req *req)
{
	json_t *granted = json_array();
	struct emu_fail f = {0};

	for (size_t i = 0; i < req->n_params; i++)
		if (strcmp(req->params[i].key, "permissions") == 0)
			json_array_append_new(granted, json_string(req->params[i].value));
	if (check(req, NULL, &f)) {
		json_decref(granted);
		emu_reply_fail(req, &f);
		return;
	}
	emu_reply_json(req, 200,
		       json_pack("{s:s, s:o}", "kind",
				 "storage#testIamPermissionsResponse", "permissions",
				 granted));
}
