// SPDX-License-Identifier: Apache-2.0
// Collected results as results.csv and results.json: one row or entry per step.
#ifndef COORDINATOR_RESULTS_H
#define COORDINATOR_RESULTS_H

#include "coordinator/cells.h"
#include "coordinator/steps.h"
#include "core/json.h"
#include "manifests/job.h"
#include "manifests/record.h"

enum { RESULTS_MAX_BYTES = 1 << 30 };

/** struct results - the growing documents; fill step by step, then finish. */
struct results {
	const struct config *config;
	struct str csv;
	json_t *steps; /* array for results.json */
};

/** results_init() - begins both documents; @config is borrowed. */
void results_init(struct results *results, const struct config *config);
void results_done(struct results *results);

/**
 * results_add() - one step: a CSV row per (group, direction), or one without figures.
 *
 * @record: the attempt's record; NULL when there is none (pending)
 * @counts: false for superseded attempts: kept and shown, never averaged
 */
void results_add(struct results *results, const struct step_entry *step,
		 const struct step_record *record, bool counts);

/** results_cells_json() - new array: every cell's figures, percentiles merged. */
json_t *results_cells_json(const struct cells *cells);

/** results_latency_json() - new object: moments and 17 percentiles; null when empty. */
json_t *results_latency_json(const struct hist *lat);

/** results_pct_text() - a percentile in nanoseconds: "1234", or ">=17112760320" if
 * censored. */
void results_pct_text(const struct hist_pct *pct, struct str *ret);

#endif
