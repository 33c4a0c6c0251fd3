// SPDX-License-Identifier: Apache-2.0
// The route table.
#include "emulator/route.h"

#include <string.h>

#include "emulator/handlers.h"

#define B "/storage/v1/b"
#define O B "/{}/o/{}"
#define INSTANCES "/_emulator/instances"

static const struct emu_route routes[] = {
	{.method = "GET",
	 .path = B,
	 .rpc = "storage.buckets.list",
	 .finish = emu_api_bucket_list},
	{.method = "POST",
	 .path = B,
	 .rpc = "storage.buckets.insert",
	 .finish = emu_api_bucket_insert},
	{.method = "GET",
	 .path = B "/{}",
	 .rpc = "storage.buckets.get",
	 .finish = emu_api_bucket_get},
	{.method = "DELETE",
	 .path = B "/{}",
	 .rpc = "storage.buckets.delete",
	 .finish = emu_api_bucket_delete},
	{.method = "GET", .path = B "/{}/storageLayout", .finish = emu_api_bucket_layout},
	{.method = "GET",
	 .path = B "/{}/iam/testPermissions",
	 .rpc = "storage.buckets.testIamPermissions",
	 .finish = emu_api_bucket_permissions},
	{.method = "GET",
	 .path = B "/{}/o",
	 .rpc = "storage.objects.list",
	 .finish = emu_api_object_list},
	{.method = "GET",
	 .path = O,
	 .rpc = "storage.objects.get",
	 .finish = emu_api_object_get},
	{.method = "PATCH",
	 .path = O,
	 .rpc = "storage.objects.patch",
	 .finish = emu_api_object_patch},
	{.method = "PUT",
	 .path = O,
	 .rpc = "storage.objects.update",
	 .finish = emu_api_object_update},
	{.method = "DELETE",
	 .path = O,
	 .rpc = "storage.objects.delete",
	 .finish = emu_api_object_delete},
	{.method = "POST",
	 .path = O "/compose",
	 .rpc = "storage.objects.compose",
	 .finish = emu_api_compose},
	{.method = "POST",
	 .path = O "/copyTo/b/{}/o/{}",
	 .rpc = "storage.objects.copy",
	 .finish = emu_api_copy},
	{.method = "POST",
	 .path = O "/rewriteTo/b/{}/o/{}",
	 .rpc = "storage.objects.rewrite",
	 .finish = emu_api_rewrite},
	{.method = "POST",
	 .path = O "/moveTo/o/{}",
	 .rpc = "storage.objects.move",
	 .finish = emu_api_move},
	{.method = "GET",
	 .path = "/download" O,
	 .rpc = "storage.objects.get",
	 .finish = emu_api_object_download},
	{.method = "POST",
	 .path = "/upload" B "/{}/o",
	 .rpc = "storage.objects.insert",
	 .begin = emu_api_upload_begin},
	{.method = "PUT",
	 .path = "/upload" B "/{}/o",
	 .rpc = "storage.objects.insert",
	 .begin = emu_api_upload_begin},
	{.method = "DELETE",
	 .path = "/upload" B "/{}/o",
	 .finish = emu_api_session_delete},
	{.method = "GET", .path = "/_emulator/faults", .finish = emu_admin_faults_get},
	{.method = "POST", .path = "/_emulator/faults", .finish = emu_admin_faults_set},
	{.method = "DELETE",
	 .path = "/_emulator/faults",
	 .finish = emu_admin_faults_clear},
	{.method = "GET",
	 .path = "/_emulator/requests",
	 .finish = emu_admin_requests_get},
	{.method = "DELETE",
	 .path = "/_emulator/requests",
	 .finish = emu_admin_requests_clear},
	{.method = "GET", .path = "/_emulator/stats", .finish = emu_admin_stats},
	{.method = "GET", .path = "/retry_tests", .finish = emu_admin_retry_list},
	{.method = "POST", .path = "/retry_test", .finish = emu_admin_retry_add},
	{.method = "GET", .path = "/retry_test/{}", .finish = emu_admin_retry_get},
	{.method = "DELETE", .path = "/retry_test/{}", .finish = emu_admin_retry_delete},
	{.method = "GET", .path = INSTANCES, .finish = emu_admin_instance_list},
	{.method = "PUT", .path = INSTANCES "/{}", .finish = emu_admin_instance_put},
	{.method = "DELETE",
	 .path = INSTANCES "/{}",
	 .finish = emu_admin_instance_delete},
	{.method = "POST",
	 .path = INSTANCES "/{}/preempt",
	 .finish = emu_admin_instance_preempt},
};

/* Path-style XML: whatever is not of the JSON API, whichever Host was asked. */
static const struct emu_route xml_routes[] = {
	{.method = "GET",
	 .path = "/{}/{*}",
	 .rpc = "storage.objects.get",
	 .finish = emu_xml_get},
	{.method = "*", .path = "{*}", .finish = emu_xml_other},
};

static const char *const json_areas[] = {
	B, "/download" B, "/upload" B, "/_emulator", "/retry_test", "/retry_tests"};

static int decode(char *text, const char *what, struct emu_fail *f)
{
	if (str_percent_decode(text, NULL) < 0 || !str_is_utf8(text, strlen(text)))
		return emu_fail(f, 400, "invalid", "Invalid percent-encoding in the %s.",
				what);
	return 0;
}

static int decode_query(struct emu_req *req, struct emu_fail *f)
{
	int status = 0;
	size_t n;

	for (const char *p = req->query; !status && *p; p += n + (p[n] == '&')) {
		cleanup_free char *item = NULL;
		char *eq;

		n = strcspn(p, "&");
		if (!n)
			continue;
		item = xstrndup(p, n);
		for (char *c = item; *c; c++)
			if (*c == '+')
				*c = ' ';
		eq = strchr(item, '=');
		if (eq)
			*eq++ = '\0';
		req->params =
			xrealloc(req->params, req->n_params + 1, sizeof(*req->params));
		req->params[req->n_params++] = (struct emu_param){
			.key = xstrdup(item),
			.value = xstrdup(eq ? eq : ""),
		};
		status = decode(req->params[req->n_params - 1].key, "query", f);
		if (!status)
			status = decode(req->params[req->n_params - 1].value, "query", f);
	}
	return status;
}

static void drop_args(struct emu_req *req)
{
	for (size_t i = 0; i < req->n_args; i++)
		free(req->args[i]);
	req->n_args = 0;
}

/* Do the still encoded @path and @pattern agree? Arguments are collected on the way. */
static bool matches(struct emu_req *req, const char *pattern, const char *path)
{
	drop_args(req);
	while (*pattern) {
		size_t n = strcspn(path, "/");

		if (str_starts(pattern, "{*}")) {
			req->args[req->n_args++] = xstrdup(path);
			return *path != '\0';
		}
		if (str_starts(pattern, "{}")) {
			if (!n)
				return false;
			req->args[req->n_args++] = xstrndup(path, n);
			path += n;
			pattern += 2;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return *path == '\0';
}

static const struct emu_route *find(struct emu_req *req, const struct emu_route *table,
				    size_t n, const char *path, bool *ret_has_path)
{
	const char *method = strcmp(req->method, "HEAD") == 0 ? "GET" : req->method;

	for (size_t i = 0; i < n; i++) {
		if (!matches(req, table[i].path, path))
			continue;
		*ret_has_path = true;
		if (strcmp(table[i].method, method) == 0 ||
		    strcmp(table[i].method, "*") == 0)
			return &table[i];
	}
	drop_args(req);
	return NULL;
}

static bool is_json_api(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(json_areas); i++) {
		size_t n = strlen(json_areas[i]);

		if (str_starts(path, json_areas[i]) && (!path[n] || path[n] == '/'))
			return true;
	}
	return false;
}

int emu_route(struct emu_req *req, struct emu_fail *f)
{
	char *mark = strchr(req->uri, '?');
	const char *path;
	bool has_path = false;
	int status;

	req->path =
		mark ? xstrndup(req->uri, (size_t)(mark - req->uri)) : xstrdup(req->uri);
	req->query = xstrdup(mark ? mark + 1 : "");
	path = req->path;
	/* the form older clients use for resumable uploads */
	if (str_starts(path, "/resumable/upload/"))
		path += strlen("/resumable");
	req->is_xml = !is_json_api(path);
	status = decode_query(req, f);
	if (status)
		return status;
	if (req->is_xml)
		req->route =
			find(req, xml_routes, ARRAY_SIZE(xml_routes), path, &has_path);
	else
		req->route = find(req, routes, ARRAY_SIZE(routes), path, &has_path);
	if (!req->route && has_path)
		return emu_fail(f, 405, "methodNotAllowed", "Method Not Allowed");
	if (!req->route)
		return emu_fail(f, 404, "notFound", "Not Found");
	req->rpc = req->route->rpc;
	for (size_t i = 0; !status && i < req->n_args; i++)
		status = decode(req->args[i], "path", f);
	return status;
}

bool emu_route_has_rpc(const char *rpc)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (routes[i].rpc && strcmp(routes[i].rpc, rpc) == 0)
			return true;
	return false;
}

void emu_route_done(struct emu_req *req)
{
	drop_args(req);
	for (size_t i = 0; i < req->n_params; i++) {
		free(req->params[i].key);
		free(req->params[i].value);
	}
	free(req->params);
	free(req->path);
	free(req->query);
}
