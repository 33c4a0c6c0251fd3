// SPDX-License-Identifier: Apache-2.0
// The store's clock: single samples, contradictions, drift; a simulated server with
// jittered round trips, where the truth always lies inside.
#include <inttypes.h>

#include "core/clock.h"
#include "core/clock_offset.h"
#include "core/rng.h"
#include "tests/unit/tap.h"

enum { MS = NS_PER_MS };
static const int64_t S = NS_PER_S;

static bool is_interval(const struct clock_offset *c, int64_t low_ns, int64_t high_ns)
{
	if (c->low_ns == low_ns && c->high_ns == high_ns)
		return true;
	printf("# [%" PRId64 ", %" PRId64 "], not [%" PRId64 ", %" PRId64 "]\n",
	       c->low_ns, c->high_ns, low_ns, high_ns);
	return false;
}

static void test_single(void)
{
	struct clock_offset c = {0};
	int64_t offset_ns = 7, bound_ns = 7;

	ok(!clock_offset_get(&c, 0, &offset_ns, &bound_ns) && offset_ns == 7,
	   "nothing is known at first");
	clock_offset_add(&c, 1000 * S, S, 10 * S, 10 * S + 30 * MS);
	ok(is_interval(&c, 990 * S - 30 * MS, 991 * S), "one Date");
	ok(clock_offset_get(&c, 10 * S + 30 * MS, &offset_ns, &bound_ns) &&
		   offset_ns == 990 * S + 485 * MS && bound_ns == 515 * MS,
	   "its middle and half width");
	c = (struct clock_offset){0};
	clock_offset_add(&c, 1000 * S + 7 * MS, MS, 10 * S, 10 * S + 30 * MS);
	ok(is_interval(&c, 990 * S - 23 * MS, 990 * S + 8 * MS), "one timeCreated");
	c = (struct clock_offset){0};
	clock_offset_add(&c, 1000 * S, MS, 5, 5);
	ok(is_interval(&c, 1000 * S - 5, 1000 * S + MS - 5), "a round trip of no time");
	c = (struct clock_offset){0};
	clock_offset_add(&c, 5 * S, MS, 1000 * S, 1000 * S + 2);
	ok(is_interval(&c, -995 * S - 2, -995 * S + MS), "an offset may be negative");
}

static void test_refused(void)
{
	struct clock_offset c = {0};

	clock_offset_add(&c, 0, S, 1, 2);
	clock_offset_add(&c, -1, S, 1, 2);
	clock_offset_add(&c, 1000 * S, 0, 1, 2);
	clock_offset_add(&c, 1000 * S, S, 3, 2);
	ok(!c.samples && !c.restarts, "what is no sample is ignored");
}

static void test_intersection(void)
{
	struct clock_offset c = {0};
	int64_t t = 100 * S;

	clock_offset_add(&c, 1000 * S, S, t, t);
	clock_offset_add(&c, 1000 * S + 400 * MS, MS, t, t);
	ok(is_interval(&c, 900 * S + 400 * MS, 900 * S + 401 * MS),
	   "the narrower one inside");
	clock_offset_add(&c, 1000 * S, S, t, t);
	ok(is_interval(&c, 900 * S + 400 * MS, 900 * S + 401 * MS),
	   "a wider one changes nothing");
	c = (struct clock_offset){0};
	clock_offset_add(&c, 1000 * S, S, t, t + 10 * MS);
	/* 1 s later less 3 ms: the same tick cannot have passed */
	clock_offset_add(&c, 1000 * S, S, t + 990 * MS, t + 997 * MS);
	ok(c.samples == 2 && c.high_ns == 900 * S + 10 * MS, "a second Date cuts");
	/* touching is no contradiction */
	c = (struct clock_offset){0};
	clock_offset_add(&c, 1000 * S, S, t, t);
	clock_offset_add(&c, 1001 * S, S, t, t);
	ok(!c.restarts && is_interval(&c, 901 * S, 901 * S), "intervals that touch");
	clock_offset_add(&c, 1001 * S + 1, S, t, t);
	ok(c.restarts == 1 && c.samples == 1 && is_interval(&c, 901 * S + 1, 902 * S + 1),
	   "the newest one alone after a contradiction above");
	clock_offset_add(&c, 1000 * S, S, t, t);
	ok(c.restarts == 2 && c.samples == 1 && is_interval(&c, 900 * S, 901 * S),
	   "and below");
}

static void test_drift(void)
{
	struct clock_offset c = {0};
	int64_t offset_ns = 0, bound_ns = 0, t = 100 * S;

	clock_offset_add(&c, 1000 * S, MS, t, t);
	ok(clock_offset_get(&c, t + 1000 * S, &offset_ns, &bound_ns) &&
		   offset_ns == 900 * S + MS / 2 && bound_ns == MS / 2 + 100 * MS + 1,
	   "100 ppm: 100 ms in 1000 s");
	clock_offset_get(&c, t - 1000 * S, &offset_ns, &bound_ns);
	ok(bound_ns == MS / 2 + 100 * MS + 1, "into the past too");
	/* after 1000 s the server may be 90 ms ahead of what was known */
	clock_offset_add(&c, 2000 * S + 90 * MS, MS, t + 1000 * S, t + 1000 * S);
	ok(!c.restarts && is_interval(&c, 900 * S + 90 * MS, 900 * S + 91 * MS),
	   "drift is no contradiction");
	clock_offset_add(&c, 3000 * S + 300 * MS, MS, t + 2000 * S, t + 2000 * S);
	ok(c.restarts == 1, "twice as much is");
}

/* A server, a machine and the way between them. */
struct world {
	struct rng rng;
	int64_t offset_ns; /* server − mono at mono 0 */
	int drift_ppm;
	int64_t mono_ns;
};

static int64_t truth_ns(const struct world *w, int64_t mono_ns)
{
	return w->offset_ns + mono_ns / 1000000 * w->drift_ppm;
}

static int64_t uniform(struct world *w, int64_t low, int64_t high)
{
	return low + (int64_t)rng_below(&w->rng, (uint64_t)(high - low));
}

/* Mostly quick, sometimes slow, and asymmetric. */
static int64_t way_ns(struct world *w)
{
	return uniform(w, 0, 10) ? uniform(w, 200000, 30 * MS) : uniform(w, MS, 2 * S);
}

static void request(struct world *w, struct clock_offset *c, int64_t unit_ns)
{
	int64_t sent_ns = w->mono_ns, at_ns = sent_ns + way_ns(w);
	int64_t received_ns = at_ns + way_ns(w), stamp_ns = at_ns + truth_ns(w, at_ns);

	clock_offset_add(c, stamp_ns / unit_ns * unit_ns, unit_ns, sent_ns, received_ns);
	w->mono_ns = received_ns;
}

/* A skewed wall clock is not even an input; what the boot time does to the offset is. */
static void test_simulated(int drift_ppm)
{
	unsigned outside = 0, restarts = 0, looks = 0;
	int64_t worst_ns = 0;

	for (unsigned run = 0; run < 300; run++) {
		struct world w = {.drift_ppm = drift_ppm, .mono_ns = 5 * S};
		struct clock_offset c = {0};

		rng_init(&w.rng, run + 1);
		w.offset_ns = 1764210000 * S + uniform(&w, -5 * S, 5 * S);
		for (unsigned i = 0; i < 100; i++) {
			int64_t offset_ns, bound_ns, error_ns;

			request(&w, &c, i % 3 ? S : MS);
			w.mono_ns += uniform(&w, 0, 60 * S);
			clock_offset_get(&c, w.mono_ns, &offset_ns, &bound_ns);
			error_ns = offset_ns - truth_ns(&w, w.mono_ns);
			outside += error_ns > bound_ns || -error_ns > bound_ns;
			looks++;
			if (i >= 10 && bound_ns > worst_ns)
				worst_ns = bound_ns;
		}
		restarts += c.restarts;
	}
	ok(!outside && !restarts, "%u looks at %d ppm: the truth is always inside", looks,
	   drift_ppm);
	ok(worst_ns < 60 * MS, "and the bound is narrow: %" PRId64 " us at most",
	   worst_ns / 1000);
}

/* A suspended machine: the monotonic clock stood still, the server's did not. */
static void test_suspended(void)
{
	struct world w = {.offset_ns = 1764210000 * S, .mono_ns = S};
	struct clock_offset c = {0};
	int64_t offset_ns = 0, bound_ns = 0;

	rng_init(&w.rng, 9);
	for (unsigned i = 0; i < 20; i++)
		request(&w, &c, MS);
	w.offset_ns += 3600 * S;
	request(&w, &c, MS);
	ok(c.restarts == 1, "an hour asleep is noticed");
	clock_offset_get(&c, w.mono_ns, &offset_ns, &bound_ns);
	ok(truth_ns(&w, w.mono_ns) - offset_ns <= bound_ns &&
		   offset_ns - truth_ns(&w, w.mono_ns) <= bound_ns,
	   "and the truth inside again");
}

int main(void)
{
	test_single();
	test_refused();
	test_intersection();
	test_drift();
	test_simulated(0);
	test_simulated(50);
	test_simulated(-99);
	test_suspended();
	return done_testing();
}
