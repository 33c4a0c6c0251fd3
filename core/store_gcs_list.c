// SPDX-License-Identifier: Apache-2.0
// Listing a bucket page by page.
#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/store_gcs_impl.h"

enum { PAGE_OBJECTS = 1000 };

static int page_error(const struct gcs *gcs, const struct gcs_call *call,
		      const struct err *why, struct err *err)
{
	return gcs_fail(gcs, call, -EBADMSG, err, "%s", why->text);
}

/* Objects and "directories" of a page are two sorted lists: told in one order. */
static int tell_page(const struct gcs *gcs, const struct gcs_call *call,
		     const struct list_req *req, const json_t *doc, struct err *err)
{
	const json_t *items = json_object_get(doc, "items");
	const json_t *prefixes = json_object_get(doc, "prefixes");
	size_t i = 0, p = 0;
	int r = 0;

	while (r == 0 && (i < json_array_size(items) || p < json_array_size(prefixes))) {
		const char *prefix = json_string_value(json_array_get(prefixes, p));
		struct obj_meta meta = {0};
		struct err why = {0};

		if (p < json_array_size(prefixes) && !prefix)
			return gcs_fail(gcs, call, -EBADMSG, err,
					"a prefix that is no string");
		if (i < json_array_size(items) &&
		    gcs_meta_read(json_array_get(items, i), &meta, &why) < 0)
			return page_error(gcs, call, &why, err);
		if (!meta.name || (prefix && strcmp(prefix, meta.name) < 0)) {
			r = req->on_prefix ? req->on_prefix(prefix, req->arg, err) : 0;
			p++;
		} else {
			r = req->on_object ? req->on_object(&meta, req->arg, err) : 0;
			i++;
		}
	}
	return r;
}

static int get_page(struct gcs *gcs, struct gcs_call *call, json_t **ret,
		    int64_t *ret_server_date_ns, struct err *err)
{
	struct err why = {0};
	char date[64];
	int r = gcs_run(gcs, call, err);

	if (r < 0)
		return r;
	if (json_load(str_text(&call->resp.body), call->resp.body.len, GCS_PAGE_MAX,
		      "the server's reply", ret, &why) < 0)
		return page_error(gcs, call, &why, err);
	if (ret_server_date_ns &&
	    (!http_header(&call->resp, "Date", date, sizeof(date)) ||
	     clock_parse_http(date, ret_server_date_ns, NULL) < 0))
		return gcs_fail(gcs, call, -EBADMSG, err,
				"a reply without a usable Date");
	return 0;
}

static int list_page(struct gcs *gcs, const struct list_req *req, unsigned max_results,
		     char **token, int64_t *ret_server_date_ns, struct err *err)
{
	cleanup_free char *url = gcs_list_url(gcs, req, *token, max_results);
	cleanup_free char *last = *token;
	cleanup_json json_t *doc = NULL;
	cleanup_call struct gcs_call call = {
		.doing = "list",
		.name = req->prefix && *req->prefix ? req->prefix : NULL,
		.method = "GET",
		.url = url,
		.is_idempotent = true,
		.max_bytes = GCS_PAGE_MAX};
	const char *next;
	int r;

	*token = NULL;
	r = get_page(gcs, &call, &doc, ret_server_date_ns, err);
	if (r == 0)
		r = tell_page(gcs, &call, req, doc, err);
	next = json_string_value(json_object_get(doc, "nextPageToken"));
	if (r != 0 || !next || !*next)
		return r;
	if (last && strcmp(last, next) == 0)
		return gcs_fail(gcs, &call, -EBADMSG, err,
				"the same page token twice in a row");
	*token = xstrdup(next);
	return 0;
}

/* A page may be short or empty and yet not be the last: only the token counts. */
int gcs_list(struct store *store, const struct list_req *req, int64_t *ret_server_date_ns,
	     struct err *err)
{
	char *token = NULL;
	int r;

	do
		r = list_page((struct gcs *)store, req, PAGE_OBJECTS, &token,
			      ret_server_date_ns, err);
	while (r == 0 && token);
	free(token);
	return r;
}

/* Listing, not buckets.get: a viewer of objects may do the one and not the other. */
int gcs_probe(struct store *store, struct err *err)
{
	struct list_req req = {.prefix = ""};
	char *token = NULL;
	int r = list_page((struct gcs *)store, &req, 1, &token, NULL, err);

	free(token);
	return r;
}
