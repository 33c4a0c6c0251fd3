// SPDX-License-Identifier: Apache-2.0
// All that the bucket shows of a run, as far as a decision about its steps needs it.
#ifndef COORDINATOR_SURVEY_H
#define COORDINATOR_SURVEY_H

#include <pthread.h>

#include "coordinator/fleet.h"
#include "coordinator/run.h"
#include "coordinator/steps.h"

/** struct survey_job - one object below jobs/. */
struct survey_job {
	char worker[WORKER_CAP];
	unsigned round; /* by its name */
};

/** struct survey_seen - one file of an attempt. */
struct survey_seen {
	size_t step;	    /* index into steps */
	const char *worker; /* as steps_lister() gives it */
	unsigned attempt;
	bool is_record;
};

/** struct survey - orders are in run->orders, everything else is here. */
struct survey {
	struct run *run;
	struct steps steps; /* derived */
	struct fleet fleet; /* derived */
	bool *is_read;	    /* per worker of the fleet: were its results looked at? */
	unsigned *known;    /* per step: highest attempt anybody has begun; 0 = none */
	unsigned round_max; /* highest round of any job, committed or not */
	size_t n_jobs;
	struct survey_job *jobs;
	size_t n_bad; /* claims that cannot be read: nobody knows whose those units are */
	struct err bad; /* the first of them */
	size_t n_seen, cap_seen;
	struct survey_seen *seen;
	pthread_mutex_t lock; /* while several threads read */
};

enum survey_depth {
	SURVEY_NEEDED, /* results of workers that do not live, and of moved steps */
	SURVEY_ALL,    /* and of all owners */
};

/* more workers, and their manifests are read before any of their results is listed */
enum { SURVEY_LISTED_MAX = 256 };

/**
 * survey_load() - read orders, jobs, claims, heartbeats, then results.
 *
 * Orders come first: who then writes the next order knows that nobody has decided
 * anything in between. Unless asked for all, and unless an order ever stopped the run,
 * the results of living workers stay unread: their steps show as pending.
 *
 * SURVEY_ALL of more than SURVEY_LISTED_MAX workers is for the steps' views alone: what a
 * manifest says of a step's end is taken for its record (see survey_read_manifests()),
 * attempts begun and the roles of workers are not complete.
 *
 * @more: names that belong into the fleet beside those of the run
 * -EINVAL: an order or job that cannot be read, or a planned worker without a job
 */
int survey_load(struct run *run, enum survey_depth depth, char *const *more,
		size_t n_more, struct survey *ret, struct err *err);
void survey_done(struct survey *survey);
#define cleanup_survey cleanup(survey_done)

/** survey_worker() - index in the fleet; every owner has one. */
size_t survey_worker(const struct survey *survey, const char *name);

#endif
