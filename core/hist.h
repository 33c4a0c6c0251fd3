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

/** struct hist - opaque to nobody, but filled only by the functions below. */
struct hist {
	unsigned bits, groups; /* geometry; groups grows when a key asks for it */
	uint64_t n;	       /* sum of all bins */
	uint64_t min_ns, max_ns;
	double mean_ns;
	double m2;	 /* sum of squared deviations, for the standard deviation */
	uint64_t *count; /* groups << bits bins; NULL while empty */
};

/** struct hist_pct - one percentile. */
struct hist_pct {
	uint64_t ns;		  /* the bin's key, as fio prints it */
	uint64_t low_ns, high_ns; /* the bin's edges: the value lies in [low, high] */
	bool is_censored;	  /* the last bin: the value is at least low_ns */
};

void hist_init(struct hist *h);
void hist_done(struct hist *h);
#define cleanup_hist cleanup(hist_done)

/** hist_add() - @count samples in the bin whose key is @ns; -EINVAL: no such key. */
int hist_add(struct hist *h, uint64_t ns, uint64_t count, struct err *err);

/**
 * hist_set_moments() - what fio says of all samples: min, max, mean, standard deviation.
 * The standard deviation is fio's, with n-1 (stat.c, calc_lat).
 */
void hist_set_moments(struct hist *h, uint64_t min_ns, uint64_t max_ns, double mean_ns,
		      double stddev_ns);

/**
 * hist_merge() - add @from to @h: bins exactly, moments by Chan, Golub & LeVeque 1979.
 * -EINVAL when the bits differ. Geometries of 29 and 32 groups share their keys; the
 * result has the larger, and a count in the smaller one's last bin stays censored
 * (groups is then kept at the smaller).
 */
int hist_merge(struct hist *h, const struct hist *from, struct err *err);

/** hist_stddev_ns() - with n-1; 0 for fewer than two samples. */
double hist_stddev_ns(const struct hist *h);

/** hist_percentile() - smallest key with cum >= p*n/100, 0 < p <= 100; -ENODATA if empty.
 */
int hist_percentile(const struct hist *h, double p, struct hist_pct *ret,
		    struct err *err);

/** hist_key() - the key (midpoint) of bin @index; hist_index() - the inverse, or -EINVAL.
 */
uint64_t hist_key(unsigned bits, unsigned index);
int hist_index(unsigned bits, uint64_t ns);

/** hist_from_fio() - fio's "bins" object {"<ns>": count}; geometry derived from the keys.
 */
int hist_from_fio(const json_t *bins, struct hist *h, struct err *err);

/** hist_to_json() - new {n,min_ns,max_ns,mean_ns,stddev_ns,bins[[ns,count],…],geometry}.
 */
json_t *hist_to_json(const struct hist *h);
/** hist_from_json() - the inverse; -EINVAL also when the bins do not sum to n. */
int hist_from_json(const json_t *v, struct hist *h, struct err *err);

#endif
