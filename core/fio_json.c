// SPDX-License-Identifier: Apache-2.0
// Reader of fio's json+ document: job entries added up per group and direction.
#include "core/fio_json.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/fio_text.h"
#include "core/json.h"

enum { PERCENTILES_MAX = 256, NS_PER_MS = 1000000 };

/* One (group, direction) while its jobs are added up. */
struct sum {
	struct fio_result r;
	bool has_gap; /* a job with I/O but without bins: the rest would mislead */
};

struct reader {
	struct fio_output *out;
	struct hist_probe probe;
	struct sum *sums;
	size_t n;
	double percentiles[PERCENTILES_MAX];
	size_t n_percentiles;
};

/* One direction of one job entry, as fio wrote it. */
struct direction {
	uint64_t io_bytes, ios, runtime_ms, short_ios, drop_ios;
	uint64_t n, min_ns, max_ns;
	double mean_ns, stddev_ns;
	const json_t *bins, *percentile; /* borrowed, may be NULL */
};

static void reader_done(struct reader *rd)
{
	for (size_t i = 0; i < rd->n; i++)
		hist_done(&rd->sums[i].r.lat);
	free(rd->sums);
}

static int read_lat(const json_t *v, struct direction *d, struct err *err)
{
	enum json_need need;
	struct json_in in;

	json_in_init(&in, v, JSON_RECORDS, "lat_ns", NULL, err);
	json_in_obj(&in, "bins", JSON_MAY, &d->bins);
	json_in_obj(&in, "percentile", JSON_MAY, &d->percentile);
	if (!json_object_size(d->bins))
		d->bins = NULL;
	need = d->bins ? JSON_MUST : JSON_MAY;
	json_in_u64(&in, "N", need, &d->n);
	json_in_u64(&in, "min", need, &d->min_ns);
	json_in_u64(&in, "max", need, &d->max_ns);
	json_in_f64(&in, "mean", need, &d->mean_ns);
	json_in_f64(&in, "stddev", need, &d->stddev_ns);
	if (in.r >= 0 && d->bins && !(d->stddev_ns >= 0))
		json_in_fail(&in, "stddev", "must not be negative");
	return json_in_end(&in);
}

static int read_direction(const json_t *v, const char *name, struct direction *d,
			  struct err *err)
{
	const json_t *lat = NULL;
	struct json_in in;
	int r;

	*d = (struct direction){0};
	json_in_init(&in, v, JSON_RECORDS, name, NULL, err);
	json_in_u64(&in, "io_bytes", JSON_MUST, &d->io_bytes);
	json_in_u64(&in, "total_ios", JSON_MUST, &d->ios);
	json_in_u64(&in, "runtime", JSON_MUST, &d->runtime_ms);
	json_in_u64(&in, "short_ios", JSON_MAY, &d->short_ios);
	json_in_u64(&in, "drop_ios", JSON_MAY, &d->drop_ios);
	json_in_obj(&in, "lat_ns", JSON_MUST, &lat);
	r = json_in_end(&in);
	return r < 0 ? r : read_lat(lat, d, err);
}

static int note_percentiles(struct reader *rd, const json_t *list, struct err *err)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)list, key, v) {
		double *all = rd->percentiles, p = 0;
		size_t i = rd->n_percentiles;

		if (parse_f64(key, &p, NULL) < 0 || !(p >= 0 && p <= 100))
			return err_set(err, -EINVAL, "lat_ns: not a percentile");
		while (i && all[i - 1] > p)
			i--;
		if (p <= 0 || (i && all[i - 1] == p))
			continue;
		if (rd->n_percentiles == PERCENTILES_MAX)
			return err_set(err, -EINVAL, "lat_ns: more than %d percentiles",
				       PERCENTILES_MAX);
		memmove(all + i + 1, all + i, (rd->n_percentiles++ - i) * sizeof(*all));
		all[i] = p;
	}
	return 0;
}

static struct sum *find_sum(struct reader *rd, unsigned group, enum fio_rw rw)
{
	struct sum *s;

	/* the jobs of a group follow each other */
	for (size_t i = rd->n; i-- > 0;)
		if (rd->sums[i].r.group == group && rd->sums[i].r.rw == rw)
			return &rd->sums[i];
	if (rd->n == FIO_RESULTS_MAX)
		return NULL;
	rd->sums = xrealloc(rd->sums, rd->n + 1, sizeof(*rd->sums));
	s = &rd->sums[rd->n++];
	*s = (struct sum){.r = {.group = group, .rw = rw}};
	hist_init(&s->r.lat);
	return s;
}

static int add_count(uint64_t *sum, uint64_t more, struct err *err)
{
	if (more > (uint64_t)INT64_MAX - *sum)
		return err_set(err, -ERANGE, "a count past 2^63");
	*sum += more;
	return 0;
}

static int add_lat(struct reader *rd, struct sum *s, const struct direction *d,
		   struct err *err)
{
	cleanup_hist struct hist lat;
	int r;

	hist_init(&lat);
	if (!d->bins) {
		s->has_gap |= d->ios || d->n;
		return 0;
	}
	hist_use_probe(&lat, &rd->probe);
	r = hist_add_fio(&lat, d->bins, err);
	if (r < 0)
		return r;
	if (lat.n != d->n)
		return err_set(err, -EINVAL, "lat_ns: the bins sum to %llu, N is %llu",
			       (unsigned long long)lat.n, (unsigned long long)d->n);
	hist_set_moments(&lat, d->min_ns, d->max_ns, d->mean_ns, d->stddev_ns);
	return hist_merge(&s->r.lat, &lat, err);
}

static int add_direction(struct reader *rd, unsigned group, enum fio_rw rw,
			 const struct direction *d, struct err *err)
{
	struct sum *s;
	int r;

	if (!d->io_bytes && !d->ios && !d->n && !d->runtime_ms)
		return 0;
	s = find_sum(rd, group, rw);
	if (!s)
		return err_set(err, -EFBIG, "more than %d groups and directions",
			       FIO_RESULTS_MAX);
	r = add_count(&s->r.io_bytes, d->io_bytes, err);
	if (r >= 0)
		r = add_count(&s->r.ios, d->ios, err);
	if (r >= 0)
		r = add_count(&s->r.short_ios, d->short_ios, err);
	if (r >= 0)
		r = add_count(&s->r.drop_ios, d->drop_ios, err);
	if (r >= 0 && d->runtime_ms > INT64_MAX / NS_PER_MS)
		r = err_set(err, -ERANGE, "runtime is too long");
	if (r < 0)
		return r;
	if (d->runtime_ms * NS_PER_MS > s->r.runtime_ns)
		s->r.runtime_ns = d->runtime_ms * NS_PER_MS;
	return add_lat(rd, s, d, err);
}

struct job {
	const char *name;
	unsigned group;
	int64_t error;
};

static int read_job(const json_t *v, struct job *job, struct err *err)
{
	struct json_in in;

	*job = (struct job){0};
	json_in_init(&in, v, JSON_RECORDS, "job", NULL, err);
	json_in_str(&in, "jobname", JSON_MUST, &job->name);
	json_in_uint(&in, "groupid", JSON_MUST, &job->group);
	json_in_i64(&in, "error", JSON_MUST, &job->error);
	if (in.r >= 0 && (job->error > INT32_MAX || job->error < INT32_MIN))
		json_in_fail(&in, "error", "too large");
	return json_in_end(&in);
}

static int add_job(struct reader *rd, const json_t *v, const struct job *job,
		   struct err *err)
{
	rd->out->jobs++;
	if (job->error && !rd->out->first_error) {
		rd->out->first_error = (int)job->error;
		rd->out->error_job = xstrdup(job->name);
	}
	for (enum fio_rw rw = FIO_READ; rw < FIO_RW_COUNT; rw++) {
		const json_t *direction = json_object_get(v, fio_rw_name(rw));
		struct direction d;
		int r = 0;

		if (!direction)
			continue;
		r = read_direction(direction, fio_rw_name(rw), &d, err);
		if (r >= 0)
			r = note_percentiles(rd, d.percentile, err);
		if (r >= 0)
			r = add_direction(rd, job->group, rw, &d, err);
		if (r < 0)
			return err_wrap(err, r, "%s", fio_rw_name(rw));
	}
	return 0;
}

static int probe_job(struct reader *rd, const json_t *job, struct err *err)
{
	for (enum fio_rw rw = FIO_READ; rw < FIO_RW_COUNT; rw++) {
		const json_t *v = json_object_get(job, fio_rw_name(rw));
		const json_t *bins =
			json_object_get(json_object_get(v, "lat_ns"), "bins");
		int r = bins ? hist_probe_add(&rd->probe, bins, err) : 0;

		if (r < 0)
			return err_wrap(err, r, "%s", fio_rw_name(rw));
	}
	return 0;
}

/*
 * With --client fio appends an entry that is its own sum of the others. A job of that
 * name in a local run is a job.
 */
static bool is_fios_sum(const struct job *job, bool is_client)
{
	return is_client && strcmp(job->name, "All clients") == 0;
}

static int read_jobs(struct reader *rd, const json_t *jobs, bool is_client,
		     struct err *err)
{
	json_t *v;
	size_t i;
	int r;

	json_array_foreach ((json_t *)jobs, i, v) {
		r = probe_job(rd, v, err);
		if (r < 0)
			return err_wrap(err, r, "entry %zu", i + 1);
	}
	json_array_foreach ((json_t *)jobs, i, v) {
		struct job job;

		r = read_job(v, &job, err);
		if (r >= 0 && !is_fios_sum(&job, is_client))
			r = add_job(rd, v, &job, err);
		if (r < 0)
			return err_wrap(err, r, "entry %zu", i + 1);
	}
	return 0;
}

static int read_document(struct reader *rd, const json_t *doc, struct err *err)
{
	const json_t *jobs = NULL, *clients = NULL;
	const char *version = NULL;
	struct json_in in;
	int r;

	json_in_init(&in, doc, JSON_RECORDS, "fio's JSON", NULL, err);
	json_in_str(&in, "fio version", JSON_MUST, &version);
	json_in_arr(&in, "jobs", JSON_MAY, &jobs);
	json_in_arr(&in, "client_stats", JSON_MAY, &clients);
	if (in.r >= 0 && !jobs == !clients)
		json_in_fail(&in, "jobs", "want either this or client_stats");
	r = json_in_end(&in);
	if (r < 0)
		return r;
	rd->out->version = xstrdup(version);
	return read_jobs(rd, jobs ? jobs : clients, !jobs, err);
}

static int compare_results(const void *a, const void *b)
{
	const struct fio_result *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->rw > y->rw) - (x->rw < y->rw);
}

/* Hand the sums over as results, with their rates. */
static void finish(struct reader *rd)
{
	struct fio_output *out = rd->out;

	out->results = xcalloc(rd->n + 1, sizeof(*out->results));
	for (size_t i = 0; i < rd->n; i++) {
		struct fio_result *r = &rd->sums[i].r;
		double s = (double)r->runtime_ns / 1e9;

		if (rd->sums[i].has_gap)
			hist_done(&r->lat);
		if (!r->ios && !r->io_bytes && !r->lat.n)
			continue;
		if (r->runtime_ns) {
			r->bw_bytes_per_s = (double)r->io_bytes / s;
			r->iops = (double)r->ios / s;
		}
		out->results[out->n++] = *r;
		hist_init(&r->lat);
	}
	qsort(out->results, out->n, sizeof(*out->results), compare_results);
	if (rd->n_percentiles)
		out->percentiles = json_array();
	for (size_t i = 0; i < rd->n_percentiles; i++)
		json_array_append_new(out->percentiles, json_real(rd->percentiles[i]));
}

int fio_json_read(const char *text, size_t n, struct fio_output *ret, struct err *err)
{
	cleanup_fio_text struct fio_text parts = {0};
	cleanup(reader_done) struct reader rd = {.out = ret};
	cleanup_json json_t *doc = NULL;
	int r;

	*ret = (struct fio_output){0};
	hist_probe_init(&rd.probe);
	if (n > FIO_JSON_MAX_BYTES)
		return err_set(err, -EFBIG, "fio's output is larger than %d bytes",
			       FIO_JSON_MAX_BYTES);
	r = fio_text_split(text, n, FIO_JSON_MAX_BYTES, &parts, err);
	ret->message = steal_ptr(parts.message);
	if (r >= 0)
		r = json_load(str_text(&parts.doc), parts.doc.len, FIO_JSON_MAX_BYTES,
			      "fio's JSON", &doc, err);
	if (r >= 0)
		r = read_document(&rd, doc, err);
	if (r < 0)
		return r;
	finish(&rd);
	return 0;
}

void fio_output_done(struct fio_output *out)
{
	free(out->message);
	free(out->version);
	free(out->error_job);
	fio_results_free(out->results, out->n);
	json_decref(out->percentiles);
	*out = (struct fio_output){0};
}
