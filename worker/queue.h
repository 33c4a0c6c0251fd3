// SPDX-License-Identifier: Apache-2.0
// The worker's steps in the order of execution, over all rounds.
#ifndef WORKER_QUEUE_H
#define WORKER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "manifests/job.h"
#include "manifests/states.h"

struct worker;
struct order_move;

/** struct queue_step - one step; its line in the manifest has the same index. */
struct queue_step {
	const struct job *job; /* borrowed from the queue's rounds */
	const struct job_step *plan;
	unsigned attempt; /* the next one while pending, else the newest */
	enum attempt_state state;
	bool is_lost; /* its last attempt left nothing: failed, once its turn comes */
};

/** struct found - the newest attempt of a step that the bucket or workspace shows. */
struct found {
	unsigned matrix_id, iteration, attempt;
	bool has_record;
};

struct queue {
	size_t n_jobs;
	struct job **jobs; /* rounds, owned; they stay as long as the process */
	size_t n;
	struct queue_step *steps;
	size_t n_found;
	struct found *found; /* of this worker, in no order */
	bool may_be_begun;   /* the name's last owner fell silent: the step it would have
			      * begun next may have begun, whatever its heartbeat says */
};

/**
 * queue_scan() - what earlier incarnations left: one LIST of results/<worker>/, the
 * workspace's step folders, and the steps the previous manifest shows in flight.
 */
int queue_scan(struct worker *w, struct err *err);

/**
 * queue_add_job() - @job is taken, also on an error; of round 1 its steps are appended.
 *
 * What an earlier incarnation committed is adopted; an attempt that began and left no
 * record counts as interrupted; of the last one allowed see queue_give_up().
 */
int queue_add_job(struct worker *w, struct job *job, struct err *err);

/**
 * queue_give_up() - write the end of a step whose last attempt left no record.
 *
 * When its turn comes and no sooner: an order that nobody has read yet may have given it
 * one more attempt, or to somebody else.
 */
int queue_give_up(struct worker *w, size_t i, struct err *err);

/** queue_keep_job() - @job is taken and lives as long as the queue; no step is added. */
void queue_keep_job(struct worker *w, struct job *job);

/** queue_add_part() - append steps @first to @end - 1 of a job that is kept, as
 * queue_add_job() does. */
int queue_add_part(struct worker *w, const struct job *job, size_t first, size_t end,
		   struct err *err);

/** queue_drop_unit() - take out what is not final of the unit of @job whose leader is
 * step @first: @holder has it. */
void queue_drop_unit(struct worker *w, const struct job *job, size_t first,
		     const char *holder);

/**
 * queue_apply() - what a reassign order does: steps that it moved to other workers are
 * taken out, those that it gives from @job, of its round (NULL = there is none), are
 * appended, each off its old place. A step that has ended stays as it is, unless as
 * cancelled.
 *
 * @ret_added: how many were appended
 */
int queue_apply(struct worker *w, const struct order_move *move, const struct job *job,
		size_t *ret_added, struct err *err);

/** queue_take_out() - step @i belongs to another worker. */
void queue_take_out(struct worker *w, size_t i);

/**
 * queue_skip_unseen() - the attempt to go on with where the last owner may still live.
 *
 * Heartbeats lag behind: the first step that is not final may have been begun unseen, and
 * a machine that comes back goes on with that attempt. Results of different attempts
 * never share a path, so the next number is taken as long as there is one. Pure.
 *
 * @found: what is known of the step; NULL = nothing
 * @attempt: what follows from @found
 */
unsigned queue_skip_unseen(const struct found *found, unsigned attempt,
			   unsigned max_attempts);

/** queue_next() - index of the first step that is not final; queue.n if there is none. */
size_t queue_next(const struct queue *q);

/** queue_set() - state and attempt of step @i, here and on the board. */
void queue_set(struct worker *w, size_t i, enum attempt_state state, unsigned attempt,
	       const char *reason);

/** queue_cancel_rest() - every step that is not final ends as cancelled, with a record.
 */
void queue_cancel_rest(struct worker *w, const char *reason);

/** queue_count() - steps in state @s. */
size_t queue_count(const struct queue *q, enum attempt_state s);

/** queue_job() - this worker's job of a round that has been read, borrowed; or NULL. */
const struct job *queue_job(const struct queue *q, unsigned round);

void queue_done(struct queue *q);

/** found_note() - an attempt was seen; keeps the newest of each step. */
void found_note(struct queue *q, unsigned matrix_id, unsigned iteration, unsigned attempt,
		bool has_record);
/** found_get() - or NULL. */
const struct found *found_get(const struct queue *q, unsigned matrix_id,
			      unsigned iteration);

#endif
