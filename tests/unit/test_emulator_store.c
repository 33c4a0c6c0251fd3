// SPDX-License-Identifier: Apache-2.0
// The store: 50,000 objects put in any order, threads that race for one name.
#include <string.h>

#include "core/clock.h"
#include "core/str.h"
#include "emulator/list.h"
#include "emulator/objects.h"
#include "tests/unit/tap.h"

enum { OBJECTS = 50000, THREADS = 8, CLAIMS = 200 };

static int put(struct emu_store *s, const char *name, const struct emu_cond *cond,
	       uint64_t *ret_generation)
{
	struct emu_target t = {.bucket = "bkt", .name = name};
	struct emu_object *o = NULL;
	struct emu_blob *blob = emu_blob_concat(NULL, 0);
	struct emu_fail f = {0};
	int status;

	if (cond)
		t.cond = *cond;
	status = emu_store_put(s, &t, json_object(), blob, &o, &f);
	if (!status && ret_generation)
		*ret_generation = o->generation;
	emu_object_unref(o);
	return status;
}

static bool is_sorted(const struct emu_bucket *b)
{
	for (size_t i = 1; i < b->n; i++)
		if (strcmp(b->objects[i - 1]->name, b->objects[i]->name) >= 0)
			return false;
	return true;
}

/* All items and prefixes of @q, page by page. */
static size_t count_pages(const struct emu_bucket *b, struct emu_list_query q)
{
	cleanup_free char *token = xstrdup("");
	size_t n = 0;

	for (bool is_last = false; !is_last;) {
		struct emu_list_page page = {0};
		struct emu_fail f = {0};

		q.token = token;
		if (emu_list(b->objects, b->n, &q, &page, &f))
			return 0;
		n += page.n_items + page.n_prefixes;
		is_last = !page.next_token;
		free(token);
		token = xstrdup(is_last ? "" : page.next_token);
		emu_list_page_done(&page);
	}
	return n;
}

static void test_many(struct emu_store *s)
{
	struct emu_list_query all = {"", "", "", "", "", false, EMU_PAGE_MAX};
	struct emu_list_query folded = {"", "/", "", "", "", false, EMU_PAGE_MAX};
	uint64_t generation = 0, last = 0;
	int64_t start_ns = clock_mono_ns();
	bool is_increasing = true;

	for (unsigned i = 0; i < OBJECTS; i++) {
		/* 7919 is prime to OBJECTS: each number once, in no order */
		unsigned k = (unsigned)((uint64_t)i * 7919 % OBJECTS);
		cleanup_free char *name = xasprintf("d%02u/%05u", k % 100, k);

		put(s, name, NULL, &generation);
		is_increasing = is_increasing && generation > last;
		last = generation;
	}
	ok(s->buckets[0]->n == OBJECTS && is_sorted(s->buckets[0]),
	   "50,000 objects are kept in order");
	ok(is_increasing, "each generation is larger than the one before");
	ok(count_pages(s->buckets[0], all) == OBJECTS, "a listing finds each once");
	ok(count_pages(s->buckets[0], folded) == 100, "100 prefixes stand for all");
	/* a list that were searched from the front would take minutes */
	ok(clock_mono_ns() - start_ns < 30 * (int64_t)NS_PER_S, "none of it takes long");
}

struct claimant {
	struct emu_store *store;
	pthread_t thread;
	unsigned won;
};

static void *claim(void *arg)
{
	struct emu_cond absent = {.has[EMU_IF_GENERATION_MATCH] = true};
	struct claimant *c = arg;

	for (unsigned i = 0; i < CLAIMS; i++) {
		cleanup_free char *name = xasprintf("claim/%u", i);

		c->won += put(c->store, name, &absent, NULL) == 0;
	}
	return NULL;
}

static void test_claims(struct emu_store *s)
{
	struct claimant c[THREADS] = {0};
	unsigned won = 0;

	for (size_t i = 0; i < THREADS; i++) {
		c[i].store = s;
		if (pthread_create(&c[i].thread, NULL, claim, &c[i]))
			return;
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(c[i].thread, NULL);
		won += c[i].won;
	}
	ok(won == CLAIMS, "8 threads create 200 names: each is created once (%u)", won);
}

int main(void)
{
	struct emu_store s;
	struct emu_fail f = {0};

	emu_store_init(&s, NULL, false);
	emu_bucket_create(&s, "bkt", &f);
	test_many(&s);
	test_claims(&s);
	emu_store_done(&s);
	return done_testing();
}
