// SPDX-License-Identifier: Apache-2.0
// Which result of a step counts, pure: owners, attempts, derived states (contract §3.6).
#ifndef COORDINATOR_STEPS_H
#define COORDINATOR_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "manifests/job.h"
#include "manifests/record.h"

/** struct found_attempt - one record in the bucket that could be read and is of the run.
 */
struct found_attempt {
	const char *worker; /* as steps_lister() returned it */
	unsigned attempt;
	enum attempt_state state; /* one of the six ends */
	size_t object;		  /* the caller's own number for it */
};

enum step_view {
	STEP_PENDING, /* no final record that counts yet */
	STEP_OK,
	STEP_FAILED,
	STEP_TIMEOUT,
	STEP_INVALID,
	STEP_CANCELLED,
	STEP_VIEW_COUNT,
};

/** struct step_listing - a step as one job lists it. */
struct step_listing {
	struct job_step plan; /* without from */
	unsigned round;
	const char *worker;			     /* borrowed from struct steps */
	unsigned leader_matrix_id, leader_iteration; /* of its unit */
	size_t n_unit;	    /* how many steps its unit has in that job */
	const char *holder; /* of the unit's claim, or NULL; borrowed as well */
	bool is_claimed;    /* there is a claim, whatever it says: no thief gets it */
	bool is_open;	    /* derived by claims_mark_open() */
};

/** struct step_entry - one planned step and what became of it. */
struct step_entry {
	struct job_step plan;		   /* as in the first round that lists it */
	const char *owner;		   /* borrowed from struct steps */
	const struct step_listing *owning; /* the owner's listing that made it so */
	size_t n_listings;
	const struct step_listing *listings; /* by round; borrowed from struct steps */
	size_t n_found;
	struct found_attempt *found; /* by attempt and worker once derived; owned */
	/* derived by steps_derive() */
	enum step_view view;
	int counting;	      /* index into found: what ended the step; -1 = none */
	unsigned interrupted; /* pending: the owner's newest attempt, if it ended so; or 0
			       */
};

struct steps_order;
struct steps_claim;

/** struct steps - all steps of a run, sorted by matrix_id and iteration. */
struct steps {
	size_t n;
	struct step_entry *v;
	size_t n_listed, cap_listed;
	struct step_listing *listed;
	size_t n_names;
	char **names; /* one per job */
	size_t n_orders;
	struct steps_order *orders;
	size_t n_claims, cap_claims;
	struct steps_claim *claims; /* see claims.h */
	size_t n_sorted;
	char **sorted; /* names once more, sorted, as soon as there is a claim */
};

void steps_done(struct steps *steps);
#define cleanup_steps cleanup(steps_done)

/** steps_add_job() - the steps of one job, in any order; @job may go after. -E2BIG */
int steps_add_job(struct steps *steps, const struct job *job, struct err *err);

/** steps_add_order() - a control order, in the order of their numbers; those that move no
 * steps are ignored. @order may go after. */
void steps_add_order(struct steps *steps, const struct control *order);

/**
 * steps_plan() - once, after the last job and order: one entry per step, and its owner.
 *
 * A job of round 2 or later counts step by step: once a reassign order carries its round
 * and names its worker and the step. A step that only other jobs list does not exist. The
 * owner is the worker of the first round that lists the step, until a reassign order
 * gives it to another; the newest order decides. Where the unit of that listing is
 * claimed, the owner is the claim's holder.
 */
void steps_plan(struct steps *steps);

/** steps_find() - borrowed, NULL if no job lists it. */
struct step_entry *steps_find(const struct steps *steps, unsigned matrix_id,
			      unsigned iteration);
/** steps_lister() - the name of @worker, borrowed, if a job of its lists the step or it
 * holds a claim of it. */
const char *steps_lister(const struct step_entry *step, const char *worker);
/** steps_add_found() - a record seen in the bucket. */
void steps_add_found(struct step_entry *step, const struct found_attempt *found);
/** steps_derive() - only the owner's highest committed attempt counts. One that ended
 * interrupted leaves the step pending; so does one that ended cancelled, once the owner
 * has been given a higher attempt. */
void steps_derive(struct steps *steps);

const char *step_view_name(enum step_view view);

#endif
