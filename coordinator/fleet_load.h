// SPDX-License-Identifier: Apache-2.0
// Reading the fleet from the bucket: listings, and reasons where something is wrong.
#ifndef COORDINATOR_FLEET_LOAD_H
#define COORDINATOR_FLEET_LOAD_H

#include "coordinator/fleet.h"
#include "coordinator/run.h"

/**
 * fleet_load() - list workers/ and jobs/ (one request per 1,000 each), derive the views.
 *
 * Workers that config.json or a reassign order names are in the fleet even without a job.
 * One more request per control order that is new, and one to see that there is no other.
 *
 * @watch_started_ns: see fleet_derive()
 */
int fleet_load(struct run *run, int64_t watch_started_ns, struct fleet *ret,
	       struct err *err);

/**
 * fleet_look() - the same, with no more of jobs/ than the views depend on.
 *
 * A job matters for workers not heard of (since when are they awaited?) and for those
 * heard of but not planned (have they any?): jobs/ is listed between the first and the
 * last of them. While the whole fleet runs there is nobody like that, and a look costs
 * the pages of workers/ alone; when many are awaited, at most as many pages again. Of
 * others rounds and job_created_ns say nothing.
 */
int fleet_look(struct run *run, int64_t watch_started_ns, struct fleet *ret,
	       struct err *err);

enum { FLEET_REASONS_MAX = 100, FLEET_PROGRESS_MAX = 16 };

/**
 * fleet_load_reasons() - read the whole heartbeat of workers that are stale, ended
 * other than done, or alive and started more than once; in a fleet of at most
 * FLEET_PROGRESS_MAX, of all (for what they are just doing). At most FLEET_REASONS_MAX
 * workers. Of those that are alive and were started more than once the manifest is read
 * too: is_duplicate.
 */
void fleet_load_reasons(struct run *run, struct fleet *fleet);

/**
 * fleet_load_verdicts() - read the manifests of workers that have ended: a worker that is
 * done may have steps that are not ok. Those whose manifest cannot be had stay unjudged.
 */
void fleet_load_verdicts(struct run *run, struct fleet *fleet);

#endif
