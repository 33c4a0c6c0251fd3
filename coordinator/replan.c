// SPDX-License-Identifier: Apache-2.0
// Who gets the unfinished steps of workers that are gone.
#include "coordinator/replan.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/str.h"

enum replan_role replan_role(const struct fleet_worker *w)
{
	if (w->view == FLEET_WAITING)
		return REPLAN_EXPECTED;
	if (w->view != FLEET_ALIVE)
		return REPLAN_DEAD;
	if (w->hb.state != WORKER_FINISHING)
		return REPLAN_LIVING;
	return w->job_created_ns > w->updated_ns ? REPLAN_EXPECTED : REPLAN_DEAD;
}

/** struct group - the steps of one block that are to stay together. */
struct group {
	size_t first, n; /* in the sorted list of steps */
	double cost_s;
	size_t to;
};

/** struct target - one that takes steps, in a heap by load. */
struct target {
	size_t worker;
	double load_s;
};

struct work {
	const struct replan_in *in;
	struct replan *ret;
	size_t n_targets;
	struct target *targets;
	bool has_thieves; /* somebody lives, and nobody else is to take steps */
	double *load_s;	  /* per worker: of the unfinished steps that stay with it */
	size_t n_moved;
	size_t *moved; /* steps to be distributed */
};

static bool is_unfinished(const struct replan_step *s)
{
	return s->view == STEP_PENDING || s->view == STEP_CANCELLED;
}

static void add_move(struct replan *ret, const struct replan_move *move)
{
	/* room for one move per step was made at the beginning */
	ret->moves[ret->n++] = *move;
}

/* What is decided step by step; the rest is left in @moved. */
static void decide_one(struct work *work, size_t i)
{
	const struct replan_step *s = &work->in->steps[i];
	const struct replan_worker *owner = &work->in->workers[s->owner];
	struct replan_move move = {.step = i, .to = s->owner, .attempt = s->known + 1};

	if (!is_unfinished(s))
		return;
	if (s->final_by != REPLAN_NOBODY &&
	    !(owner->role == REPLAN_LIVING && s->is_begun)) {
		move.to = (size_t)s->final_by;
		move.attempt = s->final_attempt;
		move.is_return = true;
		add_move(work->ret, &move);
		return;
	}
	if (owner->role == REPLAN_DEAD && s->is_open && work->has_thieves) {
		work->ret->is_left[i] = true;
		return;
	}
	if (owner->role == REPLAN_DEAD) {
		work->moved[work->n_moved++] = i;
		return;
	}
	work->load_s[s->owner] += s->cost_s;
	if (s->view == STEP_CANCELLED)
		add_move(work->ret, &move);
}

static int compare(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

static int compare_places(const struct job_step *x, const struct job_step *y)
{
	int d = compare(x->pos, y->pos);

	d = d ? d : compare(x->matrix_id, y->matrix_id);
	return d ? d : compare(x->iteration, y->iteration);
}

static int by_block(const void *a, const void *b, void *arg)
{
	const struct replan_in *in = arg;
	const struct replan_step *x = &in->steps[*(const size_t *)a];
	const struct replan_step *y = &in->steps[*(const size_t *)b];
	int d = compare(x->plan->block, y->plan->block);

	d = d ? d : compare(x->plan->test_id, y->plan->test_id);
	d = d ? d : compare(x->owner, y->owner);
	return d ? d : compare_places(x->plan, y->plan);
}

/* Block 0 means that the design has none. */
static bool is_same_block(const struct replan_step *x, const struct replan_step *y)
{
	return x->plan->block && x->plan->block == y->plan->block &&
	       x->plan->test_id == y->plan->test_id && x->owner == y->owner;
}

static int by_cost(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->cost_s != y->cost_s)
		return x->cost_s > y->cost_s ? -1 : 1;
	return compare(x->first, y->first);
}

static size_t make_groups(const struct work *work, struct group *groups)
{
	const struct replan_step *steps = work->in->steps, *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < work->n_moved; i++) {
		const struct replan_step *s = &steps[work->moved[i]];

		if (!last || !is_same_block(last, s))
			groups[n++] = (struct group){.first = i};
		groups[n - 1].n++;
		groups[n - 1].cost_s += s->cost_s;
		last = s;
	}
	return n;
}

static bool is_before(const struct target *x, const struct target *y)
{
	return x->load_s != y->load_s ? x->load_s < y->load_s : x->worker < y->worker;
}

static void sift_down(struct target *t, size_t n, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < n; k++)
			if (is_before(&t[k], &t[least]))
				least = k;
		if (least == i)
			return;
		struct target swap = t[i];

		t[i] = t[least];
		t[least] = swap;
		i = least;
	}
}

static void find_targets(struct work *work)
{
	for (size_t i = 0; i < work->in->n_workers; i++) {
		const struct replan_worker *w = &work->in->workers[i];

		if (w->role == REPLAN_LIVING || w->is_named)
			work->targets[work->n_targets++] =
				(struct target){i, work->load_s[i]};
	}
	for (size_t i = work->n_targets / 2; i > 0; i--)
		sift_down(work->targets, work->n_targets, i - 1);
}

static void distribute(struct work *work)
{
	const struct replan_step *steps = work->in->steps;
	cleanup_free struct group *groups = xcalloc(work->n_moved + 1, sizeof(*groups));
	size_t n;

	if (!work->n_moved)
		return;
	qsort_r(work->moved, work->n_moved, sizeof(size_t), by_block, (void *)work->in);
	n = make_groups(work, groups);
	qsort(groups, n, sizeof(*groups), by_cost);
	work->ret->is_restart = !work->n_targets;
	for (size_t g = 0; g < n; g++) {
		size_t to = steps[work->moved[groups[g].first]].owner;

		if (work->n_targets) {
			to = work->targets[0].worker;
			work->targets[0].load_s += groups[g].cost_s;
			sift_down(work->targets, work->n_targets, 0);
		}
		for (size_t i = 0; i < groups[g].n; i++) {
			size_t step = work->moved[groups[g].first + i];

			add_move(work->ret,
				 &(struct replan_move){.step = step,
						       .to = to,
						       .attempt = steps[step].known + 1});
		}
	}
}

static int by_receiver(const void *a, const void *b, void *arg)
{
	const struct replan_move *x = a, *y = b;
	int d = compare(x->to, y->to);

	return d ? d : by_block(&x->step, &y->step, arg);
}

/* Named workers may have to boot first, and only those with a job do. */
static bool has_thieves(const struct replan_in *in)
{
	bool has_living = false;

	for (size_t i = 0; i < in->n_workers; i++) {
		if (in->workers[i].is_named)
			return false;
		has_living |= in->workers[i].role == REPLAN_LIVING;
	}
	return has_living;
}

void replan_make(const struct replan_in *in, struct replan *ret)
{
	cleanup_free struct target *targets =
		xcalloc(in->n_workers + 1, sizeof(*targets));
	cleanup_free double *load_s = xcalloc(in->n_workers + 1, sizeof(*load_s));
	cleanup_free size_t *moved = xcalloc(in->n_steps + 1, sizeof(*moved));
	struct work work = {.in = in,
			    .ret = ret,
			    .targets = targets,
			    .has_thieves = has_thieves(in),
			    .load_s = load_s,
			    .moved = moved};

	*ret = (struct replan){.moves = xcalloc(in->n_steps + 1, sizeof(*ret->moves)),
			       .is_left = xcalloc(in->n_steps + 1, sizeof(bool))};
	for (size_t i = 0; i < in->n_steps; i++)
		decide_one(&work, i);
	find_targets(&work);
	distribute(&work);
	if (ret->n)
		qsort_r(ret->moves, ret->n, sizeof(*ret->moves), by_receiver, (void *)in);
}

void replan_done(struct replan *replan)
{
	free(replan->moves);
	free(replan->is_left);
	*replan = (struct replan){0};
}
