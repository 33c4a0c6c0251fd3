// SPDX-License-Identifier: Apache-2.0
// The design.
#include "coordinator/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/str.h"

unsigned plan_rows(size_t arms)
{
	if (arms <= 2)
		return (unsigned)arms;
	return (unsigned)(arms % 2 ? 2 * arms : arms);
}

void plan_row(size_t arms, unsigned row, unsigned *out)
{
	bool is_mirrored = row >= arms;
	unsigned k = (unsigned)arms, shift = row % k;

	/* 0, 1, k-1, 2, k-2, …: each difference once, so each neighbour once */
	for (unsigned i = 0; i < k; i++) {
		unsigned base = i == 0 ? 0 : i % 2 ? (i + 1) / 2 : k - i / 2;

		out[is_mirrored ? k - 1 - i : i] = (base + shift) % k;
	}
}

/* struct share - a replica of a test case on a worker. */
struct share {
	size_t row; /* of the case, from 0 */
	unsigned replica;
	unsigned *rows; /* of the square, one per block */
};

struct shares {
	size_t n, cap;
	struct share *v;
};

static void add_step(struct plan *plan, size_t w, const struct job_step *step,
		     double cost_s)
{
	struct plan_worker *worker = &plan->workers[w];

	if (worker->n_steps == worker->cap) {
		worker->cap = worker->cap ? 2 * worker->cap : 16;
		worker->steps =
			xrealloc(worker->steps, worker->cap, sizeof(*worker->steps));
	}
	worker->steps[worker->n_steps++] = *step;
	worker->estimated_s += cost_s;
	plan->n_steps++;
}

static struct job_step step_of(const struct plan_in *in, size_t row, size_t arm)
{
	return (struct job_step){
		.matrix_id = (unsigned)(arm * in->n_cases + row + 1),
		.test_id = in->test_ids[row],
		.config_id = in->config_ids[arm],
		.attempt = 1,
	};
}

static int by_cost(const void *a, const void *b, void *arg)
{
	const double *cost_s = arg;
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	if (cost_s[x] != cost_s[y])
		return cost_s[x] > cost_s[y] ? -1 : 1;
	return (x > y) - (x < y);
}

/* Case indices, the longest first. */
static unsigned *by_length(const struct plan_in *in)
{
	unsigned *order = xcalloc(in->n_cases, sizeof(*order));

	for (size_t i = 0; i < in->n_cases; i++)
		order[i] = (unsigned)i;
	qsort_r(order, in->n_cases, sizeof(*order), by_cost, (void *)in->cost_s);
	return order;
}

/* The rows this share's blocks use: each round of the square in its own order. */
static unsigned *shuffled_rows(const struct plan_in *in, unsigned blocks, size_t worker,
			       size_t row)
{
	unsigned n = plan_rows(in->n_arms);
	unsigned *rows = xcalloc(blocks, sizeof(*rows));
	struct rng rng;

	rng_init(&rng, rng_mix(in->seed ^ rng_mix(((uint64_t)worker << 32) + row + 1)));
	for (unsigned i = 0; i < blocks; i++)
		rows[i] = i % n;
	for (unsigned i = 0; i + n <= blocks; i += n)
		rng_shuffle(&rng, rows + i, n);
	return rows;
}

static void give(struct shares *to, const struct share *share)
{
	if (to->n == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 8;
		to->v = xrealloc(to->v, to->cap, sizeof(*to->v));
	}
	to->v[to->n++] = *share;
}

static size_t least_loaded(size_t n, const double *load, const bool *is_taken)
{
	size_t best = n;

	for (size_t w = 0; w < n; w++)
		if (!is_taken[w] && (best == n || load[w] < load[best]))
			best = w;
	return best;
}

/* Deal the cases' replicas out; no worker gets two of one case. */
static void deal(const struct plan_in *in, unsigned blocks, struct shares *shares)
{
	cleanup_free unsigned *order = by_length(in);
	cleanup_free double *load = xcalloc(in->n_workers, sizeof(*load));

	for (size_t i = 0; i < in->n_cases; i++) {
		cleanup_free bool *is_taken = xcalloc(in->n_workers, sizeof(*is_taken));
		size_t row = order[i];

		for (unsigned r = 0; r < in->replicas; r++) {
			size_t w = least_loaded(in->n_workers, load, is_taken);
			struct share share = {.row = row, .replica = r};

			share.rows = shuffled_rows(in, blocks, w, row);
			give(&shares[w], &share);
			is_taken[w] = true;
			load[w] += in->cost_s[row] * blocks * (double)in->n_arms;
		}
	}
}

static int by_row(const void *a, const void *b)
{
	size_t x = ((const struct share *)a)->row, y = ((const struct share *)b)->row;

	return (x > y) - (x < y);
}

/* All first blocks of a worker's cases, then all second ones: what drifts hits all. */
static void lay_blocks(const struct plan_in *in, struct plan *plan, size_t w,
		       const struct shares *shares)
{
	cleanup_free unsigned *arms = xcalloc(in->n_arms, sizeof(*arms));

	for (unsigned b = 0; b < plan->iterations; b++) {
		for (size_t i = 0; i < shares->n; i++) {
			const struct share *share = &shares->v[i];

			plan_row(in->n_arms, share->rows[b], arms);
			for (unsigned pos = 0; pos < in->n_arms; pos++) {
				struct job_step step = step_of(in, share->row, arms[pos]);

				step.block = share->replica * plan->iterations + b + 1;
				step.iteration = step.block;
				step.pos = pos + 1;
				add_step(plan, w, &step, in->cost_s[share->row]);
			}
		}
	}
}

static void plan_blocks(const struct plan_in *in, struct plan *plan)
{
	struct shares *shares = xcalloc(in->n_workers, sizeof(*shares));

	deal(in, plan->iterations, shares);
	for (size_t w = 0; w < in->n_workers; w++) {
		if (shares[w].n)
			qsort(shares[w].v, shares[w].n, sizeof(*shares[w].v), by_row);
		lay_blocks(in, plan, w, &shares[w]);
		for (size_t i = 0; i < shares[w].n; i++)
			free(shares[w].v[i].rows);
		free(shares[w].v);
	}
	free(shares);
}

static void plan_spread(const struct plan_in *in, struct plan *plan)
{
	size_t cells = in->n_cases * in->n_arms, next = 0;

	for (size_t w = 0; w < in->n_workers; w++) {
		size_t n = cells / in->n_workers + (w < cells % in->n_workers);

		for (; n; n--, next++) {
			size_t row = next % in->n_cases;
			struct job_step step = step_of(in, row, next / in->n_cases);

			for (unsigned i = 1; i <= plan->iterations; i++) {
				step.iteration = step.block = i;
				step.pos = 1;
				add_step(plan, w, &step, in->cost_s[row]);
			}
		}
	}
}

/* One share per case, in the cases' order; the seed is the case's alone. */
static void plan_together(const struct plan_in *in, struct plan *plan)
{
	unsigned n = (unsigned)in->n_workers;
	struct shares all = {0};

	for (size_t row = 0; row < in->n_cases; row++) {
		struct share share = {.row = row};

		share.rows = shuffled_rows(in, plan->iterations, 0, row);
		give(&all, &share);
	}
	for (size_t w = 0; w < n; w++) {
		lay_blocks(in, plan, w, &all);
		for (size_t i = 0; i < plan->workers[w].n_steps; i++) {
			struct job_step *step = &plan->workers[w].steps[i];

			step->iteration = (step->block - 1) * n + (unsigned)w + 1;
			step->barrier = (unsigned)i + 1;
		}
	}
	for (size_t i = 0; i < all.n; i++)
		free(all.v[i].rows);
	free(all.v);
}

/* Spread the builds over workers that have something to run. */
static void give_roles(const struct plan_in *in, struct plan *plan)
{
	size_t next = 0;

	for (size_t w = 0; w < plan->n_workers; w++)
		plan->workers[w].roles =
			xcalloc(in->n_arms, sizeof(*plan->workers[w].roles));
	for (size_t a = 0; a < in->n_arms; a++) {
		size_t twin = 0;

		if (!in->arm_keys[a])
			continue;
		for (size_t w = 0; w < plan->n_workers; w++)
			plan->workers[w].roles[a] = ROLE_WAIT;
		/* two arms of one binary are one build */
		while (twin < a && (!in->arm_keys[twin] ||
				    strcmp(in->arm_keys[twin], in->arm_keys[a]) != 0))
			twin++;
		if (twin < a) {
			for (size_t w = 0; w < plan->n_workers; w++)
				plan->workers[w].roles[a] = plan->workers[w].roles[twin];
			continue;
		}
		while (!plan->workers[next % plan->n_workers].n_steps)
			next++;
		plan->workers[next++ % plan->n_workers].roles[a] = ROLE_BUILD;
	}
}

static int plan_check(const struct plan_in *in, struct err *err)
{
	if (!in->n_cases || !in->n_arms || !in->n_workers || !in->iterations ||
	    !in->replicas)
		return err_set(err, -EINVAL, "nothing to plan");
	if (in->n_arms > PLAN_ARMS_MAX)
		return err_set(err, -EFBIG, "more than %d arms", PLAN_ARMS_MAX);
	if (in->replicas > in->n_workers)
		return err_set(err, -EINVAL, "%u replicas need as many workers, not %zu",
			       in->replicas, in->n_workers);
	if (in->design != DESIGN_BLOCKS && in->replicas > 1)
		return err_set(err, -EINVAL, "replicas need the design blocks");
	return 0;
}

int plan_make(const struct plan_in *in, struct plan *ret, struct err *err)
{
	struct plan plan = {.n_workers = in->n_workers, .iterations = in->iterations};
	uint64_t steps = (uint64_t)in->n_cases * in->n_arms;
	unsigned rows;
	int r = plan_check(in, err);

	if (r < 0)
		return r;
	rows = in->design == DESIGN_SPREAD ? 1 : plan_rows(in->n_arms);
	if (in->iterations > PLAN_STEPS_MAX || in->replicas > PLAN_STEPS_MAX)
		return err_set(err, -EFBIG, "more than %d steps", PLAN_STEPS_MAX);
	plan.iterations = (in->iterations + rows - 1) / rows * rows;
	steps *= (uint64_t)plan.iterations *
		 (in->design == DESIGN_TOGETHER ? in->n_workers : in->replicas);
	if (steps > PLAN_STEPS_MAX)
		return err_set(err, -EFBIG, "%llu steps, more than %d",
			       (unsigned long long)steps, PLAN_STEPS_MAX);
	plan.workers = xcalloc(in->n_workers, sizeof(*plan.workers));
	if (in->design == DESIGN_BLOCKS)
		plan_blocks(in, &plan);
	else if (in->design == DESIGN_TOGETHER)
		plan_together(in, &plan);
	else
		plan_spread(in, &plan);
	give_roles(in, &plan);
	*ret = plan;
	return 0;
}

void plan_done(struct plan *plan)
{
	for (size_t w = 0; w < plan->n_workers; w++) {
		free(plan->workers[w].steps);
		free(plan->workers[w].roles);
	}
	free(plan->workers);
	*plan = (struct plan){0};
}
