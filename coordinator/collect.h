// SPDX-License-Identifier: Apache-2.0
// What collect knows of a run once its objects are in the folder.
#ifndef COORDINATOR_COLLECT_H
#define COORDINATOR_COLLECT_H

#include <pthread.h>

#include "coordinator/cells.h"
#include "coordinator/fetch.h"
#include "coordinator/record_spool.h"
#include "coordinator/results.h"
#include "coordinator/starts.h"
#include "coordinator/steps.h"
#include "manifests/job_like.h"

enum { COLLECT_NOTES_MAX = 1000, COLLECT_LIKES = 4 };

/** struct collect_look - what the first look at a record or job found, before the plan
 * was known. */
struct collect_look {
	size_t object;
	char *refused; /* why it cannot be used whatever the plan says, or NULL; owned */
	/* of a record */
	enum attempt_state state;
	unsigned test_id, config_id;
	bool has_results, is_in_order;
	struct record_place place;
};

/** struct collected - the run's plan, its results, and what was wrong with either. */
struct collected {
	struct run *run;
	struct fetch fetch;
	struct err stopped; /* set: not everything could be fetched, and why */
	struct run_objects objects;
	struct steps steps;
	struct cells cells;
	pthread_mutex_t lock; /* during the fetch: steps, looks, n_unknown, failed */
	size_t n_looks, cap_looks;
	struct collect_look *looks; /* sorted by object once all are there */
	struct record_spool spool;
	/* the first jobs, each unlike those before it; the rest is mostly like one */
	_Atomic(struct job_like *) likes[COLLECT_LIKES];
	struct err failed;    /* the plan cannot be had at all, and why */
	struct starts starts; /* of design together; known once the steps are written */
	size_t views[STEP_VIEW_COUNT];
	size_t n_files;	     /* objects in the folder */
	size_t n_planless;   /* workers of config.json without a job */
	size_t n_superseded; /* attempts that do not count because others do */
	size_t n_refused;    /* records and documents that could not be counted */
	size_t n_unknown;    /* keys in records that this program does not know */
	size_t n_notes;
	char **notes; /* one line each, escaped when printed; owned */
	size_t n_problems;
	char **problems; /* "step …: state: reason" of steps that are not ok; owned */
};

/**
 * collect_run() - fetch everything and decide what counts.
 *
 * @c: {.run, .fetch} set by the caller; collected_done() in any case
 * Unreadable or foreign documents are noted, and the rest is collected. An error means
 * that nothing useful can be said.
 */
int collect_run(struct collected *c, struct err *err);
void collected_done(struct collected *c);
#define cleanup_collected cleanup(collected_done)

/** collect_write() - results.csv, results.json, summary.md, in this order; once, after
 * collect_run(). */
int collect_write(struct collected *c, struct err *err);

/** collect_note() - one more line for the reader. */
void collect_note(struct collected *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** collect_problem() - one more step that is not ok. */
void collect_problem(struct collected *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* collect_look.c */

/** collect_look_text() - fetch_text_fn: look at a job or record, @arg is the collected.
 */
void collect_look_text(size_t index, const struct str *text, void *arg);
/** collect_look_rest() - after the fetch: what was too large to be told; and sort. */
int collect_look_rest(struct collected *c, struct err *err);
/** collect_look_at() - the look at object @index, NULL if there is none. */
const struct collect_look *collect_look_at(const struct collected *c, size_t index);
/** collect_record_again() - the record of a look that was not refused. */
int collect_record_again(const struct collected *c, size_t index, struct step_record *ret,
			 struct err *err);
/** collect_check_job() - does @job belong to the run, and is it @object? */
int collect_check_job(const struct collected *c, const struct run_object *object,
		      const struct job *job, struct err *err);

/** collect_workers() - the section "workers" of results.json. */
int collect_workers(struct collected *c, struct results *results, struct err *err);

/** collect_verdicts() - the verdicts on the starts, into c->starts. */
void collect_verdicts(struct collected *c);

/** collect_exit() - 0 all ok, 1 a step is not, 3 incomplete, 4 an invalid step or
 * document; not the reason in @stopped. */
int collect_exit(const struct collected *c);

/** summary_markdown() - summary.md. */
void summary_markdown(const struct collected *c, struct str *ret);
/** summary_text() - the table and the last lines for the terminal. */
void summary_text(const struct collected *c, struct str *ret);

#endif
