// SPDX-License-Identifier: Apache-2.0
// Partial responses. A selection is a tree of objects; an empty one selects everything.
#include "emulator/fields.h"

#include <string.h>

#include "core/json.h"
#include "core/str.h"

enum { DEPTH_MAX = 16 };

static int parse_list(const char **p, json_t *into, int depth);

/* One item: a path of names, then perhaps a list in brackets. */
static int parse_item(const char **p, json_t *into, int depth)
{
	json_t *at = into;

	for (;;) {
		size_t n = strcspn(*p, ",/()");
		cleanup_free char *name = xstrndup(*p, n);
		json_t *next;

		if (!n || depth++ > DEPTH_MAX || !str_is_utf8(name, n))
			return -1;
		next = json_object_get(at, name);
		if (!next) {
			next = json_object();
			json_object_set_new(at, name, next);
		}
		at = next;
		*p += n;
		if (**p != '/')
			break;
		(*p)++;
	}
	if (**p != '(')
		return 0;
	(*p)++;
	if (parse_list(p, at, depth) < 0 || **p != ')')
		return -1;
	(*p)++;
	return 0;
}

static int parse_list(const char **p, json_t *into, int depth)
{
	for (;;) {
		if (parse_item(p, into, depth) < 0)
			return -1;
		if (**p != ',')
			return 0;
		(*p)++;
	}
}

json_t *emu_fields_of(const json_t *want, const char *key)
{
	json_t *sub = json_object_get(want, key);

	return sub ? sub : json_object_get(want, "*");
}

bool emu_fields_has(const json_t *want, const char *key)
{
	return json_object_size(want) == 0 || emu_fields_of(want, key);
}

json_t *emu_fields_cut(json_t *v, const json_t *want)
{
	json_t *out, *item;
	const char *key;

	if (json_object_size(want) == 0)
		return json_incref(v);
	if (json_is_array(v)) {
		out = json_array();
		for (size_t i = 0; i < json_array_size(v); i++)
			json_array_append_new(out,
					      emu_fields_cut(json_array_get(v, i), want));
		return out;
	}
	if (!json_is_object(v))
		return json_incref(v);
	out = json_object();
	json_object_foreach (v, key, item) {
		json_t *sub = emu_fields_of(want, key);

		if (sub)
			json_object_set_new(out, key, emu_fields_cut(item, sub));
	}
	return out;
}

int emu_fields_parse(const char *text, json_t **ret_want, struct emu_fail *f)
{
	cleanup_json json_t *want = json_object();
	const char *p = text;

	if (*p && (parse_list(&p, want, 0) < 0 || *p))
		return emu_fail(f, 400, "invalidParameter", "Invalid field selection %s",
				text);
	*ret_want = steal_ptr(want);
	return 0;
}

int emu_fields_apply(json_t **v, const char *text, struct emu_fail *f)
{
	cleanup_json json_t *want = NULL;
	int status = emu_fields_parse(text, &want, f);
	json_t *out;

	if (status)
		return status;
	out = emu_fields_cut(*v, want);
	json_decref(*v);
	*v = out;
	return 0;
}
