// SPDX-License-Identifier: Apache-2.0
// Giving the verdict on a synchronised start: any worker may, one does.
#ifndef WORKER_DECIDE_H
#define WORKER_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "manifests/job.h"
#include "worker/barrier_rules.h"

struct worker;

/** struct decider - what this worker has seen of the others; zeroed but for the first. */
struct decider {
	const struct barrier_settings *settings;
	unsigned stale_s, barrier;
	size_t rank;	     /* among settings->members */
	unsigned char *seen; /* per member: bits of enum decider_seen; owned */
	int64_t first_ns;    /* the store's clock: the first arrival; 0 = none seen */
	int64_t looked_ns;   /* CLOCK_MONOTONIC of the last look; 0 = none */
	int64_t fleet_ns;    /* and of the last look at workers/ */
};
void decider_done(struct decider *d);
#define cleanup_decider cleanup(decider_done)

/** decider_is_due() - is it this worker's turn to list the arrivals? */
bool decider_is_due(const struct decider *d, int64_t arrived_ns);

/**
 * decider_look() - list the arrivals, and now and then the workers; create the verdict
 * when there is one.
 *
 * 1: there is a verdict now, ours or another's; 0: not yet.
 */
int decider_look(struct worker *w, struct decider *d, struct err *err);

/** decider_tally() - of what was seen. */
struct barrier_tally decider_tally(const struct decider *d, bool is_over);

/** decider_reason() - who was not there, for people. */
void decider_reason(const struct decider *d, bool is_over, char *out, size_t cap);

/* what was seen of a member */
enum decider_seen {
	SEEN_READY = 1,
	SEEN_ABSENT = 2, /* said that it cannot come */
	SEEN_ENDED = 4,
	SEEN_STALE = 8,
	SEEN_INTERRUPTED = 16, /* and not stale yet: it may be started again */
};

#endif
