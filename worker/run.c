// SPDX-License-Identifier: Apache-2.0
// The loop over the steps.
#include "worker/run.h"

#include "core/log.h"
#include "worker/binary.h"
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

static int run_one(struct worker *w, size_t i, struct err *err)
{
	const struct job_step *p = w->queue.steps[i].plan;
	int r = steal_own(w, i, err);

	if (r <= 0)
		return r;
	board_state(&w->board, WORKER_RUNNING, NULL);
	layout_clean(w, p->test_id, p->block);
	r = step_run(w, i, err);
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
		if (next < w->queue.n)
			r = run_one(w, next, err);
		else if ((r = steal_next(w, err)) <= 0)
			break;
		else
			r = 0;
	}
	if (stop_why(&w->stop) != STOP_SIGNAL)
		layout_clean(w, 0, 0);
	return r;
}
