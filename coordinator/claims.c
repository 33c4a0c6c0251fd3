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

		if (c && strcmp(c->from, l->worker) == 0)
			l->holder = c->worker;
	}
}
