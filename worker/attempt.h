// SPDX-License-Identifier: Apache-2.0
// One attempt of one step: what its phases share.
#ifndef WORKER_ATTEMPT_H
#define WORKER_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fio_job.h"
#include "core/str.h"
#include "manifests/job.h"
#include "manifests/record.h"
#include "worker/barrier_rules.h"
#include "worker/kernel.h"
#include "worker/measure.h"
#include "worker/mount.h"

struct worker;
struct binary;
struct monitor;

/** struct attempt_barrier - the synchronised start of an attempt; zero = there is none.
 */
struct attempt_barrier {
	bool has_arrived;
	int64_t arrived_ns;   /* CLOCK_MONOTONIC */
	int64_t go_ns;	      /* CLOCK_MONOTONIC: when fio is to start; 0 = at once */
	bool was_past;	      /* @go_ns had passed when the verdict was read */
	int64_t go_server_ns; /* the same by the store's clock */
	unsigned members;
	struct barrier_clock clock;
};

/** struct attempt - zeroed by attempt_begin(), released by attempt_done(). */
struct attempt {
	size_t index; /* in the queue */
	const struct job *job;
	const struct job_step *plan;
	const struct test_case *c;
	const struct arm *arm;
	struct binary *binary; /* NULL for kind dir */
	unsigned number;       /* the attempt's */
	char id[STEP_ID_CAP];
	enum attempt_state state; /* pending to uploading, then the end */

	/* claim */
	char *dir;	 /* the step's folder in the workspace */
	char *root;	 /* what data folders lie under: mount point, or for dir data/ */
	char *data_name; /* of the data folder below root, without slashes at the ends */
	char *data_dir;	 /* root/data_name: ${MUSTER_DIR} */
	struct str fio_job; /* the text fio is given */
	struct fio_facts facts;

	/* mount to unmount */
	struct mount mount;
	bool has_mount;
	struct attempt_barrier barrier;
	struct monitor *monitor;
	struct measure_end fio;
	bool has_fio; /* fio ran: @fio is filled */

	/* the verdict: the first thing that went wrong decides; ok while nothing did */
	enum attempt_state end;
	char reason[REASON_CAP];
	struct step_record rec;
	int64_t commit_by_ns;
	bool is_committed;
};

/** attempt_begin() - step @index of the queue is next. Nothing outside @a changes. */
void attempt_begin(struct worker *w, size_t index, struct attempt *a);

/** attempt_done() - release memory and remove the step's folder. */
void attempt_done(struct worker *w, struct attempt *a);

/** attempt_state_set() - to @state if the machine allows it; tells the board. */
void attempt_state_set(struct worker *w, struct attempt *a, enum attempt_state state);

/** attempt_fail() - the end, unless there is one already; the first reason stays. */
void attempt_fail(struct attempt *a, enum attempt_state end, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** attempt_path() - a file in the step's folder; the caller's. */
char *attempt_path(const struct attempt *a, enum step_file file);

/** attempt_flag() - add a word to the record's flags. */
void attempt_flag(struct attempt *a, const char *word);

/** attempt_data_top() - what fio may write to: all of the mount, whose inside is not
 * looked at before fio runs, or for kind dir the step's data folder. */
const char *attempt_data_top(const struct attempt *a);

/* The phases, in the order of step.c's table, and their undo. */
int attempt_claim(struct worker *w, struct attempt *a, struct err *err);
int attempt_layout(struct worker *w, struct attempt *a, struct err *err);
int attempt_quiesce(struct worker *w, struct attempt *a, struct err *err);
void attempt_unquiesce(struct worker *w, struct attempt *a);
int attempt_mount(struct worker *w, struct attempt *a, struct err *err);
void attempt_unmount_any(struct worker *w, struct attempt *a);
int attempt_warm(struct worker *w, struct attempt *a, struct err *err);
int attempt_measure(struct worker *w, struct attempt *a, struct err *err);
void attempt_unmeasure(struct worker *w, struct attempt *a);
int attempt_unmount(struct worker *w, struct attempt *a, struct err *err);
int attempt_parse(struct worker *w, struct attempt *a, struct err *err);
int attempt_upload(struct worker *w, struct attempt *a, struct err *err);
int attempt_commit(struct worker *w, struct attempt *a, struct err *err);

#endif
