// SPDX-License-Identifier: Apache-2.0
// What a thief sees of the other workers' jobs.
#include "worker/steal_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "worker/job.h"
#include "worker/worker.h"

enum { STEAL_LIST_S = 120 };

struct listing {
	struct worker *w;
	size_t next; /* names come in the order of the last listing: look here first */
};

static struct steal_job *find_job(struct listing *l, const char *worker, unsigned round)
{
	struct steal *s = &l->w->steal;

	for (size_t k = 0; k < s->n_jobs; k++) {
		size_t i = (l->next + k) % s->n_jobs;

		if (s->jobs[i].name_round == round &&
		    strcmp(s->jobs[i].worker, worker) == 0) {
			l->next = i + 1;
			return &s->jobs[i];
		}
	}
	return NULL;
}

static void forget(struct steal_job *j)
{
	free(j->steps);
	free(j->units);
	j->steps = NULL;
	j->units = NULL;
	j->n_steps = j->n_units = 0;
}

static int note_job(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct listing *l = arg;
	struct steal *s = &l->w->steal;
	struct path_parts p;
	struct steal_job *j;

	(void)err;
	path_parse(&l->w->id.run, meta->name, &p);
	if (p.kind != PATH_KIND_JOB)
		return 0;
	j = find_job(l, p.worker, p.round);
	if (!j) {
		s->jobs = xrealloc(s->jobs, s->n_jobs + 1, sizeof(*s->jobs));
		j = &s->jobs[s->n_jobs++];
		*j = (struct steal_job){.name_round = p.round, .round = p.round};
		j->is_own = strcmp(p.worker, l->w->id.worker) == 0;
		str_copy(j->worker, sizeof(j->worker), p.worker);
	}
	if (j->generation != meta->generation) {
		forget(j);
		j->generation = meta->generation;
		j->is_useless = false;
	}
	j->is_listed = true;
	return 0;
}

static void take_units(struct steal_job *j, const struct job *job)
{
	j->n_steps = job->n_steps;
	j->steps = xcalloc(job->n_steps + 1, sizeof(*j->steps));
	j->units = xcalloc(job->n_steps + 1, sizeof(*j->units));
	if (job->n_steps)
		memcpy(j->steps, job->steps, job->n_steps * sizeof(*j->steps));
	for (size_t i = 0; i < job->n_steps;) {
		size_t end = job_unit_end(job->steps, job->n_steps, i);

		j->units[j->n_units++] = (struct steal_unit){.first = i, .n = end - i};
		i = end;
	}
}

/* Its units are kept, the document is not: a fleet's jobs are many. */
static int read_job(struct worker *w, struct steal_job *j, struct err *err)
{
	cleanup_free struct job *job = NULL;
	struct err why = {0};
	unsigned round = j->name_round > 1 ? j->name_round : 0;
	int r = job_fetch_other(w, j->worker, round, &job, &why);

	if (r == -EINVAL || r == -EFBIG || r == -ENOENT) {
		log_line(LOG_WARN, "job of %s, round %u, is not looked at: %s", j->worker,
			 j->round, why.text);
		j->is_useless = true;
		return 0;
	}
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	j->round = job->round;
	take_units(j, job);
	job_done(job);
	return 0;
}

/* Does an order give the step to the job's worker in this round? */
static bool is_given(const struct steal *s, const struct steal_job *j,
		     const struct job_step *step)
{
	if (j->round < 2)
		return true;
	for (size_t i = 0; i < s->n_commits; i++)
		if (order_commit_gives(&s->commits[i], j->worker, j->round,
				       step->matrix_id, step->iteration))
			return true;
	return false;
}

static uint64_t key_of(const struct job_step *step)
{
	return (uint64_t)step->matrix_id << 32 | step->iteration;
}

static int by_key(const void *a, const void *b)
{
	const struct steal_later *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->round < y->round) - (x->round > y->round);
}

static void later_add(struct steal *s, const struct steal_job *j)
{
	s->later = xrealloc(s->later, s->n_later + j->n_steps + 1, sizeof(*s->later));
	for (size_t i = 0; i < j->n_steps; i++)
		if (is_given(s, j, &j->steps[i]))
			s->later[s->n_later++] =
				(struct steal_later){key_of(&j->steps[i]), j->round};
}

void steal_index(struct steal *s)
{
	size_t n = 0;

	s->n_later = 0;
	for (size_t i = 0; i < s->n_jobs; i++)
		if (s->jobs[i].round > 1)
			later_add(s, &s->jobs[i]);
	if (s->n_later)
		qsort(s->later, s->n_later, sizeof(*s->later), by_key);
	/* the newest round of each step comes first */
	for (size_t i = 0; i < s->n_later; i++)
		if (!n || s->later[n - 1].key != s->later[i].key)
			s->later[n++] = s->later[i];
	s->n_later = n;
}

/* Has the step moved on to a later round? */
static bool has_moved(const struct steal *s, unsigned round, const struct job_step *step)
{
	const uint64_t want = key_of(step);
	size_t low = 0, high = s->n_later;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->later[mid].key == want)
			return s->later[mid].round > round;
		if (s->later[mid].key < want)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static bool is_open_unit(const struct steal *s, const struct steal_job *j,
			 const struct steal_unit *u)
{
	if (u->is_barred || claim_find(&s->claims, j->round, &j->steps[u->first]))
		return false;
	for (size_t i = u->first; i < u->first + u->n; i++)
		if (!is_given(s, j, &j->steps[i]) || has_moved(s, j->round, &j->steps[i]))
			return false;
	return true;
}

void steal_open(const struct steal *s, size_t i, bool *is_open)
{
	const struct steal_job *j = &s->jobs[i];

	for (size_t u = 0; u < j->n_units; u++)
		is_open[u] = j->is_listed && !j->is_own && !j->is_useless &&
			     is_open_unit(s, j, &j->units[u]);
}

static bool must_stop(struct worker *w)
{
	char reason[REASON_CAP];

	return stop_why(&w->stop) != STOP_NONE || job_is_draining(w, reason);
}

int steal_look(struct worker *w, struct err *err)
{
	struct steal *s = &w->steal;
	struct listing l = {.w = w};
	struct list_req req = {.on_object = note_job, .arg = &l};
	int64_t date_ns = 0;
	char dir[PATH_CAP];
	int r = path_dir(dir, &w->id.run, PATH_JOBS, err);

	req.prefix = dir;
	for (size_t i = 0; i < s->n_jobs; i++)
		s->jobs[i].is_listed = false;
	worker_deadline(w, w->ctl, STEAL_LIST_S);
	if (r == 0)
		r = w->ctl->ops->list(w->ctl, &req, &date_ns, err);
	for (size_t i = 0; i < s->n_jobs && r == 0; i++) {
		struct steal_job *j = &s->jobs[i];

		if (!j->is_listed || j->is_useless || j->units)
			continue;
		r = must_stop(w) ? err_set(err, -ECANCELED, "stopped")
				 : read_job(w, j, err);
	}
	if (r < 0)
		return r;
	steal_index(s);
	return claims_list(w, err);
}

int steal_job_keep(struct worker *w, const char *worker, unsigned round,
		   const struct job **ret, struct err *err)
{
	struct job *job = NULL;
	int r;

	for (size_t i = 0; i < w->queue.n_jobs; i++) {
		const struct job *have = w->queue.jobs[i];

		if (have->round == round && strcmp(have->worker, worker) == 0) {
			*ret = have;
			return 0;
		}
	}
	r = job_fetch_other(w, worker, round, &job, err);
	if (r < 0)
		return r;
	queue_keep_job(w, job);
	*ret = job;
	return 0;
}
