// SPDX-License-Identifier: Apache-2.0
// The sample documents of tests/data/documents, and ways to spoil them.
#ifndef TESTS_UNIT_GOLDEN_H
#define TESTS_UNIT_GOLDEN_H

#include <stdio.h>

#include "tests/tools/documents.h"
#include "tests/unit/tap.h"

/* golden_load() - tests/data/documents/<name>.json as a document, new reference. */
static json_t *golden_load(const char *name)
{
	char path[256];
	json_error_t je;
	json_t *doc;

	snprintf(path, sizeof(path), "tests/data/documents/%s.json", name);
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
	if (!doc)
		printf("# %s: %s\n", path, je.text);
	return doc;
}

static json_t *golden_step_into(json_t *at, const char *key)
{
	uint64_t i = 0;

	if (json_is_array(at))
		return parse_u64(key, &i, NULL) == 0 ? json_array_get(at, i) : NULL;
	return json_object_get(at, key);
}

/*
 * golden_edit() - set what stands at @path ("arms.0.label") to the JSON @value, or take
 * it away when that is NULL; false when the way there does not exist.
 */
static bool golden_edit(json_t *doc, const char *path, const char *value)
{
	json_t *v = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
	cleanup_free char *way = xstrdup(path);
	char *key = way, *dot;
	uint64_t i = 0;

	while ((dot = strchr(key, '.'))) {
		*dot = '\0';
		doc = golden_step_into(doc, key);
		key = dot + 1;
	}
	if (value && !v)
		return false;
	if (json_is_array(doc))
		return parse_u64(key, &i, NULL) == 0 &&
		       (v ? json_array_set_new(doc, i, v) : json_array_remove(doc, i)) ==
			       0;
	if (v)
		return json_object_set_new(doc, key, v) == 0;
	return json_object_del(doc, key) == 0;
}

/* golden_returns() - parsed and written again, <name> is the same, key by key in order.
 */
static void golden_returns(enum document kind, const char *name)
{
	cleanup_str struct str want = STR_INIT(1 << 20), got = STR_INIT(1 << 20);
	cleanup_json json_t *doc = golden_load(name);
	struct err err = {0};
	unsigned unknown = 0;
	int r = json_dump(doc, &want, &err);

	if (r == 0)
		r = document_again(kind, str_text(&want), want.len, &got, &unknown, &err);
	ok(r == 0 && unknown == 0 && strcmp(str_text(&want), str_text(&got)) == 0,
	   "%s: parsed and written, the same", name);
	if (r < 0 || strcmp(str_text(&want), str_text(&got)) != 0)
		printf("# %s\n# %s# %s", err.text, str_text(&want), str_text(&got));
}

/* golden_cut() - no beginning of <name> is a document, and each is refused in one line.
 */
static void golden_cut(enum document kind, const char *name)
{
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_json json_t *doc = golden_load(name);
	size_t refused = 0;

	json_dump(doc, &text, NULL);
	/* the last byte is the newline after the document */
	for (size_t n = 0; n + 1 < text.len; n++) {
		cleanup_str struct str again = STR_INIT(1 << 20);
		cleanup_free char *part = malloc(n + 1); /* exact, for the sanitizers */
		struct err err = {0};

		memcpy(part, str_text(&text), n);
		refused += document_again(kind, part, n, &again, NULL, &err) == -EINVAL &&
			   err.text[0] && !strchr(err.text, '\n');
	}
	ok(text.len > 1 && refused == text.len - 1, "%s: cut at every byte, refused",
	   name);
}

/* struct spoil - an edit of a document and what the error must say of it. */
struct spoil {
	const char *path, *value; /* as in golden_edit() */
	const char *says;	  /* NULL: the edit is fine */
};

static void golden_spoil(enum document kind, const char *name, const struct spoil *s)
{
	cleanup_str struct str text = STR_INIT(1 << 20), again = STR_INIT(1 << 20);
	cleanup_json json_t *doc = golden_load(name);
	struct err err = {0};
	bool good;
	int r;

	if (!golden_edit(doc, s->path, s->value)) {
		ok(false, "%s: no such place: %s", name, s->path);
		return;
	}
	json_dump(doc, &text, NULL);
	r = document_again(kind, str_text(&text), text.len, &again, NULL, &err);
	good = s->says ? r == -EINVAL && strstr(err.text, s->says) &&
				 !strchr(err.text, '\n')
		       : r == 0;
	ok(good, "%s with %s = %s: %s", name, s->path, s->value ? s->value : "(nothing)",
	   s->says ? s->says : "fine");
	if (!good)
		printf("# %d %s\n", r, err.text);
}

#endif
