// SPDX-License-Identifier: Apache-2.0
// Writing single fields.
#include <stdio.h>
#include <string.h>

#include "manifests/fields.h"

struct json_out out_begin(void)
{
	return (struct json_out){json_object()};
}

struct json_out out_schema(const char *kind)
{
	struct json_out out = out_begin();
	char schema[64];

	snprintf(schema, sizeof(schema), "muster/%s/1", kind);
	out_str(&out, "schema", schema);
	return out;
}

void out_put(struct json_out *out, const char *key, json_t *v)
{
	if (json_object_set_new(out->obj, key, v) == 0)
		return;
	json_decref(out->obj);
	out->obj = NULL;
}

void out_str(struct json_out *out, const char *key, const char *text)
{
	out_put(out, key, text ? json_string(text) : json_null());
}

/* Foreign bytes as field_text() would read them back. */
static json_t *text_out(const char *text, size_t cap)
{
	json_t *whole = json_text(text);
	char cut[REASON_CAP];

	if (!whole)
		return NULL;
	text_clean(cut, cap < sizeof(cut) ? cap : sizeof(cut), json_string_value(whole));
	json_decref(whole);
	return json_string(cut);
}

void out_text(struct json_out *out, const char *key, const char *text, size_t cap)
{
	out_put(out, key, *text ? text_out(text, cap) : json_null());
}

void out_num(struct json_out *out, const char *key, uint64_t v)
{
	out_put(out, key, json_u64(v));
}

void out_num_or(struct json_out *out, const char *key, uint64_t v, uint64_t null_value)
{
	out_put(out, key, v == null_value ? json_null() : json_u64(v));
}

void out_int_or(struct json_out *out, const char *key, int64_t v, int64_t null_value)
{
	out_put(out, key, v == null_value ? json_null() : json_integer(v));
}

void out_bool(struct json_out *out, const char *key, bool v)
{
	out_put(out, key, json_boolean(v));
}

void out_incarnation(struct json_out *out, const struct incarnation *inc)
{
	struct json_out sub = out_begin();

	out_num(&sub, "n", inc->n);
	out_text(&sub, "nonce", inc->nonce, sizeof(inc->nonce));
	out_text(&sub, "boot_id", inc->boot_id, sizeof(inc->boot_id));
	out_text(&sub, "instance_id", inc->instance_id, sizeof(inc->instance_id));
	out_put(out, "incarnation", sub.obj);
}

void out_flags(struct json_out *out, const char *key, const char *flags)
{
	json_t *array = json_array();
	size_t n;

	for (const char *p = flags ? flags : ""; *p; p += n) {
		cleanup_free char *word = xstrndup(p, n = strcspn(p, " "));

		if (n)
			array_put(&array, json_text(word));
		else
			n = 1;
	}
	out_put(out, key, array);
}

void out_strings(struct json_out *out, const char *key, const char *const *v, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		array_put(&array, json_string(v[i]));
	out_put(out, key, array);
}

void array_put(json_t **array, json_t *v)
{
	if (json_array_append_new(*array, v) == 0)
		return;
	json_decref(*array);
	*array = NULL;
}
