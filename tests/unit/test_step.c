// SPDX-License-Identifier: Apache-2.0
// A step's phases and their undo; what fio's run amounts to.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"
#include "tests/unit/tap.h"
#include "worker/binary.h"
#include "worker/record.h"
#include "worker/step.h"
#include "worker/worker.h"

static struct worker w;
static struct job job;
static char trace[256];
static int fail_at = -1, fail_with;

static void note(const char *what, int i)
{
	size_t n = strlen(trace);

	snprintf(trace + n, sizeof(trace) - n, "%s%d ", what, i);
}

static int phase(int i, struct err *err)
{
	note("", i);
	return i == fail_at ? err_set(err, fail_with, "broken %d", i) : 0;
}

#define PHASE(i)                                                                         \
	static int run##i(struct worker *wk, struct attempt *a, struct err *err)         \
	{                                                                                \
		(void)wk;                                                                \
		(void)a;                                                                 \
		return phase(i, err);                                                    \
	}                                                                                \
	static void undo##i(struct worker *wk, struct attempt *a)                        \
	{                                                                                \
		(void)wk;                                                                \
		(void)a;                                                                 \
		note("u", i);                                                            \
	}
PHASE(1)
PHASE(2)
PHASE(3)
PHASE(4)

static const struct phase table[] = {
	{"one", run1, undo1, PHASE_IF_WELL, -1},
	{"two", run2, NULL, PHASE_IF_WELL, PHASE_MOUNT},
	{"three", run3, undo3, PHASE_IF_WELL, -1},
	{"four", run4, undo4, PHASE_ALWAYS, -1},
};

static void run_table(struct attempt *a, unsigned number, int *ret)
{
	struct err err = {0};

	(void)undo2;
	*a = (struct attempt){.job = &job, .end = ATTEMPT_OK, .number = number};
	step_record_init(&a->rec);
	trace[0] = '\0';
	*ret = phases_run(table, ARRAY_SIZE(table), &w, a, &err);
}

static void test_phases(void)
{
	static const struct {
		int at, with;
		const char *trace;
		enum attempt_state end;
		const char *reason;
	} rows[] = {
		{-1, 0, "1 2 3 4 ", ATTEMPT_OK, ""},
		{1, -EIO, "1 u1 4 ", ATTEMPT_FAILED, "one: broken 1"},
		{2, -EIO, "1 2 u1 4 ", ATTEMPT_FAILED, "two: broken 2"},
		{3, -ETIMEDOUT, "1 2 3 u3 u1 4 ", ATTEMPT_TIMEOUT, "three: broken 3"},
		{4, -EIO, "1 2 3 4 ", ATTEMPT_FAILED, "four: broken 4"},
	};
	struct attempt a;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fail_at = rows[i].at;
		fail_with = rows[i].with;
		run_table(&a, 1, &r);
		ok(strcmp(trace, rows[i].trace) == 0, "phase %d fails: %s (%s)",
		   rows[i].at, rows[i].trace, trace);
		ok(a.end == rows[i].end && strcmp(a.reason, rows[i].reason) == 0,
		   "and the attempt ends %s, \"%s\"", attempt_state_name(rows[i].end),
		   a.reason);
		ok((r < 0) == (rows[i].at == 4),
		   "only the last phase's error is returned");
	}
	fail_at = -1;
	run_table(&a, 1, &r);
	ok(a.rec.phase_ns[PHASE_MOUNT] >= 0 && a.rec.phase_ns[PHASE_WARM] == -1,
	   "a phase with a clock is timed");
}

static void test_interruptions(void)
{
	struct attempt a;
	int r;

	job.settings.max_attempts = 2;
	fail_at = 2;
	fail_with = -ECANCELED;
	run_table(&a, 1, &r);
	ok(a.end == ATTEMPT_INTERRUPTED, "an interruption leaves another attempt");
	run_table(&a, 2, &r);
	ok(a.end == ATTEMPT_FAILED && strstr(a.reason, "interrupted 2 times"),
	   "that of the last one is a failure: %s", a.reason);
	fail_at = -1;
	stop_raise(&w.stop, STOP_ABORT);
	run_table(&a, 1, &r);
	ok(a.end == ATTEMPT_CANCELLED && strcmp(trace, "u1 4 ") == 0,
	   "with an abort no phase begins, and what there is is kept (%s)", trace);
	stop_lift(&w.stop);
	run_table(&a, 1, &r);
	ok(a.end == ATTEMPT_OK, "a lifted abort is forgotten");
	raise(SIGTERM);
	run_table(&a, 1, &r);
	ok(a.end == ATTEMPT_INTERRUPTED && stop_since_ns(&w.stop) > 0,
	   "a signal interrupts");
	stop_lift(&w.stop);
	ok(stop_why(&w.stop) == STOP_SIGNAL, "and cannot be lifted");
}

/* What the judge sees: one group that asks for reads, unless a row says otherwise. */
struct judged {
	struct measure_end fio;
	struct fio_output out;
	struct fio_result results[2];
	struct fio_facts facts;
	struct test_case c;
	struct judge_in in;
};

static void judged_init(struct judged *j)
{
	*j = (struct judged){.fio = {.how = MEASURE_EXITED}};
	j->facts.n_groups = 1;
	j->facts.groups[0].reads = true;
	j->c = (struct test_case){
		.has_io_bytes = true, .io_bytes = 4096, .timeout_s = 60};
	j->results[0] = (struct fio_result){.rw = FIO_READ, .ios = 1, .io_bytes = 4096};
	j->results[0].lat.n = 1;
	j->out = (struct fio_output){.n = 1, .results = j->results};
	j->in = (struct judge_in){.fio = &j->fio,
				  .read_error = "cut",
				  .out = &j->out,
				  .facts = &j->facts,
				  .c = &j->c};
}

static void expect(struct judged *j, enum attempt_state state, const char *words,
		   const char *name)
{
	struct verdict v;

	record_judge(&j->in, &v);
	ok(v.state == state &&
		   (state == ATTEMPT_OK ? !v.reason[0] : strstr(v.reason, words) != NULL),
	   "%s: %s (%s %s)", name, attempt_state_name(state), attempt_state_name(v.state),
	   v.reason);
	judged_init(j);
}

static void test_judge_figures(void)
{
	struct judged j;

	judged_init(&j);
	expect(&j, ATTEMPT_OK, "", "all its bytes");
	j.results[0].ios = 0;
	j.out.message = (char *)"fio: blocksize is larger than data set range\n";
	expect(&j, ATTEMPT_INVALID, "blocksize is larger", "no I/O: fio's own words");
	j.results[0].ios = 0;
	j.facts.is_block_over_file = true;
	expect(&j, ATTEMPT_INVALID, "larger than", "no I/O and no words: the cause");
	j.out.n = 0;
	expect(&j, ATTEMPT_INVALID, "read", "no figures for a direction asked for");
	j.facts.groups[0].writes = true;
	expect(&j, ATTEMPT_INVALID, "write", "one of two directions did nothing");
	j.facts.n_groups = 2;
	j.facts.groups[1].writes = true;
	expect(&j, ATTEMPT_INVALID, "group 1", "one of two groups did nothing");
	j.results[0].lat.n = 0;
	expect(&j, ATTEMPT_INVALID, "latencies", "no latencies");
	j.results[0].short_ios = 1;
	expect(&j, ATTEMPT_FAILED, "short", "a short I/O");
	j.results[0].io_bytes = 2048;
	expect(&j, ATTEMPT_FAILED, "2048", "fewer bytes than the case asks for");
	j.c.has_io_bytes = false;
	j.results[0].io_bytes = 2048;
	expect(&j, ATTEMPT_OK, "", "any bytes where the case does not know");
	j.out.first_error = EIO;
	j.out.error_job = (char *)"t";
	expect(&j, ATTEMPT_FAILED, "job t", "a job's error");
	j.in.read_result = -EINVAL;
	expect(&j, ATTEMPT_FAILED, "cut", "output that cannot be read");
}

static void test_judge_ends(void)
{
	struct judged j;

	judged_init(&j);
	j.fio.exit_status = 1;
	j.out.message = (char *)"first\nfio: no space left\n";
	expect(&j, ATTEMPT_FAILED, "no space left", "fio's status 1");
	j.fio.signal = 9;
	j.fio.exit_status = -1;
	expect(&j, ATTEMPT_FAILED, "signal 9", "fio killed");
	j.fio.how = MEASURE_TIMEOUT;
	expect(&j, ATTEMPT_TIMEOUT, "60 s", "the timeout");
	j.fio.how = MEASURE_STOPPED;
	j.in.stop_text = "preempted";
	expect(&j, ATTEMPT_INTERRUPTED, "preempted", "stopped by a notice");
	j.fio.how = MEASURE_STOPPED;
	j.in.is_stopped_by_order = true;
	expect(&j, ATTEMPT_CANCELLED, "by an order", "stopped by an order");
	j.fio.exit_status = 1;
	j.facts.is_block_over_file = true;
	j.out.n = 0;
	j.out.message = (char *)"fio: blocksize is larger than data set range\n";
	expect(&j, ATTEMPT_INVALID, "blocksize", "a block over its file, with status 1");
}

static void test_binary_stat(void)
{
	struct stat a = {.st_dev = 1, .st_ino = 2, .st_size = 3}, b = a;

	a.st_mtim.tv_nsec = b.st_mtim.tv_nsec = 4;
	a.st_ctim.tv_nsec = b.st_ctim.tv_nsec = 5;
	ok(binary_stat_same(&a, &b), "the same look at a binary");
	b.st_ctim.tv_nsec++;
	ok(!binary_stat_same(&a, &b), "another ctime is another file");
	b = a;
	b.st_ino++;
	ok(!binary_stat_same(&a, &b), "another inode too");
}

int main(void)
{
	struct err err = {0};

	if (stop_init(&w.stop, &err) < 0 || board_init(&w.board, &err) < 0)
		return 1;
	job.settings = job_settings_default();
	test_phases();
	test_judge_figures();
	test_judge_ends();
	test_binary_stat();
	test_interruptions();
	return done_testing();
}
