// SPDX-License-Identifier: Apache-2.0
// A synchronised start without a coordinator: arriving, waiting for the verdict, giving
// it.
#ifndef WORKER_BARRIER_H
#define WORKER_BARRIER_H

#include "core/err.h"
#include "core/store.h"
#include "manifests/job.h"

struct worker;
struct attempt;

/**
 * attempt_barrier() - phase: until the fleet's verdict on this step's start.
 *
 * Steps without a barrier pass. Sets when fio is to start (a->barrier); a start that has
 * passed is made up for at once and is said to be late.
 *
 * -ETIMEDOUT: the verdict is abort (the text names who was not there), or there was none
 * in time. -ECANCELED: a reason to stop.
 */
int attempt_barrier(struct worker *w, struct attempt *a, struct err *err);

/** barrier_absent() - this step ended before its start: the others need not wait. */
void barrier_absent(struct worker *w, const struct job_step *plan, unsigned attempt,
		    const char *reason);

/** attempt_withdraw() - undo of the claim: the others need not wait for a step that ended
 * before its start. */
void attempt_withdraw(struct worker *w, struct attempt *a);

/** barrier_record() - fio has started: what became of the start, into the record. */
void barrier_record(struct attempt *a);

/** worker_put() - write with the main thread's store; the reply's time goes into what is
 * known of the store's clock. */
int worker_put(struct worker *w, const char *name, const struct put_req *req,
	       struct obj_meta *ret_meta, struct err *err);

#endif
