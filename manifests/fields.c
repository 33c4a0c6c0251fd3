// SPDX-License-Identifier: Apache-2.0
// Reading single fields.
#include "manifests/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What @text's first @n bytes leave when its last character is cut: whole ones only. */
static size_t whole_characters(const char *text, size_t n)
{
	if (!text[n])
		return n;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

void excerpt(char out[EXCERPT_CAP], const char *text)
{
	cleanup_str struct str s = STR_INIT(SIZE_MAX / 4);
	size_t n = whole_characters(text, strnlen(text, 40));

	str_add_escaped(&s, text, n);
	if (text[n])
		str_add(&s, "…");
	/* escapes are longer than what they stand for */
	n = whole_characters(str_text(&s), strnlen(str_text(&s), EXCERPT_CAP - 1));
	memcpy(out, str_text(&s), n);
	out[n] = '\0';
}

int doc_open(const char *text, size_t n, size_t max_bytes, enum json_mode mode,
	     const char *kind, unsigned *unknown, json_t **ret, struct json_in *in,
	     struct err *err)
{
	int r = json_load(text, n, max_bytes, kind, ret, err);

	if (r < 0)
		return r;
	json_in_init(in, *ret, mode, kind, unknown, err);
	json_in_schema(in, kind, 1);
	return 0;
}

bool field_sub(struct json_in *in, const char *key, enum json_need need,
	       const char *where, struct json_in *sub)
{
	const json_t *v = NULL;

	json_in_obj(in, key, need, &v);
	if (!v)
		return false;
	json_in_init(sub, v, in->mode, where, in->unknown, in->err);
	return true;
}

void field_sub_end(struct json_in *in, struct json_in *sub)
{
	int r = json_in_end(sub);

	if (in->r == 0)
		in->r = r;
}

void field_str(struct json_in *in, const char *key, enum json_need need,
	       field_rule *is_valid, const char *rule, const char **ret)
{
	const char *s = NULL;
	char shown[EXCERPT_CAP];

	json_in_str(in, key, need, &s);
	if (!s)
		return;
	if (is_valid(s)) {
		*ret = s;
		return;
	}
	excerpt(shown, s);
	json_in_fail(in, key, "\"%s\" is not %s", shown, rule);
}

void field_range(struct json_in *in, const char *key, unsigned min, unsigned max,
		 unsigned *ret)
{
	unsigned v = 0;

	json_in_uint(in, key, JSON_MUST, &v);
	if (in->r < 0)
		return;
	if (v < min || v > max)
		json_in_fail(in, key, "%u is not between %u and %u", v, min, max);
	else
		*ret = v;
}

void field_enum(struct json_in *in, const char *key, const char *const *names, size_t n,
		unsigned *ret)
{
	cleanup_str struct str all = STR_INIT(256);
	const char *s = NULL;
	char shown[EXCERPT_CAP];

	json_in_str(in, key, JSON_MUST, &s);
	if (!s)
		return;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], s) == 0) {
			*ret = (unsigned)i;
			return;
		}
		str_addf(&all, "%s%s", i ? ", " : "", names[i]);
	}
	excerpt(shown, s);
	json_in_fail(in, key, "\"%s\" is none of %s", shown, str_text(&all));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool has_twins(const char *const *texts, size_t n)
{
	cleanup_free const char **sorted = xcalloc(n, sizeof(*sorted));

	if (n < 2)
		return false;
	memcpy(sorted, texts, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_text);
	for (size_t i = 1; i < n; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			return true;
	return false;
}

void field_strings(struct json_in *in, const char *key, enum json_need need,
		   field_rule *is_valid, const char *rule, const char ***ret,
		   size_t *ret_n)
{
	cleanup_free const char **texts = NULL;
	const json_t *v = NULL;
	size_t n;

	json_in_arr(in, key, need, &v);
	if (!v)
		return;
	n = json_array_size(v);
	texts = xcalloc(n, sizeof(*texts));
	for (size_t i = 0; i < n; i++) {
		texts[i] = json_string_value(json_array_get(v, i));
		if (!texts[i] || !is_valid(texts[i])) {
			json_in_fail(in, key, "[%zu] is not %s", i, rule);
			return;
		}
	}
	if (has_twins(texts, n)) {
		json_in_fail(in, key, "has an entry twice");
		return;
	}
	*ret = steal_ptr(texts);
	*ret_n = n;
}

void text_clean(char *out, size_t cap, const char *from)
{
	size_t n = whole_characters(from, strnlen(from, cap - 1));

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)from[i];

		out[i] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	out[n] = '\0';
}

void field_text(struct json_in *in, const char *key, char *out, size_t cap)
{
	const char *s = NULL;

	json_in_str(in, key, JSON_MAY, &s);
	if (s)
		text_clean(out, cap, s);
}

void field_name(struct json_in *in, const char *key, field_rule *is_valid,
		const char *rule, char *out, size_t cap)
{
	const char *s = NULL;

	field_str(in, key, JSON_MUST, is_valid, rule, &s);
	if (s && !str_copy(out, cap, s))
		json_in_fail(in, key, "longer than %zu bytes", cap - 1);
}

void field_incarnation(struct json_in *in, const char *where, struct incarnation *ret)
{
	struct json_in sub;

	if (!field_sub(in, "incarnation", JSON_MUST, where, &sub))
		return;
	field_range(&sub, "n", 1, UINT32_MAX, &ret->n);
	field_text(&sub, "nonce", ret->nonce, sizeof(ret->nonce));
	field_text(&sub, "boot_id", ret->boot_id, sizeof(ret->boot_id));
	field_text(&sub, "instance_id", ret->instance_id, sizeof(ret->instance_id));
	field_sub_end(in, &sub);
}

void field_flags(struct json_in *in, const char *key, char **ret)
{
	cleanup_str struct str words = STR_INIT(64 << 10);
	const json_t *v = NULL;

	json_in_arr(in, key, JSON_MAY, &v);
	if (!v)
		return;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *s = json_string_value(json_array_get(v, i));

		if (!s) {
			json_in_fail(in, key, "[%zu] is not a string", i);
			return;
		}
		if (words.len && *s)
			str_addc(&words, ' ');
		for (; *s; s++)
			str_addc(&words, (unsigned char)*s <= ' ' ? '_' : *s);
	}
	if (words.failed)
		json_in_fail(in, key, "longer than %zu bytes", words.max);
	else if (words.len)
		*ret = str_steal(&words);
}

void field_step(struct json_in *in, struct job_step *ret)
{
	char want[STEP_ID_CAP];
	const char *id = NULL;

	json_in_str(in, "step", JSON_MUST, &id);
	field_range(in, "matrix_id", 1, UINT32_MAX, &ret->matrix_id);
	field_range(in, "test_id", 1, INT32_MAX, &ret->test_id);
	field_range(in, "config_id", 0, INT32_MAX, &ret->config_id);
	field_range(in, "iteration", 1, UINT32_MAX, &ret->iteration);
	field_range(in, "block", 0, UINT32_MAX, &ret->block);
	field_range(in, "pos", 0, UINT32_MAX, &ret->pos);
	field_range(in, "attempt", 1, UINT32_MAX, &ret->attempt);
	field_str(in, "from", JSON_MAY, str_is_rfc1035, "a worker's name", &ret->from);
	if (in->r < 0)
		return;
	step_id_format(want, ret->matrix_id, ret->iteration);
	if (strcmp(want, id) != 0)
		json_in_fail(in, "step", "is not \"%s\" (matrix_id-iteration)", want);
}
