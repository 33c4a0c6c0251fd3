// SPDX-License-Identifier: Apache-2.0
// The store's clock against the monotonic one.
#include "core/clock_offset.h"

static int64_t drift_ns(int64_t elapsed_ns)
{
	if (elapsed_ns < 0)
		elapsed_ns = -elapsed_ns;
	/* rounded up: an interval is never narrower than what is known */
	return elapsed_ns / (1000000 / CLOCK_DRIFT_PPM) + (elapsed_ns > 0);
}

void clock_offset_add(struct clock_offset *c, int64_t stamp_ns, int64_t unit_ns,
		      int64_t sent_ns, int64_t received_ns)
{
	int64_t low_ns = stamp_ns - received_ns, high_ns = stamp_ns + unit_ns - sent_ns;

	if (stamp_ns <= 0 || unit_ns <= 0 || received_ns < sent_ns)
		return;
	if (c->samples) {
		int64_t wider_ns = drift_ns(received_ns - c->ref_ns);
		int64_t was_low_ns = c->low_ns - wider_ns;
		int64_t was_high_ns = c->high_ns + wider_ns;

		if (was_low_ns > high_ns || was_high_ns < low_ns) {
			c->restarts++;
			c->samples = 0;
		} else {
			low_ns = low_ns > was_low_ns ? low_ns : was_low_ns;
			high_ns = high_ns < was_high_ns ? high_ns : was_high_ns;
		}
	}
	c->low_ns = low_ns;
	c->high_ns = high_ns;
	c->ref_ns = received_ns;
	c->samples++;
}

bool clock_offset_get(const struct clock_offset *c, int64_t mono_ns,
		      int64_t *ret_offset_ns, int64_t *ret_bound_ns)
{
	if (!c->samples)
		return false;
	*ret_offset_ns = c->low_ns + (c->high_ns - c->low_ns) / 2;
	*ret_bound_ns = (c->high_ns - c->low_ns + 1) / 2 + drift_ns(mono_ns - c->ref_ns);
	return true;
}
