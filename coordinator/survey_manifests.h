// SPDX-License-Identifier: Apache-2.0
// The part of a survey that spares a large fleet the listing of its results.
#ifndef COORDINATOR_SURVEY_MANIFESTS_H
#define COORDINATOR_SURVEY_MANIFESTS_H

#include "coordinator/survey.h"

/**
 * survey_settles() - pure: does this line of its owner's manifest tell how the step
 * ended?
 *
 * Only an end does, because its record is committed before the line is written; and only
 * of an attempt that is not below the planned one, because after that end the step is
 * never begun anew. Anything else may be older than the records.
 */
bool survey_settles(const struct step_entry *step, const struct manifest_step *line);

/**
 * survey_read_manifests() - of all owners: where a manifest tells how every step of its
 * worker ended, that goes into the steps; of the others is_read is set.
 */
int survey_read_manifests(struct survey *survey, struct err *err);

#endif
