// SPDX-License-Identifier: Apache-2.0
// How far the store's clock is from this machine's monotonic one, as an interval. Pure.
#ifndef CORE_CLOCK_OFFSET_H
#define CORE_CLOCK_OFFSET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What two crystals may drift apart in: 2 × 50 ppm, the worst that boards are sold with.
 * The interval of old samples widens by it (Marzullo 1984; Cristian 1989).
 */
enum { CLOCK_DRIFT_PPM = 100 };

/**
 * struct clock_offset - server − CLOCK_MONOTONIC lies in [low_ns, high_ns] at ref_ns.
 *
 * Zero = nothing is known. The wall clock of this machine plays no part: it may be wrong
 * or be stepped.
 */
struct clock_offset {
	int64_t low_ns, high_ns;
	int64_t ref_ns; /* CLOCK_MONOTONIC */
	unsigned samples;
	unsigned restarts; /* samples that contradicted what was known */
};

/**
 * clock_offset_add() - the server stamped @stamp_ns while a request was under way.
 *
 * @stamp_ns: its clock since the epoch, cut to whole units of @unit_ns: 1 s for "Date"
 *            headers, 1 ms for timeCreated and updated
 * @sent_ns, @received_ns: CLOCK_MONOTONIC around the request
 *
 * The true offset lies in [stamp − received, stamp + unit − sent]. What is known is
 * intersected with that; when nothing is left, because another front end answered or the
 * machine had been suspended, the sample alone holds from then on. A sample that cannot
 * be one (no stamp, received before sent) is ignored.
 */
void clock_offset_add(struct clock_offset *c, int64_t stamp_ns, int64_t unit_ns,
		      int64_t sent_ns, int64_t received_ns);

/** clock_offset_get() - at @mono_ns: middle and half width. False: nothing is known. */
bool clock_offset_get(const struct clock_offset *c, int64_t mono_ns,
		      int64_t *ret_offset_ns, int64_t *ret_bound_ns);

#endif
