// SPDX-License-Identifier: Apache-2.0
// What control orders ask of one worker, gathered until the main thread takes it. Pure.
#ifndef WORKER_ORDERS_H
#define WORKER_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifests/record.h"

/**
 * struct order_move - a reassign order that names this worker. Owned.
 *
 * It takes away the steps it names from jobs of earlier rounds, and of the job of its own
 * round it brings into force those steps, and no others.
 */
struct order_move {
	unsigned round; /* 0 = none: steps are only taken away, of whatever round */
	bool all_steps; /* with a round: takes away nothing */
	size_t n;
	char **steps; /* ids, sorted */
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
	size_t n_moves;
	struct order_move *moves; /* in the order of their numbers, not taken yet */
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

/** orders_take() - hand moves and commits over to @ret; drain and abort are copied. */
void orders_take(struct orders *o, struct orders *ret);

/** order_move_drops() - does it take away step @id of a job of @round? */
bool order_move_drops(const struct order_move *m, const char *id, unsigned round);
/** order_move_gives() - does it bring step @id of the job of its round into force? */
bool order_move_gives(const struct order_move *m, const char *id);

/** order_commit_gives() - does it give this step to @worker's job of @round? */
bool order_commit_gives(const struct order_commit *c, const char *worker, unsigned round,
			unsigned matrix_id, unsigned iteration);
void order_commit_done(struct order_commit *c);

void orders_done(struct orders *o);
#define cleanup_orders cleanup(orders_done)

#endif
