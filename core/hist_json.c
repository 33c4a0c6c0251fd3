// SPDX-License-Identifier: Apache-2.0
// The histogram as JSON: fio's "bins" object in, muster's own form in and out.
#include <errno.h>
#include <math.h>

#include "core/cleanup.h"
#include "core/hist.h"
#include "core/hist_cut.h"
#include "core/json.h"
#include "core/str.h"

void hist_probe_init(struct hist_probe *probe)
{
	*probe = (struct hist_probe){0};
	for (unsigned bits = HIST_BITS_LEAST; bits <= HIST_BITS_MOST; bits++)
		probe->fits |= 1u << bits;
}

int hist_probe_add(struct hist_probe *probe, const json_t *bins, struct err *err)
{
	const char *key;
	json_t *count;

	if (!json_is_object(bins))
		return err_set(err, -EINVAL, "bins: not an object");
	json_object_foreach ((json_t *)bins, key, count) {
		uint64_t ns = 0;

		if (parse_u64(key, &ns, NULL) < 0)
			return err_set(err, -EINVAL, "not fio's bins: \"%.40s\"", key);
		for (unsigned bits = HIST_BITS_LEAST; bits <= HIST_BITS_MOST; bits++)
			if (hist_index(bits, ns) < 0)
				probe->fits &= ~(1u << bits);
		if (!probe->fits)
			return err_set(err, -EINVAL,
				       "not fio's bins: %.40s ns does not fit", key);
		if (ns > probe->largest_ns)
			probe->largest_ns = ns;
	}
	return 0;
}

void hist_use_probe(struct hist *h, const struct hist_probe *probe)
{
	unsigned bits = HIST_BITS;

	/* fio's own number unless the keys speak against it */
	if (!(probe->fits & 1u << bits))
		bits = (unsigned)__builtin_ctz(probe->fits | 1u << HIST_BITS_MOST);
	h->bits = bits;
	h->groups = hist_index(bits, probe->largest_ns) < HIST_GROUPS << bits
			    ? HIST_GROUPS
			    : HIST_GROUPS_MAX;
}

int hist_add_fio(struct hist *h, const json_t *bins, struct err *err)
{
	const char *key;
	json_t *count;
	uint64_t ns = 0;
	int r = 0;

	json_object_foreach ((json_t *)bins, key, count) {
		if (!json_is_integer(count) || json_integer_value(count) < 0)
			return err_set(err, -EINVAL, "bins: %.40s: not a count", key);
		r = parse_u64(key, &ns, err);
		if (r >= 0)
			r = hist_add(h, ns, (uint64_t)json_integer_value(count), err);
		if (r < 0)
			return r;
	}
	return 0;
}

int hist_from_fio(const json_t *bins, struct hist *h, struct err *err)
{
	struct hist_probe probe;
	int r;

	hist_init(h);
	hist_probe_init(&probe);
	r = hist_probe_add(&probe, bins, err);
	if (r < 0)
		return r;
	hist_use_probe(h, &probe);
	return hist_add_fio(h, bins, err);
}

static json_t *bins_to_json(const struct hist *h)
{
	json_t *bins = json_array();

	for (unsigned i = 0; h->n && i < h->groups << h->bits; i++)
		if (h->count[i])
			json_array_append_new(
				bins, json_pack("[o,o]", json_u64(hist_key(h->bits, i)),
						json_u64(h->count[i])));
	return bins;
}

json_t *hist_to_json(const struct hist *h)
{
	json_t *doc = json_object();

	json_object_set_new(doc, "n", json_u64(h->n));
	json_object_set_new(doc, "min_ns", h->n ? json_u64(h->min_ns) : json_null());
	json_object_set_new(doc, "max_ns", h->n ? json_u64(h->max_ns) : json_null());
	json_object_set_new(doc, "mean_ns", h->n ? json_f64(h->mean_ns) : json_null());
	json_object_set_new(doc, "stddev_ns",
			    h->n ? json_f64(hist_stddev_ns(h)) : json_null());
	json_object_set_new(doc, "bins", bins_to_json(h));
	json_object_set_new(
		doc, "geometry",
		json_pack("{s:i,s:i}", "bits", (int)h->bits, "groups", (int)h->groups));
	return doc;
}

static int read_geometry(const json_t *v, struct hist *h, struct err *err)
{
	struct json_in in;

	json_in_init(&in, v, JSON_RECORDS, "lat.geometry", NULL, err);
	json_in_uint(&in, "bits", JSON_MUST, &h->bits);
	json_in_uint(&in, "groups", JSON_MUST, &h->groups);
	if (in.r >= 0 && (h->bits < HIST_BITS_LEAST || h->bits > HIST_BITS_MOST))
		json_in_fail(&in, "bits", "%u is not fio's", h->bits);
	if (in.r >= 0 && (h->groups < 2 || h->groups > HIST_GROUPS_MAX))
		json_in_fail(&in, "groups", "%u is not fio's", h->groups);
	return json_in_end(&in);
}

/* In records a whole number may be written as a real. */
static int whole_number(const json_t *v, uint64_t *ret)
{
	double d = json_is_real(v) ? json_real_value(v) : -1;

	if (json_is_integer(v) && json_integer_value(v) >= 0)
		*ret = (uint64_t)json_integer_value(v);
	else if (d >= 0 && d <= 0x1p53 && trunc(d) == d)
		*ret = (uint64_t)d;
	else
		return -EINVAL;
	return 0;
}

/* Bin @i of an ascending list, the one before it at @before ns. */
static int read_bin(struct hist *h, size_t i, uint64_t ns, uint64_t count,
		    uint64_t before, struct err *err)
{
	unsigned groups = h->groups;
	int r;

	if (!count || (i && ns <= before))
		return err_set(err, -EINVAL,
			       "lat.bins[%zu]: not an ascending [ns, count]", i);
	r = hist_add(h, ns, count, err);
	if (r < 0)
		return err_wrap(err, r, "lat.bins[%zu]", i);
	if (h->groups != groups)
		return err_set(err, -EINVAL, "lat.bins[%zu]: beyond the stated geometry",
			       i);
	return 0;
}

static int read_bins(const json_t *bins, struct hist *h, struct err *err)
{
	uint64_t ns = 0, count = 0, before = 0;
	json_t *pair;
	size_t i;
	int r = 0;

	json_array_foreach ((json_t *)bins, i, pair) {
		if (json_array_size(pair) != 2 ||
		    whole_number(json_array_get(pair, 0), &ns) < 0 ||
		    whole_number(json_array_get(pair, 1), &count) < 0)
			count = 0;
		r = read_bin(h, i, ns, count, before, err);
		if (r < 0)
			return r;
		before = ns;
	}
	return r;
}

/* In place of the bins is the cut's number. */
static int read_cut(const json_t *bins, const struct hist_cut *cut, struct hist *h,
		    struct err *err)
{
	size_t k = (size_t)json_integer_value(json_array_get(bins, 0));
	size_t from = k < cut->n ? cut->from[k] : 0;
	size_t n = k < cut->n ? cut->from[k + 1] - from : 0;
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = read_bin(h, i, cut->pairs[from + i][0], cut->pairs[from + i][1],
			     i ? cut->pairs[from + i - 1][0] : 0, err);
	return r;
}

static int read_hist(const json_t *v, const struct hist_cut *cut, struct hist *h,
		     struct err *err)
{
	const json_t *bins = NULL, *geometry = NULL;
	uint64_t n = 0, min_ns = 0, max_ns = 0;
	double mean_ns = 0, stddev_ns = 0;
	enum json_need need;
	struct json_in in;
	int r;

	json_in_init(&in, v, JSON_RECORDS, "lat", NULL, err);
	json_in_u64(&in, "n", JSON_MUST, &n);
	need = n ? JSON_MUST : JSON_NULLABLE;
	json_in_u64(&in, "min_ns", need, &min_ns);
	json_in_u64(&in, "max_ns", need, &max_ns);
	json_in_f64(&in, "mean_ns", need, &mean_ns);
	json_in_f64(&in, "stddev_ns", need, &stddev_ns);
	json_in_arr(&in, "bins", JSON_MUST, &bins);
	json_in_obj(&in, "geometry", JSON_MUST, &geometry);
	if (in.r >= 0 && !(stddev_ns >= 0))
		json_in_fail(&in, "stddev_ns", "must not be negative");
	r = json_in_end(&in);
	if (r >= 0)
		r = read_geometry(geometry, h, err);
	if (r >= 0)
		r = cut ? read_cut(bins, cut, h, err) : read_bins(bins, h, err);
	if (r < 0)
		return r;
	if (h->n != n)
		return err_set(err, -EINVAL, "lat: the bins sum to %llu, n is %llu",
			       (unsigned long long)h->n, (unsigned long long)n);
	if (n)
		hist_set_moments(h, min_ns, max_ns, mean_ns, stddev_ns);
	return 0;
}

int hist_from_json(const json_t *v, struct hist *h, struct err *err)
{
	return hist_from_cut(v, NULL, h, err);
}

int hist_from_cut(const json_t *v, const struct hist_cut *cut, struct hist *h,
		  struct err *err)
{
	int r;

	hist_init(h);
	r = read_hist(v, cut, h, err);
	if (r < 0)
		hist_done(h);
	return r;
}
