// SPDX-License-Identifier: Apache-2.0
// Designs: everything once, orders balanced, the same bytes twice.
#include <errno.h>
#include <string.h>

#include "coordinator/plan.h"
#include "core/str.h"
#include "tests/unit/tap.h"

enum { CASES_MAX = 7, ARMS_MAX = 6 };

static unsigned test_ids[CASES_MAX], config_ids[ARMS_MAX];
static double cost_s[CASES_MAX];
static const char *keys[ARMS_MAX];

static struct plan_in make_in(size_t cases, size_t arms, size_t workers,
			      enum design design, unsigned iterations, unsigned replicas)
{
	for (unsigned i = 0; i < CASES_MAX; i++) {
		test_ids[i] = 100 + i;
		cost_s[i] = 10 + 7 * (i % 3);
	}
	for (unsigned i = 0; i < ARMS_MAX; i++) {
		config_ids[i] = i + 1;
		keys[i] = i % 2 ? "b" : "a";
	}
	return (struct plan_in){
		.n_cases = cases,
		.n_arms = arms,
		.n_workers = workers,
		.test_ids = test_ids,
		.config_ids = config_ids,
		.cost_s = cost_s,
		.arm_keys = keys,
		.design = design,
		.iterations = iterations,
		.replicas = replicas,
		.seed = 42,
	};
}

/* Every (cell, iteration) once, ids as the contract counts them. */
static bool is_complete(const struct plan_in *in, const struct plan *plan)
{
	unsigned n =
		plan->iterations *
		(in->design == DESIGN_TOGETHER ? (unsigned)in->n_workers : in->replicas);
	size_t cells = in->n_cases * in->n_arms;
	cleanup_free unsigned *seen = xcalloc(cells * n, sizeof(*seen));

	for (size_t w = 0; w < plan->n_workers; w++) {
		for (size_t i = 0; i < plan->workers[w].n_steps; i++) {
			const struct job_step *s = &plan->workers[w].steps[i];

			if (s->matrix_id < 1 || s->matrix_id > cells ||
			    s->iteration < 1 || s->iteration > n || s->attempt != 1 ||
			    s->test_id != test_ids[(s->matrix_id - 1) % in->n_cases] ||
			    s->config_id != (s->matrix_id - 1) / in->n_cases + 1)
				return false;
			seen[(s->matrix_id - 1) * n + s->iteration - 1]++;
		}
	}
	for (size_t i = 0; i < cells * n; i++)
		if (seen[i] != 1)
			return false;
	return plan->n_steps == cells * n;
}

/* Blocks: back to back on one worker, each arm once, places and neighbours balanced. */
static bool is_balanced(const struct plan_in *in, const struct plan *plan)
{
	size_t k = in->n_arms;
	unsigned rounds = plan->iterations / plan_rows(k);

	for (size_t w = 0; w < plan->n_workers; w++) {
		const struct plan_worker *worker = &plan->workers[w];
		unsigned place[CASES_MAX][ARMS_MAX][ARMS_MAX] = {0};
		unsigned after[CASES_MAX][ARMS_MAX][ARMS_MAX] = {0};

		for (size_t i = 0; i < worker->n_steps; i++) {
			const struct job_step *s = &worker->steps[i];
			size_t row = (s->matrix_id - 1) % in->n_cases;
			size_t arm = (s->matrix_id - 1) / in->n_cases;

			if (s->pos != i % k + 1 ||
			    (in->design == DESIGN_BLOCKS && s->iteration != s->block))
				return false;
			place[row][arm][s->pos - 1]++;
			if (s->pos == 1)
				continue;
			if (s[-1].test_id != s->test_id || s[-1].block != s->block)
				return false;
			after[row][(s[-1].matrix_id - 1) / in->n_cases][arm]++;
		}
		for (size_t r = 0; r < in->n_cases; r++)
			for (size_t a = 0; a < k; a++)
				for (size_t b = 0; b < k; b++) {
					unsigned rows = plan_rows(k);
					unsigned each = rounds * rows / (unsigned)k;

					if (!place[r][0][0] && !place[r][a][b] &&
					    !after[r][a][b])
						continue; /* not this worker's */
					if (place[r][a][b] != each ||
					    (a != b && after[r][a][b] != each) ||
					    (a == b && after[r][a][b]))
						return false;
				}
	}
	return true;
}

static bool is_same(const struct plan *a, const struct plan *b)
{
	if (a->n_steps != b->n_steps)
		return false;
	for (size_t w = 0; w < a->n_workers; w++)
		if (a->workers[w].n_steps != b->workers[w].n_steps ||
		    (a->workers[w].n_steps &&
		     memcmp(a->workers[w].steps, b->workers[w].steps,
			    a->workers[w].n_steps * sizeof(struct job_step)) != 0))
			return false;
	return true;
}

static void test_blocks(void)
{
	unsigned incomplete = 0, unbalanced = 0, other = 0, plans = 0;

	for (size_t cases = 1; cases <= CASES_MAX; cases += 2)
		for (size_t arms = 1; arms <= ARMS_MAX; arms++)
			for (size_t workers = 1; workers <= 9; workers += 2)
				for (unsigned n = 1; n <= 13; n += 3)
					for (unsigned r = 1; r <= workers && r <= 3;
					     r++) {
						struct plan_in in =
							make_in(cases, arms, workers,
								DESIGN_BLOCKS, n, r);
						cleanup_plan struct plan a = {0};
						cleanup_plan struct plan b = {0};

						plan_make(&in, &a, NULL);
						plan_make(&in, &b, NULL);
						incomplete += !is_complete(&in, &a);
						unbalanced += !is_balanced(&in, &a);
						other += !is_same(&a, &b);
						plans++;
					}
	ok(plans > 900 && incomplete == 0, "every (cell, iteration) once: %u plans",
	   plans);
	ok(unbalanced == 0, "orders are balanced within worker and test case");
	ok(other == 0, "the same arguments give the same plan");
}

static void test_spread(void)
{
	unsigned bad = 0;

	for (size_t cases = 1; cases <= CASES_MAX; cases++)
		for (size_t arms = 1; arms <= ARMS_MAX; arms++)
			for (size_t workers = 1; workers <= 9; workers++) {
				struct plan_in in = make_in(cases, arms, workers,
							    DESIGN_SPREAD, 3, 1);
				cleanup_plan struct plan plan = {0};
				size_t least = SIZE_MAX, most = 0;

				plan_make(&in, &plan, NULL);
				for (size_t w = 0; w < workers; w++) {
					size_t n = plan.workers[w].n_steps;

					least = n < least ? n : least;
					most = n > most ? n : most;
				}
				bad += !is_complete(&in, &plan) || most - least > 3;
			}
	ok(bad == 0, "spread: everything once, cells even to one");
}

/* At any place of the order all workers run the same cell, and wait for one start. */
static bool is_in_step(const struct plan_in *in, const struct plan *plan)
{
	const struct plan_worker *first = &plan->workers[0];

	for (size_t w = 0; w < plan->n_workers; w++) {
		if (plan->workers[w].n_steps != first->n_steps)
			return false;
		for (size_t i = 0; i < first->n_steps; i++) {
			const struct job_step *s = &plan->workers[w].steps[i];
			const struct job_step *f = &first->steps[i];

			if (s->matrix_id != f->matrix_id || s->block != f->block ||
			    s->pos != f->pos || s->barrier != i + 1 ||
			    s->iteration != (s->block - 1) * in->n_workers + w + 1)
				return false;
			if (i && (s->block < s[-1].block ||
				  (s->block == s[-1].block &&
				   s->test_id == s[-1].test_id && s->pos <= s[-1].pos)))
				return false;
		}
	}
	return true;
}

static void test_together(void)
{
	unsigned incomplete = 0, unbalanced = 0, apart = 0, other = 0, plans = 0;

	for (size_t cases = 1; cases <= CASES_MAX; cases += 2)
		for (size_t arms = 1; arms <= ARMS_MAX; arms++)
			for (size_t workers = 1; workers <= 9; workers++)
				for (unsigned n = 1; n <= 7; n += 3) {
					struct plan_in in =
						make_in(cases, arms, workers,
							DESIGN_TOGETHER, n, 1);
					cleanup_plan struct plan a = {0};
					cleanup_plan struct plan b = {0};

					plan_make(&in, &a, NULL);
					plan_make(&in, &b, NULL);
					incomplete += !is_complete(&in, &a);
					unbalanced += !is_balanced(&in, &a);
					apart += !is_in_step(&in, &a);
					other += !is_same(&a, &b);
					plans++;
				}
	ok(plans > 600 && !incomplete, "together: every (cell, iteration) once: %u plans",
	   plans);
	ok(!unbalanced, "together: orders are balanced");
	ok(!apart, "together: all workers in step, starts numbered from 1");
	ok(!other, "together: the same arguments give the same plan");
}

/* More workers change nothing of the order: it is the case's and the seed's. */
static void test_together_seed(void)
{
	struct plan_in in = make_in(3, 4, 2, DESIGN_TOGETHER, 8, 1);
	cleanup_plan struct plan a = {0}, b = {0}, c = {0};
	bool is_same_order = true, is_other = false;

	plan_make(&in, &a, NULL);
	in.n_workers = 5;
	plan_make(&in, &b, NULL);
	in.seed++;
	plan_make(&in, &c, NULL);
	for (size_t i = 0; i < a.workers[0].n_steps; i++) {
		is_same_order &= a.workers[0].steps[i].matrix_id ==
				 b.workers[3].steps[i].matrix_id;
		is_other |= b.workers[0].steps[i].matrix_id !=
			    c.workers[0].steps[i].matrix_id;
	}
	ok(is_same_order, "together: the order does not depend on the workers");
	ok(is_other, "together: but on the seed");
}

static void test_rows(void)
{
	static const unsigned want[] = {0, 1, 2, 6, 4, 10, 6, 14};
	unsigned row[2];
	bool good = true;

	for (size_t k = 1; k < ARRAY_SIZE(want); k++)
		good &= plan_rows(k) == want[k];
	ok(good, "rows of the square");
	plan_row(2, 0, row);
	ok(row[0] == 0 && row[1] == 1, "AB");
	plan_row(2, 1, row);
	ok(row[0] == 1 && row[1] == 0, "BA");
}

static void test_rounding(void)
{
	static const struct {
		size_t arms;
		unsigned asked, got;
	} rows[] = {{1, 1, 1}, {1, 5, 5},  {2, 1, 2}, {2, 3, 4},  {2, 4, 4},
		    {3, 1, 6}, {3, 7, 12}, {4, 2, 4}, {5, 10, 10}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct plan_in in =
			make_in(2, rows[i].arms, 2, DESIGN_BLOCKS, rows[i].asked, 1);
		cleanup_plan struct plan plan = {0};

		plan_make(&in, &plan, NULL);
		ok(plan.iterations == rows[i].got, "%zu arms: %u iterations for %u",
		   rows[i].arms, plan.iterations, rows[i].asked);
	}
}

static void test_seed(void)
{
	struct plan_in in = make_in(7, 4, 2, DESIGN_BLOCKS, 8, 1);
	cleanup_plan struct plan a = {0}, b = {0};

	plan_make(&in, &a, NULL);
	in.seed++;
	plan_make(&in, &b, NULL);
	ok(!is_same(&a, &b), "another seed is another order");
}

static void test_longest_first(void)
{
	static const double cost[] = {1, 100, 50, 50};
	struct plan_in in = make_in(4, 1, 2, DESIGN_BLOCKS, 1, 1);
	cleanup_plan struct plan plan = {0};

	in.cost_s = cost;
	plan_make(&in, &plan, NULL);
	ok(plan.workers[0].n_steps == 2 && plan.workers[0].steps[1].matrix_id == 2 &&
		   plan.workers[1].n_steps == 2 && plan.workers[0].estimated_s == 101 &&
		   plan.workers[1].estimated_s == 100,
	   "the longest case and the shortest, and the two between");
}

static void test_roles(void)
{
	struct plan_in in = make_in(2, 4, 5, DESIGN_BLOCKS, 1, 1);
	cleanup_plan struct plan plan = {0};
	unsigned builds[4] = {0};
	bool twins = true, busy = true;

	keys[3] = NULL;
	plan_make(&in, &plan, NULL);
	for (size_t w = 0; w < 5; w++) {
		const struct plan_worker *worker = &plan.workers[w];

		for (size_t a = 0; a < 4; a++)
			builds[a] += worker->roles[a] == ROLE_BUILD;
		twins &= worker->roles[0] == worker->roles[2];
		busy &= worker->n_steps || (worker->roles[0] != ROLE_BUILD &&
					    worker->roles[1] != ROLE_BUILD);
	}
	ok(builds[0] == 1 && builds[1] == 1 && builds[2] == 1 && builds[3] == 0,
	   "one worker builds each arm; none an arm without a key");
	ok(twins, "arms of one key have one builder");
	ok(busy && !(plan.workers[0].roles[0] == ROLE_BUILD &&
		     plan.workers[0].roles[1] == ROLE_BUILD),
	   "builds are spread over workers that have steps");
}

static void test_refused(void)
{
	struct plan_in in = make_in(1, 1, 2, DESIGN_BLOCKS, 1, 3);
	struct plan plan;
	struct err err = {0};

	ok(plan_make(&in, &plan, &err) == -EINVAL, "%s", err.text);
	err = (struct err){0};
	in = make_in(1, 1, 2, DESIGN_SPREAD, 1, 2);
	ok(plan_make(&in, &plan, &err) == -EINVAL, "%s", err.text);
	err = (struct err){0};
	in = make_in(1, 1, 2, DESIGN_TOGETHER, 1, 2);
	ok(plan_make(&in, &plan, &err) == -EINVAL, "%s", err.text);
	err = (struct err){0};
	in = make_in(1, 1, 9, DESIGN_TOGETHER, 200000, 1);
	ok(plan_make(&in, &plan, &err) == -EFBIG, "%s", err.text);
	err = (struct err){0};
	in = make_in(7, 6, 2, DESIGN_BLOCKS, 900000, 1);
	ok(plan_make(&in, &plan, &err) == -EFBIG, "%s", err.text);
	in = make_in(0, 1, 2, DESIGN_BLOCKS, 1, 1);
	ok(plan_make(&in, &plan, NULL) == -EINVAL, "no test cases");
}

int main(void)
{
	test_rows();
	test_blocks();
	test_spread();
	test_together();
	test_together_seed();
	test_rounding();
	test_seed();
	test_longest_first();
	test_roles();
	test_refused();
	return done_testing();
}
