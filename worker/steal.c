// SPDX-License-Identifier: Apache-2.0
// Work stealing: the units of this worker's queue, and the choice among others'.
#include "worker/steal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/str.h"
#include "worker/job.h"
#include "worker/steal_view.h"
#include "worker/worker.h"

static size_t count_open(const struct steal_view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->is_open[i];
	return n;
}

bool steal_choose(const struct steal_view *views, size_t n, uint64_t start, size_t skip,
		  size_t *ret_job, size_t *ret_unit)
{
	size_t best = 0, most = 0;

	for (size_t k = 0; k < n; k++) {
		size_t i = (size_t)((start % n + k) % n), n_open = count_open(&views[i]);

		if (n_open > most) {
			best = i;
			most = n_open;
		}
	}
	if (!most)
		return false;
	skip %= most;
	for (size_t u = views[best].n; u > 0; u--) {
		if (!views[best].is_open[u - 1] || skip-- > 0)
			continue;
		*ret_job = best;
		*ret_unit = u - 1;
		return true;
	}
	return false;
}

void steal_note_orders(struct worker *w, struct orders *orders)
{
	struct steal *s = &w->steal;

	if (!orders->n_commits)
		return;
	s->commits = xrealloc(s->commits, s->n_commits + orders->n_commits,
			      sizeof(*s->commits));
	memcpy(&s->commits[s->n_commits], orders->commits,
	       orders->n_commits * sizeof(*s->commits));
	s->n_commits += orders->n_commits;
	orders->n_commits = 0;
}

/* Whose is the unit of step @i? Another's comes off the queue. */
static int take_unit(struct worker *w, size_t i, struct err *err)
{
	const struct queue_step *s = &w->queue.steps[i];
	const struct job *job = s->job;
	size_t first = job_unit_begin(job->steps, (size_t)(s->plan - job->steps));
	char holder[WORKER_CAP];
	int r = claim_take(w, job, first, holder, err);

	if (r == 0)
		queue_drop_unit(w, job, first, holder);
	return r;
}

int steal_own(struct worker *w, size_t i, struct err *err)
{
	int r;

	if (!w->queue.steps[i].job->settings.steal)
		return 1;
	r = take_unit(w, i, err);
	if (r == 1)
		worker_die_at("after", "unit-claim");
	if (r != -ECANCELED)
		return r;
	err_clear(err);
	return 0;
}

void steal_settle(struct worker *w)
{
	struct err err = {0};
	size_t i = 0;

	while (w->settings.steal && i < w->queue.n && stop_why(&w->stop) != STOP_FENCED) {
		int r = 1;

		if (!attempt_is_final(w->queue.steps[i].state))
			r = take_unit(w, i, &err);
		if (r < 0) {
			log_line(LOG_WARN, "the rest is not claimed: %s", err.text);
			return;
		}
		i += r == 1;
	}
}

/* A unit that an earlier incarnation had taken: its steps go on here. */
static int take_back(struct worker *w, const struct claim_ref *ref, struct err *err)
{
	cleanup_claim struct claim c = {0};
	const struct job *job = NULL;
	struct err why = {0};
	int r = claim_fetch(w, ref, &c, &why);

	/* of a later round: an order names its job */
	if (r == 0 && strcmp(c.from, w->id.worker) == 0)
		return 0;
	if (r == 0)
		r = steal_job_keep(w, c.from, c.round, &job, &why);
	for (size_t i = 0; r == 0 && i < job->n_steps; i++) {
		if (job->steps[i].matrix_id != c.matrix_id ||
		    job->steps[i].iteration != c.iteration)
			continue;
		worker_say("block %s of %s is this worker's since before", c.steps[0],
			   c.from);
		return queue_add_part(w, job, i,
				      job_unit_end(job->steps, job->n_steps, i), err);
	}
	if (r == -EAGAIN || r == -ECANCELED || r == -EACCES)
		return err_set(err, r, "%s", why.text);
	log_line(LOG_WARN, "claim of %u-%u is this worker's and names no unit: %s",
		 ref->matrix_id, ref->iteration, why.text);
	return 0;
}

static bool is_own_unit(const struct job *job, const struct claim_ref *ref)
{
	for (size_t i = 0; i < job->n_steps && job->round == ref->round; i++)
		if (job->steps[i].matrix_id == ref->matrix_id &&
		    job->steps[i].iteration == ref->iteration)
			return true;
	return false;
}

int steal_boot(struct worker *w, struct err *err)
{
	const struct claims *c = &w->steal.claims;
	int r;

	if (!w->settings.steal)
		return 0;
	r = claims_list(w, err);
	for (size_t i = 0; i < c->n && r == 0; i++)
		if (c->v[i].is_mine && !is_own_unit(w->queue.jobs[0], &c->v[i]))
			r = take_back(w, &c->v[i], err);
	return r;
}

void steal_done(struct steal *s)
{
	claims_done(&s->claims);
	for (size_t i = 0; i < s->n_commits; i++)
		order_commit_done(&s->commits[i]);
	free(s->commits);
	for (size_t i = 0; i < s->n_jobs; i++) {
		free(s->jobs[i].steps);
		free(s->jobs[i].units);
	}
	free(s->jobs);
	free(s->later);
	*s = (struct steal){0};
}
