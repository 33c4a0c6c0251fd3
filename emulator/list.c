// SPDX-License-Identifier: Apache-2.0
// One page of a listing.
#include "emulator/list.h"

#include <string.h>

#include "core/str.h"
#include "emulator/base64.h"
#include "emulator/index.h"

/* A page token is the last thing returned, and whether it was an item or a prefix. */
enum { LAST_ITEM = 'o', LAST_PREFIX = 'p' };

struct cursor {
	struct emu_object *const *objects;
	size_t n, at;
	const struct emu_list_query *q;
	struct emu_list_page *page;
	char *folded;	  /* the prefix returned last, on this page or before */
	char last_kind;	  /* of what was returned last; 0 = nothing was */
	const char *last; /* its name: an object's, or @folded */
};

/* Length of the prefix @name folds into, 0 when it is an item. */
static size_t fold_len(const struct emu_list_query *q, const char *name)
{
	size_t skip = strlen(q->prefix);
	const char *at = *q->delimiter ? strstr(name + skip, q->delimiter) : NULL;

	return at ? (size_t)(at - name) + strlen(q->delimiter) : 0;
}

/* The first position past all names that begin with @prefix. */
static size_t past_prefix(const struct cursor *c, const char *prefix)
{
	size_t lo = c->at, hi = c->n, n = strlen(prefix);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strncmp(c->objects[mid]->name, prefix, n) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static size_t count(const struct cursor *c)
{
	return c->page->n_items + c->page->n_prefixes;
}

static void add_item(struct cursor *c, struct emu_object *o)
{
	c->page->items[c->page->n_items++] = emu_object_ref(o);
	c->last_kind = LAST_ITEM;
	c->last = o->name;
}

static void add_prefix(struct cursor *c, const char *name, size_t len)
{
	free(c->folded);
	c->folded = xstrndup(name, len);
	c->page->prefixes[c->page->n_prefixes++] = xstrdup(c->folded);
	c->last_kind = LAST_PREFIX;
	c->last = c->folded;
}

/* The object at the cursor belongs to a prefix; false when the page is full. */
static bool fold(struct cursor *c, size_t len)
{
	struct emu_object *o = c->objects[c->at];

	if (!c->folded || strlen(c->folded) != len ||
	    memcmp(c->folded, o->name, len) != 0) {
		if (count(c) == c->q->max)
			return false;
		add_prefix(c, o->name, len);
	}
	if (c->q->has_trailing && !o->name[len]) {
		if (count(c) == c->q->max)
			return false;
		add_item(c, o);
	}
	c->at = past_prefix(c, c->folded);
	return true;
}

/* Go on where the token's page ended. */
static int resume(struct cursor *c, struct emu_fail *f)
{
	cleanup_str struct str raw = STR_INIT(EMU_NAME_MAX + 1);
	const char *name;
	size_t at, len;

	if (!*c->q->token)
		return 0;
	if (emu_base64_parse(c->q->token, &raw) < 0 || raw.failed || raw.len < 2 ||
	    (raw.s[0] != LAST_ITEM && raw.s[0] != LAST_PREFIX) ||
	    !str_is_utf8(raw.s, raw.len) || !str_starts(raw.s + 1, c->q->prefix))
		return emu_fail(f, 400, "invalid", "Invalid page token.");
	name = raw.s + 1;
	at = emu_index_lower(c->objects, c->n, name);
	if (raw.s[0] == LAST_ITEM && at < c->n && strcmp(c->objects[at]->name, name) == 0)
		at++;
	if (at > c->at)
		c->at = at;
	len = fold_len(c->q, name);
	if (len)
		c->folded = xstrndup(name, len);
	return 0;
}

static void finish(struct cursor *c, bool is_full)
{
	cleanup_str struct str token = STR_INIT(4 * EMU_NAME_MAX);
	cleanup_free char *last = NULL;

	if (!is_full || !c->last_kind)
		return;
	last = xasprintf("%c%s", c->last_kind, c->last);
	emu_base64_url(&token, last, strlen(last));
	c->page->next_token = str_steal(&token);
}

int emu_list(struct emu_object *const *objects, size_t n, const struct emu_list_query *q,
	     struct emu_list_page *ret, struct emu_fail *f)
{
	const char *from = strcmp(q->start, q->prefix) > 0 ? q->start : q->prefix;
	struct cursor c = {.objects = objects, .n = n, .q = q, .page = ret};
	size_t prefix_len = strlen(q->prefix);
	bool is_full = false;
	int status;

	c.at = emu_index_lower(objects, n, from);
	status = resume(&c, f);
	*ret = (struct emu_list_page){
		.items = xcalloc(q->max, sizeof(*ret->items)),
		.prefixes = xcalloc(q->max, sizeof(*ret->prefixes)),
	};
	while (!status && !is_full && c.at < n) {
		const char *name = objects[c.at]->name;
		size_t len;

		if (strncmp(name, q->prefix, prefix_len) != 0 ||
		    (*q->end && strcmp(name, q->end) >= 0))
			break;
		len = fold_len(q, name);
		if (len) {
			is_full = !fold(&c, len);
		} else if (count(&c) == q->max) {
			is_full = true;
		} else {
			add_item(&c, objects[c.at++]);
		}
	}
	finish(&c, is_full);
	free(c.folded);
	if (status)
		emu_list_page_done(ret);
	return status;
}

void emu_list_page_done(struct emu_list_page *p)
{
	for (size_t i = 0; i < p->n_items; i++)
		emu_object_unref(p->items[i]);
	for (size_t i = 0; i < p->n_prefixes; i++)
		free(p->prefixes[i]);
	free(p->items);
	free(p->prefixes);
	free(p->next_token);
	*p = (struct emu_list_page){0};
}
