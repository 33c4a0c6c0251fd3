// SPDX-License-Identifier: Apache-2.0
// Work stealing: no unit of steps begins unclaimed, and who is idle takes over others'.
#ifndef WORKER_STEAL_H
#define WORKER_STEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "worker/claim.h"
#include "worker/orders.h"

struct worker;

/** struct steal_unit - steps @first to @first + @n - 1 of a job. */
struct steal_unit {
	size_t first, n;
	bool is_barred; /* this worker cannot run it: no binary for an arm of it */
};

/** struct steal_job - another worker's job, as far as a thief needs it at a glance. */
struct steal_job {
	char worker[WORKER_CAP];
	unsigned name_round; /* of the object's name: 1 for a worker's first job */
	unsigned round;	     /* what the job says, once it has been read */
	uint64_t generation;
	bool is_listed;	 /* in the newest listing */
	bool is_own;	 /* this worker's: nothing of it is stolen */
	bool is_useless; /* not readable, or of another config */
	size_t n_steps;
	struct job_step *steps; /* owned */
	size_t n_units;
	struct steal_unit *units; /* owned */
};

/** struct steal_later - a step that a round >= 2 gave to somebody: the newest round. */
struct steal_later {
	uint64_t key; /* matrix_id << 32 | iteration */
	unsigned round;
};

/** struct steal - the thief's knowledge; zero = none. */
struct steal {
	struct claims claims;
	size_t n_commits;
	struct order_commit
		*commits; /* orders that make jobs of round 2 and later count */
	size_t n_jobs;
	struct steal_job *jobs;
	size_t n_later;
	struct steal_later *later; /* sorted by key */
};

/** struct steal_view - a job's units in its order: which can be had? */
struct steal_view {
	size_t n;
	const bool *is_open;
};

/**
 * steal_choose() - which unit of which job to take. Pure.
 *
 * The job with the most open units; among equals the first one from job @start (taken
 * modulo @n) on, so that thieves with different @start go to different victims. Of it the
 * last open unit, because the owner works from the front; @skip (modulo the open ones)
 * steps further towards the front, for thieves that met there. False: nothing is open.
 */
bool steal_choose(const struct steal_view *views, size_t n, uint64_t start, size_t skip,
		  size_t *ret_job, size_t *ret_unit);

/** steal_boot() - at boot, once there is a job: what this name holds goes on, also what
 * it had taken from others. Nothing without `steal`. */
int steal_boot(struct worker *w, struct err *err);

/** steal_note_orders() - keep the orders that make later rounds count. */
void steal_note_orders(struct worker *w, struct orders *orders);

/**
 * steal_own() - may step @i of the queue begin? Without `steal`, always.
 *
 * 1: this name holds the claim of its unit. 0: not now: the unit was another's and is out
 * of the queue, or there is a reason to stop. Negative: the bucket does not answer.
 */
int steal_own(struct worker *w, size_t i, struct err *err);

/** steal_settle() - before the rest is cancelled: claim it, and leave out what others
 * have, so that no step ends twice. */
void steal_settle(struct worker *w);

/**
 * steal_next() - the own queue is empty: take a unit of somebody else.
 *
 * 1: steps were added, or there is a reason to stop: look again. 0: nothing is left that
 * could be had. Negative: it is not known whether a claim was made.
 */
int steal_next(struct worker *w, struct err *err);

void steal_done(struct steal *steal);

#endif
