// SPDX-License-Identifier: Apache-2.0
// What is said of a latency histogram: moments and fio's 17 percentiles.
#ifndef COORDINATOR_LATENCY_H
#define COORDINATOR_LATENCY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/hist.h"
#include "core/str.h"

enum { LATENCY_PERCENTILES = 17 };

/** struct latency - small, so that the bins can go. */
struct latency {
	uint64_t n; /* samples; 0 = nothing is known */
	uint64_t min_ns, max_ns;
	double mean_ns, stddev_ns;
	struct latency_pct {
		double p;
		uint64_t ns; /* as struct hist_pct's */
		bool is_censored;
	} pct[LATENCY_PERCENTILES];
};

/** latency_of() - of a histogram; all zero when it is empty. fio's default percentiles
 * (stat.c, def_percentile_list). */
struct latency latency_of(const struct hist *h);

/** latency_pct() - one of the 17, NULL if @p is none of them or nothing is known. */
const struct latency_pct *latency_pct(const struct latency *l, double p);

/** latency_pct_text() - in nanoseconds: "1234", or ">=17112760320" if censored. */
void latency_pct_text(const struct latency_pct *pct, struct str *ret);

/** latency_json() - new object, null when nothing is known. */
json_t *latency_json(const struct latency *l);

#endif
