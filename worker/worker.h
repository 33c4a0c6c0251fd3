// SPDX-License-Identifier: Apache-2.0
// The one struct of the worker, and the few words everything in worker/ shares.
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cgroup.h"
#include "core/clock_offset.h"
#include "core/err.h"
#include "core/store.h"
#include "manifests/job.h"
#include "manifests/paths.h"
#include "manifests/record.h"
#include "worker/beat.h"
#include "worker/board.h"
#include "worker/guard.h"
#include "worker/identity.h"
#include "worker/kernel.h"
#include "worker/notice.h"
#include "worker/queue.h"
#include "worker/steal.h"
#include "worker/stop.h"

/* Exit codes, contract §8. */
enum worker_exit {
	WORKER_EXIT_OK = 0,	   /* all steps ok */
	WORKER_EXIT_STEPS = 1,	   /* some step is not, or could not be recorded */
	WORKER_EXIT_CONFIG = 2,	   /* bad job or configuration */
	WORKER_EXIT_STOPPED = 3,   /* by an order or a signal */
	WORKER_EXIT_DUPLICATE = 5, /* another worker owns the name or the workspace */
};

struct binary;
struct write_dir;

/** struct worker - zeroed, then filled in by the boot table (boot.c) from top to bottom.
 */
struct worker {
	/* identify */
	const struct identity_flags *flags;
	struct identity id;
	struct stop stop;
	/* workspace */
	int workspace_lock_fd; /* -1 = not ours */
	struct cgroup cgroup;  /* divided among worker, fio and gcsfuse; may be none */
	struct guard guard;
	struct notice notice; /* only where there is a metadata server */
	/* lease */
	struct store *ctl; /* the main thread's store of the control bucket */
	struct clock_offset server_clock; /* of what @ctl's replies tell */
	struct board board;
	struct beat beat;
	struct manifest previous; /* as an earlier incarnation left it */
	/* fetch job */
	struct queue queue;
	struct steal steal; /* claims, and what an idle worker knows of others */
	struct job_settings
		settings;   /* of the newest job; defaults before there is one */
	struct store *data; /* the data bucket; NULL before a gcsfuse arm needs it */
	/* preflight */
	char *fio_path;
	char *mount_point;
	struct kernel_globals globals;
	int measure_lock_fd;	/* the host's one measurer; -1 = not open */
	bool is_measure_locked; /* held from quiesce to the end of measuring */
	/* get gcsfuse */
	size_t n_binaries;
	struct binary *binaries;
	/* run steps */
	size_t n_data_ready;
	char **data_ready; /* read data that was laid out and counted, by data_key */
	size_t n_write_dirs;
	struct write_dir *write_dirs; /* to be deleted after the block */
	uint64_t log_generation;      /* of the uploaded worker.log; 0 = not known */
	/* the end */
	int exit_code;	    /* WORKER_EXIT_OK until something decides otherwise */
	bool is_recordless; /* a record could not be written */
};

/** worker_say() - one plain line on stdout, also in the log. */
void worker_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** worker_log_open() - log lines go to <workspace>/worker.log, warnings (with --debug
 * everything) to stderr too. */
int worker_log_open(const char *workspace, bool is_debug, struct err *err);

/** worker_log_upload() - the last 4 MiB of worker.log; a failure is a log line. */
void worker_log_upload(struct worker *w);

/**
 * worker_deadline() - calls of @store end @s from now.
 *
 * They also end at a reason to stop; when one stands already, the deadline is at most
 * what the reason leaves (20 s after a signal), and only being fenced out ends them:
 * after that no call is made at all (-ECANCELED).
 */
void worker_deadline(struct worker *w, struct store *store, unsigned s);

#ifdef MUSTER_TESTING
/** worker_die_at() - SIGKILL ourselves if MUSTER_DIE_AT is "<when>:<name>", SIGSTOP, the
 * first time, if MUSTER_STOP_AT is. */
void worker_die_at(const char *when, const char *name);
#else
static inline void worker_die_at(const char *when, const char *name)
{
	(void)when;
	(void)name;
}
#endif

#endif
