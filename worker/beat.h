// SPDX-License-Identifier: Apache-2.0
// The heartbeat thread: lease, manifest and control orders.
#ifndef WORKER_BEAT_H
#define WORKER_BEAT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/rng.h"
#include "core/store.h"
#include "manifests/paths.h"
#include "worker/board.h"
#include "worker/stop.h"

/*
 * An object takes about one write a second; two keeps clear of that. The lease's clock
 * is the contract's: every heartbeat_s, give or take a tenth.
 */
enum { BEAT_GAP_S = 2, BEAT_REQUEST_S = 10, BEAT_END_S = 20, BEAT_END_SIGNALLED_S = 4 };

/* A machine that is taken back is gone 25 s after the signal: the last request, whatever
 * it waits for, ends before. */
enum { BEAT_LAST_S = 22 };

/** struct beat - filled by the main thread before beat_start(), then the thread's. */
struct beat {
	struct board *board;
	struct stop *stop;
	struct store *store; /* its own; owned */
	struct run_ref run;
	char worker[WORKER_CAP];
	char lease[PATH_CAP];	      /* name of workers/<worker>.json */
	uint64_t lease_generation;    /* as the lease was taken */
	uint64_t manifest_generation; /* 0 = there is none yet */
	/* the thread's own */
	pthread_t thread;
	bool is_running, is_signal_told;
	struct rng rng;
	int64_t lease_at_ns, manifest_at_ns; /* last writes; CLOCK_MONOTONIC */
	int64_t lease_due_ns;
	struct orders orders; /* read, and not in force before all of them are */
	int64_t over_ns;      /* when the end has to be written by */
};

/** beat_start() - all signals are handled by other threads. */
int beat_start(struct beat *beat, struct err *err);

/** beat_finish() - let it write the newest state and manifest, wait for it (at most
 * BEAT_END_S), and close its store. Harmless when it was never started. */
void beat_finish(struct beat *beat);

/** beat_request_ns() - when a request that begins at @now_ns has to be answered;
 * @signal_ns: of the first signal, 0 = none. CLOCK_MONOTONIC, pure. */
int64_t beat_request_ns(int64_t now_ns, int64_t signal_ns);

/** struct beat_now - what beat_wait_ns() judges by. */
struct beat_now {
	int64_t now_ns, lease_at_ns, manifest_at_ns, lease_due_ns;
	bool hb_changed, manifest_changed;
	bool is_urgent; /* an end: interrupted, done, failed, cancelled; or the exit */
};

/** beat_lease_ns() - when the lease has to be written; beat_manifest_ns() - the manifest
 * (INT64_MAX = no need). Pure. */
int64_t beat_lease_ns(const struct beat_now *b);
int64_t beat_manifest_ns(const struct beat_now *b);

#endif
