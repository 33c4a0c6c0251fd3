// SPDX-License-Identifier: Apache-2.0
// An idle worker takes a unit of another's job.
#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/rng.h"
#include "worker/binary.h"
#include "worker/former.h"
#include "worker/run.h"
#include "worker/steal_view.h"
#include "worker/worker.h"

/* FNV-1a: thieves of different names begin at different victims */
static uint64_t name_hash(const char *name)
{
	uint64_t h = 14695981039346656037u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return h ^ h >> 32;
}

static bool choose(const struct worker *w, size_t skip, size_t *ret_job, size_t *ret_unit)
{
	const struct steal *s = &w->steal;
	cleanup_free struct steal_view *views = xcalloc(s->n_jobs + 1, sizeof(*views));
	cleanup_free bool *open = NULL;
	size_t n = 0;

	for (size_t i = 0; i < s->n_jobs; i++)
		n += s->jobs[i].n_units;
	open = xcalloc(n + 1, sizeof(*open));
	n = 0;
	for (size_t i = 0; i < s->n_jobs; i++) {
		views[i] = (struct steal_view){s->jobs[i].n_units, &open[n]};
		steal_open(s, i, &open[n]);
		n += s->jobs[i].n_units;
	}
	return s->n_jobs && steal_choose(views, s->n_jobs, name_hash(w->id.worker), skip,
					 ret_job, ret_unit);
}

/* Is there a gcsfuse for every arm of these steps? */
static bool can_run(struct worker *w, const struct job *job, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		const struct arm *arm = job_find_arm(job, job->steps[i].config_id);
		const struct binary *b = arm ? binary_find(w, arm) : NULL;

		if (!arm || (arm->kind == ARM_GCSFUSE && (!b || b->fd < 0)))
			return false;
	}
	return true;
}

/* Nothing of it is left to be done: claimed, it would belong to one that never ran it. */
static bool has_ended(struct worker *w, const struct job *job, size_t first, size_t end)
{
	bool is_ended = true;
	struct err why = {0};

	for (size_t i = first; is_ended && i < end; i++)
		if (former_has_ended(w, job, &job->steps[i], &is_ended, &why) < 0)
			return false;
	return is_ended;
}

/* 1 taken, 0 not: then it is barred or known as another's. */
static int take(struct worker *w, struct steal_job *j, struct steal_unit *u,
		struct err *err)
{
	size_t first = u->first, end = u->first + u->n;
	const struct job *job = NULL;
	char holder[WORKER_CAP], id[STEP_ID_CAP];
	size_t n_jobs = w->queue.n_jobs;
	int r = steal_job_keep(w, j->worker, j->round, &job, err);

	if (r == 0 && w->queue.n_jobs > n_jobs)
		r = run_prepare_round(w, err);
	if (r < 0)
		return r;
	if (!can_run(w, job, first, end) || has_ended(w, job, first, end)) {
		u->is_barred = true;
		return 0;
	}
	r = claim_take(w, job, first, holder, err);
	if (r <= 0)
		return r;
	worker_die_at("after", "steal");
	step_id_format(id, job->steps[first].matrix_id, job->steps[first].iteration);
	worker_say("took block %s of %s: %zu step%s more", id, j->worker, end - first,
		   end - first == 1 ? "" : "s");
	r = queue_add_part(w, job, first, end, err);
	return r < 0 ? r : 1;
}

/* Reading is no more than a wish: without it this worker has done its part. */
static int look(struct worker *w)
{
	struct err why = {0};
	int r = steal_look(w, &why);

	if (r < 0 && r != -ECANCELED)
		log_line(LOG_WARN, "nothing taken from others: %s", why.text);
	return r;
}

int steal_next(struct worker *w, struct err *err)
{
	size_t job, unit, skip = 0;
	int r;

	if (!w->settings.steal)
		return 0;
	for (unsigned lost = 0;; lost++) {
		r = look(w);
		if (r < 0)
			return r == -ECANCELED;
		if (!choose(w, skip, &job, &unit))
			return 0;
		r = take(w, &w->steal.jobs[job], &w->steal.jobs[job].units[unit], err);
		if (r == -ECANCELED) {
			err_clear(err);
			return 1;
		}
		if (r != 0)
			return r;
		/* others are here too: scatter, wider with every loss */
		skip = (size_t)(rng_entropy() % ((uint64_t)2 << (lost < 10 ? lost : 10)));
	}
}
