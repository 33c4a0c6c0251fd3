// SPDX-License-Identifier: Apache-2.0
// The boot of a worker, step by step.
#include "worker/boot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "worker/binary.h"
#include "worker/finish.h"
#include "worker/job.h"
#include "worker/lease.h"
#include "worker/preflight.h"
#include "worker/run.h"
#include "worker/worker.h"

static int identify(struct worker *w, struct err *err)
{
	int r = identity_find(w->flags, &w->id, err);

	if (r < 0)
		w->exit_code = WORKER_EXIT_CONFIG;
	return r;
}

static int workspace(struct worker *w, struct err *err)
{
	int r = preflight_workspace(w, err);

	if (r == 0 && w->id.is_on_gce)
		notice_start(&w->notice, &w->stop);
	return r;
}

static const struct boot_step table[] = {
	{"identify", identify},		{"workspace", workspace},
	{"lease", lease_take},		{"fetch-job", job_wait},
	{"preflight", preflight_check}, {"get-gcsfuse", binaries_get},
	{"run-steps", run_steps},
};
/* The last step is no line of the table: it takes what the others left, also when one
 * failed. */
static const char finish_name[] = "finish";

const struct boot_step *boot_table(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(table);
	return table;
}

void worker_deadline(struct worker *w, struct store *store, unsigned s)
{
	enum { AFTER_SIGNAL_S = 20 };
	int64_t since_ns = stop_since_ns(&w->stop);
	int64_t last_ns = since_ns + (int64_t)AFTER_SIGNAL_S * NS_PER_S;

	store->deadline_ns = clock_mono_ns() + (int64_t)s * NS_PER_S;
	if (since_ns && store->deadline_ns > last_ns)
		store->deadline_ns = last_ns;
	store->cancel_fd =
		stop_why(&w->stop) == STOP_NONE ? w->stop.any_fd : w->stop.fence_fd;
}

#ifdef MUSTER_TESTING
static bool is_point(const char *variable, const char *when, const char *name)
{
	const char *at = getenv(variable);
	size_t n = strlen(when);

	return at && strncmp(at, when, n) == 0 && at[n] == ':' &&
	       strcmp(at + n + 1, name) == 0;
}

void worker_die_at(const char *when, const char *name)
{
	if (is_point("MUSTER_DIE_AT", when, name))
		kill(getpid(), SIGKILL);
	if (is_point("MUSTER_STOP_AT", when, name)) {
		unsetenv("MUSTER_STOP_AT");
		kill(getpid(), SIGSTOP);
	}
}
#endif

/* The line of one boot step; the first names run and worker. */
static void tell(struct worker *w, size_t i, int64_t ns, const struct err *err)
{
	size_t n = ARRAY_SIZE(table) + 1;
	double s = (double)ns / NS_PER_S;

	if (err->code < 0)
		worker_say("%zu/%zu %s: %s", i + 1, n, table[i].name, err->text);
	else if (i == 0)
		worker_say("%zu/%zu %s: run %s, worker %s", i + 1, n, table[i].name,
			   w->id.url, w->id.worker);
	else
		worker_say("%zu/%zu %s: ok in %.2f s", i + 1, n, table[i].name, s);
}

static void run_table(struct worker *w, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int64_t start_ns = clock_mono_ns();
		int r;

		worker_die_at("before", table[i].name);
		r = table[i].run(w, err);
		if (r < 0 && err->code == 0)
			err_set(err, r, "stopped");
		tell(w, i, clock_mono_ns() - start_ns, err);
		worker_die_at("after", table[i].name);
		if (r < 0)
			return;
	}
}

int boot_run(struct worker *w, const struct identity_flags *flags)
{
	struct err err = {0};

	*w = (struct worker){.flags = flags,
			     .workspace_lock_fd = -1,
			     .measure_lock_fd = -1,
			     .settings = job_settings_default()};
	if (stop_init(&w->stop, &err) < 0 || board_init(&w->board, &err) < 0) {
		worker_say("muster-worker: %s", err.text);
		return WORKER_EXIT_CONFIG;
	}
	w->beat.board = &w->board;
	w->beat.stop = &w->stop;
	run_table(w, &err);
	worker_die_at("before", finish_name);
	finish_run(w, &err);
	worker_die_at("after", finish_name);
	if (err.code < 0)
		fprintf(stderr, "muster-worker: %s\n", err.text);
	if (finish_may_power_off(w))
		finish_power_off();
	queue_done(&w->queue);
	steal_done(&w->steal);
	board_done(&w->board);
	identity_done(&w->id);
	return w->exit_code;
}
