// SPDX-License-Identifier: Apache-2.0
// What has become of a run's steps.
#include "coordinator/verdict.h"

#include "coordinator/survey.h"

static void add_step(struct fleet_steps *s, enum step_view view)
{
	s->total++;
	s->pending += view == STEP_PENDING;
	s->invalid += view == STEP_INVALID;
	s->not_ok += view != STEP_PENDING && view != STEP_OK;
}

int verdict_load(struct run *run, struct fleet *fleet, struct err *err)
{
	cleanup_survey struct survey survey = {0};
	struct fleet_steps steps = {.is_known = true};
	int r;

	if (!order_log_has_moved(&run->orders))
		return 0;
	r = survey_load(run, SURVEY_ALL, NULL, 0, &survey, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < fleet->n; i++)
		fleet->workers[i].is_relieved = true;
	for (size_t i = 0; i < survey.steps.n; i++) {
		const struct step_entry *e = &survey.steps.v[i];
		struct fleet_worker *w = fleet_find(fleet, e->owner);

		add_step(&steps, e->view);
		/* what was stopped can be run after all, by a resume */
		if (w && (e->view == STEP_PENDING ||
			  (e->view == STEP_CANCELLED && w->view == FLEET_ENDED)))
			w->is_relieved = false;
	}
	fleet->steps = steps;
	return 0;
}
