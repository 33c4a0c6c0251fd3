// SPDX-License-Identifier: Apache-2.0
// What is said of a latency histogram.
#include "coordinator/latency.h"

#include <inttypes.h>

#include "core/json.h"

static const double percentiles[LATENCY_PERCENTILES] = {
	1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99};

struct latency latency_of(const struct hist *h)
{
	struct hist_pct pct[LATENCY_PERCENTILES] = {0};
	struct latency l = {0};

	if (!h->n)
		return l;
	l = (struct latency){.n = h->n,
			     .min_ns = h->min_ns,
			     .max_ns = h->max_ns,
			     .mean_ns = h->mean_ns,
			     .stddev_ns = hist_stddev_ns(h)};
	/* cannot fail: there are samples, and the list is in (0, 100] and ascending */
	hist_percentiles(h, percentiles, LATENCY_PERCENTILES, pct, NULL);
	for (size_t i = 0; i < LATENCY_PERCENTILES; i++)
		l.pct[i] = (struct latency_pct){.p = percentiles[i],
						.ns = pct[i].ns,
						.is_censored = pct[i].is_censored};
	return l;
}

const struct latency_pct *latency_pct(const struct latency *l, double p)
{
	for (size_t i = 0; l->n && i < LATENCY_PERCENTILES; i++)
		if (percentiles[i] == p)
			return &l->pct[i];
	return NULL;
}

void latency_pct_text(const struct latency_pct *pct, struct str *ret)
{
	str_addf(ret, "%s%" PRIu64, pct->is_censored ? ">=" : "", pct->ns);
}

json_t *latency_json(const struct latency *l)
{
	json_t *list, *o;

	if (!l->n)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < LATENCY_PERCENTILES; i++) {
		json_t *pct = json_object();

		json_object_set_new(pct, "p", json_f64(l->pct[i].p));
		json_object_set_new(pct, "ns", json_u64(l->pct[i].ns));
		json_object_set_new(pct, "censored", json_boolean(l->pct[i].is_censored));
		json_array_append_new(list, pct);
	}
	o = json_object();
	json_object_set_new(o, "n", json_u64(l->n));
	json_object_set_new(o, "min_ns", json_u64(l->min_ns));
	json_object_set_new(o, "max_ns", json_u64(l->max_ns));
	json_object_set_new(o, "mean_ns", json_f64(l->mean_ns));
	json_object_set_new(o, "stddev_ns", json_f64(l->stddev_ns));
	json_object_set_new(o, "percentiles", list);
	return o;
}
