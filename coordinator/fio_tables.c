// SPDX-License-Identifier: Apache-2.0
// The tables of `muster fio`: one row per group and direction, then the percentiles.
#include <stdio.h>
#include <string.h>

#include "coordinator/fio_report.h"
#include "coordinator/table.h"
#include "core/cleanup.h"

/* One histogram of the latency tables. */
struct series {
	char name[32];
	const struct hist *lat;
};

static unsigned long long llu(uint64_t v)
{
	return v;
}

/* fio's clock has milliseconds: a shorter run has no rate. */
static void set_rate(struct table *t, size_t column, const struct fio_result *r,
		     double rate)
{
	if (r->runtime_ns)
		table_set(t, column, "%.3f", rate);
	else
		table_set(t, column, "-");
}

static void print_rates(const struct fio_output *out, struct str *ret)
{
	static const char *const heads[] = {
		"group",	 ">rw",		 ">ios (1)",
		">io_bytes (B)", ">runtime (s)", ">bandwidth (MiB/s)",
		">iops (1/s)",	 NULL,
	};
	cleanup_table struct table t;

	table_init(&t, heads);
	for (size_t i = 0; i < out->n; i++) {
		const struct fio_result *r = &out->results[i];

		table_row(&t);
		table_set(&t, 0, "%u", r->group);
		table_set(&t, 1, "%s", fio_rw_name(r->rw));
		table_set(&t, 2, "%llu", llu(r->ios));
		table_set(&t, 3, "%llu", llu(r->io_bytes));
		table_set(&t, 4, "%.3f", (double)r->runtime_ns / 1e9);
		set_rate(&t, 5, r, r->bw_bytes_per_s / 0x1p20);
		set_rate(&t, 6, r, r->iops);
	}
	table_text(&t, ret);
}

static void print_moments(const struct series *series, size_t n, struct str *ret)
{
	static const char *const heads[] = {
		"latency",	">samples (1)", ">min (us)", ">mean (us)",
		">stddev (us)", ">max (us)",	NULL,
	};
	cleanup_table struct table t;

	table_init(&t, heads);
	for (size_t i = 0; i < n; i++) {
		const struct hist *h = series[i].lat;
		const double ns[] = {(double)h->min_ns, h->mean_ns, hist_stddev_ns(h),
				     (double)h->max_ns};

		table_row(&t);
		table_set(&t, 0, "%s", series[i].name);
		table_set(&t, 1, "%llu", llu(h->n));
		for (size_t j = 0; j < ARRAY_SIZE(ns); j++)
			if (h->n)
				table_set(&t, 2 + j, "%.3f", ns[j] / 1e3);
			else
				table_set(&t, 2 + j, "-");
	}
	table_text(&t, ret);
}

static void set_percentile(struct table *t, size_t column, const struct hist *h, double p)
{
	struct hist_pct pct = {0};

	if (hist_percentile(h, p, &pct, NULL) < 0)
		table_set(t, column, "-");
	else if (pct.is_censored)
		table_set(t, column, "≥%.1f s", (double)pct.ns / 1e9);
	else
		table_set(t, column, "%.3f", (double)pct.ns / 1e3);
}

enum { SERIES_PER_TABLE = 5 }; /* fits 90 columns */

static void print_percentiles(const struct fio_report *rep, const struct series *series,
			      size_t n, struct str *ret)
{
	char heads[SERIES_PER_TABLE][48];
	const char *names[SERIES_PER_TABLE + 2] = {"percentile"};
	cleanup_table struct table t;

	for (size_t i = 0; i < n; i++) {
		snprintf(heads[i], sizeof(heads[i]), ">%s (us)", series[i].name);
		names[i + 1] = heads[i];
	}
	table_init(&t, names);
	for (size_t j = 0; j < rep->n_percentiles; j++) {
		table_row(&t);
		table_set(&t, 0, "%.9g", rep->percentiles[j]);
		for (size_t i = 0; i < n; i++)
			set_percentile(&t, i + 1, series[i].lat, rep->percentiles[j]);
	}
	str_addc(ret, '\n');
	table_text(&t, ret);
}

static void print_latency(const struct fio_report *rep, const struct series *series,
			  size_t n, struct str *ret)
{
	size_t step = SERIES_PER_TABLE;

	str_addc(ret, '\n');
	print_moments(series, n, ret);
	for (size_t i = 0; i < n; i += step)
		print_percentiles(rep, series + i, n - i < step ? n - i : step, ret);
}

static void print_file(const struct fio_report *rep, const struct fio_file *f,
		       struct str *ret)
{
	const struct fio_output *out = &f->out;
	cleanup_free struct series *series = xcalloc(out->n + 1, sizeof(*series));

	str_add_escaped(ret, f->name, strlen(f->name));
	str_add(ret, ": ");
	str_add_escaped(ret, out->version, strlen(out->version));
	str_addf(ret, ", %u job%s\n", out->jobs, out->jobs == 1 ? "" : "s");
	if (!out->n)
		return;
	print_rates(out, ret);
	for (size_t i = 0; i < out->n; i++) {
		snprintf(series[i].name, sizeof(series[i].name), "%u %s",
			 out->results[i].group, fio_rw_name(out->results[i].rw));
		series[i].lat = &out->results[i].lat;
	}
	print_latency(rep, series, out->n, ret);
}

static void print_total(const struct fio_report *rep, struct str *ret)
{
	static const char *const heads[] = {"total", ">ios (1)", ">io_bytes (B)", NULL};
	struct series series[FIO_RW_COUNT];
	cleanup_table struct table t;
	size_t n = 0;

	table_init(&t, heads);
	for (enum fio_rw rw = FIO_READ; rw < FIO_RW_COUNT; rw++) {
		const struct fio_total *sum = &rep->total[rw];

		if (!sum->is_present)
			continue;
		table_row(&t);
		table_set(&t, 0, "%s", fio_rw_name(rw));
		table_set(&t, 1, "%llu", llu(sum->ios));
		table_set(&t, 2, "%llu", llu(sum->io_bytes));
		series[n].lat = &sum->lat;
		snprintf(series[n++].name, sizeof(series[0].name), "total %s",
			 fio_rw_name(rw));
	}
	if (!n)
		return;
	str_addc(ret, '\n');
	table_text(&t, ret);
	print_latency(rep, series, n, ret);
}

void fio_report_text(const struct fio_report *rep, struct str *ret)
{
	for (size_t i = 0; i < rep->n; i++) {
		if (i)
			str_addc(ret, '\n');
		print_file(rep, &rep->files[i], ret);
	}
	print_total(rep, ret);
}
