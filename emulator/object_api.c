// SPDX-License-Identifier: Apache-2.0
// Objects over the JSON API: list, get, patch, update, delete.
#include <string.h>

#include "core/json.h"
#include "core/str.h"
#include "emulator/fields.h"
#include "emulator/handlers.h"
#include "emulator/list.h"
#include "emulator/server.h"
#include "emulator/store.h"

static int flag(const struct emu_req *req, const char *key, bool *ret, struct emu_fail *f)
{
	const char *text = emu_req_text(req, key);

	*ret = strcmp(text, "true") == 0;
	if (*text && !*ret && strcmp(text, "false") != 0)
		return emu_fail(f, 400, "invalid", "Invalid boolean value: '%s'.", text);
	return 0;
}

static int read_list_query(const struct emu_req *req, struct emu_list_query *ret,
			   struct emu_fail *f)
{
	struct emu_list_query q = {
		.prefix = emu_req_text(req, "prefix"),
		.delimiter = emu_req_text(req, "delimiter"),
		.start = emu_req_text(req, "startOffset"),
		.end = emu_req_text(req, "endOffset"),
		.token = emu_req_text(req, "pageToken"),
		.max = EMU_PAGE_MAX,
	};
	uint64_t max = 0;
	bool has_max = false, has_folders;
	int status = emu_req_u64(req, "maxResults", &has_max, &max, f);

	if (!status)
		status = flag(req, "includeTrailingDelimiter", &q.has_trailing, f);
	/* a bucket without hierarchy has no folders: nothing to include */
	if (!status)
		status = flag(req, "includeFoldersAsPrefixes", &has_folders, f);
	if (!status && *emu_req_text(req, "matchGlob"))
		status = emu_fail(f, 400, "invalid", "matchGlob is not emulated.");
	if (!status && max && max < q.max)
		q.max = (size_t)max;
	*ret = q;
	return status;
}

/* Takes @list; an empty one is left out, as the service does. */
static void set_list(json_t *v, const json_t *want, const char *key, json_t *list)
{
	if (json_array_size(list) && emu_fields_has(want, key))
		json_object_set_new(v, key, list);
	else
		json_decref(list);
}

/* Of a thousand objects only what @want selects is made. */
static json_t *page_json(const struct emu_req *req, const struct emu_list_page *page,
			 const json_t *want)
{
	cleanup_free char *base = emu_req_base(req);
	json_t *v = json_object(), *items = json_array(), *prefixes = json_array();
	const json_t *of_item = emu_fields_of(want, "items");

	if (emu_fields_has(want, "kind"))
		json_object_set_new(v, "kind", json_string("storage#objects"));
	for (size_t i = 0; i < page->n_items && emu_fields_has(want, "items"); i++)
		json_array_append_new(items,
				      emu_object_json(page->items[i], base, of_item));
	for (size_t i = 0; i < page->n_prefixes; i++)
		json_array_append_new(prefixes, json_string(page->prefixes[i]));
	if (page->next_token && emu_fields_has(want, "nextPageToken"))
		json_object_set_new(v, "nextPageToken", json_string(page->next_token));
	set_list(v, want, "prefixes", prefixes);
	set_list(v, want, "items", items);
	return v;
}

static int list(struct emu_req *req, struct emu_list_page *ret, struct emu_fail *f)
{
	struct emu_store *s = &req->server->store;
	struct emu_list_query q;
	struct emu_bucket *b;
	int status = read_list_query(req, &q, f);

	if (status)
		return status;
	pthread_mutex_lock(&s->mu);
	status = emu_find_bucket(s, req->args[0], &b, f);
	if (!status)
		status = emu_list(b->objects, b->n, &q, ret, f);
	pthread_mutex_unlock(&s->mu);
	return status;
}

void emu_api_object_list(struct emu_req *req)
{
	cleanup_json json_t *want = NULL;
	struct emu_list_page page = {0};
	struct emu_fail f = {0};

	if (list(req, &page, &f) ||
	    emu_fields_parse(emu_req_text(req, "fields"), &want, &f)) {
		emu_reply_fail(req, &f);
	} else {
		emu_reply_json(req, 200, page_json(req, &page, want));
		req->reply.is_selected = true;
	}
	emu_list_page_done(&page);
}

static void get(struct emu_req *req,
		void reply(struct emu_req *, const struct emu_object *))
{
	cleanup_object struct emu_object *o = NULL;
	struct emu_fail f = {0};
	struct emu_target t;
	int status = emu_req_target(req, req->args[0], req->args[1], &t, &f);

	if (!status)
		status = emu_store_get(&req->server->store, &t, &o, &f);
	if (status)
		emu_reply_fail(req, &f);
	else
		reply(req, o);
}

void emu_api_object_get(struct emu_req *req)
{
	bool is_media = strcmp(emu_req_text(req, "alt"), "media") == 0;

	get(req, is_media ? emu_reply_media : emu_reply_object);
}

void emu_api_object_download(struct emu_req *req)
{
	get(req, emu_reply_media);
}

static void edit(struct emu_req *req, enum emu_edit how)
{
	cleanup_object struct emu_object *o = NULL;
	struct emu_fail f = {0};
	struct emu_target t;
	json_t *body = NULL;
	int status = emu_req_target(req, req->args[0], req->args[1], &t, &f);

	if (!status)
		status = emu_req_json(req, &body, &f);
	if (!status)
		status = emu_store_edit(&req->server->store, &t, how, body, &o, &f);
	json_decref(body);
	if (status)
		emu_reply_fail(req, &f);
	else
		emu_reply_object(req, o);
}

void emu_api_object_patch(struct emu_req *req)
{
	edit(req, EMU_PATCH);
}

void emu_api_object_update(struct emu_req *req)
{
	edit(req, EMU_UPDATE);
}

void emu_api_object_delete(struct emu_req *req)
{
	struct emu_fail f = {0};
	struct emu_target t;
	int status = emu_req_target(req, req->args[0], req->args[1], &t, &f);

	if (!status)
		status = emu_store_delete(&req->server->store, &t, &f);
	if (status)
		emu_reply_fail(req, &f);
	else
		emu_reply_empty(req, 204);
}
