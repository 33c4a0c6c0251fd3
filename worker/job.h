// SPDX-License-Identifier: Apache-2.0
// The worker's orders: waiting for the job, reading later rounds.
#ifndef WORKER_JOB_H
#define WORKER_JOB_H

#include "core/err.h"
#include "manifests/job.h"
#include "manifests/record.h"

struct worker;

/**
 * job_fetch() - read and judge the job of one round; the caller's, job_done() and free().
 *
 * -ENOENT: there is none. -EINVAL: it is not for this run, worker and round, or not a
 * job; the exit code becomes 2.
 */
int job_fetch(struct worker *w, unsigned round, struct job **ret, struct err *err);

/**
 * job_fetch_other() - the job of another worker of the run, as job_fetch().
 *
 * @round 0: what is under the first round's name, whatever round it says. A later one is
 * looked for there too: it may be the first that its worker has been given.
 * -EINVAL: also, it is of another config. The exit code stays.
 */
int job_fetch_other(struct worker *w, const char *worker, unsigned round,
		    struct job **ret, struct err *err);

/** job_wait() - boot step: the job of round 1, waited for up to 600 s, into the queue. */
int job_wait(struct worker *w, struct err *err);

/**
 * job_take_orders() - look for orders; read the rounds they name, give up steps they
 * move.
 *
 * Returns 1 when steps were added, 0 when not.
 */
int job_take_orders(struct worker *w, struct err *err);

/** job_is_draining() - does an order say that no further step may begin? The reason in
 * @reason. */
bool job_is_draining(struct worker *w, char reason[REASON_CAP]);

#endif
