// SPDX-License-Identifier: Apache-2.0
// One fio run under a deadline, and the kill sequence when it has to end early.
#ifndef WORKER_MEASURE_H
#define WORKER_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cgroup.h"
#include "core/err.h"
#include "worker/monitor.h"
#include "worker/mount.h"

enum measure_mode {
	MEASURE_RUN,
	MEASURE_LAYOUT, /* --create_only=1: make the files, measure nothing */
};

/** struct measure_req - borrowed for the call. Paths are absolute. */
struct measure_req {
	enum measure_mode mode;
	const char *fio_path;
	const char *job_path;
	const char *output_path; /* fio's --output; made by fio */
	const char
		*console_path; /* fio's stdout and stderr, made or emptied; NULL = none */
	const char *cwd;       /* below the workspace: the guardian finds fio by it */
	const char *data_top;  /* the one folder besides @cwd that fio may write to: what
				* is  mounted, or the data folder itself; NULL = none */
	int64_t start_ns;      /* CLOCK_MONOTONIC: fork then, all else prepared; 0 or
				* past = at once */
	int64_t deadline_ns;   /* CLOCK_MONOTONIC */
	int stop_fd; /* readable = end now, 10 s for fio to write its JSON; -1 = none */
	int term_fd; /* readable = end now, 5 s (preemption); -1 = none */
	const struct cgroup *cgroup; /* fio gets a group of its own below; NULL = none */
	struct mount *mount;	 /* what fio works on, aborted if it hangs; may be NULL */
	struct monitor *monitor; /* may be NULL; attached and stopped here */
};

enum measure_how { MEASURE_EXITED, MEASURE_TIMEOUT, MEASURE_STOPPED };

struct measure_end {
	enum measure_how how;
	int exit_status; /* fio's; -1 when a signal ended it */
	int signal;	 /* 0 = none */
	bool was_mount_aborted;
	bool was_caged; /* else it only had no new privileges: no CAP_SYS_ADMIN here, or
			 * a kernel before 5.12 */
	int64_t start_ns, end_ns; /* CLOCK_MONOTONIC: before the fork; when fio had ended,
				   * or had had its time to */
};

/**
 * measure_run() - start fio in a cage (core/cage.h), wait, and return when nothing of fio
 * is left.
 *
 * A cage that may be built here but fails is an error: fio does not start without it.
 *
 * -ECANCELED: there was a reason to stop before @start_ns; nothing was started.
 *
 * 0 however fio ended (see @ret), negative when fio could not be started (@ret->start_ns
 * is 0) or could not be got rid of (-EBUSY; @ret is filled then too).
 *
 * Kill sequence: SIGINT to fio's main process, 10 s (5 s for @term_fd); then, if the
 * mount does not answer, mount_abort(); then SIGKILL for all of its control group and
 * every descendant.
 */
int measure_run(const struct measure_req *req, struct measure_end *ret, struct err *err);

#endif
