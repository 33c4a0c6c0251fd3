// SPDX-License-Identifier: Apache-2.0
// Records in the spool come back as they were; JSON scratch; work done in order.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/pool.h"
#include "coordinator/record_spool.h"
#include "core/json.h"
#include "core/json_scratch.h"
#include "tests/unit/tap.h"

static char *text_of(const struct step_record *record)
{
	cleanup_json json_t *doc = step_record_to_json(record);

	return json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(17));
}

/* @full: everything that a record points to */
static void fill(struct step_record *r, unsigned i, bool full)
{
	step_record_init(r);
	snprintf(r->run, sizeof(r->run), "r%u", i);
	snprintf(r->worker, sizeof(r->worker), "w-%u", i);
	r->matrix_id = r->iteration = r->attempt = i + 1;
	r->state = full ? ATTEMPT_OK : ATTEMPT_FAILED;
	if (!full)
		return;
	r->flags = xstrdup("one two");
	r->gcsfuse_config = json_pack("{s:{s:i}}", "file-cache", "max-size-mb", (int)i);
	r->n_columns = 1;
	r->columns[0] = (struct monitor_column){.name = "cpu", .avg = 1.5, .peak = 3};
	r->n_files = 1;
	r->files[0] = (struct step_file_ref){.name = "job_1.fio", .bytes = i};
	r->n_results = 2;
	r->results = xcalloc(2, sizeof(*r->results));
	for (unsigned k = 0; k < 2; k++) {
		r->results[k].group = k;
		r->results[k].iops = 0.1 * i;
		hist_init(&r->results[k].lat);
	}
	for (unsigned k = 0; k < 50; k++)
		hist_add(&r->results[1].lat, hist_key(HIST_BITS, 3 * k + i), k + 1, NULL);
	hist_set_moments(&r->results[1].lat, 1, 1000000, 333.3, 17.25);
}

static void test_spool(void)
{
	struct record_spool spool = {.fd = -1};
	struct record_place places[40];
	unsigned wrong = 0;

	record_spool_open(&spool, getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_step_record struct step_record r;

		fill(&r, i, i % 4 != 0);
		places[i] = record_spool_put(&spool, &r);
	}
	for (unsigned i = ARRAY_SIZE(places); i-- > 0;) {
		cleanup_step_record struct step_record want, got;
		cleanup_free char *a = NULL, *b = NULL;

		fill(&want, i, i % 4 != 0);
		step_record_init(&got);
		wrong += !record_spool_get(&spool, places[i], &got);
		a = text_of(&want);
		b = text_of(&got);
		wrong += strcmp(a, b) != 0;
	}
	ok(spool.fd >= 0 && !wrong, "records come back as they were");
	record_spool_close(&spool);
}

static void test_nowhere(void)
{
	struct record_spool spool = {.fd = -1};
	cleanup_step_record struct step_record r, got;
	struct record_place place;

	fill(&r, 1, true);
	step_record_init(&got);
	record_spool_open(&spool, "/nonexistent");
	place = record_spool_put(&spool, &r);
	ok(!place.bytes && !record_spool_get(&spool, place, &got),
	   "without a file nothing is kept, and that is said");
	record_spool_close(&spool);
}

static void test_scratch(void)
{
	json_t *before = json_pack("{s:i}", "a", 1);
	char *text = NULL;
	bool is_same = true;

	json_scratch_init();
	for (int round = 0; round < 50; round++) {
		JSON_SCRATCH;
		cleanup_json json_t *list = json_array();
		cleanup_json json_t *copy = NULL;

		/* far more than the block holds */
		for (int i = 0; i < 20000; i++)
			json_array_append_new(list, json_pack("[i,s]", i, "text"));
		copy = json_deep_copy(list);
		is_same &= json_equal(list, copy) == 1;
		is_same &= json_integer_value(json_object_get(before, "a")) == 1;
	}
	text = json_dumps(before, JSON_COMPACT);
	ok(is_same && strcmp(text, "{\"a\":1}") == 0,
	   "documents in scratch are whole, others are left alone");
	free(text);
	json_decref(before);
}

struct line_test {
	size_t expect, fail_at;
	unsigned wrong;
	_Atomic int alive;
};

struct line_item {
	struct line_test *test;
	char *text;
};

static void prepare(size_t index, void *item, void *arg)
{
	struct line_item *it = item;

	it->test = arg;
	it->test->alive++;
	/* some take longer than those after them */
	if (index % 5 == 0)
		usleep(200);
	it->text = xasprintf("%zu", index);
}

static int take(size_t index, void *item, void *arg, struct err *err)
{
	struct line_test *t = arg;
	struct line_item *it = item;
	cleanup_free char *want = xasprintf("%zu", index);

	t->wrong += index != t->expect++ || strcmp(want, it->text) != 0;
	t->wrong += t->alive > POOL_AHEAD;
	return index == t->fail_at ? err_set(err, -EIO, "no more") : 0;
}

static void release(void *item)
{
	struct line_item *it = item;

	it->test->alive--;
	free(it->text);
}

static void test_order(void)
{
	static const size_t sizes[] = {0, 1, 2, POOL_AHEAD, POOL_AHEAD + 1, 500};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct line_test t = {.fail_at = SIZE_MAX};
		const struct pool_line line = {.item_bytes = sizeof(struct line_item),
					       .prepare = prepare,
					       .take = take,
					       .release = release,
					       .arg = &t};

		ok(pool_in_order(&line, sizes[i], NULL) == 0 && !t.wrong &&
			   t.expect == sizes[i] && t.alive == 0,
		   "%zu items are taken in order and released", sizes[i]);
		if (sizes[i] < 500)
			continue;
		t = (struct line_test){.fail_at = 100};
		ok(pool_in_order(&line, sizes[i], NULL) == -EIO && t.expect == 101 &&
			   t.alive == 0,
		   "an error ends it, and everything is released");
	}
}

int main(void)
{
	test_spool();
	test_nowhere();
	test_scratch();
	test_order();
	return done_testing();
}
