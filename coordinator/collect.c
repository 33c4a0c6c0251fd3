// SPDX-License-Identifier: Apache-2.0
// From a run's objects to what counts: plan, orders, records.
#include "coordinator/collect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/claims.h"
#include "coordinator/cmd.h"
#include "core/json_scratch.h"

__attribute__((format(printf, 3, 0))) static void line_add(size_t *n, char ***lines,
							   const char *fmt, va_list ap)
{
	char *line = NULL;

	if (*n == COLLECT_NOTES_MAX || vasprintf(&line, fmt, ap) < 0)
		return;
	*lines = xrealloc(*lines, *n + 1, sizeof(char *));
	(*lines)[(*n)++] = line;
}

void collect_note(struct collected *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_add(&c->n_notes, &c->notes, fmt, ap);
	va_end(ap);
}

void collect_problem(struct collected *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_add(&c->n_problems, &c->problems, fmt, ap);
	va_end(ap);
}

static void lines_free(size_t n, char **lines)
{
	for (size_t i = 0; i < n; i++)
		free(lines[i]);
	free(lines);
}

void collected_done(struct collected *c)
{
	steps_done(&c->steps);
	cells_done(&c->cells);
	starts_done(&c->starts);
	run_objects_done(&c->objects);
	for (size_t i = 0; i < c->n_looks; i++)
		free(c->looks[i].refused);
	free(c->looks);
	for (size_t i = 0; i < COLLECT_LIKES; i++)
		job_like_free(c->likes[i]);
	record_spool_close(&c->spool);
	lines_free(c->n_notes, c->notes);
	lines_free(c->n_problems, c->problems);
	*c = (struct collected){0};
}

static void refuse(struct collected *c, const struct run_object *object, const char *why)
{
	c->n_refused++;
	collect_note(c, "%s refused: %s", object->relative, why);
}

/* Does the config's matrix have what the job lists? */
static int check_steps(const struct collected *c, const struct job *job, struct err *err)
{
	for (size_t i = 0; i < job->n_steps; i++) {
		const struct job_step *p = &job->steps[i];

		if (!cells_find(&c->cells, p))
			return err_set(err, -EINVAL,
				       "step %u-%u (test_id %u, config_id %u) is not in "
				       "the config's matrix",
				       p->matrix_id, p->iteration, p->test_id,
				       p->config_id);
	}
	return 0;
}

int collect_check_job(const struct collected *c, const struct run_object *object,
		      const struct job *job, struct err *err)
{
	struct path_parts parts;

	run_object_parts(c->run, object, &parts);
	if (strcmp(job->config_sha256, c->run->config_sha256) != 0)
		return err_set(err, -EINVAL, "config_sha256 is another config's");
	if (strcmp(job->run, c->run->config.run) != 0)
		return err_set(err, -EINVAL, "is of run %s", job->run);
	/* a worker that came with a later round has that one under the first's name */
	if (strcmp(job->worker, parts.worker) != 0 ||
	    (job->round != parts.round && parts.round != 1))
		return err_set(err, -EINVAL, "names another worker or round");
	return check_steps(c, job, err);
}

static void load_order(struct collected *c, const struct run_object *object)
{
	cleanup_str struct str text = STR_INIT(CONTROL_MAX_BYTES);
	cleanup_control struct control order = {0};
	struct err why = {0};
	int r = fetch_read(&c->fetch, object, CONTROL_MAX_BYTES, &text, &why);

	if (r == 0)
		r = control_parse(str_text(&text), text.len, &order, &why);
	if (r == 0)
		steps_add_order(&c->steps, &order);
	else
		refuse(c, object, why.text);
}

static void load_claim(struct collected *c, const struct run_object *object)
{
	cleanup_str struct str text = STR_INIT(CLAIM_MAX_BYTES);
	struct path_parts parts;
	unsigned unknown = 0;
	struct err why = {0};
	int r = fetch_read(&c->fetch, object, CLAIM_MAX_BYTES, &text, &why);

	run_object_parts(c->run, object, &parts);
	if (r == 0)
		r = claims_add_text(&c->steps, c->run->config.run, &parts, &text,
				    &unknown, &why);
	if (r < 0)
		refuse(c, object, why.text);
	c->n_unknown += unknown;
}

/* After the jobs: a claim is judged by who has one. */
static void load_claims(struct collected *c)
{
	for (size_t i = 0; i < c->objects.n && c->run->config.settings.steal; i++)
		if (c->objects.v[i].is_here && c->objects.v[i].kind == PATH_KIND_CLAIM)
			load_claim(c, &c->objects.v[i]);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Workers that were promised a job and have none: split did not finish. */
static void find_planless(struct collected *c)
{
	const struct config *config = &c->run->config;
	cleanup_free const char **names = xcalloc(c->steps.n_names, sizeof(char *));

	for (size_t i = 0; i < c->steps.n_names; i++)
		names[i] = c->steps.names[i];
	qsort(names, c->steps.n_names, sizeof(char *), by_name);
	for (size_t i = 0; i < config->n_workers; i++) {
		if (bsearch(&config->workers[i], names, c->steps.n_names, sizeof(char *),
			    by_name))
			continue;
		c->n_planless++;
		collect_note(c,
			     "worker %s has no readable job: its steps are not in the "
			     "plan (repeat muster split)",
			     config->workers[i]);
	}
}

/* Control objects come in the order of their numbers: the listing is sorted. */
static void load_plan(struct collected *c)
{
	for (size_t i = 0; i < c->objects.n; i++) {
		const struct run_object *object = &c->objects.v[i];
		const struct collect_look *look = NULL;

		if (object->is_here && object->kind == PATH_KIND_JOB)
			look = collect_look_at(c, i);
		else if (object->is_here && object->kind == PATH_KIND_CONTROL)
			load_order(c, object);
		if (look && look->refused)
			refuse(c, object, look->refused);
	}
	if (!c->stopped.code)
		find_planless(c);
	load_claims(c);
	steps_plan(&c->steps);
}

static int check_record(const struct step_entry *step, const struct path_parts *p,
			const struct collect_look *look, struct found_attempt *ret,
			struct err *err)
{
	if (!step)
		return err_set(err, -EINVAL, "no job lists step %u-%u", p->matrix_id,
			       p->iteration);
	ret->worker = steps_lister(step, p->worker);
	if (!ret->worker)
		return err_set(err, -EINVAL, "no job of worker %s lists step %u-%u",
			       p->worker, p->matrix_id, p->iteration);
	if (look->test_id != step->plan.test_id ||
	    look->config_id != step->plan.config_id)
		return err_set(err, -EINVAL, "test_id or config_id is not the plan's");
	if (look->state == ATTEMPT_OK && !look->has_results)
		return err_set(err, -EINVAL, "says ok without a result");
	if (!look->is_in_order)
		return err_set(err, -EINVAL, "results are doubled or out of order");
	ret->attempt = p->attempt;
	ret->state = look->state;
	return 0;
}

/* A record among the plan's steps: who wrote which attempt, and how it ended. */
static void find_record(struct collected *c, const struct collect_look *look)
{
	const struct run_object *object = &c->objects.v[look->object];
	struct found_attempt found = {.object = look->object};
	struct step_entry *step;
	struct path_parts parts;
	struct err why = {0};

	if (look->refused) {
		refuse(c, object, look->refused);
		return;
	}
	run_object_parts(c->run, object, &parts);
	step = steps_find(&c->steps, parts.matrix_id, parts.iteration);
	/* its job may be what could not be fetched */
	if (!step && c->stopped.code)
		return;
	if (check_record(step, &parts, look, &found, &why) == 0)
		steps_add_found(step, &found);
	else
		refuse(c, object, why.text);
}

/* What could not be fetched, and names that mean nothing here. */
static void note_objects(struct collected *c)
{
	const struct run_objects *objects = &c->objects;

	for (size_t i = 0; i < objects->n; i++) {
		c->n_files += objects->v[i].is_here;
		if (!objects->v[i].problem)
			continue;
		c->n_refused += !objects->v[i].is_gone;
		collect_note(c, "%s not fetched: %s", objects->v[i].relative,
			     objects->v[i].problem);
	}
	for (size_t i = 0; i < objects->n_strange && i < FETCH_STRANGE_MAX; i++)
		collect_note(c, "%s: not a name of this layout, left alone",
			     objects->strange[i]);
	if (objects->n_strange > FETCH_STRANGE_MAX)
		collect_note(c, "%zu more names are not of this layout, left alone",
			     objects->n_strange - FETCH_STRANGE_MAX);
}

static void count_views(struct collected *c)
{
	for (size_t i = 0; i < c->steps.n; i++) {
		const struct step_entry *step = &c->steps.v[i];

		c->views[step->view]++;
		c->n_superseded +=
			step->n_found - (step->counting >= 0) - (step->interrupted != 0);
		cell_add_step(cells_find(&c->cells, &step->plan), step);
	}
}

int collect_run(struct collected *c, struct err *err)
{
	int r = fetch_list(c->run, &c->objects, err);

	pthread_mutex_init(&c->lock, NULL);
	cells_init(&c->cells, &c->run->config);
	json_scratch_init();
	record_spool_open(&c->spool, c->fetch.out_dir);
	c->fetch.on_text = collect_look_text;
	c->fetch.arg = c;
	if (r == 0)
		r = fetch_all(&c->fetch, &c->objects, &c->stopped, err);
	if (r == 0)
		r = collect_look_rest(c, err);
	if (r < 0)
		return r;
	load_plan(c);
	if (c->stopped.code && !c->steps.n)
		return err_set(err, c->stopped.code, "%s", c->stopped.text);
	note_objects(c);
	for (size_t i = 0; i < c->n_looks; i++)
		if (c->objects.v[c->looks[i].object].is_record)
			find_record(c, &c->looks[i]);
	steps_derive(&c->steps);
	count_views(c);
	if (c->stopped.code)
		collect_note(c, "not everything was fetched: %s", c->stopped.text);
	if (c->n_unknown)
		collect_note(c,
			     "%zu keys in records are unknown to this version and "
			     "were not read",
			     c->n_unknown);
	return 0;
}

void collect_verdicts(struct collected *c)
{
	for (size_t i = 0; i < c->objects.n && c->starts.n; i++) {
		const struct run_object *object = &c->objects.v[i];
		cleanup_str struct str text = STR_INIT(VERDICT_MAX_BYTES);
		cleanup_verdict struct verdict_doc verdict = {0};
		struct path_parts parts;
		struct err why = {0};
		int r;

		if (!object->is_here || object->kind != PATH_KIND_VERDICT)
			continue;
		run_object_parts(c->run, object, &parts);
		r = fetch_read(&c->fetch, object, VERDICT_MAX_BYTES, &text, &why);
		if (r == 0)
			r = verdict_parse(str_text(&text), text.len, &verdict, &why);
		if (r == 0 && (strcmp(verdict.run, c->run->config.run) != 0 ||
			       verdict.barrier != parts.barrier))
			r = err_set(&why, -EINVAL, "says it is another run's or start's");
		if (r == 0)
			starts_add_verdict(&c->starts, &verdict);
		else
			refuse(c, object, why.text);
	}
}

int collect_exit(const struct collected *c)
{
	int code = EXIT_YES;

	if (c->views[STEP_INVALID] || c->n_refused)
		code = cmd_worst(code, EXIT_INVALID);
	if (c->views[STEP_FAILED] || c->views[STEP_TIMEOUT] || c->views[STEP_CANCELLED])
		code = cmd_worst(code, EXIT_NO);
	if (c->views[STEP_PENDING] || c->n_planless || !c->steps.n)
		code = cmd_worst(code, EXIT_UNKNOWN_YET);
	return code;
}
