// SPDX-License-Identifier: Apache-2.0
// split: the plan, for people or programs.
#include <string.h>

#include "coordinator/cmd.h"
#include "coordinator/cost.h"
#include "coordinator/split.h"
#include "coordinator/table.h"

static double longest_s(const struct split *split)
{
	double longest = 0;

	for (size_t w = 0; w < split->n_workers; w++)
		if (split->plan.workers[w].estimated_s > longest)
			longest = split->plan.workers[w].estimated_s;
	return longest;
}

static uint64_t worker_bytes(const struct split *split, size_t w)
{
	const struct plan_worker *worker = &split->plan.workers[w];
	uint64_t bytes = 0;

	for (size_t i = 0; i < worker->n_steps; i++) {
		size_t row = (worker->steps[i].matrix_id - 1) % split->inputs.n_cases;

		if (__builtin_add_overflow(bytes, cost_bytes(&split->inputs.facts[row]),
					   &bytes))
			return INT64_MAX;
	}
	return bytes > INT64_MAX ? INT64_MAX : bytes;
}

static uint64_t all_bytes(const struct split *split)
{
	uint64_t bytes = 0;

	for (size_t w = 0; w < split->n_workers; w++)
		if (__builtin_add_overflow(bytes, worker_bytes(split, w), &bytes) ||
		    bytes > INT64_MAX)
			return INT64_MAX;
	return bytes;
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static void add_arms(const struct split *split, struct str *out)
{
	static const char *const headers[] = {"arm",	"commit",     "version", "go",
					      "binary", "mount args", NULL};
	cleanup_table struct table table;

	table_init(&table, headers);
	for (size_t a = 0; a < split->inputs.n_arms; a++) {
		const struct arm *arm = &split->inputs.arms[a];
		cleanup_str struct str args = STR_INIT(SIZE_MAX / 4);

		for (size_t i = 0; i < arm->n_args; i++)
			str_addf(&args, "%s%s", i ? " " : "", arm->args[i]);
		table_row(&table);
		table_set(&table, 0, "%s", arm->label);
		table_set(&table, 1, "%s", or_dash(arm->requested));
		table_set(&table, 2, "%s",
			  arm->kind == ARM_DIR ? "(a folder)"
			  : arm->version       ? arm->version
			  : arm->sha256	       ? "(binary)"
					       : "unresolved");
		table_set(&table, 3, "%s", or_dash(arm->go));
		table_set(&table, 4, "%s", or_dash(arm->key));
		table_set(&table, 5, "%s", args.len ? str_text(&args) : "-");
	}
	table_text(&table, out);
}

static void add_workers(const struct split *split, struct str *out)
{
	static const char *const headers[] = {"worker", ">steps", ">estimate [min]",
					      ">moves [GB]", NULL};
	cleanup_table struct table table;

	table_init(&table, headers);
	for (size_t w = 0; w < split->n_workers; w++) {
		const struct plan_worker *worker = &split->plan.workers[w];

		table_row(&table);
		table_set(&table, 0, "%s", split->workers[w]);
		table_set(&table, 1, "%zu", worker->n_steps);
		table_set(&table, 2, "%.1f", worker->estimated_s / 60);
		table_set(&table, 3, "%.3f", (double)worker_bytes(split, w) / 1e9);
	}
	table_text(&table, out);
}

/* Notes quote what servers and files say. */
static void add_notes(const struct split *split, struct str *out)
{
	const char *text = str_text(&split->notes);

	if (*text)
		str_addc(out, '\n');
	while (*text) {
		size_t n = strcspn(text, "\n");

		str_add_escaped(out, text, n);
		str_addc(out, '\n');
		text += n + (text[n] == '\n');
	}
}

static void add_text(const struct split *split, struct str *out)
{
	const struct inputs *in = &split->inputs;

	str_addf(out, "run %s\n", split->url);
	str_addf(out,
		 "%zu test cases x %zu arms = %zu cells, %u iterations%s%s: %zu steps, "
		 "design %s, seed %llu\n",
		 in->n_cases, in->n_arms, in->n_cases * in->n_arms,
		 split->plan.iterations,
		 split->flags.replicas > 1 ? " on each replica each" : " each",
		 split->design == DESIGN_TOGETHER ? ", on every worker at once" : "",
		 split->plan.n_steps, design_name(split->config.design),
		 (unsigned long long)split->config.seed);
	str_addf(out, "moves %.3f GB, estimated %.1f min\n\n",
		 (double)all_bytes(split) / 1e9, longest_s(split) / 60);
	add_arms(split, out);
	str_add(out, "\n");
	add_workers(split, out);
	add_notes(split, out);
	if (split->flags.dry_run)
		str_add(out, "\ndry run: nothing was written\n");
	else
		str_addf(out, "\n%u objects written%s\n", split->n_written,
			 split->is_claimed ? "; the run was there before" : "");
}

static json_t *pins_json(const struct split *split)
{
	json_t *pins = json_array();

	for (size_t a = 0; a < split->inputs.n_arms; a++) {
		const struct arm *arm = &split->inputs.arms[a];

		json_array_append_new(
			pins,
			json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:b}", "label",
				  arm->label, "requested", arm->requested, "module",
				  arm->module, "version", arm->version, "key", arm->key,
				  "resolved", arm->kind == ARM_DIR || arm->key != NULL));
	}
	return pins;
}

static json_t *plan_json(const struct split *split)
{
	const struct inputs *in = &split->inputs;
	json_t *doc = json_object(), *workers = json_array(), *notes = json_array();
	const char *text = str_text(&split->notes);

	for (size_t w = 0; w < split->n_workers; w++) {
		const struct plan_worker *worker = &split->plan.workers[w];

		json_array_append_new(
			workers, json_pack("{s:s, s:I, s:o}", "worker", split->workers[w],
					   "steps", (json_int_t)worker->n_steps,
					   "estimated_s", json_f64(worker->estimated_s)));
	}
	while (*text) {
		size_t n = strcspn(text, "\n");
		cleanup_free char *note = xstrndup(text, n);

		json_array_append_new(notes, json_text(note));
		text += n + (text[n] == '\n');
	}
	json_object_set_new(doc, "schema", json_string("muster/plan/1"));
	json_object_set_new(doc, "run", json_string(split->url));
	json_object_set_new(doc, "test_cases", json_u64(in->n_cases));
	json_object_set_new(doc, "arms", json_u64(in->n_arms));
	json_object_set_new(doc, "cells", json_u64(in->n_cases * in->n_arms));
	json_object_set_new(doc, "iterations", json_u64(split->plan.iterations));
	json_object_set_new(doc, "steps", json_u64(split->plan.n_steps));
	json_object_set_new(doc, "bytes", json_u64(all_bytes(split)));
	json_object_set_new(doc, "estimated_s", json_f64(longest_s(split)));
	json_object_set_new(doc, "workers", workers);
	json_object_set_new(doc, "pins", pins_json(split));
	json_object_set_new(doc, "notes", notes);
	return doc;
}

int split_report(const struct split *split)
{
	cleanup_str struct str out = STR_INIT(SIZE_MAX / 4);

	if (split->flags.as_json)
		return cmd_print_json(plan_json(split));
	add_text(split, &out);
	return cmd_print(&out);
}
