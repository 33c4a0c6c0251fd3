// SPDX-License-Identifier: Apache-2.0
// Collected results as results.csv and results.json, streamed: one row or entry per step.
#ifndef COORDINATOR_RESULTS_H
#define COORDINATOR_RESULTS_H

#include <stdio.h>

#include "coordinator/cells.h"
#include "coordinator/steps.h"
#include "core/json.h"
#include "manifests/job.h"
#include "manifests/record.h"

/* one element: a record without its bins, at most as large as it came */
enum { RESULTS_LINE_MAX_BYTES = 64 << 20 };

/** struct results - both documents while they are written. FORMATS.md describes them. */
struct results {
	const struct config *config; /* borrowed, like the files */
	const struct cells *cells;
	FILE *csv, *json;
	size_t n_items; /* of the array being written */
};

/** results_begin() - heads of both; "steps" is open. @is_complete: no step is pending. */
void results_begin(struct results *results, bool is_complete);

/** struct results_text - one attempt as it will stand in the files. */
struct results_text {
	struct str csv, json;
};
void results_text_done(struct results_text *text);
#define cleanup_results_text cleanup(results_text_done)

/**
 * results_render() - one attempt, or a pending step: a CSV row per (group, direction), or
 * one without figures, and an entry in "steps".
 *
 * @record: the attempt's record; NULL: the step is pending
 * @counts: is it the attempt that ended the step? Others are kept, never averaged.
 * @ret: initialised with {0}. Several threads may render at once.
 * -EFBIG or -ENOMEM.
 */
int results_render(const struct results *results, const struct step_entry *step,
		   const struct step_record *record, bool counts,
		   struct results_text *ret, struct err *err);

/** results_put() - write it; whether the files could be written, they know themselves. */
void results_put(struct results *results, const struct results_text *text);

/** results_section() - end the array before, begin another: "cells", "workers", … */
void results_section(struct results *results, const char *name);
/** results_item_render() - an element's text, for results_item_put(); steals @item.
 * Several threads may render at once. */
int results_item_render(json_t *item, struct str *ret, struct err *err);
void results_item_put(struct results *results, const struct str *text);
/** results_item() - one element of it; steals @item. */
int results_item(struct results *results, json_t *item, struct err *err);
/** results_end() - end of the last array and the document. */
void results_end(struct results *results);

/** results_cell_json() - new object: a cell's states and figures. */
json_t *results_cell_json(const struct cell *cell);

/** results_pending_reason() - why a step without a counting attempt has none. */
void results_pending_reason(const struct step_entry *step, struct str *ret);

#endif
