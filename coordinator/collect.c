// SPDX-License-Identifier: Apache-2.0
// From a run's objects to what counts: orders, records, figures.
#include "coordinator/collect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cmd.h"

static void line_add(size_t *n, char ***lines, char *line)
{
	if (*n == COLLECT_NOTES_MAX) {
		free(line);
		return;
	}
	*lines = xrealloc(*lines, *n + 1, sizeof(char *));
	(*lines)[(*n)++] = line;
}

void collect_note(struct collected *c, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n >= 0)
		line_add(&c->n_notes, &c->notes, line);
}

static void lines_free(size_t n, char **lines)
{
	for (size_t i = 0; i < n; i++)
		free(lines[i]);
	free(lines);
}

void collected_done(struct collected *c)
{
	for (size_t i = 0; i < c->n_jobs; i++)
		job_done(&c->jobs[i]);
	free(c->jobs);
	steps_done(&c->steps);
	cells_done(&c->cells);
	results_done(&c->results);
	run_objects_done(&c->objects);
	lines_free(c->n_notes, c->notes);
	lines_free(c->n_problems, c->problems);
	*c = (struct collected){0};
}

static bool config_has_worker(const struct config *config, const char *worker)
{
	for (size_t i = 0; i < config->n_workers; i++)
		if (strcmp(config->workers[i], worker) == 0)
			return true;
	return false;
}

static void load_job(struct collected *c, const struct run_object *object)
{
	cleanup_str struct str text = STR_INIT(JOB_MAX_BYTES);
	struct err why = {0};
	struct job job = {0};
	int r = fetch_read(&c->fetch, object, JOB_MAX_BYTES, &text, &why);

	if (r == 0)
		r = job_parse(str_text(&text), text.len, &job, &why);
	if (r == 0 && strcmp(job.config_sha256, c->run->config_sha256) != 0)
		r = err_set(&why, -EINVAL, "config_sha256 is another config's");
	if (r == 0 && (strcmp(job.worker, object->parts.worker) != 0 ||
		       job.round != object->parts.round))
		r = err_set(&why, -EINVAL, "names another worker or round");
	if (r < 0) {
		job_done(&job);
		c->n_refused++;
		collect_note(c, "%s refused: %s", object->parts.relative, why.text);
		return;
	}
	c->jobs = xrealloc(c->jobs, c->n_jobs + 1, sizeof(job));
	c->jobs[c->n_jobs++] = job;
}

static int by_round(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	if (x->round != y->round)
		return x->round < y->round ? -1 : 1;
	return strcmp(x->worker, y->worker);
}

static int load_plan(struct collected *c, struct err *err)
{
	for (size_t i = 0; i < c->objects.n; i++)
		if (c->objects.v[i].parts.kind == PATH_KIND_JOB)
			load_job(c, &c->objects.v[i]);
	if (c->n_jobs)
		qsort(c->jobs, c->n_jobs, sizeof(*c->jobs), by_round);
	for (size_t i = 0; i < c->n_jobs; i++) {
		int r = steps_add_job(&c->steps, &c->jobs[i], err);

		if (r < 0)
			return r;
	}
	steps_sort(&c->steps);
	return 0;
}

/* Control objects come in the order of their numbers: the listing is sorted. */
static void load_orders(struct collected *c)
{
	for (size_t i = 0; i < c->objects.n; i++) {
		const struct run_object *object = &c->objects.v[i];
		cleanup_str struct str text = STR_INIT(CONTROL_MAX_BYTES);
		struct control order = {0};
		struct err why = {0};
		int r;

		if (object->parts.kind != PATH_KIND_CONTROL)
			continue;
		r = fetch_read(&c->fetch, object, CONTROL_MAX_BYTES, &text, &why);
		if (r == 0)
			r = control_parse(str_text(&text), text.len, &order, &why);
		if (r < 0) {
			c->n_refused++;
			collect_note(c, "%s refused: %s", object->parts.relative,
				     why.text);
		} else if (order.kind == CONTROL_REASSIGN) {
			steps_reassign(&c->steps, &order, c->jobs, c->n_jobs);
		}
		control_done(&order);
	}
}

static int load_record(struct collected *c, const struct run_object *object,
		       struct step_record *ret, struct err *err)
{
	cleanup_str struct str text = STR_INIT(STEP_MAX_BYTES);
	const struct path_parts *p = &object->parts;
	unsigned unknown = 0;
	int r = fetch_read(&c->fetch, object, STEP_MAX_BYTES, &text, err);

	if (r == 0)
		r = step_record_parse(str_text(&text), text.len, ret, &unknown, err);
	if (r < 0)
		return r;
	if (strcmp(ret->run, c->run->config.run) != 0 ||
	    strcmp(ret->worker, p->worker) != 0 || ret->matrix_id != p->matrix_id ||
	    ret->iteration != p->iteration || ret->attempt != p->attempt)
		r = err_set(err, -EINVAL, "says it is another run's, worker's or step's");
	return r;
}

/* First look at a record: who wrote which attempt, and how it ended. */
static void find_record(struct collected *c, const struct run_object *object)
{
	const struct path_parts *p = &object->parts;
	struct step_entry *step = steps_find(&c->steps, p->matrix_id, p->iteration);
	struct found_attempt found = {.attempt = p->attempt};
	struct step_record record;
	struct err why = {0};
	int r;

	step_record_init(&record);
	r = load_record(c, object, &record, &why);
	if (r == 0 && !step)
		r = err_set(&why, -EINVAL, "no job lists this step");
	if (r == 0 && !config_has_worker(&c->run->config, p->worker) &&
	    strcmp(step->owner, p->worker) != 0)
		r = err_set(&why, -EINVAL, "the run has no worker %s", p->worker);
	if (r == 0 && (record.test_id != step->plan.test_id ||
		       record.config_id != step->plan.config_id))
		r = err_set(&why, -EINVAL, "test_id or config_id is not the plan's");
	if (r < 0) {
		c->n_refused++;
		collect_note(c, "%s refused: %s", object->parts.relative, why.text);
	} else {
		str_copy(found.worker, sizeof(found.worker), p->worker);
		found.is_readable = true;
		found.state = record.state;
		steps_add_found(step, &found);
	}
	step_record_done(&record);
}

static void add_problem(struct collected *c, const struct step_entry *step,
			const struct step_record *record)
{
	const struct cell *cell = step->plan.matrix_id <= c->cells.n
					  ? &c->cells.v[step->plan.matrix_id - 1]
					  : NULL;

	if (c->n_problems == COLLECT_NOTES_MAX)
		return;
	line_add(&c->n_problems, &c->problems,
		 xasprintf("step %u-%u (test %u, %s) on %s: %s: %s", step->plan.matrix_id,
			   step->plan.iteration, step->plan.test_id,
			   cell ? cell->arm->label : "?", step->owner,
			   step->was_interrupted ? "interrupted"
						 : step_view_name(step->view),
			   record && record->reason[0] ? record->reason
			   : record		       ? "no reason recorded"
						       : "no result in the bucket"));
}

/* Second look, step by step: rows, entries, and the figures of ok steps. */
static int add_record(struct collected *c, const struct run_object *object,
		      struct step_entry *step, struct err *err)
{
	const struct path_parts *p = &object->parts;
	struct step_record record;
	const struct found_attempt *best;
	bool counts;
	int r;

	if (!step)
		return 0;
	step_record_init(&record);
	r = load_record(c, object, &record, NULL);
	best = step->counting >= 0 ? &step->found[step->counting] : NULL;
	counts = best && best->attempt == p->attempt &&
		 strcmp(best->worker, p->worker) == 0;
	if (r == 0) {
		results_add(&c->results, step, &record, counts);
		c->n_superseded += !counts;
	}
	if (r == 0 && counts && step->view != STEP_OK)
		add_problem(c, step, &record);
	for (size_t i = 0;
	     r == 0 && counts && step->view == STEP_OK && i < record.n_results; i++)
		if (step->plan.matrix_id <= c->cells.n)
			r = cell_add_result(&c->cells.v[step->plan.matrix_id - 1],
					    &record.results[i], err);
	step_record_done(&record);
	return r == 0 ? 0 : err && err->code ? r : 0;
}

static int add_results(struct collected *c, struct err *err)
{
	for (size_t i = 0; i < c->objects.n; i++) {
		const struct run_object *object = &c->objects.v[i];
		const struct path_parts *p = &object->parts;
		int r;

		if (p->kind != PATH_KIND_STEP_FILE || p->file != STEP_RECORD)
			continue;
		r = add_record(c, object,
			       steps_find(&c->steps, p->matrix_id, p->iteration), err);
		if (r < 0)
			return err_wrap(err, r, "%s", p->relative);
	}
	for (size_t i = 0; i < c->steps.n; i++) {
		struct step_entry *step = &c->steps.v[i];

		c->views[step->view]++;
		cells_add_step(&c->cells, step);
		if (step->counting < 0) {
			results_add(&c->results, step, NULL, false);
			add_problem(c, step, NULL);
		}
	}
	return 0;
}

static int fetch_all(struct collected *c, struct err *err)
{
	for (size_t i = 0; i < c->objects.n; i++) {
		int r = cmd_interrupted()
				? err_set(err, -EINTR, "interrupted")
				: fetch_object(&c->fetch, &c->objects.v[i], err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < c->objects.n_strange && i < FETCH_STRANGE_MAX; i++)
		collect_note(c, "%s: not a name of this layout, left alone",
			     c->objects.strange[i]);
	return 0;
}

int collect_run(struct collected *c, struct err *err)
{
	int r = fetch_list(c->run, &c->objects, err);

	results_init(&c->results, &c->run->config);
	cells_init(&c->cells, &c->run->config);
	if (r == 0)
		r = fetch_all(c, err);
	if (r == 0)
		r = load_plan(c, err);
	if (r < 0)
		return r;
	load_orders(c);
	for (size_t i = 0; i < c->objects.n; i++)
		if (c->objects.v[i].parts.kind == PATH_KIND_STEP_FILE &&
		    c->objects.v[i].parts.file == STEP_RECORD)
			find_record(c, &c->objects.v[i]);
	steps_derive(&c->steps);
	return add_results(c, err);
}

int collect_exit(const struct collected *c)
{
	int code = EXIT_YES;

	if (c->views[STEP_INVALID] || c->n_refused)
		code = cmd_worst(code, EXIT_INVALID);
	if (c->views[STEP_FAILED] || c->views[STEP_TIMEOUT] || c->views[STEP_CANCELLED])
		code = cmd_worst(code, EXIT_NO);
	if (c->views[STEP_PENDING] || !c->steps.n)
		code = cmd_worst(code, EXIT_UNKNOWN_YET);
	return code;
}
