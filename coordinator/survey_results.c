// SPDX-License-Identifier: Apache-2.0
// The part of a survey that looks at results/.
#include "coordinator/survey_results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cmd.h"
#include "coordinator/pool.h"

/* results/ of more workers than these are listed together */
enum { LISTS_MAX = 64 };

/* One file: whose attempt of which step. Others' jobs may list it: then it is nothing. */
static int on_file(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct survey *survey = arg;
	struct survey_seen seen = {0};
	struct step_entry *e;
	struct path_parts p;

	if (cmd_interrupted())
		return err_set(err, -ECANCELED, "interrupted");
	path_parse(&survey->run->ref, meta->name, &p);
	if (p.kind != PATH_KIND_STEP_FILE)
		return 0;
	e = steps_find(&survey->steps, p.matrix_id, p.iteration);
	seen.worker = e ? steps_lister(e, p.worker) : NULL;
	if (!seen.worker)
		return 0;
	seen.step = (size_t)(e - survey->steps.v);
	seen.attempt = p.attempt;
	seen.is_record = p.file == STEP_RECORD;
	pthread_mutex_lock(&survey->lock);
	if (seen.attempt > survey->known[seen.step])
		survey->known[seen.step] = seen.attempt;
	if (seen.is_record) {
		if (survey->n_seen == survey->cap_seen) {
			survey->cap_seen = survey->cap_seen ? survey->cap_seen * 2 : 256;
			survey->seen = xrealloc(survey->seen, survey->cap_seen,
						sizeof(*survey->seen));
		}
		survey->seen[survey->n_seen++] = seen;
	}
	pthread_mutex_unlock(&survey->lock);
	return 0;
}

static int list_worker(struct store *store, size_t index, void *arg, struct err *err)
{
	struct survey *survey = arg;
	const struct fleet_worker *w = &survey->fleet.workers[index];
	cleanup_free char *prefix = NULL;
	struct list_req req = {.is_brief = true, .on_object = on_file, .arg = survey};
	int64_t date_ns = 0;
	char dir[PATH_CAP];
	int r;

	if (!survey->is_read[index])
		return 0;
	r = path_dir(dir, &survey->run->ref, PATH_RESULTS, err);
	if (r < 0)
		return r;
	prefix = xasprintf("%s%s/", dir, w->name);
	req.prefix = prefix;
	return store->ops->list(store, &req, &date_ns, err);
}

static size_t count_read(const struct survey *survey)
{
	size_t n = 0;

	for (size_t i = 0; i < survey->fleet.n; i++)
		n += survey->is_read[i];
	return n;
}

static int on_any_file(const struct obj_meta *meta, void *arg, struct err *err)
{
	const struct survey *survey = arg;
	struct path_parts p;

	path_parse(&survey->run->ref, meta->name, &p);
	if (p.kind != PATH_KIND_STEP_FILE || !fleet_find(&survey->fleet, p.worker) ||
	    !survey->is_read[survey_worker(survey, p.worker)])
		return cmd_interrupted() ? err_set(err, -ECANCELED, "interrupted") : 0;
	return on_file(meta, arg, err);
}

/* A page has a thousand files, and a worker a few. */
static int list_all(struct survey *survey, struct err *err)
{
	struct store *store = survey->run->store;
	struct list_req req = {.is_brief = true, .on_object = on_any_file, .arg = survey};
	int64_t date_ns = 0;
	char dir[PATH_CAP];
	int r = path_dir(dir, &survey->run->ref, PATH_RESULTS, err);

	req.prefix = dir;
	return r < 0 ? r : store->ops->list(store, &req, &date_ns, err);
}

static int by_attempt(const void *a, const void *b)
{
	const struct survey_seen *x = a, *y = b;
	int d;

	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	d = strcmp(x->worker, y->worker);
	return d ? d : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

/* Of each worker's records of a step only the newest is of interest. */
static void keep_newest(struct survey *survey)
{
	size_t n = 0;

	if (survey->n_seen)
		qsort(survey->seen, survey->n_seen, sizeof(*survey->seen), by_attempt);
	for (size_t i = 0; i < survey->n_seen; i++) {
		const struct survey_seen *s = &survey->seen[i];

		if (n && survey->seen[n - 1].step == s->step &&
		    strcmp(survey->seen[n - 1].worker, s->worker) == 0)
			n--;
		survey->seen[n++] = *s;
	}
	survey->n_seen = n;
}

/* A record that nobody can read counts as none, as it does for the workers. */
static int read_record(struct store *store, size_t index, void *arg, struct err *err)
{
	struct survey *survey = arg;
	const struct survey_seen *seen = &survey->seen[index];
	struct step_entry *e = &survey->steps.v[seen->step];
	const struct attempt_ref at = {seen->worker, e->plan.matrix_id, e->plan.iteration,
				       seen->attempt};
	struct found_attempt found = {
		.worker = seen->worker, .attempt = seen->attempt, .object = index};
	cleanup_str struct str text = STR_INIT(STEP_MAX_BYTES);
	cleanup_step_record struct step_record record = {0};
	struct obj_meta meta = {0};
	struct err why = {0};
	char name[PATH_CAP];
	int r = path_step(name, &survey->run->ref, &at, STEP_RECORD, err);

	if (r < 0)
		return r;
	step_record_init(&record);
	r = store->ops->get(store, name, STEP_MAX_BYTES, &text, &meta, &why);
	if (r < 0 && r != -ENOENT && r != -EFBIG && r != -EBADMSG)
		return err_set(err, r, "%s", why.text);
	if (r < 0 ||
	    step_record_parse(str_text(&text), text.len, &record, NULL, NULL) < 0)
		return 0;
	if (record.matrix_id != at.matrix_id || record.iteration != at.iteration ||
	    record.attempt != at.attempt || strcmp(record.worker, at.worker) != 0)
		return 0;
	found.state = record.state;
	pthread_mutex_lock(&survey->lock);
	steps_add_found(e, &found);
	pthread_mutex_unlock(&survey->lock);
	return 0;
}

int survey_read_results(struct survey *survey, struct err *err)
{
	int r = count_read(survey) > LISTS_MAX ? list_all(survey, err)
					       : pool_run(survey->run, survey->fleet.n,
							  list_worker, survey, err);

	if (r < 0)
		return r;
	keep_newest(survey);
	return pool_run(survey->run, survey->n_seen, read_record, survey, err);
}
