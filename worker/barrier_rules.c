// SPDX-License-Identifier: Apache-2.0
// When a synchronised start is decided.
#include "worker/barrier_rules.h"

#include "core/clock.h"

enum {
	POLL_MAX_NS = NS_PER_S,
	/* from the verdict to the fork: monitor, kernel settings, the cage's plan */
	SLACK_NS = 100 * NS_PER_MS,
	/* what a start on real machines may be off by (reference: the spread's target) */
	LATE_NS = 50 * NS_PER_MS,
};

enum barrier_call barrier_judge(enum barrier_policy policy, const struct barrier_tally *t)
{
	bool is_last_call = t->is_over || t->ready + t->gone >= t->members;

	if (t->ready == t->members)
		return BARRIER_GO;
	if (policy == BARRIER_ALL)
		return t->gone || t->is_over ? BARRIER_ABORT : BARRIER_WAIT;
	if (!is_last_call)
		return BARRIER_WAIT;
	if (policy == BARRIER_MAJORITY)
		return 2 * t->ready > t->members ? BARRIER_GO : BARRIER_ABORT;
	return t->ready ? BARRIER_GO : BARRIER_ABORT;
}

int64_t barrier_poll_ns(unsigned lead_ms)
{
	int64_t quarter_ns = (int64_t)lead_ms * NS_PER_MS / 4;

	return quarter_ns < POLL_MAX_NS ? quarter_ns : POLL_MAX_NS;
}

int64_t barrier_first_look_ns(size_t rank, int64_t poll_ns)
{
	return (int64_t)rank * 2 * poll_ns;
}

int64_t barrier_next_look_ns(size_t rank, int64_t poll_ns)
{
	return ((int64_t)rank + 1) * 2 * poll_ns;
}

int64_t barrier_lead_ns(unsigned lead_ms, int64_t bound_ns)
{
	int64_t least_ns = 3 * barrier_poll_ns(lead_ms) + 2 * bound_ns + SLACK_NS;
	int64_t asked_ns = (int64_t)lead_ms * NS_PER_MS;

	return asked_ns > least_ns ? asked_ns : least_ns;
}

bool barrier_started(const struct barrier_clock *clock, int64_t start_ns, bool was_past,
		     struct step_start *start)
{
	int64_t at_ns = start_ns + clock->offset_ns,
		late_ns = at_ns - start->go_server_ns;

	start->at_server_ns = at_ns;
	start->bound_ns = (uint64_t)clock->bound_ns;
	start->late_by_ms =
		late_ns > 0 ? (uint64_t)((late_ns + NS_PER_MS / 2) / NS_PER_MS) : 0;
	if (was_past && !start->late_by_ms)
		start->late_by_ms = 1;
	return was_past || late_ns > LATE_NS;
}
