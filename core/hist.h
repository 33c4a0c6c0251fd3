// SPDX-License-Identifier: Apache-2.0
// fio's latency histogram: bins, exact merging, percentiles with censoring.
#ifndef CORE_HIST_H
#define CORE_HIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

/*
 * fio's geometry (stat.h, FIO_IO_U_PLAT_BITS and FIO_IO_U_PLAT_GROUP_NR): values below
 * 2^(bits+1) have a bin each; above, every power of two is cut into 2^bits bins named by
 * their midpoint, so a bin's relative half-width is at most 2^-(bits+1).
 */
enum { HIST_BITS = 6, HIST_GROUPS = 29, HIST_GROUPS_MAX = 32, HIST_BINS_MAX = 32 << 8 };
/* Other builds' FIO_IO_U_PLAT_BITS that are recognised by their keys. */
enum { HIST_BITS_LEAST = 5, HIST_BITS_MOST = 8 };

/**
 * struct hist - opaque to nobody, but filled only by the functions below.
 *
 * Not thread-safe; readers may share one that nobody changes.
 */
struct hist {
	unsigned bits, groups; /* geometry; groups grows when a key asks for it */
	uint64_t n;	       /* sum of all bins, at most INT64_MAX */
	uint64_t min_ns, max_ns;
	double mean_ns;
	/* sum of squared deviations; long, so that the standard deviation that went in
	 * comes out bit for bit */
	long double m2;
	uint64_t *count; /* groups << bits bins; NULL while empty */
};

/** struct hist_pct - one percentile. */
struct hist_pct {
	uint64_t ns;		  /* the bin's key, as fio prints it */
	uint64_t low_ns, high_ns; /* the bin's edges: the value lies in [low, high] */
	bool is_censored;	  /* the last bin: anything from low_ns on; high_ns is
				     then the largest sample, if that is known */
};

/** hist_init() - empty, with fio's usual geometry; hist_done() frees, h is empty again.
 */
void hist_init(struct hist *h);
void hist_done(struct hist *h);
#define cleanup_hist cleanup(hist_done)

/**
 * hist_add() - @count samples in the bin whose key is @ns.
 *
 * O(1). A key past the last of 29 groups makes it 32. -EINVAL: no bin has that key;
 * -ERANGE: more than INT64_MAX samples.
 */
int hist_add(struct hist *h, uint64_t ns, uint64_t count, struct err *err);

/**
 * hist_set_moments() - what fio says of all samples: min, max, mean, standard deviation.
 * The standard deviation is fio's, with n-1 (stat.c, calc_lat).
 */
void hist_set_moments(struct hist *h, uint64_t min_ns, uint64_t max_ns, double mean_ns,
		      double stddev_ns);

/**
 * hist_merge() - add @from to @h: bins exactly, moments by Chan, Golub & LeVeque 1979.
 *
 * Geometries of different groups share their keys. The result has the larger, unless
 * the smaller has counts in its last bin: those may lie anywhere above, so no bin from
 * there on has a known count. The result then keeps the smaller and puts all that lies
 * above into its last, censored bin. On bins, merging is associative and order-free.
 * An empty histogram adds nothing, neither counts nor geometry.
 * -EINVAL when the bits differ, -ERANGE past INT64_MAX samples; @h is then unchanged.
 */
int hist_merge(struct hist *h, const struct hist *from, struct err *err);

/** hist_stddev_ns() - with n-1; 0 for fewer than two samples. */
double hist_stddev_ns(const struct hist *h);

/**
 * hist_percentile() - the smallest key with cum >= p*n/100.
 *
 * @p: 0 < p <= 100, else -EINVAL; -ENODATA if @h is empty
 *
 * In long double like fio (stat.c, calc_clat_percentiles), so that both round alike. The
 * error is the bin's half-width, at most 2^-(bits+1) of the value, unless censored.
 */
int hist_percentile(const struct hist *h, double p, struct hist_pct *ret,
		    struct err *err);

/** hist_percentiles() - the same for @n of them, ascending, in one pass over the bins. */
int hist_percentiles(const struct hist *h, const double *p, size_t n,
		     struct hist_pct *ret, struct err *err);

/** hist_key() - the key (midpoint) of bin @index; hist_index() - the inverse, or -EINVAL.
 */
uint64_t hist_key(unsigned bits, unsigned index);
int hist_index(unsigned bits, uint64_t ns);

/**
 * struct hist_probe - which geometry explains every key seen so far.
 *
 * All histograms of one fio output come from one build, so their keys are probed
 * together: a histogram with small values alone cannot tell.
 */
struct hist_probe {
	unsigned fits; /* bit b: all keys are keys of 2^b bins per power of two */
	uint64_t largest_ns;
};

void hist_probe_init(struct hist_probe *probe);
/** hist_probe_add() - the keys of a "bins" object; -EINVAL when nothing explains them. */
int hist_probe_add(struct hist_probe *probe, const json_t *bins, struct err *err);
/** hist_use_probe() - give the empty @h the geometry found. */
void hist_use_probe(struct hist *h, const struct hist_probe *probe);

/** hist_add_fio() - add fio's "bins" object {"<ns>": count} in @h's geometry. */
int hist_add_fio(struct hist *h, const json_t *bins, struct err *err);

/** hist_from_fio() - hist_init(), then the bins in the geometry their own keys show. */
int hist_from_fio(const json_t *bins, struct hist *h, struct err *err);

/**
 * hist_to_json() - new {n,min_ns,max_ns,mean_ns,stddev_ns,bins[[ns,count],…],geometry}.
 *
 * Bins that are not 0, in ascending order; an empty one has null for the moments.
 */
json_t *hist_to_json(const struct hist *h);
/**
 * hist_from_json() - the inverse, over an initialised or done @h, which is empty on
 * error.
 *
 * -EINVAL also when the bins are not ascending keys of the stated geometry or do not sum
 * to n.
 */
int hist_from_json(const json_t *v, struct hist *h, struct err *err);

struct hist_cut;
/** hist_from_cut() - the same of a document that hist_cut() shortened; NULL: of a whole
 * one. */
int hist_from_cut(const json_t *v, const struct hist_cut *cut, struct hist *h,
		  struct err *err);

#endif
