// SPDX-License-Identifier: Apache-2.0
// Where a long listing is cut.
#include <stdio.h>
#include <string.h>

#include "coordinator/fetch.h"
#include "core/rng.h"
#include "tests/unit/tap.h"

enum { WORKERS = 64 };

/* Names of few letters and hyphens, so that many begin alike. */
static void make_names(struct rng *rng, char *names[WORKERS])
{
	static const char letters[] = "w-1w-";

	for (size_t i = 0; i < WORKERS; i++) {
		cleanup_str struct str name = STR_INIT(64);

		str_addc(&name, 'w');
		for (uint64_t n = rng_below(rng, 4); n; n--)
			str_addc(&name, letters[rng_below(rng, 5)]);
		str_addf(&name, "%s%zu", i % 3 ? "-" : "x", i);
		names[i] = str_steal(&name);
	}
	/* the prefix of many others */
	free(names[9]);
	names[9] = xstrdup("w");
}

static bool is_ascending(char *names[WORKERS])
{
	const char *cuts[FETCH_CUTS];
	char before[PATH_CAP] = "", at[PATH_CAP];
	bool is_fine =
		fetch_cuts((const char *const *)names, WORKERS, cuts) == FETCH_CUTS;

	for (size_t i = 0; i < FETCH_CUTS && is_fine; i++) {
		snprintf(at, sizeof(at), "r/results/%s/", cuts[i]);
		is_fine = strcmp(before, at) < 0;
		memcpy(before, at, sizeof(at));
	}
	return is_fine;
}

static void test_random(void)
{
	struct rng rng;
	unsigned wrong = 0;

	rng_init(&rng, 1);
	for (int round = 0; round < 2000; round++) {
		char *names[WORKERS];

		make_names(&rng, names);
		wrong += !is_ascending(names);
		for (size_t i = 0; i < WORKERS; i++)
			free(names[i]);
	}
	ok(wrong == 0, "a stretch ends behind the one before it (seed 1)");
}

static void test_prefix(void)
{
	char *names[WORKERS];
	const char *cuts[FETCH_CUTS];

	for (size_t i = 0; i < WORKERS; i++)
		names[i] = i < 9    ? xasprintf("a%zu", i)
			   : i == 9 ? xstrdup("w")
				    : xasprintf("w-%02zu", i);
	ok(is_ascending(names), "a name that others begin with comes after them");
	ok(fetch_cuts((const char *const *)names, WORKERS - 1, cuts) == 0,
	   "a small fleet's listing is whole");
	for (size_t i = 0; i < WORKERS; i++)
		free(names[i]);
}

int main(void)
{
	test_random();
	test_prefix();
	return done_testing();
}
