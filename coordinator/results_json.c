// SPDX-License-Identifier: Apache-2.0
// results.json: a cell's figures over its ok steps.
#include "coordinator/results.h"

static json_t *values_json(const double *v, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_f64(v[i]));
	return a;
}

static json_t *figure_json(const struct cell_figure *f)
{
	json_t *o = json_object();

	json_object_set_new(o, "group", json_integer(f->group));
	json_object_set_new(o, "rw", json_string(fio_rw_name(f->rw)));
	json_object_set_new(o, "steps", json_u64(f->n));
	json_object_set_new(o, "bw_bytes_per_s",
			    values_json(f->bw_bytes_per_s, f->n_rates));
	json_object_set_new(o, "iops", values_json(f->iops, f->n_rates));
	json_object_set_new(o, "lat", latency_json(&f->latency));
	return o;
}

json_t *results_cell_json(const struct cell *cell)
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
