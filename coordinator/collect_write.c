// SPDX-License-Identifier: Apache-2.0
// collect's documents: step by step through the records, cell by cell.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/collect.h"
#include "coordinator/pool.h"

static void add_problem(struct collected *c, const struct step_entry *step,
			const char *state, const char *reason)
{
	const struct cell *cell = cells_find(&c->cells, &step->plan);

	collect_problem(c, "step %u-%u (test %u, %s) on %s: %s: %s", step->plan.matrix_id,
			step->plan.iteration, step->plan.test_id,
			cell ? cell->arm->label : "?", step->owner, state,
			*reason ? reason : "no reason recorded");
}

/* The figures of the attempt that made the step ok. */
static void add_figures(struct collected *c, const struct step_entry *step,
			const struct step_record *record)
{
	struct cell *cell = cells_find(&c->cells, &step->plan);

	for (size_t i = 0; cell && i < record->n_results; i++) {
		struct err why = {0};

		if (cell_add_result(cell, &record->results[i], &why) < 0)
			collect_note(c,
				     "step %u-%u: test %u of %s has no latency figures: "
				     "%s",
				     step->plan.matrix_id, step->plan.iteration,
				     step->plan.test_id, cell->arm->label, why.text);
	}
}

static int by_relative(const void *key, const void *element)
{
	return strcmp(key, ((const struct run_object *)element)->relative);
}

/* What the record says of its files, held against the bucket's listing. */
static void check_files(struct collected *c, const struct run_object *object,
			const struct step_record *record)
{
	int folder = (int)(strrchr(object->relative, '/') + 1 - object->relative);

	for (size_t i = 0; i < record->n_files; i++) {
		const struct step_file_ref *f = &record->files[i];
		cleanup_free char *name =
			xasprintf("%.*s%s", folder, object->relative, f->name);
		/* listings are in the order of the names' bytes */
		const struct run_object *there = bsearch(name, c->objects.v, c->objects.n,
							 sizeof(*there), by_relative);

		if (!there)
			collect_note(c, "%s is not in the bucket, its record lists it",
				     name);
		else if (there->size_bytes != f->bytes ||
			 (there->has_crc32c && there->crc32c != f->crc32c))
			collect_note(c, "%s is not what its record says", name);
	}
}

/** struct prepared - a step's attempts, read and rendered; or the step alone. */
struct prepared {
	int r; /* of the first that failed; those before it are whole */
	struct err err;
	size_t n;
	struct step_record *records;
	struct results_text *texts; /* n, or 1 more: of a step without a result */
	bool has_rest;
};

struct writing {
	struct collected *c;
	struct results *results;
};

static int prepare_attempt(const struct writing *w, const struct step_entry *step,
			   struct prepared *p, size_t index)
{
	size_t object = step->found[index].object;
	int r;

	step_record_init(&p->records[index]);
	r = collect_record_again(w->c, object, &p->records[index], &p->err);
	if (r < 0)
		return err_wrap(&p->err, r, "%s", w->c->objects.v[object].relative);
	return results_render(w->results, step, &p->records[index],
			      (int)index == step->counting, &p->texts[index], &p->err);
}

static void prepare_step(size_t index, void *item, void *arg)
{
	const struct writing *w = arg;
	const struct step_entry *step = &w->c->steps.v[index];
	struct prepared *p = item;

	p->records = xcalloc(step->n_found, sizeof(*p->records));
	p->texts = xcalloc(step->n_found + 1, sizeof(*p->texts));
	for (; p->n < step->n_found && p->r == 0; p->n++)
		p->r = prepare_attempt(w, step, p, p->n);
	if (p->r < 0 || step->counting >= 0)
		return;
	p->has_rest = true;
	p->r = results_render(w->results, step, NULL, false, &p->texts[p->n], &p->err);
}

static void release_step(void *item)
{
	struct prepared *p = item;

	for (size_t i = 0; i < p->n; i++) {
		step_record_done(&p->records[i]);
		results_text_done(&p->texts[i]);
	}
	if (p->has_rest)
		results_text_done(&p->texts[p->n]);
	free(p->records);
	free(p->texts);
}

static void add_attempt(struct writing *w, const struct step_entry *step, size_t index,
			const struct prepared *p)
{
	const struct run_object *object = &w->c->objects.v[step->found[index].object];
	const struct step_record *record = &p->records[index];
	bool counts = (int)index == step->counting;

	check_files(w->c, object, record);
	if (counts && step->view == STEP_OK)
		add_figures(w->c, step, record);
	else if (counts)
		add_problem(w->c, step, step_view_name(step->view), record->reason);
	if (counts)
		starts_add(&w->c->starts, &step->plan, record);
	results_put(w->results, &p->texts[index]);
}

/* Steps are sorted by matrix_id, so a cell is complete when the next one begins: only
 * one cell's bins are in memory at a time. */
static int add_step(size_t index, void *item, void *arg, struct err *err)
{
	struct writing *w = arg;
	struct collected *c = w->c;
	const struct step_entry *step = &c->steps.v[index];
	const struct prepared *p = item;

	if (p->r < 0)
		return err_set(err, p->r, "%s", p->err.text);
	for (size_t i = 0; i < p->n; i++)
		add_attempt(w, step, i, p);
	if (p->has_rest && step->view == STEP_PENDING) {
		cleanup_str struct str reason = STR_INIT(1024);

		results_pending_reason(step, &reason);
		add_problem(c, step, "pending", str_text(&reason));
	}
	if (p->has_rest)
		results_put(w->results, &p->texts[p->n]);
	if (index + 1 == c->steps.n || step[1].plan.matrix_id != step->plan.matrix_id) {
		struct cell *cell = cells_find(&c->cells, &step->plan);

		if (cell)
			cell_finish(cell);
	}
	return 0;
}

static int add_steps(struct collected *c, struct results *results, struct err *err)
{
	struct writing w = {.c = c, .results = results};
	const struct pool_line line = {.item_bytes = sizeof(struct prepared),
				       .prepare = prepare_step,
				       .take = add_step,
				       .release = release_step,
				       .arg = &w};

	return pool_in_order(&line, c->steps.n, err);
}

static int add_cells(struct collected *c, struct results *results, struct err *err)
{
	results_section(results, "cells");
	for (size_t i = 0; i < c->cells.n; i++) {
		int r = results_item(results, results_cell_json(&c->cells.v[i]), err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Only runs of design together have the section. */
static int add_starts(struct collected *c, struct results *results, struct err *err)
{
	starts_finish(&c->starts);
	collect_verdicts(c);
	if (c->run->config.design != DESIGN_TOGETHER)
		return 0;
	results_section(results, "barriers");
	for (size_t i = 0; i < c->starts.n; i++) {
		const struct start *s = &c->starts.v[i];
		const struct job_step at = {.matrix_id = s->matrix_id,
					    .test_id = s->test_id,
					    .config_id = s->config_id};
		const struct cell *cell = cells_find(&c->cells, &at);
		int r = results_item(results,
				     starts_json(s, cell ? cell->arm->label : "?"), err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_notes(struct collected *c, struct results *results, struct err *err)
{
	results_section(results, "notes");
	for (size_t i = 0; i < c->n_notes; i++) {
		int r = results_item(results, json_text(c->notes[i]), err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int write_all(struct collected *c, struct results *results, struct err *err)
{
	int r;

	results_begin(results, !c->views[STEP_PENDING] && !c->n_planless && c->steps.n);
	r = add_steps(c, results, err);
	if (r == 0)
		r = add_cells(c, results, err);
	if (r == 0)
		r = add_starts(c, results, err);
	if (r == 0)
		r = collect_workers(c, results, err);
	if (r == 0)
		r = add_notes(c, results, err);
	results_end(results);
	return r;
}

int collect_write(struct collected *c, struct err *err)
{
	cleanup_str struct str summary = STR_INIT(256 << 20);
	cleanup_fetch_file struct fetch_file csv = {0};
	cleanup_fetch_file struct fetch_file json = {0};
	struct results results = {.config = &c->run->config, .cells = &c->cells};
	int r = fetch_file_open(&c->fetch, "results.csv", &csv, err);

	if (r == 0)
		r = fetch_file_open(&c->fetch, "results.json", &json, err);
	if (r < 0)
		return r;
	results.csv = csv.f;
	results.json = json.f;
	r = write_all(c, &results, err);
	if (r == 0)
		r = fetch_file_keep(&csv, err);
	if (r == 0)
		r = fetch_file_keep(&json, err);
	if (r < 0)
		return r;
	summary_markdown(c, &summary);
	return fetch_write(&c->fetch, "summary.md", &summary, err);
}
