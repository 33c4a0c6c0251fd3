// SPDX-License-Identifier: Apache-2.0
// results.csv and results.json: shape, quoting, what is empty.
#include <stdlib.h>
#include <string.h>

#include "coordinator/results.h"
#include "tests/unit/tap.h"

/* One arm, one case with params, one step; what was written, as text. */
struct bench {
	struct arm arm;
	struct test_case test;
	struct config config;
	struct cells cells;
	struct step_entry step;
	char *csv, *json;
	size_t csv_n, json_n;
};

static void bench_init(struct bench *b)
{
	*b = (struct bench){
		.arm = {.config_id = 1, .label = "a,b"},
		.test = {.test_id = 1,
			 .params = json_pack("{s:s, s:s}", "b\"s", "4k", "note", "x\ny")},
		.step = {.plan = {1, 1, 1, 2, 3, 4, 1, 0, NULL},
			 .owner = "w-1",
			 .counting = -1},
	};
	b->config = (struct config){.run = "r1",
				    .n_arms = 1,
				    .arms = &b->arm,
				    .n_cases = 1,
				    .cases = &b->test};
	cells_init(&b->cells, &b->config);
}

static void bench_done(struct bench *b)
{
	cells_done(&b->cells);
	json_decref(b->test.params);
	free(b->csv);
	free(b->json);
}

/* Writes one step with @record (NULL: pending), and the ends. */
static void bench_write(struct bench *b, const struct step_record *record, bool counts)
{
	FILE *csv = open_memstream(&b->csv, &b->csv_n);
	FILE *json = open_memstream(&b->json, &b->json_n);
	struct results r = {
		.config = &b->config, .cells = &b->cells, .csv = csv, .json = json};
	cleanup_results_text struct results_text text = {0};
	struct err err = {0};

	results_begin(&r, record != NULL);
	if (results_render(&r, &b->step, record, counts, &text, &err) < 0)
		ok(false, "%s", err.text);
	else
		results_put(&r, &text);
	results_section(&r, "cells");
	results_item(&r, results_cell_json(&b->cells.v[0]), NULL);
	results_section(&r, "notes");
	results_item(&r, json_string("a \"note\""), NULL);
	results_item(&r, json_string("größe"), NULL);
	results_section(&r, "none");
	results_end(&r);
	fclose(csv);
	fclose(json);
}

/* The fields of row @row, counted as RFC 4180 says; @ret: field @want, unquoted. */
static size_t csv_fields(const char *csv, size_t row, size_t want, struct str *ret)
{
	size_t field = 0, at = 0;
	bool quoted = false;

	for (const char *p = csv; *p && at <= row; p++) {
		if (quoted && *p == '"' && p[1] == '"')
			p++;
		else if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && *p == '\n') {
			if (at++ == row)
				return field + 1;
			field = 0;
		} else if (!quoted && *p == ',') {
			field++;
		} else if (at == row && field == want) {
			str_addc(ret, *p);
		}
	}
	return 0;
}

static bool field_is(const char *csv, size_t row, const char *column, const char *want)
{
	cleanup_str struct str head = STR_INIT(4096);
	cleanup_str struct str got = STR_INIT(4096);
	size_t n = csv_fields(csv, 0, 0, &head);

	for (size_t i = 0; i < n; i++) {
		str_reset(&head);
		csv_fields(csv, 0, i, &head);
		if (strcmp(str_text(&head), column) != 0)
			continue;
		csv_fields(csv, row, i, &got);
		if (strcmp(str_text(&got), want) == 0)
			return true;
		printf("# %s: \"%s\", want \"%s\"\n", column, str_text(&got), want);
		return false;
	}
	printf("# no column %s\n", column);
	return false;
}

static void test_pending(void)
{
	static const char *const empty[] = {
		"attempt", "group",	 "rw",	      "ios",	      "io_bytes",
		"lat_n",   "runtime_ns", "iops",      "lat_p99_9_ns", "bw_bytes_per_s",
		"fio_ns",  "lat_max_ns", "short_ios", "started",      "lat_p50_ns"};
	cleanup_str struct str s = STR_INIT(4096);
	struct bench b;
	size_t wrong = 0;

	bench_init(&b);
	b.step.interrupted = 2;
	bench_write(&b, NULL, false);
	ok(csv_fields(b.csv, 0, 0, &s) == csv_fields(b.csv, 1, 0, &s) &&
		   csv_fields(b.csv, 2, 0, &s) == 0,
	   "a pending step: one row, as wide as the head");
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		wrong += !field_is(b.csv, 1, empty[i], "");
	ok(!wrong, "and no figure in it");
	ok(field_is(b.csv, 1, "state", "pending") && field_is(b.csv, 1, "counts", "no") &&
		   field_is(b.csv, 1, "worker", "w-1") &&
		   field_is(b.csv, 1, "step", "1-2") &&
		   field_is(b.csv, 1, "reason", "attempt 2 was interrupted"),
	   "but what it is");
	bench_done(&b);
}

static void record_init(struct step_record *r, size_t n_results)
{
	step_record_init(r);
	str_copy(r->run, sizeof(r->run), "r1");
	str_copy(r->worker, sizeof(r->worker), "w-2");
	r->matrix_id = r->test_id = r->config_id = r->attempt = 1;
	r->iteration = 2;
	r->phase_ns[PHASE_FIO] = 0;
	r->n_results = n_results;
	r->results = xcalloc(n_results, sizeof(*r->results));
	for (size_t i = 0; i < n_results; i++) {
		struct fio_result *f = &r->results[i];

		*f = (struct fio_result){
			.rw = (enum fio_rw)i, .ios = 1000, .runtime_ns = 5};
		f->bw_bytes_per_s = 1.5;
		hist_init(&f->lat);
	}
}

static void test_figures(void)
{
	cleanup_str struct str s = STR_INIT(4096);
	struct step_record r;
	struct bench b;

	bench_init(&b);
	record_init(&r, 3);
	r.state = ATTEMPT_OK;
	hist_add(&r.results[0].lat, 100, 995, NULL);
	hist_add(&r.results[0].lat, 17112760320, 5, NULL);
	hist_set_moments(&r.results[0].lat, 90, 19000000000, 1.25, 2);
	r.results[1].runtime_ns = 0;
	bench_write(&b, &r, true);
	ok(csv_fields(b.csv, 3, 0, &s) == csv_fields(b.csv, 0, 0, &s) &&
		   csv_fields(b.csv, 4, 0, &s) == 0,
	   "a row per direction");
	ok(field_is(b.csv, 1, "rw", "read") && field_is(b.csv, 2, "rw", "write") &&
		   field_is(b.csv, 1, "ios", "1000") &&
		   field_is(b.csv, 1, "bw_bytes_per_s", "1.500") &&
		   field_is(b.csv, 1, "short_ios", "0") &&
		   field_is(b.csv, 1, "counts", "yes"),
	   "figures, and zeros that were measured");
	ok(field_is(b.csv, 1, "lat_p50_ns", "100") &&
		   field_is(b.csv, 1, "lat_p99_9_ns", ">=17112760320") &&
		   field_is(b.csv, 1, "lat_max_ns", "19000000000") &&
		   field_is(b.csv, 1, "lat_mean_ns", "1.250"),
	   "a percentile in the last bin is a bound");
	ok(field_is(b.csv, 2, "iops", "") && field_is(b.csv, 2, "runtime_ns", "0") &&
		   field_is(b.csv, 3, "lat_n", "") &&
		   field_is(b.csv, 3, "lat_p99_ns", ""),
	   "unknown rates and latencies are empty");
	ok(field_is(b.csv, 1, "fio_ns", "0") && field_is(b.csv, 1, "warm_ns", ""),
	   "a phase of 0 ns ran, an empty one did not");
	step_record_done(&r);
	bench_done(&b);
}

static void test_quoting(void)
{
	cleanup_str struct str s = STR_INIT(4096);
	struct step_record r;
	struct bench b;

	bench_init(&b);
	record_init(&r, 0);
	r.state = ATTEMPT_FAILED;
	str_copy(r.reason, sizeof(r.reason), "a,\"b\"\r\nc größe");
	str_copy(r.started, sizeof(r.started), "x,\"y");
	r.flags = xstrdup("f,g");
	bench_write(&b, &r, true);
	ok(csv_fields(b.csv, 1, 0, &s) == csv_fields(b.csv, 0, 0, &s),
	   "a row as the head");
	ok(field_is(b.csv, 1, "reason", "a,\"b\"\r\nc größe") &&
		   field_is(b.csv, 1, "label", "a,b") &&
		   field_is(b.csv, 1, "param_b\"s", "4k") &&
		   field_is(b.csv, 1, "param_note", "x\ny") &&
		   field_is(b.csv, 1, "started", "x,\"y") &&
		   field_is(b.csv, 1, "flags", "f,g"),
	   "commas, quotes, newlines, unicode");
	step_record_done(&r);
	bench_done(&b);
}

static void test_json(void)
{
	struct step_record r;
	struct bench b;
	json_t *doc = NULL, *step, *lat;
	struct err err = {0};

	bench_init(&b);
	record_init(&r, 1);
	r.state = ATTEMPT_OK;
	hist_add(&r.results[0].lat, 100, 10, NULL);
	bench_write(&b, &r, true);
	ok(json_load(b.json, b.json_n, 1 << 20, "results", &doc, &err) == 0,
	   "it is JSON %s", err.text);
	step = json_array_get(json_object_get(doc, "steps"), 0);
	lat = json_object_get(json_array_get(json_object_get(step, "results"), 0), "lat");
	ok(json_is_true(json_object_get(step, "counts")) &&
		   !json_object_get(lat, "bins") &&
		   json_array_size(json_object_get(lat, "percentiles")) == 17,
	   "a record with percentiles for bins");
	ok(strcmp(json_string_value(json_array_get(json_object_get(doc, "notes"), 0)),
		  "a \"note\"") == 0 &&
		   json_array_size(json_object_get(doc, "notes")) == 2 &&
		   json_array_size(json_object_get(doc, "none")) == 0,
	   "sections of any length");
	json_decref(doc);
	step_record_done(&r);
	bench_done(&b);
}

int main(void)
{
	test_pending();
	test_figures();
	test_quoting();
	test_json();
	return done_testing();
}
