// SPDX-License-Identifier: Apache-2.0
// Which result of a step counts.
#include "coordinator/steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/claims.h"
#include "core/plant.h"
#include "core/str.h"

enum { STEPS_MAX = 10000000 };

/** struct steps_order - what a reassign order says, ready to be asked often. */
struct steps_order {
	unsigned round;
	bool all_workers, all_steps;
	size_t n_workers, n_steps;
	char **workers;
	uint64_t *steps; /* matrix_id << 32 | iteration, sorted */
};

static void order_done(struct steps_order *o)
{
	for (size_t i = 0; i < o->n_workers; i++)
		free(o->workers[i]);
	free(o->workers);
	free(o->steps);
}

void steps_done(struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		free(steps->v[i].found);
	for (size_t i = 0; i < steps->n_names; i++)
		free(steps->names[i]);
	for (size_t i = 0; i < steps->n_orders; i++)
		order_done(&steps->orders[i]);
	free(steps->v);
	free(steps->listed);
	free(steps->names);
	free(steps->orders);
	free(steps->claims);
	free(steps->sorted);
	*steps = (struct steps){0};
}

int steps_add_job(struct steps *steps, const struct job *job, struct err *err)
{
	char *name;

	if (steps->n_listed + job->n_steps > STEPS_MAX)
		return err_set(err, -E2BIG, "more than %d steps in one run", STEPS_MAX);
	while (steps->cap_listed < steps->n_listed + job->n_steps) {
		steps->cap_listed = steps->cap_listed ? steps->cap_listed * 2 : 64;
		steps->listed = xrealloc(steps->listed, steps->cap_listed,
					 sizeof(*steps->listed));
	}
	name = xstrdup(job->worker);
	steps->names = xrealloc(steps->names, steps->n_names + 1, sizeof(char *));
	steps->names[steps->n_names++] = name;
	for (size_t i = 0; i < job->n_steps; i++) {
		size_t first = job_unit_begin(job->steps, i);
		const struct job_step *leader = &job->steps[first];

		steps->listed[steps->n_listed++] = (struct step_listing){
			.plan = job->steps[i],
			.round = job->round,
			.worker = name,
			.leader_matrix_id = leader->matrix_id,
			.leader_iteration = leader->iteration,
			.n_unit = job_unit_end(job->steps, job->n_steps, i) - first,
		};
	}
	for (size_t i = steps->n_listed - job->n_steps; i < steps->n_listed; i++)
		steps->listed[i].plan.from = NULL;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void steps_add_order(struct steps *steps, const struct control *order)
{
	struct steps_order o = {.round = order->round,
				.all_workers = order->all_workers,
				.all_steps = order->all_steps};

	if (order->kind != CONTROL_REASSIGN || !order->round)
		return;
	o.workers = xcalloc(order->n_workers, sizeof(char *));
	o.steps = xcalloc(order->n_steps, sizeof(uint64_t));
	for (size_t i = 0; i < order->n_workers; i++)
		o.workers[o.n_workers++] = xstrdup(order->workers[i]);
	for (size_t i = 0; i < order->n_steps; i++) {
		unsigned matrix_id = 0, iteration = 0;

		if (step_id_parse(order->steps[i], &matrix_id, &iteration, NULL) == 0)
			o.steps[o.n_steps++] = (uint64_t)matrix_id << 32 | iteration;
	}
	qsort(o.steps, o.n_steps, sizeof(uint64_t), by_key);
	steps->orders = xrealloc(steps->orders, steps->n_orders + 1, sizeof(o));
	steps->orders[steps->n_orders++] = o;
}

static bool order_gives(const struct steps_order *o, const struct step_listing *l)
{
	uint64_t key = (uint64_t)l->plan.matrix_id << 32 | l->plan.iteration;

	if (l->round != o->round)
		return false;
	if (!o->all_steps && !bsearch(&key, o->steps, o->n_steps, sizeof(key), by_key))
		return false;
	for (size_t i = 0; i < o->n_workers; i++)
		if (strcmp(o->workers[i], l->worker) == 0)
			return true;
	return o->all_workers;
}

static int by_place(const struct job_step *x, const struct job_step *y)
{
	if (x->matrix_id != y->matrix_id)
		return x->matrix_id < y->matrix_id ? -1 : 1;
	return (x->iteration > y->iteration) - (x->iteration < y->iteration);
}

static int by_listing(const void *a, const void *b)
{
	const struct step_listing *x = a, *y = b;
	int d = by_place(&x->plan, &y->plan);

	if (d)
		return d;
	if (x->round != y->round)
		return x->round < y->round ? -1 : 1;
	return strcmp(x->worker, y->worker);
}

static const struct step_listing *find_owning(const struct steps *steps,
					      const struct step_entry *e)
{
	if (plant_is("orphan"))
		return &e->listings[e->n_listings - 1];
	/* the newest order first: it decides alone */
	for (size_t i = steps->n_orders; i > 0; i--)
		for (size_t k = 0; k < e->n_listings; k++)
			if (order_gives(&steps->orders[i - 1], &e->listings[k]))
				return &e->listings[k];
	return &e->listings[0];
}

static bool is_committed(const struct steps *steps, const struct step_listing *l)
{
	if (l->round < 2 || plant_is("orphan"))
		return true;
	for (size_t i = 0; i < steps->n_orders; i++)
		if (order_gives(&steps->orders[i], l))
			return true;
	return false;
}

/* What a resume that died, or lost against another, has left behind. */
static void drop_uncommitted(struct steps *steps)
{
	size_t n = 0;

	for (size_t i = 0; i < steps->n_listed; i++)
		if (is_committed(steps, &steps->listed[i]))
			steps->listed[n++] = steps->listed[i];
	steps->n_listed = n;
}

void steps_plan(struct steps *steps)
{
	struct step_entry *e = NULL;

	drop_uncommitted(steps);
	if (!steps->n_listed)
		return;
	claims_plan(steps);
	qsort(steps->listed, steps->n_listed, sizeof(*steps->listed), by_listing);
	for (size_t i = 0; i < steps->n_listed; i++)
		steps->n += !i || by_place(&steps->listed[i - 1].plan,
					   &steps->listed[i].plan) != 0;
	steps->v = xcalloc(steps->n, sizeof(*steps->v));
	for (size_t i = 0; i < steps->n_listed; i++) {
		const struct step_listing *l = &steps->listed[i];

		if (!e || by_place(&e->plan, &l->plan) != 0) {
			e = e ? e + 1 : steps->v;
			e->plan = l->plan;
			e->listings = l;
			e->counting = -1;
		}
		e->n_listings++;
	}
	for (size_t i = 0; i < steps->n; i++) {
		const struct step_listing *l = find_owning(steps, &steps->v[i]);

		steps->v[i].owning = l;
		steps->v[i].owner = l->holder ? l->holder : l->worker;
	}
}

struct step_entry *steps_find(const struct steps *steps, unsigned matrix_id,
			      unsigned iteration)
{
	const struct job_step want = {.matrix_id = matrix_id, .iteration = iteration};
	size_t low = 0, high = steps->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int d = by_place(&steps->v[mid].plan, &want);

		if (d == 0)
			return &steps->v[mid];
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const char *steps_lister(const struct step_entry *step, const char *worker)
{
	for (size_t i = 0; i < step->n_listings; i++)
		if (strcmp(step->listings[i].worker, worker) == 0)
			return step->listings[i].worker;
	for (size_t i = 0; i < step->n_listings; i++)
		if (step->listings[i].holder &&
		    strcmp(step->listings[i].holder, worker) == 0)
			return step->listings[i].holder;
	return NULL;
}

void steps_add_found(struct step_entry *step, const struct found_attempt *found)
{
	step->found = xrealloc(step->found, step->n_found + 1, sizeof(*found));
	step->found[step->n_found++] = *found;
}

static enum step_view view_of(enum attempt_state state)
{
	switch (state) {
	case ATTEMPT_OK:
		return STEP_OK;
	case ATTEMPT_FAILED:
		return STEP_FAILED;
	case ATTEMPT_TIMEOUT:
		return STEP_TIMEOUT;
	case ATTEMPT_INVALID:
		return STEP_INVALID;
	case ATTEMPT_CANCELLED:
		return STEP_CANCELLED;
	default:
		return STEP_PENDING;
	}
}

static int by_attempt(const void *a, const void *b)
{
	const struct found_attempt *x = a, *y = b;

	if (x->attempt != y->attempt)
		return x->attempt < y->attempt ? -1 : 1;
	return strcmp(x->worker, y->worker);
}

static void derive_one(struct step_entry *e)
{
	e->view = STEP_PENDING;
	e->counting = -1;
	e->interrupted = 0;
	if (e->n_found)
		qsort(e->found, e->n_found, sizeof(*e->found), by_attempt);
	for (size_t i = e->n_found; i > 0; i--) {
		const struct found_attempt *f = &e->found[i - 1];

		if (strcmp(f->worker, e->owner) != 0)
			continue;
		e->view = view_of(f->state);
		/* cancelled by an order, and given to it once more */
		if (e->view == STEP_CANCELLED && f->attempt < e->owning->plan.attempt)
			e->view = STEP_PENDING;
		if (f->state == ATTEMPT_INTERRUPTED)
			e->interrupted = f->attempt;
		else if (e->view != STEP_PENDING)
			e->counting = (int)(i - 1);
		return;
	}
}

void steps_derive(struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		derive_one(&steps->v[i]);
}

const char *step_view_name(enum step_view view)
{
	static const char *const names[] = {"pending", "ok",	  "failed",
					    "timeout", "invalid", "cancelled"};

	return names[view];
}
