// SPDX-License-Identifier: Apache-2.0
// The loop over the steps, between orders.
#ifndef WORKER_RUN_H
#define WORKER_RUN_H

#include "core/err.h"

struct worker;

/** run_steps() - boot step: until no step is left and no order asks for more. */
int run_steps(struct worker *w, struct err *err);

/** run_prepare_round() - more jobs may bring arms this worker has no binary for. */
int run_prepare_round(struct worker *w, struct err *err);

#endif
