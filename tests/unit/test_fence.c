// SPDX-License-Identifier: Apache-2.0
// A worker that is fenced out while a write is on its way makes no request after it. One
// that an order stops then brings home what it has.
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/tap.h"
#include "worker/attempt.h"
#include "worker/files.h"
#include "worker/data.h"
#include "worker/record.h"
#include "worker/upload.h"
#include "worker/worker.h"

enum { STEPS = 3 };

static struct worker w;
static struct job job = {.run = "r"};
static struct job_step plan[STEPS];
static struct fake fake = {.replies = {FAKE_STALL, META, META, META, META, META}};
static enum stop_why raised;
static char dir[] = "/tmp/test_fence_XXXXXX";

/* The reason comes when the first request has arrived and has no answer. */
static void *raise_soon(void *arg)
{
	while (fake.n_requests == 0)
		poll(NULL, 0, 5);
	stop_raise(&w.stop, raised);
	return arg;
}

static void fill_worker(void)
{
	const struct manifest_step line = {.state = ATTEMPT_PENDING};

	if (stop_init(&w.stop, NULL) < 0 || board_init(&w.board, NULL) < 0 ||
	    run_ref_parse("gs://bkt/r", &w.id.run, NULL) < 0)
		abort();
	str_copy(w.id.worker, sizeof(w.id.worker), "w-1");
	w.settings = job.settings = job_settings_default();
	w.queue.steps = xcalloc(STEPS, sizeof(*w.queue.steps));
	for (unsigned i = 0; i < STEPS; i++) {
		plan[i] = (struct job_step){.matrix_id = i + 1, .iteration = 1};
		w.queue.steps[w.queue.n++] =
			(struct queue_step){.job = &job, .plan = &plan[i], .attempt = 1};
		board_add(&w.board, &line);
	}
}

static void cancel_rest(void)
{
	queue_cancel_rest(&w, "told to");
}

static struct attempt an_attempt(void)
{
	struct attempt a = {.job = &job,
			    .plan = &plan[0],
			    .number = 1,
			    .dir = dir,
			    .state = ATTEMPT_UPLOADING,
			    .end = ATTEMPT_OK};

	record_begin(&w, &job, &plan[0], 1, &a.rec);
	return a;
}

static void commit(void)
{
	struct attempt a = an_attempt();

	attempt_commit(&w, &a, NULL);
}

static void upload(void)
{
	struct attempt a = an_attempt();
	cleanup_free char *text = attempt_path(&a, STEP_JOB_FIO);
	cleanup_free char *output = attempt_path(&a, STEP_FIO_OUTPUT);

	if (files_write(text, "x", 1, NULL) < 0 || files_write(output, "y", 1, NULL) < 0)
		abort();
	attempt_upload(&w, &a, NULL);
}

/* A write after a signal has 20 s; being fenced out ends those. */
static void mark(void)
{
	struct str text = STR_INIT(16);

	str_add(&text, "x");
	w.data = w.ctl;
	stop_raise(&w.stop, STOP_SIGNAL);
	data_write_marker(&w, ARM_GCSFUSE, "folder", &text, NULL);
}

/* A process of its own each: a fence is for ever. */
static unsigned requests_of(void (*fn)(void), enum stop_why why)
{
	pthread_t thread;
	int status = -1;
	pid_t pid = fork();

	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		return WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : 99;
	raised = why;
	fill_worker();
	serve(&fake);
	w.ctl = store;
	pthread_create(&thread, NULL, raise_soon, NULL);
	fn();
	pthread_join(thread, NULL);
	_exit((int)fake.n_requests);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	ok(requests_of(commit, STOP_ABORT) == 2, "a record that an order cut short");
	ok(requests_of(cancel_rest, STOP_ABORT) == 1 + STEPS, "and those of the rest");
	ok(requests_of(commit, STOP_FENCED) == 1, "fenced: no second try of a record");
	ok(requests_of(cancel_rest, STOP_FENCED) == 1, "nor of a cancelled step");
	ok(requests_of(upload, STOP_FENCED) == 1, "nor of a file, and no other file");
	ok(requests_of(mark, STOP_FENCED) == 1, "also after a signal");
	files_remove_tree(dir, NULL);
	return done_testing();
}
