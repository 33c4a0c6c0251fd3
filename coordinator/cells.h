// SPDX-License-Identifier: Apache-2.0
// Figures of a cell (test case x arm) over its ok steps: rates per step, merged latency.
#ifndef COORDINATOR_CELLS_H
#define COORDINATOR_CELLS_H

#include <stddef.h>

#include "coordinator/latency.h"
#include "coordinator/steps.h"
#include "core/fio_json.h"
#include "manifests/job.h"

/** struct cell_figure - one (group, direction) of a cell. */
struct cell_figure {
	unsigned group;
	enum fio_rw rw;
	size_t n;		       /* ok steps that have it */
	size_t n_rates;		       /* of these, with a runtime and hence rates */
	double *bw_bytes_per_s, *iops; /* of each, in the order of iterations; owned */
	size_t n_lat;		       /* of the n, with bins that could be merged */
	struct hist lat;	       /* until cell_finish(): their bins, merged */
	struct latency latency; /* then: of all n steps, or nothing when n_lat < n */
};

struct cell {
	const struct test_case *test;
	const struct arm *arm;
	unsigned matrix_id;
	size_t planned;
	size_t views[STEP_VIEW_COUNT];
	size_t n_figures;
	struct cell_figure *figures; /* sorted by group and direction */
};

/** struct cells - arm-major like matrix_id, so that index = matrix_id - 1. */
struct cells {
	size_t n;
	struct cell *v;
};

/** cells_init() - one cell per arm and test case of @config (borrowed). */
void cells_init(struct cells *cells, const struct config *config);
void cells_done(struct cells *cells);
#define cleanup_cells cleanup(cells_done)

/** cells_find() - the cell of a planned step; NULL when the matrix has no such cell. */
struct cell *cells_find(const struct cells *cells, const struct job_step *plan);

/** cell_add_step() - count a step's view. */
void cell_add_step(struct cell *cell, const struct step_entry *step);

/**
 * cell_add_result() - one ok step's figure.
 *
 * -EINVAL when its bins do not fit those of the others: the rates are added all the same,
 * and the cell will have no latency.
 */
int cell_add_result(struct cell *cell, const struct fio_result *result, struct err *err);

/** cell_finish() - after the last result: from bins to percentiles. */
void cell_finish(struct cell *cell);

/** struct spread - of a figure's values over steps. */
struct spread {
	double min, median, max;
};
/** spread_of() - all zero for n = 0; the median of an even count is the middle's mean. */
struct spread spread_of(const double *v, size_t n);

#endif
