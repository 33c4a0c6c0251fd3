// SPDX-License-Identifier: Apache-2.0
// claims/<leader step>[.r<k>].json: whose a unit of steps is, in a run with stealing.
#ifndef MANIFESTS_CLAIM_H
#define MANIFESTS_CLAIM_H

#include <stddef.h>

#include "manifests/job.h"
#include "manifests/record.h"

enum { CLAIM_MAX_BYTES = 64 << 10 };

/**
 * job_unit_end() - index past the unit that step @i of @steps is in, counted from there.
 *
 * A unit is what stays together on one worker: a block, and where there are no blocks a
 * step. A step goes on with the unit before it when it is of the same test case and
 * block and stands at a later place in it.
 */
size_t job_unit_end(const struct job_step *steps, size_t n, size_t i);
/** job_unit_begin() - index of the unit's leader, which names its claim. */
size_t job_unit_begin(const struct job_step *steps, size_t i);

/** struct claim - created once; who created it has the unit in that round. */
struct claim {
	char run[RUN_CAP];
	unsigned round;
	unsigned matrix_id, iteration; /* of the leader */
	size_t n_steps;
	char (*steps)[STEP_ID_CAP]; /* the unit's, the leader first; owned */
	char worker[WORKER_CAP];
	struct incarnation incarnation;
	char from[WORKER_CAP]; /* whose job of @round lists the steps */
	char at[RFC3339_CAP];  /* the worker's clock; informative, "" = null */
};

/** claim_parse() - a record, as the others. */
int claim_parse(const char *text, size_t n, struct claim *ret, unsigned *ret_unknown,
		struct err *err);
json_t *claim_to_json(const struct claim *c);
void claim_done(struct claim *c);
#define cleanup_claim cleanup(claim_done)

#endif
