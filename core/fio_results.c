// SPDX-License-Identifier: Apache-2.0
// Results per group and direction as JSON: the "results" of a step record.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/fio_json.h"
#include "core/json.h"

static const char *const rw_names[FIO_RW_COUNT] = {"read", "write", "trim", "mixed"};

const char *fio_rw_name(enum fio_rw rw)
{
	return rw_names[rw];
}

int fio_rw_parse(const char *name, enum fio_rw *ret, struct err *err)
{
	for (enum fio_rw rw = FIO_READ; rw < FIO_RW_COUNT; rw++)
		if (strcmp(name, rw_names[rw]) == 0) {
			*ret = rw;
			return 0;
		}
	return err_set(err, -EINVAL, "\"%.40s\" is not read, write, trim or mixed", name);
}

static json_t *result_to_json(const struct fio_result *r)
{
	json_t *v = json_object();

	json_object_set_new(v, "group", json_u64(r->group));
	json_object_set_new(v, "rw", json_string(fio_rw_name(r->rw)));
	json_object_set_new(v, "ios", json_u64(r->ios));
	json_object_set_new(v, "io_bytes", json_u64(r->io_bytes));
	json_object_set_new(v, "runtime_ns", json_u64(r->runtime_ns));
	json_object_set_new(v, "bw_bytes_per_s", json_f64(r->bw_bytes_per_s));
	json_object_set_new(v, "iops", json_f64(r->iops));
	json_object_set_new(v, "short_ios", json_u64(r->short_ios));
	json_object_set_new(v, "drop_ios", json_u64(r->drop_ios));
	json_object_set_new(v, "lat", hist_to_json(&r->lat));
	return v;
}

json_t *fio_results_to_json(const struct fio_result *results, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, result_to_json(&results[i]));
	return all;
}

static int result_from_json(const json_t *v, const struct hist_cut *cut,
			    struct fio_result *ret, struct err *err)
{
	const json_t *lat = NULL;
	const char *rw = "";
	struct json_in in;
	int r;

	json_in_init(&in, v, JSON_RECORDS, "result", NULL, err);
	json_in_uint(&in, "group", JSON_MUST, &ret->group);
	json_in_str(&in, "rw", JSON_MUST, &rw);
	json_in_u64(&in, "ios", JSON_MUST, &ret->ios);
	json_in_u64(&in, "io_bytes", JSON_MUST, &ret->io_bytes);
	json_in_u64(&in, "runtime_ns", JSON_MUST, &ret->runtime_ns);
	json_in_f64(&in, "bw_bytes_per_s", JSON_NULLABLE, &ret->bw_bytes_per_s);
	json_in_f64(&in, "iops", JSON_NULLABLE, &ret->iops);
	json_in_u64(&in, "short_ios", JSON_NULLABLE, &ret->short_ios);
	json_in_u64(&in, "drop_ios", JSON_NULLABLE, &ret->drop_ios);
	json_in_obj(&in, "lat", JSON_MUST, &lat);
	r = json_in_end(&in);
	if (r >= 0)
		r = fio_rw_parse(rw, &ret->rw, err);
	return r < 0 ? r : hist_from_cut(lat, cut, &ret->lat, err);
}

int fio_results_from_json(const json_t *v, struct fio_result **ret, size_t *ret_n,
			  struct err *err)
{
	return fio_results_from_cut(v, NULL, ret, ret_n, err);
}

int fio_results_from_cut(const json_t *v, const struct hist_cut *cut,
			 struct fio_result **ret, size_t *ret_n, struct err *err)
{
	size_t n = json_array_size(v);
	struct fio_result *results;

	if (!json_is_array(v))
		return err_set(err, -EINVAL, "results: not an array");
	if (n > FIO_RESULTS_MAX)
		return err_set(err, -EFBIG, "results: more than %d", FIO_RESULTS_MAX);
	results = xcalloc(n + 1, sizeof(*results));
	for (size_t i = 0; i < n; i++) {
		int r = result_from_json(json_array_get(v, i), cut, &results[i], err);

		if (r < 0) {
			fio_results_free(results, n);
			return err_wrap(err, r, "results[%zu]", i);
		}
	}
	*ret = results;
	*ret_n = n;
	return 0;
}

void fio_results_free(struct fio_result *results, size_t n)
{
	for (size_t i = 0; results && i < n; i++)
		hist_done(&results[i].lat);
	free(results);
}
