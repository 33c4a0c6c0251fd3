// SPDX-License-Identifier: Apache-2.0
// The rows of results.csv.
#ifndef COORDINATOR_RESULTS_CSV_H
#define COORDINATOR_RESULTS_CSV_H

#include "coordinator/cells.h"

/** struct csv_row - what a row is made of; all borrowed. */
struct csv_row {
	const struct config *config;
	const struct cell *cell; /* NULL when the matrix has no such cell */
	const struct step_entry *step;
	const struct step_record *record; /* NULL = pending */
	const struct latency *latencies;  /* of the record's results, in their order */
	bool counts;
	const char *reason;
};

/** csv_head() - the line of column names. */
void csv_head(const struct config *config, struct str *csv);
/** csv_rows() - a row per (group, direction) of the record, or one without figures. */
void csv_rows(const struct csv_row *row, struct str *csv);

#endif
