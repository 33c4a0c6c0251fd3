// SPDX-License-Identifier: Apache-2.0
// Reading many jobs of one run: all but worker, round and steps is mostly the same text.
#ifndef MANIFESTS_JOB_LIKE_H
#define MANIFESTS_JOB_LIKE_H

#include "manifests/job.h"

/** struct job_like - a job that was read and checked in full, and its text. Several
 * threads may use it at once. */
struct job_like;

/** job_like_new() - of a valid job; NULL if it is not, or not written as split does. */
struct job_like *job_like_new(const char *text, size_t n);
void job_like_free(struct job_like *like);

/**
 * job_like_parse() - job_parse() of a text that differs from @like's in worker, round and
 * steps alone. True only for a job that job_parse() accepts, and with the same result.
 *
 * False: it may be valid all the same, job_parse() tells. @ret borrows from @like but for
 * worker and steps.
 */
bool job_like_parse(const struct job_like *like, const char *text, size_t n,
		    struct job *ret);

#endif
