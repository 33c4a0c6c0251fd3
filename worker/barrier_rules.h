// SPDX-License-Identifier: Apache-2.0
// When a synchronised start is decided, and what it then was. Pure.
#ifndef WORKER_BARRIER_RULES_H
#define WORKER_BARRIER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifests/job.h"
#include "manifests/record.h"

/** struct barrier_tally - who is there. @ready + @gone <= @members. */
struct barrier_tally {
	size_t members;
	size_t ready; /* arrived, and not known to be gone */
	size_t gone;  /* cannot come: said so, ended, or without a heartbeat */
	bool is_over; /* the timeout has passed since the first arrival */
};

enum barrier_call { BARRIER_WAIT, BARRIER_GO, BARRIER_ABORT };

/**
 * barrier_judge() - all ready: go. Otherwise:
 *
 * all: abort as soon as one is gone, or at the timeout
 * majority, best-effort: wait for those who may still come; then, or at the timeout, go
 * with more than half, or with anybody at all, else abort
 */
enum barrier_call barrier_judge(enum barrier_policy policy,
				const struct barrier_tally *tally);

/** barrier_poll_ns() - between two looks for the verdict: 1 s, or a quarter of the lead.
 */
int64_t barrier_poll_ns(unsigned lead_ms);

/** barrier_first_look_ns() - how long after its arrival a worker waits for others to
 * decide before it lists the arrivals itself: two polls per rank. */
int64_t barrier_first_look_ns(size_t rank, int64_t poll_ns);

/** barrier_next_look_ns() - between two of its lists; longer with the rank, so that a
 * fleet that waits long lists the harmonic sum of its ranks and not all at once. */
int64_t barrier_next_look_ns(size_t rank, int64_t poll_ns);

/** barrier_lead_ns() - from the verdict to the start: what everybody needs to read it,
 * at least @lead_ms. @bound_ns: of the decider's clock. */
int64_t barrier_lead_ns(unsigned lead_ms, int64_t bound_ns);

/** struct barrier_clock - the store's clock as it was known when the wait began. */
struct barrier_clock {
	int64_t offset_ns; /* server − CLOCK_MONOTONIC */
	int64_t bound_ns;
};

/**
 * barrier_started() - fill in @start's at_server_ns, bound_ns, late_by_ms.
 *
 * @start_ns: CLOCK_MONOTONIC just before fio's fork
 * @was_past: go had passed when the verdict was read: late by 1 ms at least
 * Returns whether that is to be flagged: it was past, or more than 50 ms late.
 */
bool barrier_started(const struct barrier_clock *clock, int64_t start_ns, bool was_past,
		     struct step_start *start);

#endif
