// SPDX-License-Identifier: Apache-2.0
// What has become of a run's steps, once some of them were moved between workers.
#ifndef COORDINATOR_VERDICT_H
#define COORDINATOR_VERDICT_H

#include "coordinator/fleet.h"
#include "coordinator/run.h"

/**
 * verdict_load() - judge a run by its steps instead of by its workers.
 *
 * Nothing is read and nothing changes while no reassign order has been written: then a
 * worker's own word is enough. Else fills in fleet->steps, and is_relieved of each worker
 * that has no step left to end; a cancelled one is left where its owner has ended or is
 * stale, as it is for resume. -errno as survey_load(); the fleet is then as it was.
 */
int verdict_load(struct run *run, struct fleet *fleet, struct err *err);

#endif
