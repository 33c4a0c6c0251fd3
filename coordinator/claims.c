// SPDX-License-Identifier: Apache-2.0
// Claims of units.
#include "coordinator/claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_name(struct steps *steps, const char *name)
{
	if (steps->n_sorted != steps->n_names) {
		steps->n_sorted = steps->n_names;
		steps->sorted = xrealloc(steps->sorted, steps->n_names, sizeof(char *));
		memcpy(steps->sorted, steps->names, steps->n_names * sizeof(char *));
		qsort(steps->sorted, steps->n_names, sizeof(char *), by_name);
	}
	return steps->n_names &&
	       bsearch(&name, steps->sorted, steps->n_sorted, sizeof(char *), by_name);
}

int steps_add_claim(struct steps *steps, const struct claim *claim, struct err *err)
{
	struct steps_claim c = {.round = claim->round,
				.matrix_id = claim->matrix_id,
				.iteration = claim->iteration};

	if (!has_name(steps, claim->worker))
		return err_set(err, -EINVAL, "worker %s has no job in this run",
			       claim->worker);
	str_copy(c.worker, sizeof(c.worker), claim->worker);
	str_copy(c.from, sizeof(c.from), claim->from);
	if (steps->n_claims == steps->cap_claims) {
		steps->cap_claims = steps->cap_claims ? steps->cap_claims * 2 : 64;
		steps->claims = xrealloc(steps->claims, steps->cap_claims, sizeof(c));
	}
	steps->claims[steps->n_claims++] = c;
	return 0;
}

int claims_add_text(struct steps *steps, const char *run, const struct path_parts *name,
		    const struct str *text, unsigned *ret_unknown, struct err *err)
{
	cleanup_claim struct claim claim = {0};
	unsigned unknown = 0;
	int r = claim_parse(str_text(text), text->len, &claim, &unknown, err);

	if (r < 0)
		return r;
	if (strcmp(claim.run, run) != 0 || claim.round != name->round ||
	    claim.matrix_id != name->matrix_id || claim.iteration != name->iteration)
		return err_set(err, -EINVAL, "says it is another run's or unit's");
	r = steps_add_claim(steps, &claim, err);
	if (r == 0)
		*ret_unknown += unknown;
	return r;
}

static int by_unit(const void *a, const void *b)
{
	const struct steps_claim *x = a, *y = b;

	if (x->round != y->round)
		return x->round < y->round ? -1 : 1;
	if (x->matrix_id != y->matrix_id)
		return x->matrix_id < y->matrix_id ? -1 : 1;
	return (x->iteration > y->iteration) - (x->iteration < y->iteration);
}

void claims_plan(struct steps *steps)
{
	if (!steps->n_claims)
		return;
	qsort(steps->claims, steps->n_claims, sizeof(*steps->claims), by_unit);
	for (size_t i = 0; i < steps->n_listed; i++) {
		struct step_listing *l = &steps->listed[i];
		const struct steps_claim want = {.round = l->round,
						 .matrix_id = l->leader_matrix_id,
						 .iteration = l->leader_iteration};
		const struct steps_claim *c = bsearch(
			&want, steps->claims, steps->n_claims, sizeof(want), by_unit);

		l->is_claimed = c != NULL;
		if (c && strcmp(c->from, l->worker) == 0)
			l->holder = c->worker;
	}
}

static int compare_units(const struct step_listing *x, const struct step_listing *y)
{
	if (x->round != y->round)
		return x->round < y->round ? -1 : 1;
	if (x->leader_matrix_id != y->leader_matrix_id)
		return x->leader_matrix_id < y->leader_matrix_id ? -1 : 1;
	if (x->leader_iteration != y->leader_iteration)
		return x->leader_iteration < y->leader_iteration ? -1 : 1;
	return strcmp(x->worker, y->worker);
}

int claims_by_unit(const void *a, const void *b)
{
	const struct step_listing *const *x = a, *const *y = b;
	int d = compare_units(*x, *y);

	if (d)
		return d;
	/* as the job has them: within a unit the places grow */
	return ((*x)->plan.pos > (*y)->plan.pos) - ((*x)->plan.pos < (*y)->plan.pos);
}

size_t claims_unit_end(const struct step_listing *const *sorted, size_t n, size_t first)
{
	size_t end = first + 1;

	while (end < n && compare_units(sorted[first], sorted[end]) == 0)
		end++;
	return end;
}

void claims_mark_open(struct steps *steps)
{
	cleanup_free const struct step_listing **sorted =
		xcalloc(steps->n + 1, sizeof(*sorted));

	for (size_t i = 0; i < steps->n; i++)
		sorted[i] = steps->v[i].owning;
	if (steps->n)
		qsort(sorted, steps->n, sizeof(*sorted), claims_by_unit);
	for (size_t i = 0; i < steps->n;) {
		size_t end = claims_unit_end(sorted, steps->n, i);
		bool is_open = !sorted[i]->is_claimed && end - i == sorted[i]->n_unit;

		for (; i < end; i++)
			steps->listed[sorted[i] - steps->listed].is_open = is_open;
	}
}
