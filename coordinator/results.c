// SPDX-License-Identifier: Apache-2.0
// Collected results, streamed into results.csv and results.json.
#include "coordinator/results.h"

#include <errno.h>
#include <string.h>

#include "coordinator/results_csv.h"
#include "core/json_scratch.h"

void results_text_done(struct results_text *text)
{
	str_done(&text->csv);
	str_done(&text->json);
}

void results_begin(struct results *results, bool is_complete)
{
	cleanup_str struct str head = STR_INIT(RESULTS_LINE_MAX_BYTES);

	csv_head(results->config, &head);
	fwrite(str_text(&head), 1, head.len, results->csv);
	/* the run's id needs no quoting: [a-z0-9-] */
	fprintf(results->json,
		"{\n\"schema\": \"muster/results/1\",\n\"run\": \"%s\",\n"
		"\"complete\": %s,\n\"steps\": [",
		results->config->run, is_complete ? "true" : "false");
	results->n_items = 0;
}

/* A string alone is no document: what is rendered is a list of one. */
int results_item_render(json_t *item, struct str *ret, struct err *err)
{
	cleanup_json json_t *list = json_array();
	int r;

	if (json_array_append_new(list, item) < 0)
		return err_set(err, -ENOMEM, "results.json: out of memory");
	r = json_dump(list, ret, err);
	return r < 0 ? err_wrap(err, r, "results.json") : 0;
}

/* What is written is that list without its brackets. */
void results_item_put(struct results *results, const struct str *list)
{
	fputs(results->n_items++ ? ",\n" : "\n", results->json);
	fwrite(list->s + 1, 1, list->len - strlen("[]\n"), results->json);
}

int results_item(struct results *results, json_t *item, struct err *err)
{
	cleanup_str struct str list = STR_INIT(RESULTS_LINE_MAX_BYTES);
	int r = results_item_render(item, &list, err);

	if (r == 0)
		results_item_put(results, &list);
	return r;
}

void results_section(struct results *results, const char *name)
{
	fprintf(results->json, "%s],\n\"%s\": [", results->n_items ? "\n" : "", name);
	results->n_items = 0;
}

void results_end(struct results *results)
{
	fprintf(results->json, "%s]\n}\n", results->n_items ? "\n" : "");
}

void results_pending_reason(const struct step_entry *step, struct str *ret)
{
	if (step->interrupted)
		str_addf(ret, "attempt %u was interrupted", step->interrupted);
	else
		str_add(ret, "no result in the bucket");
}

/* @record: NULL has none. */
static struct latency *latencies_of(const struct step_record *record)
{
	size_t n = record ? record->n_results : 0;
	struct latency *ret = xcalloc(n, sizeof(*ret));

	for (size_t i = 0; i < n; i++)
		ret[i] = latency_of(&record->results[i].lat);
	return ret;
}

/* The record without its bins: raw/ has those; the percentiles say what they say. */
static json_t *record_entry(const struct step_record *record,
			    const struct latency *latencies)
{
	cleanup_free struct fio_result *bare =
		xcalloc(record->n_results, sizeof(struct fio_result));
	struct step_record without = *record;
	json_t *entry, *list;

	/* all borrowed but for the bins, which are none */
	for (size_t i = 0; i < record->n_results; i++) {
		bare[i] = record->results[i];
		hist_init(&bare[i].lat);
	}
	without.results = bare;
	entry = step_record_to_json(&without);
	list = json_object_get(entry, "results");
	for (size_t i = 0; i < record->n_results && i < json_array_size(list); i++)
		json_object_set_new(json_array_get(list, i), "lat",
				    latency_json(&latencies[i]));
	return entry;
}

static json_t *pending_entry(const struct results *results, const struct step_entry *step,
			     const char *reason)
{
	const struct job_step *p = &step->plan;
	char id[STEP_ID_CAP];

	step_id_format(id, p->matrix_id, p->iteration);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:n, s:s, s:s, "
			 "s:[]}",
			 "run", results->config->run, "worker", step->owner, "step", id,
			 "matrix_id", (json_int_t)p->matrix_id, "test_id",
			 (json_int_t)p->test_id, "config_id", (json_int_t)p->config_id,
			 "iteration", (json_int_t)p->iteration, "block",
			 (json_int_t)p->block, "pos", (json_int_t)p->pos, "attempt",
			 "state", "pending", "reason", reason, "results");
}

int results_render(const struct results *results, const struct step_entry *step,
		   const struct step_record *record, bool counts,
		   struct results_text *ret, struct err *err)
{
	JSON_SCRATCH;
	cleanup_free struct latency *latencies = latencies_of(record);
	cleanup_str struct str reason = STR_INIT(1024);
	struct csv_row row = {.config = results->config,
			      .cell = cells_find(results->cells, &step->plan),
			      .step = step,
			      .record = record,
			      .latencies = latencies,
			      .counts = counts};
	json_t *entry;
	int r;

	ret->csv = ret->json = STR_INIT(RESULTS_LINE_MAX_BYTES);
	if (!record)
		results_pending_reason(step, &reason);
	row.reason = record ? record->reason : str_text(&reason);
	csv_rows(&row, &ret->csv);
	r = str_check(&ret->csv, "a row of results.csv", err);
	if (r < 0)
		return r;
	entry = record ? record_entry(record, latencies)
		       : pending_entry(results, step, row.reason);
	if (entry)
		json_object_set_new(entry, "counts", json_boolean(counts));
	return results_item_render(entry, &ret->json, err);
}

void results_put(struct results *results, const struct results_text *text)
{
	fwrite(str_text(&text->csv), 1, text->csv.len, results->csv);
	results_item_put(results, &text->json);
}
