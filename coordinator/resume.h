// SPDX-License-Identifier: Apache-2.0
// muster resume, in parts: decide, write, tell.
#ifndef COORDINATOR_RESUME_H
#define COORDINATOR_RESUME_H

#include "coordinator/replan.h"
#include "coordinator/survey.h"

/** struct resume_move - one step that was moved, for the report. */
struct resume_move {
	char step[STEP_ID_CAP], from[WORKER_CAP], to[WORKER_CAP];
	unsigned attempt;
	bool is_return;
};

/** struct resume_loser - what had become of a worker when its steps were taken. */
struct resume_loser {
	struct fleet_worker worker;
	enum replan_role role;
};

/** struct resume - one command; resume_done() releases it. */
struct resume {
	struct run *run;
	size_t n_names; /* --workers */
	char **names;
	bool is_dry;
	/* what it did, over all rounds */
	bool has_lifted;
	size_t n_moves;
	struct resume_move *moves;
	size_t n_losers;
	struct resume_loser *losers;
	size_t n_gone; /* took steps as living workers, and have ended since: dead */
	char **gone;
	size_t n_rounds, n_orders;
	unsigned *rounds, *orders;
	/* as it was left */
	struct survey survey;
	size_t n_start; /* have unfinished steps, and are not running */
	char **start;
	size_t n_left; /* unclaimed units of dead workers, for the living to take */
	size_t n_final, n_unfinished; /* steps; the latter also of unread workers */
	unsigned n_written;
	unsigned n_ahead; /* orders written since the last look */
};

enum resume_end {
	RESUME_DONE,  /* every unfinished step is with somebody who may run it */
	RESUME_STUCK, /* others kept interfering */
};

/**
 * resume_run() - move what can be moved.
 *
 * Each loop looks at the run anew, decides, and writes: with stealing claims, so that no
 * thief gets what moves; jobs, under a round that nobody else can have; then the orders
 * that commit them. Whenever somebody else wrote an
 * order meanwhile, nothing more is written and the next loop begins. It ends when there
 * is nothing to move.
 */
int resume_run(struct resume *resume, enum resume_end *ret, struct err *err);
void resume_done(struct resume *resume);
#define cleanup_resume cleanup(resume_done)

/**
 * resume_write() - one plan into the bucket. -EEXIST: somebody else was faster with the
 * round or an order's number; what has been written then is harmless.
 */
int resume_write(struct resume *resume, const struct replan *plan, struct err *err);
/** resume_put_new() - create an object; -EEXIST: it is there. From any thread. */
int resume_put_new(struct resume *resume, struct store *store, const char *name,
		   const struct str *text, const char *summary, struct err *err);
/**
 * resume_claim() - with stealing: what moves is out of the thieves' reach afterwards.
 *
 * The unclaimed units of all steps of the plan are claimed for the workers whose jobs
 * list them: nobody's steps change hands by it, whatever happens next. -EEXIST: a thief
 * was faster with one of them.
 */
int resume_claim(struct resume *resume, const struct replan *plan, struct err *err);
/** resume_lift() - the order that lifts a drain or abort; -EEXIST as above. */
int resume_lift(struct resume *resume, struct err *err);

/** resume_text() - for people. resume_json() - new "muster/resume/1" document. */
void resume_text(const struct resume *resume, struct str *ret);
json_t *resume_json(const struct resume *resume);

#endif
