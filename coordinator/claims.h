// SPDX-License-Identifier: Apache-2.0
// Claims of units: who has a step in a run with stealing. Pure.
#ifndef COORDINATOR_CLAIMS_H
#define COORDINATOR_CLAIMS_H

#include "coordinator/steps.h"
#include "manifests/claim.h"

/** struct steps_claim - a unit of @from's job of @round, by its leader, and its holder.
 */
struct steps_claim {
	unsigned round, matrix_id, iteration;
	char from[WORKER_CAP], worker[WORKER_CAP];
};

/** steps_add_claim() - before steps_plan(). -EINVAL: no worker of that name has a job. */
int steps_add_claim(struct steps *steps, const struct claim *claim, struct err *err);

/** claims_plan() - for steps_plan(): every listing learns who holds its unit. */
void claims_plan(struct steps *steps);

#endif
