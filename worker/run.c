// SPDX-License-Identifier: Apache-2.0
// The loop over the steps.
#include "worker/run.h"

#include "core/log.h"
#include "worker/binary.h"
#include "worker/former.h"
#include "worker/job.h"
#include "worker/layout.h"
#include "worker/step.h"
#include "worker/worker.h"

int run_prepare_round(struct worker *w, struct err *err)
{
	int r;

	board_state(&w->board, WORKER_SETUP, NULL);
	r = binaries_get(w, err);
	board_state(&w->board, WORKER_READY, NULL);
	return r;
}

/* Interrupted, yet this process lives: another incarnation got at the attempt. The step
 * goes on with the next one. */
static void try_again(struct worker *w, size_t i)
{
	const struct queue_step *s = &w->queue.steps[i];

	if (s->state == ATTEMPT_INTERRUPTED && stop_why(&w->stop) < STOP_SIGNAL)
		queue_set(w, i, ATTEMPT_PENDING, s->attempt + 1, NULL);
}

/* A step that was moved here may have been ended by its former owner in between. Where
 * that cannot be found out it is run: it costs time, and only one of both counts. */
static bool is_ended_elsewhere(struct worker *w, size_t i)
{
	const struct job *job = w->queue.steps[i].job;
	const struct job_step *p = w->queue.steps[i].plan;
	struct err why = {0};
	bool is_ended = false;

	if (former_has_ended(w, job, p, &is_ended, &why) < 0)
		log_line(LOG_WARN, "step %u-%u: its former owner's results: %s",
			 p->matrix_id, p->iteration, why.text);
	if (is_ended) {
		worker_say("step %u-%u was committed by %s before it moved", p->matrix_id,
			   p->iteration, former_owner(job, p));
		queue_take_out(w, i);
	}
	return is_ended;
}

static int run_one(struct worker *w, size_t i, struct err *err)
{
	const struct job_step *p = w->queue.steps[i].plan;
	int r = steal_own(w, i, err);

	if (r <= 0)
		return r;
	if (w->queue.steps[i].is_lost)
		return queue_give_up(w, i, err);
	board_state(&w->board, WORKER_RUNNING, NULL);
	layout_clean(w, p->test_id, p->block);
	r = step_run(w, i, err);
	try_again(w, i);
	worker_log_upload(w);
	return r;
}

int run_steps(struct worker *w, struct err *err)
{
	char reason[REASON_CAP];
	int r = 0;

	board_state(&w->board, WORKER_READY, NULL);
	while (r == 0) {
		size_t next;

		/* also after the last step: "once more before it exits" */
		r = job_take_orders(w, err);
		if (r > 0)
			r = run_prepare_round(w, err);
		if (r < 0 || stop_why(&w->stop) >= STOP_SIGNAL)
			break;
		if (job_is_draining(w, reason)) {
			steal_settle(w);
			queue_cancel_rest(w, reason);
			break;
		}
		next = queue_next(&w->queue);
		if (next < w->queue.n) {
			if (!is_ended_elsewhere(w, next))
				r = run_one(w, next, err);
			continue;
		}
		r = steal_next(w, err);
		if (r <= 0)
			break;
		r = 0;
	}
	if (stop_why(&w->stop) != STOP_SIGNAL)
		layout_clean(w, 0, 0);
	return r;
}
