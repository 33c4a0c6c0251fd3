// SPDX-License-Identifier: Apache-2.0
// Bins, merging, moments and percentiles of fio's latency histogram.
#include "core/hist.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/str.h"

void hist_init(struct hist *h)
{
	*h = (struct hist){.bits = HIST_BITS, .groups = HIST_GROUPS};
}

void hist_done(struct hist *h)
{
	free(h->count);
	hist_init(h);
}

/* The power of two that a bin at @index spans; bins below 2^(bits+1) span one value. */
static unsigned bin_shift(unsigned bits, unsigned index)
{
	return index < 2u << bits ? 0 : (index >> bits) - 1;
}

uint64_t hist_key(unsigned bits, unsigned index)
{
	unsigned shift = bin_shift(bits, index);
	uint64_t within = index & ((1u << bits) - 1);

	if (!shift)
		return index;
	return (1ULL << (shift + bits)) + (within << shift) + (1ULL << (shift - 1));
}

int hist_index(unsigned bits, uint64_t ns)
{
	unsigned shift;
	uint64_t index;

	if (ns < 2ULL << bits)
		return (int)ns;
	shift = 63u - (unsigned)__builtin_clzll(ns) - bits;
	index = ((shift + 1ULL) << bits) + ((ns >> shift) & ((1ULL << bits) - 1));
	if (index >= (uint64_t)HIST_GROUPS_MAX << bits ||
	    hist_key(bits, (unsigned)index) != ns)
		return -EINVAL;
	return (int)index;
}

static unsigned hist_last(const struct hist *h)
{
	return (h->groups << h->bits) - 1;
}

/* Room for @groups groups; what is new is 0. */
static int hist_reserve(struct hist *h, unsigned groups, struct err *err)
{
	size_t have = h->count ? (size_t)h->groups << h->bits : 0;
	size_t want = (size_t)groups << h->bits;
	uint64_t *count;

	if (want > have) {
		count = realloc(h->count, want * sizeof(*count));
		if (!count)
			return err_errno(err, -ENOMEM, "a histogram");
		memset(count + have, 0, (want - have) * sizeof(*count));
		h->count = count;
	}
	h->groups = groups;
	return 0;
}

static int hist_room(const struct hist *h, uint64_t more, struct err *err)
{
	if (more > (uint64_t)INT64_MAX - h->n)
		return err_set(err, -ERANGE, "a histogram of more than 2^63 samples");
	return 0;
}

int hist_add(struct hist *h, uint64_t ns, uint64_t count, struct err *err)
{
	int index = hist_index(h->bits, ns);
	unsigned groups = h->groups;
	int r;

	if (index < 0)
		return err_set(err, -EINVAL,
			       "not fio's bins: %llu ns is no key of %u bins per "
			       "power of two",
			       (unsigned long long)ns, 1u << h->bits);
	r = hist_room(h, count, err);
	if (r < 0 || !count)
		return r;
	if ((unsigned)index > hist_last(h))
		groups = HIST_GROUPS_MAX;
	if (!h->count || groups != h->groups)
		r = hist_reserve(h, groups, err);
	if (r < 0)
		return r;
	h->count[index] += count;
	h->n += count;
	return 0;
}

void hist_set_moments(struct hist *h, uint64_t min_ns, uint64_t max_ns, double mean_ns,
		      double stddev_ns)
{
	h->min_ns = min_ns;
	h->max_ns = max_ns;
	h->mean_ns = mean_ns;
	h->m2 = h->n < 2 ? 0
			 : (long double)stddev_ns * stddev_ns * (long double)(h->n - 1);
}

double hist_stddev_ns(const struct hist *h)
{
	return h->n < 2 ? 0 : (double)sqrtl(h->m2 / (long double)(h->n - 1));
}

/* Chan, Golub & LeVeque 1979; before the counts are added. */
static void merge_moments(struct hist *h, const struct hist *from)
{
	double n = (double)h->n, m = (double)from->n;
	double d = from->mean_ns - h->mean_ns;

	if (!h->n) {
		h->min_ns = from->min_ns;
		h->max_ns = from->max_ns;
		h->mean_ns = from->mean_ns;
		h->m2 = from->m2;
		return;
	}
	if (from->min_ns < h->min_ns)
		h->min_ns = from->min_ns;
	if (from->max_ns > h->max_ns)
		h->max_ns = from->max_ns;
	h->mean_ns += d * (m / (n + m));
	h->m2 += from->m2 + (long double)d * d * n * m / (n + m);
}

/* The geometry in which the counts of both are known: see hist_merge(). */
static unsigned merged_groups(const struct hist *a, const struct hist *b)
{
	const struct hist *small = a->groups < b->groups ? a : b;
	const struct hist *large = small == a ? b : a;

	return small->count[hist_last(small)] ? small->groups : large->groups;
}

static void hist_fold(struct hist *h, unsigned groups)
{
	unsigned last = (groups << h->bits) - 1;

	for (unsigned i = last + 1; i <= hist_last(h); i++)
		h->count[last] += h->count[i];
	h->groups = groups;
}

int hist_merge(struct hist *h, const struct hist *from, struct err *err)
{
	unsigned groups, last;
	int r;

	if (!from->n)
		return 0;
	if (!h->n) {
		hist_done(h);
		h->bits = from->bits;
		h->groups = from->groups;
	}
	if (h->bits != from->bits)
		return err_set(err, -EINVAL,
			       "histograms of %u and of %u bins per power of two "
			       "cannot be merged",
			       1u << h->bits, 1u << from->bits);
	r = hist_room(h, from->n, err);
	if (r < 0)
		return r;
	groups = h->n ? merged_groups(h, from) : from->groups;
	if (groups < h->groups)
		hist_fold(h, groups);
	else
		r = hist_reserve(h, groups, err);
	if (r < 0)
		return r;
	merge_moments(h, from);
	last = hist_last(h);
	for (unsigned i = 0; i <= hist_last(from); i++)
		h->count[i < last ? i : last] += from->count[i];
	h->n += from->n;
	return 0;
}

static void fill_percentile(const struct hist *h, unsigned index, struct hist_pct *ret)
{
	unsigned shift = bin_shift(h->bits, index);
	uint64_t half = shift ? 1ULL << (shift - 1) : 0;

	ret->ns = hist_key(h->bits, index);
	ret->low_ns = ret->ns - half;
	ret->high_ns = half ? ret->ns + half - 1 : ret->ns;
	ret->is_censored = index == hist_last(h);
	if (ret->is_censored && h->max_ns > ret->high_ns)
		ret->high_ns = h->max_ns;
}

/* A whole number is below @want when it is below the next whole number from @want up. */
static uint64_t samples_wanted(const struct hist *h, double p)
{
	return (uint64_t)ceill((long double)p / 100.0L * (long double)h->n);
}

int hist_percentiles(const struct hist *h, const double *p, size_t n,
		     struct hist_pct *ret, struct err *err)
{
	unsigned i = 0, last = hist_last(h);
	uint64_t sum;

	for (size_t k = 0; k < n; k++)
		if (!(p[k] > (k ? p[k - 1] : 0) && p[k] <= 100))
			return err_set(err, -EINVAL,
				       "percentile %g is not in (0, 100] and ascending",
				       p[k]);
	if (!h->n)
		return err_set(err, -ENODATA, "no samples, no percentile");
	sum = h->count[0];
	for (size_t k = 0; k < n; k++) {
		uint64_t want = samples_wanted(h, p[k]);

		while (sum < want && i < last)
			sum += h->count[++i];
		fill_percentile(h, i, &ret[k]);
	}
	return 0;
}

int hist_percentile(const struct hist *h, double p, struct hist_pct *ret, struct err *err)
{
	return hist_percentiles(h, &p, 1, ret, err);
}
