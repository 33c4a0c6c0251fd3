// SPDX-License-Identifier: Apache-2.0
// One step: a table of phases, each with its undo.
#ifndef WORKER_STEP_H
#define WORKER_STEP_H

#include <stddef.h>

#include "core/err.h"
#include "manifests/record.h"
#include "worker/attempt.h"

struct worker;

enum phase_when {
	PHASE_IF_WELL, /* not after a failure, not when there is a reason to stop */
	PHASE_ALWAYS,  /* what there is has to be kept and recorded */
};

/** struct phase - one line of the table. */
struct phase {
	const char *name;
	int (*run)(struct worker *, struct attempt *, struct err *);
	void (*undo)(struct worker *, struct attempt *); /* NULL = nothing to undo */
	enum phase_when when;
	int clock; /* enum step_phase its duration is recorded as; -1 = none */
};

/**
 * phases_run() - the table from top to bottom.
 *
 * The first failure decides the attempt's end; the undo functions then run backwards from
 * the phase that failed, and of the rest only the PHASE_ALWAYS ones.
 *
 * Returns the error of the last phase (the commit), else 0: everything else is in @a.
 */
int phases_run(const struct phase *table, size_t n, struct worker *w, struct attempt *a,
	       struct err *err);

/** step_run() - step @index of the queue, from claim to commit; one line on stdout.
 * Negative when its record could not be written. */
int step_run(struct worker *w, size_t index, struct err *err);

/** step_phases() - the table, for --list-points. */
const struct phase *step_phases(size_t *ret_n);

#endif
