// SPDX-License-Identifier: Apache-2.0
// Collected results, streamed into results.csv and results.json.
#include "coordinator/results.h"

#include <errno.h>
#include <string.h>

#include "coordinator/results_csv.h"

/* one entry: a record without its bins, at most as large as it came */
enum { RESULTS_LINE_MAX_BYTES = 64 << 20 };

static void put_line(struct results *results, FILE *to)
{
	fwrite(str_text(&results->line), 1, results->line.len, to);
	str_reset(&results->line);
}

void results_begin(struct results *results, bool is_complete)
{
	results->line = STR_INIT(RESULTS_LINE_MAX_BYTES);
	csv_head(results->config, &results->line);
	put_line(results, results->csv);
	/* the run's id needs no quoting: [a-z0-9-] */
	fprintf(results->json,
		"{\n\"schema\": \"muster/results/1\",\n\"run\": \"%s\",\n"
		"\"complete\": %s,\n\"steps\": [",
		results->config->run, is_complete ? "true" : "false");
	results->n_items = 0;
}

int results_item(struct results *results, json_t *item, struct err *err)
{
	cleanup_json json_t *list = json_array();
	struct str *line = &results->line;
	int r;

	/* a string alone is no document: what is written is a list without its brackets
	 */
	if (json_array_append_new(list, item) < 0)
		return err_set(err, -ENOMEM, "results.json: out of memory");
	r = json_dump(list, line, err);
	if (r < 0)
		return err_wrap(err, r, "results.json");
	fputs(results->n_items++ ? ",\n" : "\n", results->json);
	fwrite(line->s + 1, 1, line->len - strlen("[]\n"), results->json);
	str_reset(line);
	return 0;
}

void results_section(struct results *results, const char *name)
{
	fprintf(results->json, "%s],\n\"%s\": [", results->n_items ? "\n" : "", name);
	results->n_items = 0;
}

void results_end(struct results *results)
{
	fprintf(results->json, "%s]\n}\n", results->n_items ? "\n" : "");
	str_done(&results->line);
}

void results_pending_reason(const struct step_entry *step, struct str *ret)
{
	if (step->interrupted)
		str_addf(ret, "attempt %u was interrupted", step->interrupted);
	else
		str_add(ret, "no result in the bucket");
}

/* The record without its bins: raw/ has those; the percentiles say what they say. */
static json_t *record_entry(const struct step_record *record)
{
	json_t *entry = step_record_to_json(record);
	json_t *list = json_object_get(entry, "results");

	for (size_t i = 0; i < record->n_results && i < json_array_size(list); i++) {
		const struct latency l = latency_of(&record->results[i].lat);

		json_object_set_new(json_array_get(list, i), "lat", latency_json(&l));
	}
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

int results_add(struct results *results, const struct step_entry *step,
		const struct step_record *record, bool counts, struct err *err)
{
	cleanup_str struct str reason = STR_INIT(1024);
	struct csv_row row = {.config = results->config,
			      .cell = cells_find(results->cells, &step->plan),
			      .step = step,
			      .record = record,
			      .counts = counts};
	json_t *entry;
	int r;

	if (!record)
		results_pending_reason(step, &reason);
	row.reason = record ? record->reason : str_text(&reason);
	csv_rows(&row, &results->line);
	r = str_check(&results->line, "a row of results.csv", err);
	if (r < 0)
		return r;
	put_line(results, results->csv);
	entry = record ? record_entry(record) : pending_entry(results, step, row.reason);
	if (entry)
		json_object_set_new(entry, "counts", json_boolean(counts));
	return results_item(results, entry, err);
}
