// SPDX-License-Identifier: Apache-2.0
// The claims of a run with stealing, from the bucket.
#ifndef COORDINATOR_CLAIMS_LOAD_H
#define COORDINATOR_CLAIMS_LOAD_H

#include "coordinator/run.h"
#include "coordinator/steps.h"

/**
 * claims_load() - LIST claims/ and read each, into @steps: after the jobs, before
 * steps_plan().
 *
 * @ret_bad: how many of them cannot be read or are refused; @ret_why: the first of those
 * Errors: the bucket's
 */
int claims_load(struct run *run, struct steps *steps, size_t *ret_bad,
		struct err *ret_why, struct err *err);

#endif
