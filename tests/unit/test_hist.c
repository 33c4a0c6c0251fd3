// SPDX-License-Identifier: Apache-2.0
// Tests of core/hist: geometry, merging, percentiles, censoring, JSON.
#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/hist.h"
#include "core/json.h"
#include "core/rng.h"
#include "tests/unit/tap.h"

enum { TOP_29 = (29 << 6) - 1 };
static const uint64_t ceiling_29 = 17112760320, ceiling_32 = 136902082560;

/* fio's val_to_idx (stat.c), written out from its description, for any sample. */
static unsigned bin_of(unsigned bits, uint64_t ns)
{
	unsigned shift = 0;

	while (ns >> shift >= 2ULL << bits)
		shift++;
	return (unsigned)((ns >> shift) + ((uint64_t)shift << bits));
}

static void test_bijection(void)
{
	static const unsigned groups[] = {29, 32};

	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		unsigned bad = 0, n = groups[g] << 6;
		uint64_t before = 0;

		for (unsigned i = 0; i < n; i++) {
			uint64_t key = hist_key(6, i);

			bad += hist_index(6, key) != (int)i || bin_of(6, key) != i ||
			       (i && key <= before);
			before = key;
		}
		ok(!bad, "%u groups: %u bins, key and index are inverse", groups[g], n);
		ok(before == (groups[g] == 29 ? ceiling_29 : ceiling_32),
		   "%u groups: the last key is %llu", groups[g],
		   (unsigned long long)before);
	}
	for (unsigned bits = 5; bits <= 8; bits++) {
		unsigned bad = 0;

		for (unsigned i = 0; i < 32u << bits; i++)
			bad += hist_index(bits, hist_key(bits, i)) != (int)i;
		ok(!bad, "bits %u: inverse too", bits);
	}
}

static void test_foreign_keys(void)
{
	static const uint64_t keys[] = {128,	      130,	  1000,	     17112760321,
					273804165120, 1ULL << 63, UINT64_MAX};
	cleanup_hist struct hist h;

	hist_init(&h);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct err err = {0};

		ok(hist_index(6, keys[i]) == -EINVAL &&
			   hist_add(&h, keys[i], 1, &err) == -EINVAL &&
			   err.code == -EINVAL && h.n == 0,
		   "%llu ns is no key", (unsigned long long)keys[i]);
	}
}

static void fill(struct hist *h, struct rng *rng, unsigned groups, unsigned keys)
{
	hist_init(h);
	for (unsigned i = 0; i < keys; i++)
		hist_add(h, hist_key(6, (unsigned)rng_below(rng, groups << 6)),
			 1 + rng_below(rng, 1000), NULL);
	hist_set_moments(h, rng_below(rng, 1000), 1000 + rng_below(rng, 1000000),
			 (double)rng_below(rng, 100000) / 7,
			 (double)rng_below(rng, 100000) / 3);
}

static void copy(struct hist *to, const struct hist *from)
{
	hist_init(to);
	hist_merge(to, from, NULL);
}

static bool same_bins(const struct hist *a, const struct hist *b)
{
	return a->n == b->n && a->bits == b->bits && a->groups == b->groups &&
	       (!a->n ||
		memcmp(a->count, b->count, (a->groups << 6) * sizeof(*a->count)) == 0);
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * (fabs(a) + fabs(b));
}

/* Censored or not, 29 or 32 groups, empty: merging must not depend on the order. */
static void test_merge_order(void)
{
	struct rng rng;
	unsigned bad_order = 0, bad_assoc = 0, bad_moments = 0, folded = 0;

	rng_init(&rng, 4711);
	for (int round = 0; round < 400; round++) {
		struct hist part[3], left, right, back;

		for (int i = 0; i < 3; i++)
			fill(&part[i], &rng, rng_below(&rng, 2) ? 29 : 32,
			     (unsigned)rng_below(&rng, 4) * 20);
		for (int i = 0; i < 3; i++)
			if (part[i].n && part[i].groups == 29 && rng_below(&rng, 3) == 0)
				hist_add(&part[i], ceiling_29, 5, NULL);
		copy(&left, &part[0]);
		hist_merge(&left, &part[1], NULL);
		hist_merge(&left, &part[2], NULL);
		copy(&right, &part[1]);
		hist_merge(&right, &part[2], NULL);
		copy(&back, &right);
		hist_merge(&back, &part[0], NULL);
		hist_done(&right);
		copy(&right, &part[2]);
		hist_merge(&right, &part[1], NULL);
		hist_merge(&right, &part[0], NULL);
		bad_assoc += !same_bins(&left, &back);
		bad_order += !same_bins(&left, &right);
		bad_moments += !near(left.mean_ns, right.mean_ns) ||
			       !near(hist_stddev_ns(&left), hist_stddev_ns(&right)) ||
			       left.min_ns != right.min_ns || left.max_ns != right.max_ns;
		folded += left.n && left.groups == 29 &&
			  (part[0].groups | part[1].groups | part[2].groups) > 29;
		for (int i = 0; i < 3; i++)
			hist_done(&part[i]);
		hist_done(&left);
		hist_done(&right);
		hist_done(&back);
	}
	ok(!bad_assoc, "merge is associative on bins");
	ok(!bad_order, "merge is order-free on bins");
	ok(!bad_moments, "moments do not depend on the order");
	ok(folded > 20, "censored merges were among them (%u)", folded);
}

static void test_moments(void)
{
	/* {1, 2, 3} and {10, 20}: mean 7.2, variance 254.8 / 4 by hand */
	cleanup_hist struct hist a, b;

	hist_init(&a);
	hist_init(&b);
	for (uint64_t ns = 1; ns <= 3; ns++)
		hist_add(&a, ns, 1, NULL);
	hist_add(&b, 10, 1, NULL);
	hist_add(&b, 20, 1, NULL);
	hist_set_moments(&a, 1, 3, 2, 1);
	hist_set_moments(&b, 10, 20, 15, sqrt(50));
	ok(hist_merge(&a, &b, NULL) == 0 && a.n == 5, "five samples");
	ok(near(a.mean_ns, 7.2), "mean 7.2: %.15g", a.mean_ns);
	ok(near(hist_stddev_ns(&a), sqrt(254.8 / 4)), "stddev: %.15g",
	   hist_stddev_ns(&a));
	ok(a.min_ns == 1 && a.max_ns == 20, "min and max");
}

static void test_stddev_exact(void)
{
	unsigned bad = 0;
	struct rng rng;

	rng_init(&rng, 1);
	for (int i = 0; i < 20000; i++) {
		cleanup_hist struct hist h;
		double sd =
			(double)rng_next(&rng) / (double)(1 + rng_below(&rng, 1 << 30));

		hist_init(&h);
		hist_add(&h, 1, 2 + rng_below(&rng, 1ULL << 40), NULL);
		hist_set_moments(&h, 1, 1, 1, sd);
		bad += hist_stddev_ns(&h) != sd;
	}
	ok(!bad, "a standard deviation comes out as it went in (%u not)", bad);
}

static void test_percentile_brute(void)
{
	static const double ps[] = {1e-9, 0.01, 1, 25, 50, 90, 99, 99.9, 99.999, 100};
	struct hist_pct all[ARRAY_SIZE(ps)];
	uint64_t one[ARRAY_SIZE(ps)];
	unsigned bad = 0;
	struct rng rng;

	rng_init(&rng, 99);
	for (int round = 0; round < 200; round++) {
		cleanup_hist struct hist h;

		fill(&h, &rng, 29, 1 + (unsigned)rng_below(&rng, 50));
		for (size_t i = 0; i < ARRAY_SIZE(ps); i++) {
			struct hist_pct pct = {0};
			uint64_t cum = 0;
			unsigned k = 0;

			/* every key in turn, from the definition */
			while ((long double)(cum += h.count[k]) <
			       (long double)ps[i] / 100 * h.n)
				k++;
			bad += hist_percentile(&h, ps[i], &pct, NULL) != 0 ||
			       pct.ns != hist_key(6, k) || pct.low_ns > pct.ns ||
			       pct.high_ns < pct.ns || bin_of(6, pct.low_ns) != k ||
			       (!pct.is_censored && bin_of(6, pct.high_ns) != k);
			one[i] = pct.ns;
		}
		bad += hist_percentiles(&h, ps, ARRAY_SIZE(ps), all, NULL) != 0;
		for (size_t i = 0; i < ARRAY_SIZE(ps); i++)
			bad += all[i].ns != one[i];
	}
	ok(!bad, "percentiles and their intervals equal the definition's");
}

static void test_percentile_limits(void)
{
	cleanup_hist struct hist h;
	struct hist_pct pct = {0};
	struct err err = {0};

	hist_init(&h);
	ok(hist_percentile(&h, 50, &pct, &err) == -ENODATA && err.code == -ENODATA,
	   "an empty histogram has none");
	hist_add(&h, 5, 1, NULL);
	ok(hist_percentile(&h, 0, &pct, NULL) == -EINVAL &&
		   hist_percentile(&h, 100.5, &pct, NULL) == -EINVAL &&
		   hist_percentile(&h, NAN, &pct, NULL) == -EINVAL,
	   "0, 100.5 and NaN are refused");
	ok(hist_percentiles(&h, (double[]){50, 40}, 2, (struct hist_pct[2]){0}, NULL) ==
		   -EINVAL,
	   "descending ones are refused");
	ok(hist_percentile(&h, 100, &pct, NULL) == 0 && pct.ns == 5 && pct.low_ns == 5 &&
		   pct.high_ns == 5 && !pct.is_censored,
	   "small values are exact");
}

static void test_censoring(void)
{
	cleanup_hist struct hist low, wide, both;
	struct hist_pct pct = {0};

	hist_init(&low);
	hist_init(&wide);
	hist_add(&low, 100, 99, NULL);
	hist_add(&low, ceiling_29, 1, NULL);
	hist_set_moments(&low, 100, 19000000000, 0, 0);
	hist_percentile(&low, 99, &pct, NULL);
	ok(pct.ns == 100 && !pct.is_censored, "p99 is known");
	hist_percentile(&low, 99.5, &pct, NULL);
	ok(pct.ns == ceiling_29 && pct.is_censored && pct.high_ns == 19000000000,
	   "p99.5 is censored, up to the largest sample");

	hist_add(&wide, ceiling_29, 1, NULL);
	hist_add(&wide, hist_key(6, TOP_29 + 1), 0, NULL);
	ok(wide.groups == 29, "adding nothing does not widen");
	hist_add(&wide, hist_key(6, TOP_29 + 100), 1, NULL);
	ok(wide.groups == 32, "a key past 29 groups makes 32");
	hist_percentile(&wide, 50, &pct, NULL);
	ok(pct.ns == ceiling_29 && !pct.is_censored, "with 32 groups that bin is known");

	copy(&both, &wide);
	hist_merge(&both, &low, NULL);
	hist_percentile(&both, 100, &pct, NULL);
	ok(both.groups == 29 && both.n == 102 && pct.is_censored && pct.ns == ceiling_29,
	   "merged with a censored one, all from there on is censored");

	hist_done(&low);
	hist_add(&low, 100, 1, NULL);
	hist_done(&both);
	copy(&both, &low);
	hist_merge(&both, &wide, NULL);
	hist_percentile(&both, 100, &pct, NULL);
	ok(both.groups == 32 && !pct.is_censored && pct.ns == hist_key(6, TOP_29 + 100),
	   "merged with one that ends below, nothing is lost");
	hist_add(&both, ceiling_32, 1, NULL);
	hist_percentile(&both, 100, &pct, NULL);
	ok(pct.is_censored && pct.ns == ceiling_32, "the last of 32 groups is censored");
}

static void test_merge_refused(void)
{
	cleanup_hist struct hist a, b;
	struct err err = {0};

	hist_init(&a);
	hist_init(&b);
	hist_add(&a, 1, 7, NULL);
	b.bits = 7;
	hist_add(&b, 1, 1, NULL);
	ok(hist_merge(&a, &b, &err) == -EINVAL && a.n == 7 && a.count[1] == 7,
	   "other widths: %s", err.text);
	hist_done(&b);
	hist_add(&b, 1, INT64_MAX, NULL);
	err_clear(&err);
	ok(hist_merge(&a, &b, &err) == -ERANGE && a.n == 7 && a.count[1] == 7,
	   "too many samples: %s", err.text);
	ok(hist_add(&b, 1, 1, NULL) == -ERANGE && b.n == INT64_MAX, "also when adding");
	hist_done(&b);
	ok(hist_merge(&a, &b, NULL) == 0 && a.n == 7, "an empty one adds nothing");
	ok(hist_merge(&b, &a, NULL) == 0 && b.n == 7 && b.count[1] == 7,
	   "to an empty one it is a copy");
}

static void test_from_fio(void)
{
	static const struct {
		const char *bins;
		int want;
		unsigned bits, groups;
	} cases[] = {
		{"{\"0\":1,\"127\":2,\"129\":3}", 0, 6, 29},
		{"{\"17112760320\":3}", 0, 6, 29},
		{"{\"17179869184\":3}", -EINVAL, 0, 0},
		{"{\"17314086912\":3}", 0, 6, 32},
		{"{\"136902082560\":3}", 0, 6, 32},
		{"{}", 0, 6, 29},
		/* 128 has a bin of its own with 2^7, and 257 is a middle then */
		{"{\"128\":1,\"257\":1}", 0, 7, 29},
		{"{\"129\":1,\"257\":1}", 0, 7, 29},
		{"{\"129\":1,\"130\":1,\"516\":1}", -EINVAL, 0, 0},
		{"{\"129\":-1}", -EINVAL, 0, 0},
		{"{\"129\":1.5}", -EINVAL, 0, 0},
		{"{\"129\":null}", -EINVAL, 0, 0},
		{"{\"x\":1}", -EINVAL, 0, 0},
		{"{\"\":1}", -EINVAL, 0, 0},
		{"{\"-1\":1}", -EINVAL, 0, 0},
		{"{\"99999999999999999999\":1}", -EINVAL, 0, 0},
		{"[1]", -EINVAL, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_json json_t *v = json_loads(cases[i].bins, 0, NULL);
		cleanup_hist struct hist h;
		struct err err = {0};
		int r = hist_from_fio(v, &h, &err);

		ok(r == cases[i].want && err.code == r &&
			   (r < 0 ||
			    (h.bits == cases[i].bits && h.groups == cases[i].groups)),
		   "%s: %d, bits %u groups %u", cases[i].bins, r, h.bits, h.groups);
	}
}

static void test_json_round_trip(void)
{
	unsigned bad = 0;
	struct rng rng;

	rng_init(&rng, 3);
	for (int round = 0; round < 200; round++) {
		cleanup_hist struct hist h, back;
		cleanup_json json_t *v = NULL, *again = NULL;

		fill(&h, &rng, round & 1 ? 29 : 32, (unsigned)rng_below(&rng, 60));
		hist_init(&back);
		v = hist_to_json(&h);
		bad += hist_from_json(v, &back, NULL) != 0;
		again = hist_to_json(&back);
		bad += !json_equal(v, again) || !same_bins(&h, &back);
	}
	ok(!bad, "to JSON and back, empty ones too");
}

static void test_json_refused(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"{}", "n: missing"},
		{"{'n':3,'min_ns':1,'max_ns':9,'mean_ns':2,'stddev_ns':1,"
		 "'bins':[[1,2]],'geometry':{'bits':6,'groups':29}}",
		 "bins sum to 2, n is 3"},
		{"{'n':2,'min_ns':1,'max_ns':9,'mean_ns':null,'stddev_ns':1,"
		 "'bins':[[1,2]],'geometry':{'bits':6,'groups':29}}",
		 "mean_ns: must not be null"},
		{"{'n':2,'min_ns':1,'max_ns':9,'mean_ns':2,'stddev_ns':-1,"
		 "'bins':[[1,2]],'geometry':{'bits':6,'groups':29}}",
		 "must not be negative"},
		{"{'n':2,'min_ns':1,'max_ns':9,'mean_ns':2,'stddev_ns':1,"
		 "'bins':[[2,1],[1,1]],'geometry':{'bits':6,'groups':29}}",
		 "bins[1]: not an ascending"},
		{"{'n':2,'min_ns':1,'max_ns':9,'mean_ns':2,'stddev_ns':1,"
		 "'bins':[[128,2]],'geometry':{'bits':6,'groups':29}}",
		 "bins[0]: not fio's bins"},
		{"{'n':2,'min_ns':1,'max_ns':9,'mean_ns':2,'stddev_ns':1,"
		 "'bins':[[136902082560,2]],'geometry':{'bits':6,'groups':29}}",
		 "beyond the stated geometry"},
		{"{'n':2,'min_ns':1,'max_ns':9,'mean_ns':2,'stddev_ns':1,"
		 "'bins':[[1,2]],'geometry':{'bits':9,'groups':29}}",
		 "bits: 9 is not fio's"},
		{"{'n':2,'min_ns':1,'max_ns':9,'mean_ns':2,'stddev_ns':1,"
		 "'bins':[[1,2]],'geometry':{'bits':6,'groups':4000000000}}",
		 "groups: 4000000000 is not fio's"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *text = xstrdup(cases[i].text);
		cleanup_json json_t *v = NULL;
		cleanup_hist struct hist h;
		struct err err = {0};

		for (char *p = text; *p; p++)
			if (*p == '\'')
				*p = '"';
		v = json_loads(text, 0, NULL);
		hist_init(&h);
		ok(v && hist_from_json(v, &h, &err) == -EINVAL &&
			   strstr(err.text, cases[i].want) && !h.n && !h.count,
		   "refused: %s", err.text);
	}
}

int main(void)
{
	test_bijection();
	test_foreign_keys();
	test_merge_order();
	test_moments();
	test_stddev_exact();
	test_percentile_brute();
	test_percentile_limits();
	test_censoring();
	test_merge_refused();
	test_from_fio();
	test_json_round_trip();
	test_json_refused();
	return done_testing();
}
