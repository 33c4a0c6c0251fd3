// SPDX-License-Identifier: Apache-2.0
// Ends of steps by the manifests of their owners.
#include "coordinator/survey_manifests.h"

#include <string.h>

#include "coordinator/pool.h"

/** struct reading - a step has one owner, so only one thread writes what was said of it.
 */
struct reading {
	struct survey *survey;
	struct found_attempt *said; /* per step; attempt 0 = nothing that settles it */
};

bool survey_settles(const struct step_entry *step, const struct manifest_step *line)
{
	return attempt_is_final(line->state) &&
	       line->attempt >= step->owning->plan.attempt;
}

static void take_line(struct reading *reading, const struct manifest_step *line,
		      const char *worker)
{
	struct steps *steps = &reading->survey->steps;
	unsigned matrix_id = 0, iteration = 0;
	struct step_entry *e;

	if (step_id_parse(line->step, &matrix_id, &iteration, NULL) < 0)
		return;
	e = steps_find(steps, matrix_id, iteration);
	if (e && strcmp(e->owner, worker) == 0 && survey_settles(e, line))
		reading->said[e - steps->v] =
			(struct found_attempt){.worker = e->owner,
					       .attempt = line->attempt,
					       .state = line->state};
}

/* What goes wrong with a manifest leaves its worker to be listed. */
static int read_manifest(struct store *store, size_t index, void *arg, struct err *err)
{
	struct reading *reading = arg;
	struct survey *survey = reading->survey;
	const struct fleet_worker *w = &survey->fleet.workers[index];
	cleanup_manifest struct manifest manifest = {0};
	cleanup_str struct str text = STR_INIT(MANIFEST_MAX_BYTES);
	struct obj_meta meta = {0};
	char name[PATH_CAP];

	(void)err;
	if (!survey->is_read[index] ||
	    path_manifest(name, &survey->run->ref, w->name, NULL) < 0 ||
	    store->ops->get(store, name, MANIFEST_MAX_BYTES, &text, &meta, NULL) < 0 ||
	    manifest_parse(str_text(&text), text.len, &manifest, NULL, NULL) < 0 ||
	    strcmp(manifest.run, survey->run->config.run) != 0 ||
	    strcmp(manifest.worker, w->name) != 0)
		return 0;
	for (size_t i = 0; i < manifest.n_steps; i++)
		take_line(reading, &manifest.steps[i], w->name);
	return 0;
}

int survey_read_manifests(struct survey *survey, struct err *err)
{
	const struct steps *steps = &survey->steps;
	cleanup_free struct found_attempt *said = xcalloc(steps->n + 1, sizeof(*said));
	struct reading reading = {.survey = survey, .said = said};
	int r;

	memset(survey->is_read, 0, survey->fleet.n * sizeof(*survey->is_read));
	for (size_t i = 0; i < steps->n; i++)
		survey->is_read[survey_worker(survey, steps->v[i].owner)] = true;
	r = pool_run(survey->run, survey->fleet.n, read_manifest, &reading, err);
	if (r < 0)
		return r;
	memset(survey->is_read, 0, survey->fleet.n * sizeof(*survey->is_read));
	for (size_t i = 0; i < steps->n; i++)
		if (!said[i].attempt)
			survey->is_read[survey_worker(survey, steps->v[i].owner)] = true;
	for (size_t i = 0; i < steps->n; i++)
		if (!survey->is_read[survey_worker(survey, steps->v[i].owner)])
			steps_add_found(&steps->v[i], &said[i]);
	return 0;
}
