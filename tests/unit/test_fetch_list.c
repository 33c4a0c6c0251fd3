// SPDX-License-Identifier: Apache-2.0
// Where the listing of a run is cut into stretches.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/fetch.h"
#include "core/str.h"
#include "tests/unit/tap.h"

enum { FLEET_MAX = 120, NAME_CAP = 64 };

struct names {
	size_t n;
	const char *v[FLEET_MAX];
	char text[FLEET_MAX][NAME_CAP];
};

static void add(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->text[i], name) == 0)
			return;
	names->v[names->n] = names->text[names->n];
	str_copy(names->text[names->n++], NAME_CAP, name);
}

/* In how many of the stretches an object of @name's results lies. */
static size_t count_stretches(const char *const *cuts, size_t n_cuts, const char *name)
{
	char object[NAME_CAP + 16], begin[NAME_CAP + 2] = "", end[NAME_CAP + 2];
	size_t n = 0;

	snprintf(object, sizeof(object), "%s/manifest.json", name);
	for (size_t i = 0; i <= n_cuts; i++) {
		end[0] = '\0';
		if (i < n_cuts)
			snprintf(end, sizeof(end), "%s/", cuts[i]);
		n += strcmp(object, begin) >= 0 && (!*end || strcmp(object, end) < 0);
		memcpy(begin, end, sizeof(begin));
	}
	return n;
}

/* Every name in exactly one stretch, and no stretch that ends before it begins. */
static bool is_sound(const struct names *names)
{
	const char *cuts[FETCH_CUTS] = {0};
	size_t n_cuts = fetch_cuts(names->v, names->n, cuts);

	for (size_t i = 0; i < names->n; i++)
		if (count_stretches(cuts, n_cuts, names->v[i]) != 1)
			return false;
	for (size_t i = 1; i < n_cuts; i++) {
		char a[NAME_CAP + 2], b[NAME_CAP + 2];

		snprintf(a, sizeof(a), "%s/", cuts[i - 1]);
		snprintf(b, sizeof(b), "%s/", cuts[i]);
		if (strcmp(a, b) >= 0)
			return false;
	}
	return names->n < 64 ? n_cuts == 0 : n_cuts == FETCH_CUTS;
}

/* "w" is the first cut of the bare names, one of "w-1" … the second. */
static void test_dash(void)
{
	struct names names = {0};
	char name[NAME_CAP];

	for (char c = 'a'; c < 'a' + 9; c++) {
		snprintf(name, sizeof(name), "%c", c);
		add(&names, name);
	}
	add(&names, "w");
	for (unsigned i = 1; i <= 54; i++) {
		snprintf(name, sizeof(name), "w-%u", i);
		add(&names, name);
	}
	ok(names.n == 64 && is_sound(&names), "a name that others continue with a dash");
}

/* Names that begin with one another, in every mixture. */
static void test_random(void)
{
	static const char *const kinds[] = {"a", "w", "w-", "w-1", "w-1-"};
	unsigned seed = 1;
	size_t n_bad = 0;

	for (unsigned round = 0; round < 5000; round++) {
		struct names names = {0};
		unsigned before = (unsigned)rand_r(&seed) % (FLEET_MAX - 8);

		for (unsigned i = 0; i < FLEET_MAX; i++) {
			size_t kind = i < before ? 0 : 1 + (size_t)rand_r(&seed) % 4;
			char name[NAME_CAP];
			bool is_bare = kind == 1 || (kind == 3 && i % 4 == 0);

			if (is_bare)
				str_copy(name, sizeof(name), kinds[kind]);
			else
				snprintf(name, sizeof(name), "%s%u", kinds[kind], i);
			add(&names, name);
		}
		n_bad += !is_sound(&names);
	}
	ok(n_bad == 0, "random fleets: %zu of 5000 are cut unsoundly", n_bad);
}

int main(void)
{
	struct names few = {0};

	add(&few, "w");
	add(&few, "w-1");
	ok(is_sound(&few), "a small fleet is not cut");
	test_dash();
	test_random();
	return done_testing();
}
