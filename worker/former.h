// SPDX-License-Identifier: Apache-2.0
// The former owner of a step that was moved here: it may have ended it all the same.
#ifndef WORKER_FORMER_H
#define WORKER_FORMER_H

#include <stdbool.h>

#include "core/err.h"
#include "manifests/job.h"

struct worker;

/**
 * former_owner() - whose the step @plan of @job was in the rounds before; NULL in the
 * first.
 *
 * The worker it was moved away from, else the job's own: it was given to it anew, and one
 * who takes it from that job is not the one that may have ended it before. Borrowed.
 */
const char *former_owner(const struct job *job, const struct job_step *plan);

/**
 * former_has_ended() - has the former owner, another worker, committed @plan of @job?
 *
 * One LIST, and one GET if there is a record: ok, failed, timeout and invalid end a step;
 * cancelled, interrupted and what cannot be read do not. False for a step that was not
 * moved. Errors: the bucket's; nothing is known then.
 */
int former_has_ended(struct worker *w, const struct job *job, const struct job_step *plan,
		     bool *ret, struct err *err);

#endif
