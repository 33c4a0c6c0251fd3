// SPDX-License-Identifier: Apache-2.0
// The run's control orders, read one by one as the workers do.
#ifndef COORDINATOR_ORDER_LOG_H
#define COORDINATOR_ORDER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "manifests/record.h"

struct run;

/** struct order_log - orders 1 to n; element i has the number i + 1. */
struct order_log {
	size_t n;
	struct control *v;   /* owned; an order that cannot be read says nothing */
	int64_t *written_ns; /* owned; server clock, cut to whole seconds; 0 unknown */
	size_t n_bad;
	struct err bad; /* why the first of those cannot be read */
};

void order_log_done(struct order_log *log);

/** order_log_update() - what has been written since the last call, into run->orders: one
 * request when there is nothing new. */
int order_log_update(struct run *run, struct err *err);

/** order_log_commits() - does a reassign order give @worker its job of @round? @round 0:
 * of any round. */
bool order_log_commits(const struct order_log *log, const char *worker, unsigned round);

/** order_log_is_stopped() - does a drain or abort stand, for all or for some? */
bool order_log_is_stopped(const struct order_log *log);
/** order_log_was_stopped() - was there ever one? */
bool order_log_was_stopped(const struct order_log *log);
/** order_log_has_moved() - has any reassign order been written? */
bool order_log_has_moved(const struct order_log *log);

#endif
