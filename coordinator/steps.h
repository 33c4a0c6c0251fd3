// SPDX-License-Identifier: Apache-2.0
// Which result of a step counts, pure: owners, attempts, derived states (contract §3.6).
#ifndef COORDINATOR_STEPS_H
#define COORDINATOR_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "manifests/job.h"
#include "manifests/record.h"

/** struct found_attempt - one record that exists in the bucket. */
struct found_attempt {
	char worker[WORKER_CAP];
	unsigned attempt;
	bool is_readable;	  /* parsed, and of this run, step and config */
	enum attempt_state state; /* when readable */
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

/** struct step_entry - one planned step and what became of it. */
struct step_entry {
	struct job_step plan; /* as in the first round that lists it */
	unsigned round;	      /* of that job */
	char owner[WORKER_CAP];
	size_t n_found;
	struct found_attempt *found;
	/* derived by steps_derive() */
	enum step_view view;
	int counting;	      /* index into found, -1 = none */
	bool was_interrupted; /* the owner's newest attempt ended interrupted */
};

/** struct steps - all steps of a run, sorted by matrix_id and iteration. */
struct steps {
	size_t n, cap;
	struct step_entry *v;
};

void steps_done(struct steps *steps);
#define cleanup_steps cleanup(steps_done)

/** steps_add_job() - the steps of one job; call in the order of rounds. */
int steps_add_job(struct steps *steps, const struct job *job, struct err *err);
/** steps_sort() - after the last job, before steps_find(). */
void steps_sort(struct steps *steps);
/** steps_find() - borrowed, NULL if no job lists it. */
struct step_entry *steps_find(const struct steps *steps, unsigned matrix_id,
			      unsigned iteration);
/** steps_reassign() - one reassign order: the new owners are the workers of round
 * @c->round. */
void steps_reassign(struct steps *steps, const struct control *c, const struct job *jobs,
		    size_t n_jobs);
/** steps_add_found() - a record seen in the bucket. */
void steps_add_found(struct step_entry *step, const struct found_attempt *found);
/** steps_derive() - only the owner's highest committed attempt counts. */
void steps_derive(struct steps *steps);

const char *step_view_name(enum step_view view);

#endif
