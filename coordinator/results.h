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

/** struct results - both documents while they are written. FORMATS.md describes them. */
struct results {
	const struct config *config; /* borrowed, like the files */
	const struct cells *cells;
	FILE *csv, *json;
	struct str line;
	size_t n_items; /* of the array being written */
};

/** results_begin() - heads of both; "steps" is open. @is_complete: no step is pending. */
void results_begin(struct results *results, bool is_complete);

/**
 * results_add() - one attempt, or a pending step: a CSV row per (group, direction), or
 * one without figures, and an entry in "steps".
 *
 * @record: the attempt's record; NULL: the step is pending
 * @counts: is it the attempt that ended the step? Others are kept, never averaged.
 * -EFBIG or -ENOMEM; whether the files could be written, they know themselves.
 */
int results_add(struct results *results, const struct step_entry *step,
		const struct step_record *record, bool counts, struct err *err);

/** results_section() - end the array before, begin another: "cells", "workers", … */
void results_section(struct results *results, const char *name);
/** results_item() - one element of it; steals @item. */
int results_item(struct results *results, json_t *item, struct err *err);
/** results_end() - end of the last array and the document; releases memory. */
void results_end(struct results *results);

/** results_cell_json() - new object: a cell's states and figures. */
json_t *results_cell_json(const struct cell *cell);

/** results_pending_reason() - why a step without a counting attempt has none. */
void results_pending_reason(const struct step_entry *step, struct str *ret);

#endif
