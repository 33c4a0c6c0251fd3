// SPDX-License-Identifier: Apache-2.0
// Figures of cells: rates per step, merged latency, spreads.
#include <errno.h>
#include <string.h>

#include "coordinator/cells.h"
#include "tests/unit/tap.h"

static struct arm arms[] = {{.config_id = 4, .label = "a"},
			    {.config_id = 9, .label = "b"}};
static struct test_case cases[] = {{.test_id = 1}, {.test_id = 7}, {.test_id = 5}};
static const struct config config = {.n_arms = ARRAY_SIZE(arms),
				     .arms = arms,
				     .n_cases = ARRAY_SIZE(cases),
				     .cases = cases};

static void test_places(void)
{
	static const struct {
		struct job_step plan;
		bool is_there;
	} rows[] = {
		{{.matrix_id = 1, .test_id = 1, .config_id = 4}, true},
		{{.matrix_id = 3, .test_id = 5, .config_id = 4}, true},
		{{.matrix_id = 5, .test_id = 7, .config_id = 9}, true},
		{{.matrix_id = 6, .test_id = 5, .config_id = 9}, true},
		{{.matrix_id = 7, .test_id = 1, .config_id = 9}, false},
		{{.matrix_id = 0, .test_id = 1, .config_id = 4}, false},
		{{.matrix_id = 2, .test_id = 5, .config_id = 4}, false},
		{{.matrix_id = 1, .test_id = 1, .config_id = 9}, false},
	};
	cleanup_cells struct cells cells = {0};

	cells_init(&cells, &config);
	ok(cells.n == 6, "arms x cases");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct job_step *p = &rows[i].plan;
		const struct cell *c = cells_find(&cells, p);

		ok((c != NULL) == rows[i].is_there &&
			   (!c || c->matrix_id == p->matrix_id),
		   "matrix %u, test %u, config %u", p->matrix_id, p->test_id,
		   p->config_id);
	}
}

static void test_views(void)
{
	struct step_entry step = {.plan = {.matrix_id = 1, .test_id = 1, .config_id = 4}};
	cleanup_cells struct cells cells = {0};
	struct cell *c;

	cells_init(&cells, &config);
	c = cells_find(&cells, &step.plan);
	cell_add_step(c, &step);
	step.view = STEP_OK;
	cell_add_step(c, &step);
	cell_add_step(c, &step);
	ok(c->planned == 3 && c->views[STEP_OK] == 2 && c->views[STEP_PENDING] == 1,
	   "steps by what became of them");
}

/* A result with @count samples in the bin of @ns, in a geometry of @bits. */
static int add(struct cell *cell, unsigned group, enum fio_rw rw, double bw, uint64_t ns,
	       uint64_t count, unsigned bits)
{
	struct fio_result r = {.group = group,
			       .rw = rw,
			       .runtime_ns = bw > 0 ? 1000 : 0,
			       .bw_bytes_per_s = bw,
			       .iops = bw / 10};
	int ret;

	hist_init(&r.lat);
	r.lat.bits = bits;
	if (count) {
		hist_add(&r.lat, ns, count, NULL);
		hist_set_moments(&r.lat, ns, ns, (double)ns, 0);
	}
	ret = cell_add_result(cell, &r, NULL);
	hist_done(&r.lat);
	return ret;
}

static void test_figures(void)
{
	cleanup_cells struct cells cells = {0};
	const struct cell_figure *f;
	struct cell *c;

	cells_init(&cells, &config);
	c = &cells.v[0];
	add(c, 1, FIO_READ, 30, 10, 1, 6);
	add(c, 0, FIO_WRITE, 20, 20, 1, 6);
	add(c, 0, FIO_READ, 10, 30, 3, 6);
	add(c, 0, FIO_READ, 11, 40, 1, 6);
	cell_finish(c);
	f = c->figures;
	ok(c->n_figures == 3 && f[0].group == 0 && f[0].rw == FIO_READ &&
		   f[1].rw == FIO_WRITE && f[2].group == 1,
	   "sorted by group and direction");
	ok(f[0].n == 2 && f[0].n_rates == 2 && f[0].bw_bytes_per_s[0] == 10 &&
		   f[0].bw_bytes_per_s[1] == 11,
	   "rates of each step, in the order they came");
	ok(f[0].latency.n == 4 && f[0].latency.min_ns == 30 &&
		   f[0].latency.max_ns == 40 && f[0].latency.mean_ns == 32.5,
	   "latency of all, merged");
	ok(latency_pct(&f[0].latency, 50)->ns == 30 &&
		   latency_pct(&f[0].latency, 99)->ns == 40 &&
		   !latency_pct(&f[0].latency, 42),
	   "percentiles from the merged bins");
}

static void test_gaps(void)
{
	cleanup_cells struct cells cells = {0};
	struct cell *c;

	cells_init(&cells, &config);
	c = &cells.v[0];
	add(c, 0, FIO_READ, 10, 30, 3, 6);
	add(c, 0, FIO_READ, 0, 30, 3, 6);
	add(c, 0, FIO_WRITE, 10, 30, 3, 6);
	add(c, 0, FIO_WRITE, 10, 0, 0, 6);
	add(c, 0, FIO_TRIM, 10, 30, 3, 6);
	ok(add(c, 0, FIO_TRIM, 10, 30, 3, 7) == -EINVAL,
	   "bins of another width are refused");
	cell_finish(c);
	ok(c->figures[0].n == 2 && c->figures[0].n_rates == 1 &&
		   c->figures[0].latency.n == 6,
	   "a runtime of 0 has no rate, but latency");
	ok(c->figures[1].n_rates == 2 && !c->figures[1].latency.n,
	   "one step without bins: no latency of all");
	ok(c->figures[2].n == 2 && c->figures[2].n_rates == 2 && !c->figures[2].latency.n,
	   "nor when bins cannot be merged");
}

static void test_spread(void)
{
	static const struct {
		double v[5];
		size_t n;
		struct spread want;
	} rows[] = {
		{{0}, 0, {0, 0, 0}},	      {{7}, 1, {7, 7, 7}},
		{{3, 1}, 2, {1, 2, 3}},	      {{9, 1, 4}, 3, {1, 4, 9}},
		{{4, 1, 9, 2}, 4, {1, 3, 9}}, {{5, 5, 5, 5, 1}, 5, {1, 5, 5}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spread s = spread_of(rows[i].v, rows[i].n);

		ok(s.min == rows[i].want.min && s.median == rows[i].want.median &&
			   s.max == rows[i].want.max,
		   "spread of %zu: %g %g %g", rows[i].n, s.min, s.median, s.max);
	}
}

int main(void)
{
	test_places();
	test_views();
	test_figures();
	test_gaps();
	test_spread();
	return done_testing();
}
