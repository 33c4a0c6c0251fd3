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

/**
 * struct pool_line - work that is prepared by several threads ahead and done in order.
 *
 * @prepare: called by several threads, each for another @item (zeroed before)
 * @take: called by the thread of pool_in_order(), for 0 to n - 1; negative ends it
 * @release: of every prepared item, taken or not
 */
struct pool_line {
	size_t item_bytes;
	void (*prepare)(size_t index, void *item, void *arg);
	int (*take)(size_t index, void *item, void *arg, struct err *err);
	void (*release)(void *item);
	void *arg;
};

enum { POOL_AHEAD = 64 }; /* at most so many items exist at a time */

/** pool_in_order() - 0, or what @take returned. An interrupt does not end it: it is for
 * what is here already. */
int pool_in_order(const struct pool_line *line, size_t n, struct err *err);

#endif
