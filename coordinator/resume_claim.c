// SPDX-License-Identifier: Apache-2.0
// resume, in a run with stealing: claims that keep thieves off what is about to move.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/claims.h"
#include "coordinator/pool.h"
#include "coordinator/resume.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/rng.h"

/** struct claiming - the units to be claimed: runs of listings, sorted. */
struct claiming {
	struct resume *resume;
	char nonce[NONCE_CAP];
	char at[RFC3339_CAP];
	size_t n_sorted;
	const struct step_listing **sorted; /* the owning one of every step of the run */
	size_t n_units;
	size_t *units; /* where in @sorted each begins */
};

static void claiming_done(struct claiming *c)
{
	free(c->sorted);
	free(c->units);
}

/* The leader first, and the others that the run knows of. */
static void fill_steps(const struct claiming *c, size_t first, struct claim *ret)
{
	const struct step_listing *unit = c->sorted[first];
	size_t end = claims_unit_end(c->sorted, c->n_sorted, first);

	ret->steps = xcalloc(end - first + 1, sizeof(*ret->steps));
	step_id_format(ret->steps[ret->n_steps++], unit->leader_matrix_id,
		       unit->leader_iteration);
	for (size_t i = first; i < end; i++) {
		const struct job_step *p = &c->sorted[i]->plan;

		if (p->matrix_id != unit->leader_matrix_id ||
		    p->iteration != unit->leader_iteration)
			step_id_format(ret->steps[ret->n_steps++], p->matrix_id,
				       p->iteration);
	}
}

/* In the name of the worker whose job lists the unit: were this program to die now, the
 * steps are where they were before, claimed by somebody who has them. */
static int claim_one(struct store *store, size_t index, void *arg, struct err *err)
{
	struct claiming *c = arg;
	const struct step_listing *unit = c->sorted[c->units[index]];
	const struct run_ref *run = &c->resume->run->ref;
	cleanup_str struct str text = STR_INIT(CLAIM_MAX_BYTES);
	cleanup_claim struct claim claim = {.round = unit->round,
					    .matrix_id = unit->leader_matrix_id,
					    .iteration = unit->leader_iteration,
					    .incarnation.n = 1};
	cleanup_json json_t *doc = NULL;
	char name[PATH_CAP];
	int r;

	str_copy(claim.run, sizeof(claim.run), run->run);
	str_copy(claim.worker, sizeof(claim.worker), unit->worker);
	str_copy(claim.from, sizeof(claim.from), unit->worker);
	str_copy(claim.incarnation.nonce, NONCE_CAP, c->nonce);
	str_copy(claim.at, sizeof(claim.at), c->at);
	fill_steps(c, c->units[index], &claim);
	doc = claim_to_json(&claim);
	r = doc ? json_dump(doc, &text, err) : err_set(err, -ENOMEM, "a claim");
	if (r == 0)
		r = path_claim(name, run, claim.matrix_id, claim.iteration, claim.round,
			       err);
	return r < 0 ? r
		     : resume_put_new(c->resume, store, name, &text, unit->worker, err);
}

static void find_units(struct claiming *c, const struct replan *plan)
{
	const struct steps *steps = &c->resume->survey.steps;
	cleanup_free bool *moves = xcalloc(steps->n_listed + 1, sizeof(*moves));

	c->sorted = xcalloc(steps->n + 1, sizeof(*c->sorted));
	c->units = xcalloc(steps->n + 1, sizeof(*c->units));
	for (size_t i = 0; i < steps->n; i++)
		c->sorted[c->n_sorted++] = steps->v[i].owning;
	for (size_t i = 0; i < plan->n; i++)
		moves[steps->v[plan->moves[i].step].owning - steps->listed] = true;
	qsort(c->sorted, c->n_sorted, sizeof(*c->sorted), claims_by_unit);
	for (size_t i = 0, end; i < c->n_sorted; i = end) {
		bool is_moved = false;

		end = claims_unit_end(c->sorted, c->n_sorted, i);
		for (size_t k = i; k < end; k++)
			is_moved |= moves[c->sorted[k] - steps->listed];
		if (is_moved && !c->sorted[i]->is_claimed)
			c->units[c->n_units++] = i;
	}
}

int resume_claim(struct resume *resume, const struct replan *plan, struct err *err)
{
	cleanup(claiming_done) struct claiming c = {.resume = resume};

	if (!resume->run->config.settings.steal || !plan->n)
		return 0;
	rng_nonce(c.nonce);
	clock_format(clock_real_ns(), c.at);
	find_units(&c, plan);
	return pool_run(resume->run, c.n_units, claim_one, &c, err);
}
