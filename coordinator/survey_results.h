// SPDX-License-Identifier: Apache-2.0
// The part of a survey that looks at results/.
#ifndef COORDINATOR_SURVEY_RESULTS_H
#define COORDINATOR_SURVEY_RESULTS_H

#include "coordinator/survey.h"

/** survey_read_results() - of the workers with is_read: which attempts there are, and of
 * each step the newest record of each of them, into the steps. */
int survey_read_results(struct survey *survey, struct err *err);

#endif
