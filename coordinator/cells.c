// SPDX-License-Identifier: Apache-2.0
// Figures of a cell over its ok steps.
#include "coordinator/cells.h"

#include <stdlib.h>
#include <string.h>

#include "core/str.h"

void cells_init(struct cells *cells, const struct config *config)
{
	size_t n = config->n_arms * config->n_cases;

	*cells = (struct cells){.n = n, .v = xcalloc(n, sizeof(*cells->v))};
	for (size_t i = 0; i < n; i++) {
		cells->v[i].arm = &config->arms[i / config->n_cases];
		cells->v[i].test = &config->cases[i % config->n_cases];
		cells->v[i].matrix_id = (unsigned)i + 1;
	}
}

void cells_done(struct cells *cells)
{
	for (size_t i = 0; i < cells->n; i++) {
		struct cell *c = &cells->v[i];

		for (size_t k = 0; k < c->n_figures; k++) {
			free(c->figures[k].bw_bytes_per_s);
			free(c->figures[k].iops);
			hist_done(&c->figures[k].lat);
		}
		free(c->figures);
	}
	free(cells->v);
	*cells = (struct cells){0};
}

struct cell *cells_find(const struct cells *cells, const struct job_step *plan)
{
	struct cell *c;

	if (plan->matrix_id < 1 || plan->matrix_id > cells->n)
		return NULL;
	c = &cells->v[plan->matrix_id - 1];
	if (c->test->test_id != plan->test_id || c->arm->config_id != plan->config_id)
		return NULL;
	return c;
}

void cell_add_step(struct cell *cell, const struct step_entry *step)
{
	cell->planned++;
	cell->views[step->view]++;
}

static struct cell_figure *cell_figure(struct cell *cell, unsigned group, enum fio_rw rw)
{
	struct cell_figure *f;
	size_t at = 0;

	for (; at < cell->n_figures; at++) {
		f = &cell->figures[at];
		if (f->group == group && f->rw == rw)
			return f;
		if (f->group > group || (f->group == group && f->rw > rw))
			break;
	}
	cell->figures = xrealloc(cell->figures, cell->n_figures + 1, sizeof(*f));
	f = &cell->figures[at];
	memmove(f + 1, f, (cell->n_figures - at) * sizeof(*f));
	cell->n_figures++;
	*f = (struct cell_figure){.group = group, .rw = rw};
	hist_init(&f->lat);
	return f;
}

int cell_add_result(struct cell *cell, const struct fio_result *result, struct err *err)
{
	struct cell_figure *f = cell_figure(cell, result->group, result->rw);
	int r;

	f->n++;
	/* fio counts in ms: nothing is known of a rate over less than one */
	if (result->runtime_ns) {
		f->bw_bytes_per_s =
			xrealloc(f->bw_bytes_per_s, f->n_rates + 1, sizeof(double));
		f->iops = xrealloc(f->iops, f->n_rates + 1, sizeof(double));
		f->bw_bytes_per_s[f->n_rates] = result->bw_bytes_per_s;
		f->iops[f->n_rates++] = result->iops;
	}
	if (!result->lat.n)
		return 0;
	r = hist_merge(&f->lat, &result->lat, err);
	f->n_lat += r == 0;
	return r;
}

void cell_finish(struct cell *cell)
{
	for (size_t i = 0; i < cell->n_figures; i++) {
		struct cell_figure *f = &cell->figures[i];

		if (f->n_lat == f->n)
			f->latency = latency_of(&f->lat);
		hist_done(&f->lat);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread spread_of(const double *v, size_t n)
{
	cleanup_free double *sorted = NULL;

	if (!n)
		return (struct spread){0};
	sorted = xcalloc(n, sizeof(*sorted));
	memcpy(sorted, v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_value);
	return (struct spread){
		.min = sorted[0],
		.median = n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2,
		.max = sorted[n - 1],
	};
}
