// SPDX-License-Identifier: Apache-2.0
// results.json: every cell's figures over its ok steps.
#include "coordinator/results.h"

#include <string.h>

static const double json_percentiles[] = {1,  5,  10, 20, 30,	40,   50,    60,   70,
					  80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99};

static json_t *values_json(const double *v, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_f64(v[i]));
	return a;
}

json_t *results_latency_json(const struct hist *lat)
{
	json_t *pcts, *o;

	if (!lat->n)
		return json_null();
	pcts = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(json_percentiles); i++) {
		struct hist_pct pct = {0};

		if (hist_percentile(lat, json_percentiles[i], &pct, NULL) < 0)
			continue;
		json_array_append_new(pcts, json_pack("{s:f, s:o, s:b}", "p",
						      json_percentiles[i], "ns",
						      json_u64(pct.ns), "censored",
						      (int)pct.is_censored));
	}
	o = json_object();
	json_object_set_new(o, "n", json_u64(lat->n));
	json_object_set_new(o, "min_ns", json_u64(lat->min_ns));
	json_object_set_new(o, "max_ns", json_u64(lat->max_ns));
	json_object_set_new(o, "mean_ns", json_f64(lat->mean_ns));
	json_object_set_new(o, "stddev_ns", json_f64(hist_stddev_ns(lat)));
	json_object_set_new(o, "percentiles", pcts);
	return o;
}

static json_t *figure_json(const struct cell_figure *f)
{
	json_t *o = json_object();

	json_object_set_new(o, "group", json_integer(f->group));
	json_object_set_new(o, "rw", json_string(fio_rw_name(f->rw)));
	json_object_set_new(o, "steps", json_u64(f->n));
	json_object_set_new(o, "bw_bytes_per_s", values_json(f->bw_bytes_per_s, f->n));
	json_object_set_new(o, "iops", values_json(f->iops, f->n));
	json_object_set_new(o, "lat", results_latency_json(&f->lat));
	return o;
}

static json_t *cell_json(const struct cell *cell)
{
	json_t *o = json_object(), *views = json_object(), *figures = json_array();

	for (int i = 0; i < STEP_VIEW_COUNT; i++)
		json_object_set_new(views, step_view_name((enum step_view)i),
				    json_u64(cell->views[i]));
	for (size_t i = 0; i < cell->n_figures; i++)
		json_array_append_new(figures, figure_json(&cell->figures[i]));
	json_object_set_new(o, "matrix_id", json_integer(cell->matrix_id));
	json_object_set_new(o, "test_id", json_integer(cell->test->test_id));
	json_object_set_new(o, "config_id", json_integer(cell->arm->config_id));
	json_object_set_new(o, "label", json_text(cell->arm->label));
	json_object_set(o, "params", cell->test->params);
	json_object_set_new(o, "planned", json_u64(cell->planned));
	json_object_set_new(o, "states", views);
	json_object_set_new(o, "figures", figures);
	return o;
}

json_t *results_cells_json(const struct cells *cells)
{
	json_t *a = json_array();

	for (size_t i = 0; i < cells->n; i++)
		json_array_append_new(a, cell_json(&cells->v[i]));
	return a;
}
