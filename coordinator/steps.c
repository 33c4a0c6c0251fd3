// SPDX-License-Identifier: Apache-2.0
// Which result of a step counts.
#include "coordinator/steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"

void steps_done(struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		free(steps->v[i].found);
	free(steps->v);
	*steps = (struct steps){0};
}

int steps_add_job(struct steps *steps, const struct job *job, struct err *err)
{
	if (steps->n + job->n_steps > 10000000)
		return err_set(err, -E2BIG, "more than 10,000,000 steps in one run");
	while (steps->cap < steps->n + job->n_steps) {
		steps->cap = steps->cap ? steps->cap * 2 : 64;
		steps->v = xrealloc(steps->v, steps->cap, sizeof(*steps->v));
	}
	for (size_t i = 0; i < job->n_steps; i++) {
		struct step_entry *e = &steps->v[steps->n++];

		*e = (struct step_entry){.plan = job->steps[i], .round = job->round};
		str_copy(e->owner, sizeof(e->owner), job->worker);
	}
	return 0;
}

static int by_step(const void *a, const void *b)
{
	const struct step_entry *x = a, *y = b;

	if (x->plan.matrix_id != y->plan.matrix_id)
		return x->plan.matrix_id < y->plan.matrix_id ? -1 : 1;
	if (x->plan.iteration != y->plan.iteration)
		return x->plan.iteration < y->plan.iteration ? -1 : 1;
	return (x->round > y->round) - (x->round < y->round);
}

void steps_sort(struct steps *steps)
{
	size_t n = 0;

	if (steps->n)
		qsort(steps->v, steps->n, sizeof(*steps->v), by_step);
	/* a step that later rounds list again keeps its first round's plan and owner */
	for (size_t i = 0; i < steps->n; i++) {
		const struct job_step *p = &steps->v[i].plan;

		if (n && steps->v[n - 1].plan.matrix_id == p->matrix_id &&
		    steps->v[n - 1].plan.iteration == p->iteration)
			continue;
		steps->v[n++] = steps->v[i];
	}
	steps->n = n;
}

struct step_entry *steps_find(const struct steps *steps, unsigned matrix_id,
			      unsigned iteration)
{
	size_t low = 0, high = steps->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct job_step *p = &steps->v[mid].plan;

		if (p->matrix_id == matrix_id && p->iteration == iteration)
			return &steps->v[mid];
		if (p->matrix_id < matrix_id ||
		    (p->matrix_id == matrix_id && p->iteration < iteration))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static bool order_has_step(const struct control *c, const struct job_step *p)
{
	char id[STEP_ID_CAP];

	if (c->all_steps)
		return true;
	step_id_format(id, p->matrix_id, p->iteration);
	for (size_t i = 0; i < c->n_steps; i++)
		if (strcmp(c->steps[i], id) == 0)
			return true;
	return false;
}

void steps_reassign(struct steps *steps, const struct control *c, const struct job *jobs,
		    size_t n_jobs)
{
	for (size_t j = 0; j < n_jobs; j++) {
		if (jobs[j].round != c->round)
			continue;
		for (size_t i = 0; i < jobs[j].n_steps; i++) {
			const struct job_step *p = &jobs[j].steps[i];
			struct step_entry *e;

			e = steps_find(steps, p->matrix_id, p->iteration);
			if (e && order_has_step(c, p))
				str_copy(e->owner, sizeof(e->owner), jobs[j].worker);
		}
	}
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

static void derive_one(struct step_entry *e)
{
	e->view = STEP_PENDING;
	e->counting = -1;
	e->was_interrupted = false;
	for (size_t i = 0; i < e->n_found; i++) {
		const struct found_attempt *f = &e->found[i];

		if (!f->is_readable || strcmp(f->worker, e->owner) != 0)
			continue;
		if (e->counting >= 0 && e->found[e->counting].attempt >= f->attempt)
			continue;
		e->counting = (int)i;
		e->view = view_of(f->state);
		e->was_interrupted = f->state == ATTEMPT_INTERRUPTED;
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
