// SPDX-License-Identifier: Apache-2.0
// What the main thread tells and the heartbeat thread writes: the only shared state.
#ifndef WORKER_BOARD_H
#define WORKER_BOARD_H

#include <pthread.h>
#include <stdbool.h>

#include "core/err.h"
#include "manifests/record.h"
#include "worker/orders.h"

/**
 * struct board - every member is read and written under @lock, except @wake_fd.
 *
 * The main thread alone changes manifest.steps' size and order.
 */
struct board {
	pthread_mutex_t lock;
	pthread_cond_t answered; /* polls_done or is_ended changed */
	int wake_fd;		 /* eventfd: something below changed */
	struct heartbeat hb;
	struct manifest manifest;
	unsigned heartbeat_s;
	bool hb_changed, manifest_changed;
	struct orders orders;
	bool has_looked; /* all orders there were have been read, once or more */
	unsigned polls_asked, polls_done;
	bool is_over;	    /* main: write the end and leave */
	bool is_ended;	    /* the thread has left, or was never started */
	bool is_fenced;	    /* another incarnation owns the name */
	bool rival_is_here; /* and it runs on this machine */
};

int board_init(struct board *b, struct err *err);
void board_done(struct board *b);

/** board_state() - a new state of the worker; @reason NULL = none. Unreachable states
 * are dropped: an end stays an end. */
void board_state(struct board *b, enum worker_state state, const char *reason);

/** board_step() - step @i of the manifest has a new state; @reason NULL = none. */
void board_step(struct board *b, size_t i, enum attempt_state state, unsigned attempt,
		const char *reason);

/** board_line() - step @i of the manifest is as @line says, but for its name. */
void board_line(struct board *b, size_t i, const struct manifest_step *line);

/** board_summary() - the figures of step @i, for its manifest line. */
void board_summary(struct board *b, size_t i, const struct fio_result *result);

/** board_inflight() - the step the heartbeat names; "" and 0 = none. */
void board_inflight(struct board *b, const char *step, unsigned attempt);

/** board_progress() - the phase of the step in flight; told at the next heartbeat. */
void board_progress(struct board *b, const char *phase);

/** board_clear() - no lines at all: the queue is about to be built. */
void board_clear(struct board *b);

/** board_add() - a line at the manifest's end. board_remove() - take line @i out. */
void board_add(struct board *b, const struct manifest_step *line);
void board_remove(struct board *b, size_t i);

/** board_flag() - add @word to the provenance's flags, once. */
void board_flag(struct board *b, const char *word);

/**
 * board_orders() - let the heartbeat thread look for orders now, wait (at most 15 s) and
 * take what came in.
 *
 * False while no look of this life has been answered: what is in force is not known.
 */
bool board_orders(struct board *b, struct orders *ret);

/** board_rounds() - the same, and take nothing: the rounds that orders not taken yet
 * carry, newest first, each once; at most @cap. Returns how many. */
size_t board_rounds(struct board *b, unsigned *out, size_t cap);

/** board_wake() - after changes made under the lock by hand. */
void board_wake(struct board *b);

/** reason_set() - copy a reason (NULL = none), cut when it is too long. */
void reason_set(char out[REASON_CAP], const char *reason);

/** summary_set() - a result's figures into a manifest line. */
void summary_set(struct manifest_step *line, const struct fio_result *result);

/** flags_add() - add @word to an owned list of words; false when it was there. */
bool flags_add(char **flags, const char *word);

#endif
