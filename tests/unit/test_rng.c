// SPDX-License-Identifier: Apache-2.0
// Random numbers against published vectors, and their derived forms.
#include "core/rng.h"

#include <stdbool.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/str.h"
#include "tests/unit/tap.h"

/* The state {1,2,3,4} and its outputs are those of the reference C by its authors. */
static void test_reference(void)
{
	static const uint64_t want[] = {
		11520u,
		0u,
		1509978240u,
		1215971899390074240u,
		1216172134540287360u,
		607988272756665600u,
		16172922978634559625u,
		8476171486693032832u,
		10595114339597558777u,
		2904607092377533576u,
	};
	struct rng rng = {.s = {1, 2, 3, 4}};
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		bad += rng_next(&rng) != want[i];
	ok(bad == 0, "xoshiro256** from {1,2,3,4}");
}

/* splitmix64 from 1234567: 6457827717110365317, 3203168211198807973, … */
static void test_seed(void)
{
	static const uint64_t want[4] = {6457827717110365317u, 3203168211198807973u,
					 9817491932198370423u, 4593380528125082431u};
	struct rng rng;

	rng_init(&rng, 1234567);
	ok(memcmp(rng.s, want, sizeof(want)) == 0, "splitmix64 fills the state");
	ok(rng_mix(1234567u + 0x9e3779b97f4a7c15u) == want[0], "mix is its finaliser");
	ok(rng_mix(0) == 0, "mix maps 0 to 0");
}

static void test_outputs(void)
{
	static const struct {
		uint64_t seed, want[3];
	} cases[] = {
		{0, {11091344671253066420u, 13793997310169335082u, 1900383378846508768u}},
		{1, {12966619160104079557u, 9600361134598540522u, 10590380919521690900u}},
		{42, {1546998764402558742u, 6990951692964543102u, 12544586762248559009u}},
		{UINT64_MAX,
		 {10328197420357168392u, 14156678507024973869u, 9357971779955476126u}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rng rng;
		bool good = true;

		rng_init(&rng, cases[i].seed);
		for (int k = 0; k < 3; k++)
			good &= rng_next(&rng) == cases[i].want[k];
		ok(good, "first outputs for seed %llu",
		   (unsigned long long)cases[i].seed);
	}
}

static void test_below(void)
{
	static const uint64_t limits[] = {
		1, 2, 3, 7, 1000, 1u << 31, (1ull << 63) + 1, UINT64_MAX,
	};
	struct rng rng;

	rng_init(&rng, 42);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		unsigned bad = 0;

		for (int k = 0; k < 10000; k++)
			bad += rng_below(&rng, limits[i]) >= limits[i];
		ok(bad == 0, "below %llu stays below", (unsigned long long)limits[i]);
	}
}

/* For n = 3 * 2^62 a plain multiplication gives every third value twice. */
static void test_below_unbiased(void)
{
	uint64_t n = 3ull << 62;
	unsigned count[3] = {0};
	double chi2 = 0;
	struct rng rng;

	rng_init(&rng, 7);
	for (int k = 0; k < 30000; k++)
		count[rng_below(&rng, n) % 3]++;
	for (int k = 0; k < 3; k++)
		chi2 += (count[k] - 1e4) * (count[k] - 1e4) / 1e4;
	/* 13.8 is the 0.999 quantile for 2 degrees of freedom */
	ok(chi2 < 13.8, "no value is favoured: chi2 %.2f", chi2);
}

static void test_double(void)
{
	struct rng rng = {.s = {0, UINT64_MAX, 0, 0}};
	double lo = 1, hi = 0, v;

	rng_init(&rng, 3);
	for (int k = 0; k < 100000; k++) {
		v = rng_double(&rng);
		lo = v < lo ? v : lo;
		hi = v > hi ? v : hi;
	}
	ok(lo >= 0 && hi < 1, "doubles are in [0, 1): %g to %g", lo, hi);
	ok(lo < 1e-4 && hi > 1 - 1e-4, "doubles fill the interval");
}

static bool is_permutation(const unsigned *a, size_t n)
{
	cleanup_free bool *seen = xcalloc(n, sizeof(*seen));

	for (size_t i = 0; i < n; i++) {
		if (a[i] >= n || seen[a[i]])
			return false;
		seen[a[i]] = true;
	}
	return true;
}

static void test_shuffle(void)
{
	static const size_t sizes[] = {0, 1, 2, 5, 1000};
	unsigned a[1000];
	struct rng rng;

	rng_init(&rng, 1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned k = 0; k < 1000; k++)
			a[k] = k;
		rng_shuffle(&rng, a, sizes[i]);
		ok(is_permutation(a, sizes[i]), "shuffled %zu: a permutation", sizes[i]);
	}
}

/* All 24 orders of four, evenly; a shuffle that draws j from [0, n) each time is not. */
static void test_shuffle_even(void)
{
	unsigned count[256] = {0}, orders = 0;
	double chi2 = 0;
	struct rng rng;

	rng_init(&rng, 11);
	for (int k = 0; k < 24000; k++) {
		unsigned a[4] = {0, 1, 2, 3};

		rng_shuffle(&rng, a, 4);
		count[a[0] << 6 | a[1] << 4 | a[2] << 2 | a[3]]++;
	}
	for (int k = 0; k < 256; k++) {
		orders += count[k] > 0;
		if (count[k])
			chi2 += (count[k] - 1e3) * (count[k] - 1e3) / 1e3;
	}
	/* 49.7 is the 0.999 quantile for 23 degrees of freedom */
	ok(orders == 24 && chi2 < 49.7, "%u orders, chi2 %.1f", orders, chi2);
}

static void test_same_seed(void)
{
	unsigned a[20], b[20];
	struct rng one, two;

	rng_init(&one, 5);
	rng_init(&two, 5);
	for (unsigned k = 0; k < 20; k++)
		a[k] = b[k] = k;
	rng_shuffle(&one, a, 20);
	rng_shuffle(&two, b, 20);
	ok(memcmp(a, b, sizeof(a)) == 0, "the same seed gives the same order");
	rng_shuffle(&two, b, 20);
	ok(memcmp(a, b, sizeof(a)) != 0, "a stream goes on");
}

static void test_entropy(void)
{
	char one[NONCE_CAP], two[NONCE_CAP];

	rng_nonce(one);
	rng_nonce(two);
	ok(str_is_hex(one, 32) && str_is_hex(two, 32), "a nonce is 32 hex digits: %s",
	   one);
	ok(strcmp(one, two) != 0, "two nonces differ");
	ok(rng_entropy() != rng_entropy(), "two seeds differ");
}

int main(void)
{
	test_reference();
	test_seed();
	test_outputs();
	test_below();
	test_below_unbiased();
	test_double();
	test_shuffle();
	test_shuffle_even();
	test_same_seed();
	test_entropy();
	return done_testing();
}
