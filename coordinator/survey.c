// SPDX-License-Identifier: Apache-2.0
// All that the bucket shows of a run.
#include "coordinator/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/claims.h"
#include "coordinator/claims_load.h"
#include "coordinator/cmd.h"
#include "coordinator/fleet_load.h"
#include "coordinator/pool.h"
#include "coordinator/replan.h"
#include "coordinator/survey_manifests.h"
#include "coordinator/survey_results.h"

void survey_done(struct survey *survey)
{
	steps_done(&survey->steps);
	fleet_done(&survey->fleet);
	free(survey->is_read);
	free(survey->known);
	free(survey->jobs);
	free(survey->seen);
	*survey = (struct survey){0};
}

static int on_job(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct survey *survey = arg;
	struct survey_job *job;
	struct path_parts parts;

	(void)err;
	path_parse(&survey->run->ref, meta->name, &parts);
	if (parts.kind != PATH_KIND_JOB)
		return 0;
	survey->jobs = xrealloc(survey->jobs, survey->n_jobs + 1, sizeof(*survey->jobs));
	job = &survey->jobs[survey->n_jobs++];
	*job = (struct survey_job){.round = parts.round};
	str_copy(job->worker, sizeof(job->worker), parts.worker);
	return 0;
}

static int check_job(const struct survey *survey, const struct survey_job *object,
		     const struct job *job, struct err *err)
{
	if (strcmp(job->config_sha256, survey->run->config_sha256) != 0)
		return err_set(err, -EINVAL, "config_sha256 is another config's");
	if (strcmp(job->run, survey->run->config.run) != 0)
		return err_set(err, -EINVAL, "is of run %s", job->run);
	if (strcmp(job->worker, object->worker) != 0 ||
	    (job->round != object->round && object->round != 1))
		return err_set(err, -EINVAL, "names another worker or round");
	return 0;
}

static int read_job(struct store *store, size_t index, void *arg, struct err *err)
{
	struct survey *survey = arg;
	const struct survey_job *object = &survey->jobs[index];
	cleanup_str struct str text = STR_INIT(JOB_MAX_BYTES);
	cleanup_job struct job job = {0};
	struct obj_meta meta = {0};
	struct err why = {0};
	char name[PATH_CAP];
	int r = path_job(name, &survey->run->ref, object->worker, object->round, err);

	if (r < 0)
		return r;
	r = store->ops->get(store, name, JOB_MAX_BYTES, &text, &meta, &why);
	if (r == 0)
		r = job_parse(str_text(&text), text.len, &job, &why);
	if (r == 0)
		r = check_job(survey, object, &job, &why);
	if (r < 0)
		return err_set(err, r, "%s: %s", name, why.text);
	pthread_mutex_lock(&survey->lock);
	if (job.round > survey->round_max)
		survey->round_max = job.round;
	r = steps_add_job(&survey->steps, &job, err);
	pthread_mutex_unlock(&survey->lock);
	return r;
}

/* Without a job its steps are unknown, and a job of a later round in its place would hide
 * them for good. */
static int check_split(const struct survey *survey, struct err *err)
{
	const struct config *config = &survey->run->config;
	cleanup_fleet struct fleet have = {0};

	for (size_t i = 0; i < survey->n_jobs; i++)
		fleet_worker(&have, survey->jobs[i].worker);
	for (size_t i = 0; i < config->n_workers; i++)
		if (!fleet_find(&have, config->workers[i]))
			return err_set(err, -EINVAL,
				       "worker %s has no job: muster split did not "
				       "finish; repeat it first",
				       config->workers[i]);
	return 0;
}

static int read_plan(struct survey *survey, struct err *err)
{
	struct run *run = survey->run;
	char prefix[PATH_CAP];
	struct list_req req = {.prefix = prefix, .on_object = on_job, .arg = survey};
	int64_t date_ns = 0;
	int r = order_log_update(run, err);

	if (r == 0 && run->orders.n_bad)
		r = err_set(err, run->orders.bad.code, "%s", run->orders.bad.text);
	if (r == 0)
		r = path_dir(prefix, &run->ref, PATH_JOBS, err);
	if (r == 0)
		r = run->store->ops->list(run->store, &req, &date_ns, err);
	if (r == 0)
		r = check_split(survey, err);
	if (r == 0)
		r = pool_run(run, survey->n_jobs, read_job, survey, err);
	if (r == 0 && run->config.settings.steal)
		r = claims_load(run, &survey->steps, &survey->n_bad, &survey->bad, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < run->orders.n; i++)
		steps_add_order(&survey->steps, &run->orders.v[i]);
	steps_plan(&survey->steps);
	if (run->config.settings.steal)
		claims_mark_open(&survey->steps);
	return 0;
}

static int read_fleet(struct survey *survey, enum survey_depth depth, char *const *more,
		      size_t n_more, struct err *err)
{
	struct run *run = survey->run;
	struct fleet *fleet = &survey->fleet;
	int r = depth == SURVEY_ALL ? fleet_look(run, 0, fleet, err)
				    : fleet_load(run, 0, fleet, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n_more; i++)
		fleet_worker(fleet, more[i]);
	for (size_t i = 0; i < survey->steps.n_listed; i++)
		fleet_worker(fleet, survey->steps.listed[i].worker);
	for (size_t i = 0; i < survey->steps.n; i++)
		fleet_worker(fleet, survey->steps.v[i].owner);
	fleet_derive(fleet, run->config.settings.stale_s, 0);
	survey->is_read = xcalloc(fleet->n + 1, sizeof(*survey->is_read));
	return 0;
}

/* Whose results decide something. */
static void choose(struct survey *survey, enum survey_depth depth)
{
	bool all = depth == SURVEY_ALL || order_log_was_stopped(&survey->run->orders);

	for (size_t i = 0; i < survey->fleet.n; i++)
		survey->is_read[i] =
			all || replan_role(&survey->fleet.workers[i]) != REPLAN_LIVING;
	for (size_t i = 0; i < survey->steps.n; i++) {
		const struct step_entry *e = &survey->steps.v[i];

		for (size_t k = 0; e->n_listings > 1 && k < e->n_listings; k++) {
			const struct step_listing *l = &e->listings[k];

			survey->is_read[survey_worker(survey, l->worker)] = true;
			if (l->holder)
				survey->is_read[survey_worker(survey, l->holder)] = true;
		}
	}
}

size_t survey_worker(const struct survey *survey, const char *name)
{
	const struct fleet_worker *w = fleet_find(&survey->fleet, name);

	return w ? (size_t)(w - survey->fleet.workers) : 0;
}

/* What heartbeats show in flight has begun, though no file tells of it. */
static void note_inflight(struct survey *survey)
{
	for (size_t i = 0; i < survey->fleet.n; i++) {
		const struct heartbeat *hb = &survey->fleet.workers[i].hb;
		unsigned matrix_id = 0, iteration = 0;
		const struct step_entry *e;

		if (!hb->step[0] ||
		    step_id_parse(hb->step, &matrix_id, &iteration, NULL) < 0)
			continue;
		e = steps_find(&survey->steps, matrix_id, iteration);
		if (e && hb->attempt > survey->known[e - survey->steps.v])
			survey->known[e - survey->steps.v] = hb->attempt;
	}
}

/* Plan and fleet of one moment: the fleet's reader looks for orders too, and one that
 * comes in between is not in the plan. */
static int read_both(struct survey *survey, enum survey_depth depth, char *const *more,
		     size_t n_more, struct err *err)
{
	enum { TRIES = 8 };
	struct run *run = survey->run;

	for (unsigned i = 0; i < TRIES; i++) {
		size_t n_orders;
		int r;

		survey_done(survey);
		*survey = (struct survey){.run = run, .lock = PTHREAD_MUTEX_INITIALIZER};
		r = read_plan(survey, err);
		n_orders = run->orders.n;
		if (r == 0)
			r = read_fleet(survey, depth, more, n_more, err);
		if (r < 0 || run->orders.n == n_orders)
			return r;
	}
	return err_set(err, -EAGAIN, "orders are written faster than they can be read");
}

int survey_load(struct run *run, enum survey_depth depth, char *const *more,
		size_t n_more, struct survey *ret, struct err *err)
{
	struct survey survey = {.run = run};
	int r = read_both(&survey, depth, more, n_more, err);

	if (r == 0) {
		choose(&survey, depth);
		survey.known = xcalloc(survey.steps.n + 1, sizeof(*survey.known));
		if (depth == SURVEY_ALL && survey.fleet.n > SURVEY_LISTED_MAX)
			r = survey_read_manifests(&survey, err);
	}
	if (r == 0)
		r = survey_read_results(&survey, err);
	if (r < 0) {
		survey_done(&survey);
		return r;
	}
	note_inflight(&survey);
	steps_derive(&survey.steps);
	*ret = survey;
	return 0;
}
