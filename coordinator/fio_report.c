// SPDX-License-Identifier: Apache-2.0
// Totals over fio outputs, and the JSON form of `muster fio`.
#include "coordinator/fio_report.h"

#include <errno.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/json.h"

static void add_percentile(struct fio_report *rep, double p)
{
	double *all = rep->percentiles;
	size_t i = rep->n_percentiles;

	while (i && all[i - 1] > p)
		i--;
	if ((i && all[i - 1] == p) || rep->n_percentiles == FIO_PERCENTILES_MAX)
		return;
	memmove(all + i + 1, all + i, (rep->n_percentiles++ - i) * sizeof(*all));
	all[i] = p;
}

static void choose_percentiles(struct fio_report *rep)
{
	static const double defaults[] = {1,  5,  10, 20, 30,	40,   50,    60,   70,
					  80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99};

	for (size_t i = 0; i < rep->n; i++) {
		const json_t *list = rep->files[i].out.percentiles;

		for (size_t j = 0; j < json_array_size(list); j++)
			add_percentile(rep, json_real_value(json_array_get(list, j)));
	}
	for (size_t i = 0; !rep->n_percentiles && i < ARRAY_SIZE(defaults); i++)
		rep->percentiles[i] = defaults[i];
	if (!rep->n_percentiles)
		rep->n_percentiles = ARRAY_SIZE(defaults);
}

static int add_result(struct fio_total *t, const struct fio_result *r, struct err *err)
{
	t->is_present = true;
	if (__builtin_add_overflow(t->ios, r->ios, &t->ios) ||
	    __builtin_add_overflow(t->io_bytes, r->io_bytes, &t->io_bytes) ||
	    t->ios > INT64_MAX || t->io_bytes > INT64_MAX)
		return err_set(err, -ERANGE, "a total past 2^63");
	t->has_gap |= r->ios && !r->lat.n;
	return hist_merge(&t->lat, &r->lat, err);
}

int fio_report_init(struct fio_report *rep, const struct fio_file *files, size_t n,
		    struct err *err)
{
	*rep = (struct fio_report){.files = files, .n = n};
	for (enum fio_rw rw = FIO_READ; rw < FIO_RW_COUNT; rw++)
		hist_init(&rep->total[rw].lat);
	choose_percentiles(rep);
	for (size_t i = 0; i < n; i++) {
		const struct fio_output *out = &files[i].out;

		for (size_t j = 0; j < out->n; j++) {
			const struct fio_result *res = &out->results[j];
			int r = add_result(&rep->total[res->rw], res, err);

			if (r < 0)
				return err_wrap(err, r, "%s", files[i].name);
		}
	}
	for (enum fio_rw rw = FIO_READ; rw < FIO_RW_COUNT; rw++)
		if (rep->total[rw].has_gap)
			hist_done(&rep->total[rw].lat);
	return 0;
}

void fio_report_done(struct fio_report *rep)
{
	for (enum fio_rw rw = FIO_READ; rw < FIO_RW_COUNT; rw++)
		hist_done(&rep->total[rw].lat);
}

static json_t *percentiles_json(const struct fio_report *rep, const struct hist *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rep->n_percentiles; i++) {
		double p = rep->percentiles[i];
		struct hist_pct pct = {0};

		if (hist_percentile(h, p, &pct, NULL) < 0)
			continue;
		json_array_append_new(list, json_pack("{s:o,s:o,s:b}", "p", json_f64(p),
						      "ns", json_u64(pct.ns), "censored",
						      (int)pct.is_censored));
	}
	return list;
}

static json_t *lat_json(const struct fio_report *rep, const struct hist *h)
{
	json_t *lat = json_object();
	bool has = h->n > 0;

	json_object_set_new(lat, "n", json_u64(h->n));
	json_object_set_new(lat, "min_ns", has ? json_u64(h->min_ns) : json_null());
	json_object_set_new(lat, "max_ns", has ? json_u64(h->max_ns) : json_null());
	json_object_set_new(lat, "mean_ns", has ? json_f64(h->mean_ns) : json_null());
	json_object_set_new(lat, "stddev_ns",
			    has ? json_f64(hist_stddev_ns(h)) : json_null());
	json_object_set_new(lat, "percentiles", percentiles_json(rep, h));
	return lat;
}

static json_t *total_json(const struct fio_report *rep)
{
	json_t *total = json_object();

	for (enum fio_rw rw = FIO_READ; rw < FIO_RW_COUNT; rw++) {
		const struct fio_total *t = &rep->total[rw];

		if (!t->is_present)
			continue;
		json_object_set_new(total, fio_rw_name(rw),
				    json_pack("{s:o,s:o,s:o}", "ios", json_u64(t->ios),
					      "io_bytes", json_u64(t->io_bytes), "lat",
					      lat_json(rep, &t->lat)));
	}
	return total;
}

static json_t *groups_json(const struct fio_report *rep)
{
	json_t *groups = json_array();

	for (size_t i = 0; i < rep->n; i++) {
		const struct fio_file *f = &rep->files[i];
		json_t *own = fio_results_to_json(f->out.results, f->out.n);
		json_t *group;
		size_t j;

		json_array_foreach (own, j, group) {
			json_object_set_new(group, "file", json_text(f->name));
		}
		json_array_extend(groups, own);
		json_decref(own);
	}
	return groups;
}

json_t *fio_report_json(const struct fio_report *rep)
{
	return json_pack("{s:s,s:o,s:o}", "schema", "muster/fio/1", "groups",
			 groups_json(rep), "total", total_json(rep));
}
