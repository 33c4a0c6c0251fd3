// SPDX-License-Identifier: Apache-2.0
// The same small job for many objects, over several connections at once.
#ifndef COORDINATOR_POOL_H
#define COORDINATOR_POOL_H

#include <stddef.h>

#include "coordinator/run.h"

/** pool_fn - the job of one index; called by several threads, each with its own @store.
 */
typedef int pool_fn(struct store *store, size_t index, void *arg, struct err *err);

/**
 * pool_run() - @fn for 0 to @n - 1, begun in this order.
 *
 * The first error ends it, when what is under way has ended, and is returned; so does an
 * interrupt, as -ECANCELED.
 */
int pool_run(struct run *run, size_t n, pool_fn *fn, void *arg, struct err *err);

#endif
