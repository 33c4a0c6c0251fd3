// SPDX-License-Identifier: Apache-2.0
// Listing: pages of every size, put together, are what a plain loop over all names finds.
#include <string.h>

#include "core/str.h"
#include "emulator/list.h"
#include "tests/unit/tap.h"

enum { NAMES_MAX = 64, ENTRIES_MAX = 2 * NAMES_MAX };

/* A listing's result as text, one "i:name" or "p:prefix" each. */
struct entries {
	size_t n;
	char *text[ENTRIES_MAX];
};

static void add(struct entries *e, char kind, const char *name, size_t len)
{
	cleanup_free char *copy = xstrndup(name, len);

	e->text[e->n++] = xasprintf("%c:%s", kind, copy);
}

static void entries_done(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->text[i]);
	e->n = 0;
}

static bool has(const struct entries *e, const char *text)
{
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->text[i], text) == 0)
			return true;
	return false;
}

/* The definition of a listing, without pages and without haste. */
static void model(struct emu_object *const *objects, size_t n,
		  const struct emu_list_query *q, struct entries *ret)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = objects[i]->name, *at = NULL;
		cleanup_free char *prefix = NULL;

		if (!str_starts(name, q->prefix) || strcmp(name, q->start) < 0 ||
		    (*q->end && strcmp(name, q->end) >= 0))
			continue;
		if (*q->delimiter)
			at = strstr(name + strlen(q->prefix), q->delimiter);
		if (!at) {
			add(ret, 'i', name, strlen(name));
			continue;
		}
		at += strlen(q->delimiter);
		prefix = xasprintf("p:%.*s", (int)(at - name), name);
		if (!has(ret, prefix))
			add(ret, 'p', name, (size_t)(at - name));
		if (q->has_trailing && !*at)
			add(ret, 'i', name, strlen(name));
	}
}

static bool collect(struct emu_object *const *objects, size_t n, struct emu_list_query q,
		    struct entries *items, struct entries *prefixes)
{
	cleanup_free char *token = xstrdup("");
	bool is_good = true, is_last = false;

	for (size_t pages = 0; !is_last; pages++) {
		struct emu_list_page page = {0};
		struct emu_fail f = {0};

		q.token = token;
		if (emu_list(objects, n, &q, &page, &f) || pages > ENTRIES_MAX)
			return false;
		is_good = is_good && page.n_items + page.n_prefixes <= q.max;
		for (size_t i = 0; i < page.n_items; i++)
			add(items, 'i', page.items[i]->name, strlen(page.items[i]->name));
		for (size_t i = 0; i < page.n_prefixes; i++)
			add(prefixes, 'p', page.prefixes[i], strlen(page.prefixes[i]));
		is_last = !page.next_token;
		free(token);
		token = xstrdup(is_last ? "" : page.next_token);
		emu_list_page_done(&page);
	}
	return is_good;
}

/* Items and prefixes come in two lists: compare each with its part of the model. */
static bool is_same(const struct entries *want, const struct entries *items,
		    const struct entries *prefixes)
{
	size_t i = 0, p = 0;

	for (size_t k = 0; k < want->n; k++) {
		const struct entries *e = want->text[k][0] == 'i' ? items : prefixes;
		size_t *at = want->text[k][0] == 'i' ? &i : &p;

		if (*at >= e->n || strcmp(e->text[*at], want->text[k]) != 0)
			return false;
		(*at)++;
	}
	return i == items->n && p == prefixes->n;
}

static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

/* Short names over few characters: many prefixes, many equal beginnings. */
static size_t make_names(unsigned *seed, struct emu_object **objects)
{
	static const char *const pieces[] = {"a", "b", "/", "//", "ab", "\xc3\xa4", "~"};
	size_t n = 0, want = next_random(seed) % NAMES_MAX;

	for (size_t i = 0; i < want; i++) {
		cleanup_str struct str name = STR_INIT(64);
		size_t at = 0;

		for (unsigned k = next_random(seed) % 5 + 1; k; k--)
			str_add(&name, pieces[next_random(seed) % ARRAY_SIZE(pieces)]);
		while (at < n && strcmp(objects[at]->name, name.s) < 0)
			at++;
		if (at < n && strcmp(objects[at]->name, name.s) == 0)
			continue;
		memmove(objects + at + 1, objects + at,
			(n - at) * sizeof(struct emu_object *));
		objects[at] = emu_object_new("bkt", name.s, json_object(), NULL);
		n++;
	}
	return n;
}

static bool try_random(unsigned seed)
{
	static const char *const texts[] = {"", "", "", "a", "b", "a/", "/", "ab", "z"};
	static const char *const delimiters[] = {"", "/", "/", "//", "b"};
	struct emu_object *objects[NAMES_MAX];
	struct entries want = {0}, items = {0}, prefixes = {0};
	size_t n = make_names(&seed, objects);
	struct emu_list_query q = {
		.prefix = texts[next_random(&seed) % ARRAY_SIZE(texts)],
		.delimiter = delimiters[next_random(&seed) % ARRAY_SIZE(delimiters)],
		.start = texts[next_random(&seed) % ARRAY_SIZE(texts)],
		.end = texts[next_random(&seed) % ARRAY_SIZE(texts)],
		.has_trailing = next_random(&seed) % 2,
		.max = next_random(&seed) % 6 + 1,
	};
	bool is_good;

	model(objects, n, &q, &want);
	is_good = collect(objects, n, q, &items, &prefixes) &&
		  is_same(&want, &items, &prefixes);
	if (!is_good)
		printf("# prefix=%s delimiter=%s start=%s end=%s trailing=%d max=%zu "
		       "n=%zu\n",
		       q.prefix, q.delimiter, q.start, q.end, q.has_trailing, q.max, n);
	entries_done(&want);
	entries_done(&items);
	entries_done(&prefixes);
	for (size_t i = 0; i < n; i++)
		emu_object_unref(objects[i]);
	return is_good;
}

static void test_pages_equal_model(void)
{
	unsigned bad = 0;

	for (unsigned seed = 1; seed <= 20000; seed++)
		bad += !try_random(seed);
	ok(bad == 0, "20,000 random listings equal the model page by page (%u differ)",
	   bad);
}

static void test_token_survives_deletion(void)
{
	struct emu_object *objects[] = {
		emu_object_new("bkt", "a", json_object(), NULL),
		emu_object_new("bkt", "b", json_object(), NULL),
		emu_object_new("bkt", "c", json_object(), NULL),
	};
	struct emu_list_query q = {"", "", "", "", "", false, 2};
	struct emu_list_page first = {0}, second = {0};
	struct emu_fail f = {0};

	emu_list(objects, 3, &q, &first, &f);
	q.token = first.next_token;
	/* "b", the last name of the first page, is gone when the second is asked for */
	emu_object_unref(objects[1]);
	objects[1] = objects[2];
	ok(emu_list(objects, 2, &q, &second, &f) == 0 && second.n_items == 1 &&
		   strcmp(second.items[0]->name, "c") == 0,
	   "a page token still holds when the object it names is gone");
	emu_list_page_done(&first);
	emu_list_page_done(&second);
	emu_object_unref(objects[0]);
	emu_object_unref(objects[1]);
}

static void test_bad_token(void)
{
	static const char *const tokens[] = {"x", "!!!!", "b", "AAAA", "eGFiYw"};

	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		struct emu_list_query q = {"", "", "", "", tokens[i], false, 2};
		struct emu_list_page page = {0};
		struct emu_fail f = {0};

		ok(emu_list(NULL, 0, &q, &page, &f) == 400,
		   "page token %s is refused with 400", tokens[i]);
	}
}

int main(void)
{
	test_pages_equal_model();
	test_token_survives_deletion();
	test_bad_token();
	return done_testing();
}
