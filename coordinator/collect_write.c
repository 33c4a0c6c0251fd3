// SPDX-License-Identifier: Apache-2.0
// collect's documents: step by step through the records, cell by cell.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/collect.h"
#include "coordinator/results.h"

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

static int add_attempt(struct collected *c, struct results *results,
		       const struct step_entry *step, size_t index, struct err *err)
{
	const struct run_object *object = &c->objects.v[step->found[index].object];
	cleanup_step_record struct step_record record = {0};
	bool counts = (int)index == step->counting;
	int r;

	step_record_init(&record);
	r = collect_load_record(c, object, &record, err);
	if (r < 0)
		return err_wrap(err, r, "%s", object->relative);
	check_files(c, object, &record);
	if (counts && step->view == STEP_OK)
		add_figures(c, step, &record);
	else if (counts)
		add_problem(c, step, step_view_name(step->view), record.reason);
	if (counts)
		starts_add(&c->starts, &step->plan, &record);
	return results_add(results, step, &record, counts, err);
}

static int add_step(struct collected *c, struct results *results,
		    const struct step_entry *step, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < step->n_found && r == 0; i++)
		r = add_attempt(c, results, step, i, err);
	if (r < 0 || step->counting >= 0)
		return r;
	starts_add(&c->starts, &step->plan, NULL);
	if (step->view == STEP_PENDING) {
		cleanup_str struct str reason = STR_INIT(1024);

		results_pending_reason(step, &reason);
		add_problem(c, step, "pending", str_text(&reason));
	}
	return results_add(results, step, NULL, false, err);
}

/* Steps are sorted by matrix_id, so a cell is complete when the next one begins: only
 * one cell's bins are in memory at a time. */
static int add_steps(struct collected *c, struct results *results, struct err *err)
{
	for (size_t i = 0; i < c->steps.n; i++) {
		const struct step_entry *step = &c->steps.v[i];
		int r = add_step(c, results, step, err);

		if (r < 0)
			return r;
		if (i + 1 == c->steps.n ||
		    step[1].plan.matrix_id != step->plan.matrix_id) {
			struct cell *cell = cells_find(&c->cells, &step->plan);

			if (cell)
				cell_finish(cell);
		}
	}
	return 0;
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

/* A manifest without its index of steps: whose figures these are, and of what machine. */
static json_t *load_manifest(struct collected *c, const struct run_object *object)
{
	cleanup_str struct str text = STR_INIT(MANIFEST_MAX_BYTES);
	cleanup_manifest struct manifest manifest = {0};
	struct err why = {0};
	unsigned unknown = 0;
	json_t *item;
	int r = fetch_read(&c->fetch, object, MANIFEST_MAX_BYTES, &text, &why);

	if (r == 0)
		r = manifest_parse(str_text(&text), text.len, &manifest, &unknown, &why);
	if (r < 0) {
		c->n_refused++;
		collect_note(c, "%s refused: %s", object->relative, why.text);
		return NULL;
	}
	item = manifest_to_json(&manifest);
	json_object_del(item, "schema");
	json_object_del(item, "steps");
	return item;
}

static int add_workers(struct collected *c, struct results *results, struct err *err)
{
	results_section(results, "workers");
	for (size_t i = 0; i < c->objects.n; i++) {
		const struct run_object *object = &c->objects.v[i];
		json_t *item = NULL;
		int r = 0;

		if (object->is_here && object->kind == PATH_KIND_MANIFEST)
			item = load_manifest(c, object);
		if (item)
			r = results_item(results, item, err);
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
		r = add_workers(c, results, err);
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
