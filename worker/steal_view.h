// SPDX-License-Identifier: Apache-2.0
// What a thief sees of the other workers' jobs. For the steal files only.
#ifndef WORKER_STEAL_VIEW_H
#define WORKER_STEAL_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "manifests/job.h"
#include "worker/steal.h"

/** steal_look() - LIST jobs/ and claims/; jobs not seen yet are read. */
int steal_look(struct worker *w, struct err *err);

/** steal_index() - which steps have moved to later rounds that count, from the jobs and
 * commits in @s. Pure. */
void steal_index(struct steal *s);

/**
 * steal_open() - which units of job @i may be taken? Into @is_open[n_units], after
 * steal_index(). Pure.
 *
 * Not claimed, not barred, and of a job that counts: round 1, or given to its worker by a
 * reassign order; none of its steps may have moved on to a later round.
 */
void steal_open(const struct steal *s, size_t i, bool *is_open);

/** steal_job_keep() - the whole job of @worker, borrowed from the queue, which keeps it.
 */
int steal_job_keep(struct worker *w, const char *worker, unsigned round,
		   const struct job **ret, struct err *err);

#endif
