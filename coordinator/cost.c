// SPDX-License-Identifier: Apache-2.0
// How long a step is expected to take.
#include "coordinator/cost.h"

#include "manifests/fio_policy.h"

/*
 * Estimates only order and announce: a step costs its mounts, waits and uploads whatever
 * it moves, and one mount moves some hundred MB/s. Both from runs on an emulated bucket.
 */
static const double step_overhead_s = 8, bytes_per_s = 250e6;

uint64_t cost_bytes(const struct fio_facts *facts)
{
	if (facts->is_block_over_file)
		return 0;
	return facts->has_io_bytes ? facts->io_bytes : facts->data_bytes;
}

double cost_step_s(const struct fio_facts *facts)
{
	double asked_s = (double)facts->runtime_ns / 1e9;
	double moving_s = (double)cost_bytes(facts) / bytes_per_s;

	/* a runtime ends a job that is not over, or keeps one going */
	if (facts->is_time_based || (asked_s > 0 && asked_s < moving_s))
		moving_s = asked_s;
	return step_overhead_s + moving_s;
}

double cost_case_s(const struct config *config, const struct test_case *c)
{
	const struct fio_policy policy = fio_policy_default(
		config->allowed_options, config->n_allowed_options, NULL);
	struct fio_facts facts = {0};

	if (fio_job_check(c->fio_job, &policy, &facts, NULL) == 0)
		return cost_step_s(&facts);
	facts = (struct fio_facts){.has_io_bytes = c->has_io_bytes,
				   .io_bytes = c->io_bytes,
				   .data_bytes = c->data_bytes};
	return cost_step_s(&facts);
}
