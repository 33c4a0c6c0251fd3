// SPDX-License-Identifier: Apache-2.0
// What control orders ask of one worker, gathered until the main thread takes it. Pure.
#ifndef WORKER_ORDERS_H
#define WORKER_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifests/record.h"

enum { ORDER_ROUNDS_MAX = 64 };

/** struct order_drop - steps that an order took away. Owned. */
struct order_drop {
	unsigned round; /* steps of jobs from this round on are not meant; 0 = all are */
	bool all_steps;
	size_t n;
	char **steps; /* ids */
};

/** struct order_commit - a reassign of a round: what it gives counts, whoever it names.
 * Owned. */
struct order_commit {
	unsigned round;
	bool all_workers, all_steps;
	size_t n_workers, n_steps;
	char **workers;
	uint64_t *steps; /* matrix_id << 32 | iteration, sorted */
};

/** struct orders - zero = none. */
struct orders {
	unsigned next_seq; /* the order to look for; begins at 1 */
	bool drain, abort;
	bool is_refused;	 /* an order could not be read: @reason says why */
	char reason[REASON_CAP]; /* of the newest drain or abort */
	size_t n_rounds;
	unsigned rounds[ORDER_ROUNDS_MAX]; /* jobs to read, not taken yet */
	size_t n_drops;
	struct order_drop *drops;
	size_t n_commits;
	struct order_commit *commits;
};

/** orders_apply() - take in one order; of those that do not name @worker only the commits
 * are kept. */
void orders_apply(struct orders *o, const struct control *c, const char *worker);

/** orders_refuse() - an order this worker cannot read: it must not go on measuring. */
void orders_refuse(struct orders *o, const char *why);

/** orders_merge() - what @from gathered is now in force: flags copied, the rest moved. */
void orders_merge(struct orders *to, struct orders *from);

/** orders_take() - move rounds, drops and commits over to @ret; drain and abort are
 * copied. */
void orders_take(struct orders *o, struct orders *ret);

/** order_drop_has() - does it mean step @id of a job of @round? */
bool order_drop_has(const struct order_drop *d, const char *id, unsigned round);

/** order_commit_gives() - does it give this step to @worker's job of @round? */
bool order_commit_gives(const struct order_commit *c, const char *worker, unsigned round,
			unsigned matrix_id, unsigned iteration);
void order_commit_done(struct order_commit *c);

void orders_done(struct orders *o);
#define cleanup_orders cleanup(orders_done)

#endif
