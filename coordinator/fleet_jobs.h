// SPDX-License-Identifier: Apache-2.0
// The jobs of a large fleet whose steps were moved: asked for by name, not listed.
#ifndef COORDINATOR_FLEET_JOBS_H
#define COORDINATOR_FLEET_JOBS_H

#include "coordinator/fleet.h"
#include "coordinator/run.h"

/* more requests than these, and a listing is cheaper */
enum { FLEET_ASKED_MAX = 256 };

/**
 * fleet_ask_jobs() - when the jobs were created that may make a worker waiting: those of
 * workers not heard of, and those committed since a worker that is gone was heard of.
 *
 * @fleet: the config's workers first; not derived yet
 * Returns 1, or 0 when that are more than FLEET_ASKED_MAX (the fleet is as it was), or
 * -errno as the store says.
 */
int fleet_ask_jobs(struct run *run, struct fleet *fleet, struct err *err);

#endif
