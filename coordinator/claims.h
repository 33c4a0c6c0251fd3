// SPDX-License-Identifier: Apache-2.0
// Claims of units: who has a step in a run with stealing. Pure.
#ifndef COORDINATOR_CLAIMS_H
#define COORDINATOR_CLAIMS_H

#include "coordinator/steps.h"
#include "core/str.h"
#include "manifests/claim.h"
#include "manifests/paths.h"

/** struct steps_claim - a unit of @from's job of @round, by its leader, and its holder.
 */
struct steps_claim {
	unsigned round, matrix_id, iteration;
	char from[WORKER_CAP], worker[WORKER_CAP];
};

/** steps_add_claim() - before steps_plan(). -EINVAL: no worker of that name has a job. */
int steps_add_claim(struct steps *steps, const struct claim *claim, struct err *err);

/**
 * claims_add_text() - the same, from the text of the object that @name is.
 *
 * @ret_unknown: keys that this program does not know are added to it
 * -EINVAL: not readable, or it says that it is another run's or unit's
 */
int claims_add_text(struct steps *steps, const char *run, const struct path_parts *name,
		    const struct str *text, unsigned *ret_unknown, struct err *err);

/**
 * claims_mark_open() - after steps_plan(): which units can a thief take?
 *
 * As the workers see it: not claimed, and all steps of the unit are still owned through
 * it: none is without an order that commits it, none has moved on to a later round.
 */
void claims_mark_open(struct steps *steps);

/** claims_by_unit() - qsort()'s rule for pointers to listings: each unit's together, in
 * its order. claims_unit_end() - index past those of the unit of @first. */
int claims_by_unit(const void *a, const void *b);
size_t claims_unit_end(const struct step_listing *const *sorted, size_t n, size_t first);

/** claims_plan() - for steps_plan(): every listing learns who holds its unit. */
void claims_plan(struct steps *steps);

#endif
