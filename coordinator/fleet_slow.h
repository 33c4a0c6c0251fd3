// SPDX-License-Identifier: Apache-2.0
// Which workers are far behind the others. Pure.
#ifndef COORDINATOR_FLEET_SLOW_H
#define COORDINATOR_FLEET_SLOW_H

#include "coordinator/fleet.h"

/**
 * fleet_mark_slow() - set is_slow of the derived fleet's workers.
 *
 * A worker's remaining time is estimated from its own pace: elapsed · left / (done + 1),
 * elapsed counting from its first job; the step in flight is taken for done, so that the
 * estimate errs to its favour. It is slow if it is alive, has two steps or more left,
 * and its estimate is more than twice the fleet's median and more than a minute above
 * it. Workers that have ended stand in the median with 0. Nobody is slow in a fleet of
 * less than three, nor before half of the fleet has done a quarter of its steps: early
 * on, plans with few long and with many short steps cannot be told from slow workers.
 */
void fleet_mark_slow(struct fleet *fleet);

#endif
