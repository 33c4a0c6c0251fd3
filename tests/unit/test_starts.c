// SPDX-License-Identifier: Apache-2.0
// Synchronised starts: spreads and fleet rates against numbers computed by hand.
#include <math.h>
#include <string.h>

#include "coordinator/starts.h"
#include "core/json.h"
#include "core/str.h"
#include "tests/unit/tap.h"

static const int64_t S = 1000000000, T = 1764210000LL * 1000000000;

static struct job_step plan_of(unsigned barrier)
{
	return (struct job_step){.matrix_id = 1,
				 .test_id = 1,
				 .iteration = 1,
				 .block = 1,
				 .pos = 1,
				 .attempt = 1,
				 .barrier = barrier};
}

/* A record of barrier 1 that began at T + @at_ns. */
static struct step_record record_of(int64_t at_ns, struct fio_result *results, size_t n)
{
	struct step_record rec;

	step_record_init(&rec);
	rec.state = ATTEMPT_OK;
	rec.sync = (struct step_start){.barrier = 1,
				       .go_server_ns = T,
				       .at_server_ns = T + at_ns,
				       .bound_ns = 1000 + (uint64_t)(at_ns / 1000000)};
	rec.results = results;
	rec.n_results = n;
	return rec;
}

static struct fio_result result_of(unsigned group, enum fio_rw rw, uint64_t bytes,
				   int64_t runtime_ns)
{
	return (struct fio_result){.group = group,
				   .rw = rw,
				   .io_bytes = bytes,
				   .runtime_ns = (uint64_t)runtime_ns};
}

static void add(struct starts *starts, int64_t at_ns, struct fio_result *results,
		size_t n)
{
	struct job_step plan = plan_of(1);
	struct step_record rec = record_of(at_ns, results, n);

	starts_add(starts, &plan, &rec);
}

static bool is_near(double got, double want)
{
	if (fabs(got - want) <= 1e-9 * fabs(want))
		return true;
	printf("# %.12g, not %.12g\n", got, want);
	return false;
}

/* 0-10 s with 1000 bytes, 2-10 s with 400 bytes, 1-6 s with 500 bytes. */
static void test_rates(void)
{
	struct fio_result a = result_of(0, FIO_READ, 1000, 10 * S);
	struct fio_result b = result_of(0, FIO_READ, 400, 8 * S);
	struct fio_result c = result_of(0, FIO_READ, 500, 5 * S);
	cleanup_starts struct starts starts = {0};
	const struct start_figure *f;
	const struct start *s;

	add(&starts, 0, &a, 1);
	add(&starts, 2 * S, &b, 1);
	add(&starts, S, &c, 1);
	starts_finish(&starts);
	s = starts.v;
	f = s->figures;
	ok(starts.n == 1 && s->planned == 3 && s->started == 3 && s->ok == 3 &&
		   s->late == 0 && s->n_figures == 1 && f->n == 3,
	   "three workers, one figure");
	ok(start_spread_ns(s) == 2 * S, "spread: 2 s");
	ok(start_spread_bound_ns(s) == 1000 + 3000, "known to the sum of both bounds");
	ok(f->common_ns == 4 * S, "common window: 2 s to 6 s");
	/* 1000 · 4/10 + 400 · 4/8 + 500 · 4/5 = 400 + 200 + 400 in 4 s */
	ok(is_near(f->common_bytes_per_s, 250), "250 bytes/s in it");
	ok(f->whole_ns == 10 * S && is_near(f->whole_bytes_per_s, 190),
	   "1900 bytes in 10 s over all");
}

static void test_no_common_window(void)
{
	struct fio_result a = result_of(0, FIO_READ, 1000, S);
	struct fio_result b = result_of(0, FIO_READ, 1000, S);
	cleanup_starts struct starts starts = {0};
	cleanup_json json_t *doc = NULL;
	const json_t *figure;

	add(&starts, 0, &a, 1);
	add(&starts, S, &b, 1);
	starts_finish(&starts);
	ok(starts.v->figures->common_ns == 0, "windows that touch share no time");
	ok(is_near(starts.v->figures->whole_bytes_per_s, 1000), "2000 bytes in 2 s");
	doc = starts_json(starts.v, "a");
	figure = json_array_get(json_object_get(doc, "figures"), 0);
	ok(json_is_null(json_object_get(figure, "common_bytes_per_s")) &&
		   json_is_null(json_object_get(figure, "common_ns")),
	   "and the rate is null, not 0");
	ok(json_integer_value(json_object_get(doc, "spread_ns")) == S, "spread 1 s");
}

/* Group 1 begins when group 0's longest direction has ended. */
static void test_groups(void)
{
	struct fio_result a[] = {result_of(0, FIO_READ, 100, 2 * S),
				 result_of(0, FIO_WRITE, 60, 3 * S),
				 result_of(1, FIO_READ, 500, 5 * S)};
	struct fio_result b[] = {result_of(0, FIO_READ, 100, 2 * S),
				 result_of(1, FIO_READ, 500, 10 * S)};
	cleanup_starts struct starts starts = {0};
	const struct start_figure *f;

	add(&starts, 0, a, 3);
	add(&starts, 0, b, 2);
	starts_finish(&starts);
	f = starts.v->figures;
	ok(starts.v->n_figures == 3 && f[0].group == 0 && f[0].rw == FIO_READ &&
		   f[1].group == 0 && f[1].rw == FIO_WRITE && f[2].group == 1,
	   "figures by group and direction");
	ok(f[1].n == 1 && is_near(f[1].whole_bytes_per_s, 20), "one worker wrote");
	/* group 1: 3-8 s and 2-12 s; common 3-8 s: 500 + 250 in 5 s */
	ok(f[2].common_ns == 5 * S && is_near(f[2].common_bytes_per_s, 150) &&
		   f[2].whole_ns == 10 * S && is_near(f[2].whole_bytes_per_s, 100),
	   "the second group has its own window");
}

static void test_not_ok(void)
{
	struct fio_result a = result_of(0, FIO_READ, 100, S);
	struct fio_result zero = result_of(0, FIO_READ, 0, 0);
	cleanup_starts struct starts starts = {0};
	struct job_step plan = plan_of(1), none = plan_of(0);
	struct step_record rec = record_of(5000000, &a, 1);
	const struct start *s;

	starts_add(&starts, &none, &rec);
	ok(starts.n == 0, "a step without a barrier is no start");
	starts_add(&starts, &plan, NULL);
	rec.state = ATTEMPT_FAILED;
	starts_add(&starts, &plan, &rec);
	rec = record_of(0, &a, 1);
	rec.sync.barrier = 2;
	starts_add(&starts, &plan, &rec);
	rec.sync.barrier = 0;
	rec.state = ATTEMPT_TIMEOUT;
	starts_add(&starts, &plan, &rec);
	add(&starts, 0, &zero, 1);
	rec = record_of(9000000, &a, 1);
	rec.flags = (char[]){"x late_start"};
	starts_add(&starts, &plan, &rec);
	rec.flags = (char[]){"not_late_start late_starts"};
	starts_add(&starts, &plan, &rec);
	starts_finish(&starts);
	s = starts.v;
	ok(s->planned == 7 && s->started == 4 && s->ok == 3 && s->late == 1,
	   "planned 7, started 4, ok 3, late 1");
	ok(start_spread_ns(s) == 9000000, "the failed one's start counts, bytes do not");
	ok(s->n_figures == 1 && s->figures->n == 2,
	   "without a runtime there is nothing to tell");
}

static void test_verdicts(void)
{
	struct verdict_doc go = {.barrier = 1, .is_go = true, .n_members = 3};
	struct verdict_doc abort = {.barrier = 2, .n_members = 1, .reason = "w-3"};
	struct verdict_doc foreign = {.barrier = 9, .is_go = true};
	cleanup_starts struct starts starts = {0};
	struct job_step one = plan_of(1), two = plan_of(2);
	cleanup_json json_t *doc = NULL;

	starts_add(&starts, &two, NULL);
	starts_add(&starts, &one, NULL);
	starts_finish(&starts);
	starts_add_verdict(&starts, &go);
	starts_add_verdict(&starts, &abort);
	starts_add_verdict(&starts, &foreign);
	ok(starts.n == 2 && starts.v[0].barrier == 1 && starts.v[1].barrier == 2,
	   "sorted; a verdict alone is no start");
	ok(starts.v[0].is_go && starts.v[0].arrived == 3 && !starts.v[1].is_go &&
		   strcmp(starts.v[1].reason, "w-3") == 0,
	   "each with its verdict");
	doc = starts_json(&starts.v[1], "a");
	ok(json_is_null(json_object_get(doc, "spread_ns")) &&
		   strcmp(json_string_value(json_object_get(doc, "decision")), "abort") ==
			   0,
	   "no start, no spread");
}

int main(void)
{
	test_rates();
	test_no_common_window();
	test_groups();
	test_not_ok();
	test_verdicts();
	return done_testing();
}
