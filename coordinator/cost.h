// SPDX-License-Identifier: Apache-2.0
// How long a step is expected to take: what split and resume balance workers by. Pure.
#ifndef COORDINATOR_COST_H
#define COORDINATOR_COST_H

#include "core/fio_job.h"
#include "manifests/job.h"

/** cost_bytes() - what one step of a case moves, as far as is known beforehand. */
uint64_t cost_bytes(const struct fio_facts *facts);

/** cost_step_s() - estimate of one step, in s: a fixed overhead, and the moving. */
double cost_step_s(const struct fio_facts *facts);

/** cost_case_s() - the same from a case of the config; of a text that is not understood,
 * the bytes decide. */
double cost_case_s(const struct config *config, const struct test_case *c);

#endif
