// SPDX-License-Identifier: Apache-2.0
// Who gets the unfinished steps of workers that are gone. Pure.
#ifndef COORDINATOR_REPLAN_H
#define COORDINATOR_REPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/fleet.h"
#include "coordinator/steps.h"

/** enum replan_role - what may be expected of a worker. */
enum replan_role {
	REPLAN_LIVING,	 /* runs, and will see orders */
	REPLAN_EXPECTED, /* has work that it cannot have seen yet: it is being started */
	REPLAN_DEAD,	 /* stale, missing, or at its end */
};

/**
 * replan_role() - from a derived fleet entry.
 *
 * @w: job_created_ns must be that of its newest committed job
 * A worker that is finishing looks for no more orders, so it does not live.
 */
enum replan_role replan_role(const struct fleet_worker *w);

/** struct replan_worker - as replan_make() sees one. */
struct replan_worker {
	enum replan_role role;
	bool is_named; /* the user wants it to take steps, whatever its role */
};

enum { REPLAN_NOBODY = -1 };

/** struct replan_step - one step of the run. */
struct replan_step {
	const struct job_step *plan; /* borrowed */
	enum step_view view;
	size_t owner;	/* index of a worker */
	unsigned known; /* highest attempt that anybody is known to have begun; 0 none */
	bool is_begun;	/* its owner has it in flight */
	bool is_open;	/* with stealing: any worker that is idle can take it */
	int final_by;	/* former owner that committed a final attempt, or NOBODY */
	unsigned final_attempt;
	double cost_s;
};

struct replan_in {
	size_t n_steps, n_workers;
	const struct replan_step *steps;
	const struct replan_worker *workers;
};

/** struct replan_move - step @step goes to worker @to. */
struct replan_move {
	size_t step, to;
	unsigned attempt; /* the number to begin with */
	bool is_return;	  /* @to has ended it already: nobody needs to run it */
};

/** struct replan - by receiver; in the order in which it is to run them. */
struct replan {
	size_t n;
	struct replan_move *moves; /* owned */
	bool *is_left;	 /* per step: of a dead worker, and the living will take it; owned
			  */
	bool is_restart; /* nobody lives: steps stay with workers to be started again */
};

/**
 * replan_make() - which steps must move, and to whom; the same input, the same plan.
 *
 * Unfinished = pending or cancelled. In this order:
 * - a former owner has ended the step, and the owner has not begun it: it goes back;
 * - the owner is dead, the step is open, somebody lives and nobody is named: it is left
 *   to the living;
 * - the owner is dead: it goes to the living and the named workers, longest estimate
 *   first to the least loaded, the rest of one block (test_id, block, owner) together and
 *   in its order; with neither living nor named ones, to its owner again;
 * - it is cancelled and its owner is not dead: to its owner again.
 * A step of a worker that lives or is expected otherwise stays where it is.
 */
void replan_make(const struct replan_in *in, struct replan *ret);
void replan_done(struct replan *replan);
#define cleanup_replan cleanup(replan_done)

#endif
