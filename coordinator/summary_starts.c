// SPDX-License-Identifier: Apache-2.0
// What collect tells of synchronised starts.
#include "coordinator/summary_starts.h"

#include <stdlib.h>

#include "coordinator/table.h"

static void set_rate(struct table *t, size_t column, double bytes_per_s)
{
	cleanup_str struct str text = STR_INIT(64);

	text_rate(bytes_per_s, &text);
	table_set(t, column, "%s", str_text(&text));
}

static void set_start(const struct collected *c, struct table *t, const struct start *s)
{
	const struct job_step at = {.matrix_id = s->matrix_id,
				    .test_id = s->test_id,
				    .config_id = s->config_id};
	const struct cell *cell = cells_find(&c->cells, &at);

	table_row(t);
	table_set(t, 0, "%u", s->barrier);
	table_set(t, 1, "%u", s->test_id);
	table_set(t, 2, "%s", cell ? cell->arm->label : "?");
	table_set(t, 3, "%u", s->block);
	table_set(t, 4, "%s", !s->has_verdict ? "-" : s->is_go ? "go" : "called off");
	table_set(t, 5, "%zu/%zu/%zu/%zu", s->ok, s->started, s->arrived, s->planned);
	if (s->started > 1)
		table_set(t, 6, "%.1f ± %.1f", (double)start_spread_ns(s) / 1e6,
			  (double)start_spread_bound_ns(s) / 1e6);
	if (s->late)
		table_set(t, 7, "%zu", s->late);
}

static void set_figure(struct table *t, const struct start_figure *f)
{
	if (f->group)
		table_set(t, 8, "%s (group %u)", fio_rw_name(f->rw), f->group);
	else
		table_set(t, 8, "%s", fio_rw_name(f->rw));
	if (f->common_ns)
		set_rate(t, 9, f->common_bytes_per_s);
	else
		table_set(t, 9, "none");
	set_rate(t, 10, f->whole_bytes_per_s);
}

void summary_starts_table(const struct collected *c, struct table *t)
{
	static const char *const headers[] = {"start",
					      "test",
					      "arm",
					      ">repetition",
					      "verdict",
					      ">ok/started/arrived/planned",
					      ">spread [ms]",
					      ">late",
					      "rw",
					      ">fleet, all at work",
					      ">fleet, first to last",
					      NULL};

	table_init(t, headers);
	for (size_t i = 0; i < c->starts.n; i++) {
		const struct start *s = &c->starts.v[i];

		for (size_t k = 0; k < s->n_figures; k++) {
			set_start(c, t, s);
			set_figure(t, &s->figures[k]);
		}
		if (!s->n_figures)
			set_start(c, t, s);
	}
}

void summary_starts_line(const struct collected *c, struct str *ret)
{
	cleanup_free double *spread_ms = xcalloc(c->starts.n, sizeof(*spread_ms));
	size_t n = 0, late = 0, off = 0;
	struct spread s;

	for (size_t i = 0; i < c->starts.n; i++) {
		const struct start *start = &c->starts.v[i];

		late += start->late;
		off += start->has_verdict && !start->is_go;
		if (start->started > 1)
			spread_ms[n++] = (double)start_spread_ns(start) / 1e6;
	}
	s = spread_of(spread_ms, n);
	str_addf(ret, "%zu synchronised starts", c->starts.n);
	if (n)
		str_addf(ret, ", workers apart by %.1f ms (median), %.1f ms (most)",
			 s.median, s.max);
	if (off)
		str_addf(ret, "; %zu called off", off);
	if (late)
		str_addf(ret, "; %zu steps began late", late);
	str_add(ret, "\n");
}
