// SPDX-License-Identifier: Apache-2.0
// The fleet's derived states, pure: from listings of jobs/ and workers/ to views.
#ifndef COORDINATOR_FLEET_H
#define COORDINATOR_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifests/paths.h"
#include "manifests/record.h"

/* how long a worker may take from its job's creation to its first heartbeat: a VM's boot
 */
enum { FLEET_BOOT_S = 900 };

enum fleet_view {
	FLEET_WAITING, /* has a job, has not been seen since it was written */
	FLEET_MISSING, /* never seen, and past the boot deadline */
	FLEET_ALIVE,
	FLEET_STALE, /* no heartbeat for stale_s by the server's clock, and not ended */
	FLEET_ENDED, /* done, failed, cancelled or interrupted */
};

/** struct fleet_worker - one worker as the bucket shows it. */
struct fleet_worker {
	char name[WORKER_CAP];
	bool is_planned;	/* named by config.json, or has a job */
	unsigned rounds;	/* highest round it has a job for; 0 = none */
	int64_t job_created_ns; /* server clock, of the newest job */
	int64_t first_job_ns;	/* the same, of the oldest */
	bool has_heartbeat;
	bool has_summary; /* its state could be read, from the metadata or as a whole */
	struct heartbeat
		hb; /* from the summary: state, step, attempt, done, total, reason */
	int64_t updated_ns; /* server clock, of the heartbeat */
	/* of the steps, once the worker has ended; see fleet_load_verdicts() */
	bool has_verdict;
	unsigned steps_not_ok, steps_invalid;
	bool is_slow;	   /* see fleet_mark_slow() */
	bool is_duplicate; /* see fleet_load_reasons() */
	bool is_relieved;  /* none of its steps is left to end; see verdict_load() */
	/* derived by fleet_derive() */
	enum fleet_view view;
	int64_t age_ns; /* since the last heartbeat, or since the job's creation; -1 = no
			   job */
};

/** struct fleet_steps - of a run with moved steps: what became of all of them. */
struct fleet_steps {
	bool is_known;
	uint64_t total, pending, not_ok, invalid; /* invalid ones are not ok too */
};

struct fleet {
	struct fleet_steps steps; /* see verdict_load() */
	size_t n, cap;
	struct fleet_worker *workers; /* sorted by name once fleet_derive() has run */
	int64_t server_now_ns;	      /* "Date" of the last listing */
	uint64_t n_planned_steps; /* with stealing, before any step was moved: of the run;
				     else 0 */
	size_t n_slots; /* hash table of names: index + 1 into workers, 0 = free */
	unsigned *slots;
};

void fleet_done(struct fleet *fleet);
#define cleanup_fleet cleanup(fleet_done)

/** fleet_worker() - find or add by name, in constant time; valid until the next call. */
struct fleet_worker *fleet_worker(struct fleet *fleet, const char *name);

/** fleet_find() - the same, NULL if there is none. */
struct fleet_worker *fleet_find(const struct fleet *fleet, const char *name);

enum { JOB_STEM_CAP = WORKER_CAP + 1 };

/**
 * fleet_jobless() - whose jobs must be looked at before views can be derived: workers not
 * heard of, and workers heard of that are not planned.
 *
 * Returns false if there are none; else the names of their jobs in jobs/ lie between
 * @first and @last, in the order of their bytes, and begin with "<worker>.".
 */
bool fleet_jobless(const struct fleet *fleet, char first[JOB_STEM_CAP],
		   char last[JOB_STEM_CAP]);

/** fleet_add_job() - @w has a job, created at @created_ns by the server's clock. */
void fleet_add_job(struct fleet_worker *w, unsigned round, int64_t created_ns);

/**
 * fleet_may_wait() - may a job of this worker that an order written at @order_ns has
 * committed make it waiting, or say since when it is? Only then it must be looked at.
 *
 * @order_ns: server clock, cut to whole seconds; the job is no younger than the order
 */
bool fleet_may_wait(const struct fleet_worker *w, int64_t now_ns, unsigned stale_s,
		    int64_t order_ns);

/**
 * fleet_derive() - fill in every view.
 *
 * @stale_s: of the run's settings
 * @watch_started_ns: server clock when watching began; 0 = judge by the job alone
 *
 * A worker that is stale or has ended, and has got a job since, is waiting too, until
 * FLEET_BOOT_S after: it is being started again.
 * Sorts; pointers into the fleet are not valid after. Boundaries: exactly stale_s old is
 * alive, exactly FLEET_BOOT_S is waiting. A planned worker without a job is missing once
 * watching has gone on for FLEET_BOOT_S.
 */
void fleet_derive(struct fleet *fleet, unsigned stale_s, int64_t watch_started_ns);

const char *fleet_view_name(enum fleet_view view);

/** struct fleet_counts - planned workers only, except @strangers. */
struct fleet_counts {
	size_t waiting, missing, alive, stale, ended;
	size_t done, failed, cancelled, interrupted; /* of the ended */
	size_t relieved;  /* waiting, missing or stale, and nobody misses them */
	size_t strangers; /* heartbeats under names the run does not know */
	size_t unjudged;  /* ended with steps, but what became of them is not known */
	uint64_t steps_not_ok, steps_invalid;
	uint64_t steps_done, steps_total; /* as far as workers have been heard of */
	bool is_complete; /* with stealing: every step of the run has ended somewhere */
};
struct fleet_counts fleet_count(const struct fleet *fleet);

/** fleet_is_judged() - do the verdicts on this worker's steps matter at the end? A worker
 * that is done with steps; and one that fell silent, when others did the rest. */
bool fleet_is_judged(const struct fleet_worker *w, bool is_complete);

/** fleet_is_over() - every planned worker has ended; or nothing is left to do, and nobody
 * is at it. */
bool fleet_is_over(const struct fleet_counts *c);
/** fleet_is_stuck() - not over, and nobody is left who could go on by itself. */
bool fleet_is_stuck(const struct fleet_counts *c);

#endif
