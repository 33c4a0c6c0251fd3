// SPDX-License-Identifier: Apache-2.0
// The design: which worker runs which iteration of which cell, in which order. Pure.
#ifndef COORDINATOR_PLAN_H
#define COORDINATOR_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "manifests/job.h"

enum { PLAN_STEPS_MAX = 1000000, PLAN_ARMS_MAX = 1000 };

/** struct plan_in - what a plan is a function of. Borrowed. */
struct plan_in {
	size_t n_cases, n_arms, n_workers;
	const unsigned *test_ids, *config_ids;
	const double *cost_s;	     /* per case: estimate of one step, in s */
	const char *const *arm_keys; /* NULL entries need no build */
	enum design design;
	unsigned iterations, replicas;
	uint64_t seed;
};

struct plan_worker {
	size_t n_steps, cap;
	struct job_step *steps; /* in the order of execution */
	double estimated_s;
	enum arm_role
		*roles; /* per arm: ROLE_BUILD, ROLE_WAIT; ROLE_NONE without a key */
};

/** struct plan - plan_done() releases it. */
struct plan {
	size_t n_workers, n_steps;
	struct plan_worker *workers;
	unsigned iterations; /* per replica: rounded up to balance */
};

/**
 * plan_make() - the same arguments give the same plan.
 *
 * blocks: every arm of a test case on the same worker in blocks of one iteration each;
 * their orders are rows of a Williams square (Williams 1949): every arm stands at every
 * place and follows every other equally often once the iterations are a multiple of the
 * square's rows, so they are rounded up to one. Rows are shuffled per (worker, test case)
 * from the seed. Cases go to workers longest estimate first, ties by the case's row, each
 * to the least loaded worker; @replicas different workers run each. On a worker the first
 * blocks of all its cases come before the second ones.
 *
 * spread: the matrix, arm by arm, cut into even runs of cells, one per worker.
 *
 * together: every worker runs everything, in one order that they share: blocks as above,
 * their rows shuffled per test case. Each (case, arm, repetition) is a start that all
 * wait for, numbered from 1 in that order. Iteration = (repetition − 1) × workers + rank
 * + 1, where the rank of worker @n is @n: unique in the run; block = repetition.
 *
 * -EINVAL: nothing to plan, replicas > workers, replicas > 1 without blocks. -EFBIG: more
 * than PLAN_STEPS_MAX steps.
 */
int plan_make(const struct plan_in *in, struct plan *ret, struct err *err);
void plan_done(struct plan *plan);
#define cleanup_plan cleanup(plan_done)

/** plan_rows() - rows of a Williams square for @arms: 1, 2, arms, or twice as many. */
unsigned plan_rows(size_t arms);

/** plan_row() - row @row of it: the arms' indices in @out. */
void plan_row(size_t arms, unsigned row, unsigned *out);

#endif
