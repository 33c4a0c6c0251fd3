// SPDX-License-Identifier: Apache-2.0
// "cases", "data" and "settings", and small things of orders.
#include "manifests/orders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_id(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

bool id_set_sort(struct id_set *set)
{
	if (set->n)
		qsort(set->ids, set->n, sizeof(*set->ids), by_id);
	for (size_t i = 1; i < set->n; i++)
		if (set->ids[i - 1] == set->ids[i])
			return false;
	return true;
}

bool id_set_has(const struct id_set *set, unsigned id)
{
	return set->n && bsearch(&id, set->ids, set->n, sizeof(*set->ids), by_id);
}

void id_set_done(struct id_set *set)
{
	free(set->ids);
}

const json_t *orders_array(struct json_in *in, const char *key, size_t min, size_t max)
{
	const json_t *v = NULL;

	json_in_arr(in, key, JSON_MUST, &v);
	if (!v)
		return NULL;
	if (json_array_size(v) < min || json_array_size(v) > max) {
		json_in_fail(in, key, "%zu entries, not %zu to %zu", json_array_size(v),
			     min, max);
		return NULL;
	}
	return v;
}

void orders_item(struct json_in *in, const char *key, const json_t *array, size_t i,
		 char where[WHERE_CAP], struct json_in *item)
{
	snprintf(where, WHERE_CAP, "%s.%s[%zu]", in->where, key, i);
	json_in_init(item, json_array_get(array, i), in->mode, where, in->unknown,
		     in->err);
}

static void params_in(struct json_in *in, json_t **ret)
{
	const json_t *v = NULL;
	const char *column;
	json_t *text;

	json_in_obj(in, "params", JSON_MUST, &v);
	json_object_foreach ((json_t *)v, column, text) {
		char shown[EXCERPT_CAP];

		if (json_is_string(text))
			continue;
		excerpt(shown, column);
		json_in_fail(in, "params", "%s is not a string", shown);
		return;
	}
	*ret = (json_t *)v;
}

static void case_in(struct json_in *in, struct test_case *ret)
{
	uint64_t none = UINT64_MAX;

	field_range(in, "test_id", 1, INT32_MAX, &ret->test_id);
	params_in(in, &ret->params);
	json_in_str(in, "fio_job", JSON_MUST, &ret->fio_job);
	if (ret->fio_job && !*ret->fio_job)
		json_in_fail(in, "fio_job", "must not be empty");
	json_in_bool(in, "writes", JSON_MUST, &ret->writes);
	json_in_u64(in, "data_bytes", JSON_MUST, &ret->data_bytes);
	ret->io_bytes = none;
	json_in_u64(in, "io_bytes", JSON_NULLABLE, &ret->io_bytes);
	ret->has_io_bytes = ret->io_bytes != none;
	if (!ret->has_io_bytes)
		ret->io_bytes = 0;
	field_str(in, "data_key", JSON_MUST, is_binary_key, "24 hexadecimal digits",
		  &ret->data_key);
	field_range(in, "timeout_s", 1, ORDER_SECONDS_MAX, &ret->timeout_s);
}

void orders_cases_in(struct json_in *in, struct test_case **ret, size_t *ret_n)
{
	const json_t *v = orders_array(in, "cases", 0, ORDER_CASES_MAX);
	cleanup_id_set struct id_set ids = {0};

	if (!v)
		return;
	*ret_n = json_array_size(v);
	*ret = xcalloc(*ret_n, sizeof(**ret));
	ids = (struct id_set){*ret_n, xcalloc(*ret_n, sizeof(unsigned))};
	for (size_t i = 0; i < *ret_n && in->r == 0; i++) {
		char where[WHERE_CAP];
		struct json_in item;

		orders_item(in, "cases", v, i, where, &item);
		case_in(&item, *ret + i);
		field_sub_end(in, &item);
		ids.ids[i] = (*ret)[i].test_id;
	}
	if (in->r == 0 && !id_set_sort(&ids))
		json_in_fail(in, "cases", "two have the same test_id");
}

static json_t *case_out(const struct test_case *c)
{
	struct json_out out = out_begin();

	out_num(&out, "test_id", c->test_id);
	out_put(&out, "params", c->params ? json_incref(c->params) : json_object());
	out_str(&out, "fio_job", c->fio_job);
	out_bool(&out, "writes", c->writes);
	out_num(&out, "data_bytes", c->data_bytes);
	out_put(&out, "io_bytes", c->has_io_bytes ? json_u64(c->io_bytes) : json_null());
	out_str(&out, "data_key", c->data_key);
	out_num(&out, "timeout_s", c->timeout_s);
	return out.obj;
}

void orders_cases_out(struct json_out *out, const struct test_case *cases, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		array_put(&array, case_out(&cases[i]));
	out_put(out, "cases", array);
}

static const char *const auth_names[] = {
	[STORE_AUTH_ADC] = "adc",
	[STORE_AUTH_ANONYMOUS] = "anonymous",
};

void orders_data_in(struct json_in *in, struct job_data *ret)
{
	char where[WHERE_CAP];
	struct json_in sub;
	unsigned auth = 0;

	snprintf(where, sizeof(where), "%s.data", in->where);
	if (!field_sub(in, "data", JSON_MUST, where, &sub))
		return;
	field_str(&sub, "bucket", JSON_MUST, bucket_is_valid, "a bucket's name",
		  &ret->bucket);
	field_str(&sub, "prefix", JSON_MUST, prefix_is_valid,
		  "a prefix: parts of letters, digits and ._=+@~- between single slashes",
		  &ret->prefix);
	field_str(&sub, "endpoint", JSON_NULLABLE, is_endpoint,
		  "http(s)://host[:port] without a final slash", &ret->endpoint);
	field_enum(&sub, "auth", auth_names, ARRAY_SIZE(auth_names), &auth);
	ret->auth = auth;
	field_sub_end(in, &sub);
}

void orders_data_out(struct json_out *out, const struct job_data *data)
{
	struct json_out sub = out_begin();

	out_str(&sub, "bucket", data->bucket);
	out_str(&sub, "prefix", data->prefix);
	out_str(&sub, "endpoint", data->endpoint);
	out_str(&sub, "auth", auth_names[data->auth]);
	out_put(out, "data", sub.obj);
}

struct job_settings job_settings_default(void)
{
	return (struct job_settings){
		.heartbeat_s = 30,
		.stale_s = 120,
		.monitor_hz = 10,
		.max_attempts = 2,
		.mount_timeout_s = 60,
		.layout_timeout_s = 7200,
		.upload_timeout_s = 600,
		.warm_metadata = true,
		.drop_caches = true,
		.power_off = true,
	};
}

/* Present only when something is allowed, so that it stands out. */
static void allowed_in(struct json_in *in, const char ***ret, size_t *ret_n)
{
	const json_t *v = NULL;

	json_in_any(in, "allow_options", JSON_MAY, &v);
	if (!v)
		return;
	if (!json_array_size(v))
		json_in_fail(in, "allow_options", "is not a list of options");
	field_strings(in, "allow_options", JSON_MUST, is_option_name, "a fio option", ret,
		      ret_n);
}

/* Present only when it is so: a worker that does not know of claims refuses the job. */
static void steal_in(struct json_in *in, bool *ret)
{
	const json_t *v = NULL;

	json_in_any(in, "steal", JSON_MAY, &v);
	if (v && !json_is_true(v))
		json_in_fail(in, "steal", "is there and not true");
	*ret = v != NULL;
}

static const char *const policy_names[] = {
	[BARRIER_ALL] = "all",
	[BARRIER_MAJORITY] = "majority",
	[BARRIER_BEST_EFFORT] = "best-effort",
};

const char *barrier_policy_name(enum barrier_policy p)
{
	return (unsigned)p < ARRAY_SIZE(policy_names) ? policy_names[p] : "?";
}

bool barrier_policy_find(const char *name, enum barrier_policy *ret)
{
	for (unsigned i = 0; i < ARRAY_SIZE(policy_names); i++) {
		if (strcmp(policy_names[i], name) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* Ranks are places in the list: two workers must not see two orders. */
static bool is_sorted(const struct barrier_settings *barrier)
{
	for (size_t i = 1; i < barrier->n_members; i++)
		if (strcmp(barrier->members[i - 1], barrier->members[i]) >= 0)
			return false;
	return barrier->n_members > 0;
}

/* Present only in runs of design together. */
static void barrier_in(struct json_in *in, struct barrier_settings *ret)
{
	const json_t *v = NULL;
	char where[WHERE_CAP];
	struct json_in sub;
	unsigned policy = 0;

	json_in_any(in, "barrier", JSON_MAY, &v);
	snprintf(where, sizeof(where), "%s.barrier", in->where);
	if (!v || !field_sub(in, "barrier", JSON_MUST, where, &sub))
		return;
	field_enum(&sub, "policy", policy_names, ARRAY_SIZE(policy_names), &policy);
	ret->policy = policy;
	field_range(&sub, "timeout_s", 1, ORDER_SECONDS_MAX, &ret->timeout_s);
	field_range(&sub, "lead_ms", 1, 3600000, &ret->lead_ms);
	field_strings(&sub, "members", JSON_MUST, str_is_rfc1035, "a worker's name",
		      &ret->members, &ret->n_members);
	if (sub.r == 0 && !is_sorted(ret))
		json_in_fail(&sub, "members", "is not a sorted list of workers");
	field_sub_end(in, &sub);
}

static void barrier_out(struct json_out *out, const struct barrier_settings *barrier)
{
	struct json_out sub = out_begin();

	out_str(&sub, "policy", policy_names[barrier->policy]);
	out_num(&sub, "timeout_s", barrier->timeout_s);
	out_num(&sub, "lead_ms", barrier->lead_ms);
	out_strings(&sub, "members", barrier->members, barrier->n_members);
	out_put(out, "barrier", sub.obj);
}

void orders_settings_in(struct json_in *in, struct job_settings *ret,
			const char ***ret_allowed, size_t *ret_n_allowed)
{
	char where[WHERE_CAP];
	struct json_in sub;

	snprintf(where, sizeof(where), "%s.settings", in->where);
	if (!field_sub(in, "settings", JSON_MUST, where, &sub))
		return;
	field_range(&sub, "heartbeat_s", 1, 3600, &ret->heartbeat_s);
	field_range(&sub, "stale_s", 1, 86400, &ret->stale_s);
	field_range(&sub, "monitor_hz", 1, 100, &ret->monitor_hz);
	field_range(&sub, "max_attempts", 1, 100, &ret->max_attempts);
	field_range(&sub, "mount_timeout_s", 1, ORDER_SECONDS_MAX, &ret->mount_timeout_s);
	field_range(&sub, "layout_timeout_s", 1, ORDER_SECONDS_MAX,
		    &ret->layout_timeout_s);
	field_range(&sub, "upload_timeout_s", 1, ORDER_SECONDS_MAX,
		    &ret->upload_timeout_s);
	json_in_bool(&sub, "warm_metadata", JSON_MUST, &ret->warm_metadata);
	json_in_bool(&sub, "drop_caches", JSON_MUST, &ret->drop_caches);
	json_in_bool(&sub, "power_off", JSON_MUST, &ret->power_off);
	json_in_bool(&sub, "keep_data", JSON_MUST, &ret->keep_data);
	/* a worker that beats no faster would be taken for dead */
	if (ret->stale_s <= ret->heartbeat_s)
		json_in_fail(&sub, "stale_s", "must be more than heartbeat_s");
	steal_in(&sub, &ret->steal);
	allowed_in(&sub, ret_allowed, ret_n_allowed);
	barrier_in(&sub, &ret->barrier);
	field_sub_end(in, &sub);
}

void orders_settings_out(struct json_out *out, const struct job_settings *s,
			 const char *const *allowed, size_t n_allowed)
{
	struct json_out sub = out_begin();

	out_num(&sub, "heartbeat_s", s->heartbeat_s);
	out_num(&sub, "stale_s", s->stale_s);
	out_num(&sub, "monitor_hz", s->monitor_hz);
	out_num(&sub, "max_attempts", s->max_attempts);
	out_num(&sub, "mount_timeout_s", s->mount_timeout_s);
	out_num(&sub, "layout_timeout_s", s->layout_timeout_s);
	out_num(&sub, "upload_timeout_s", s->upload_timeout_s);
	out_bool(&sub, "warm_metadata", s->warm_metadata);
	out_bool(&sub, "drop_caches", s->drop_caches);
	out_bool(&sub, "power_off", s->power_off);
	out_bool(&sub, "keep_data", s->keep_data);
	if (s->steal)
		out_bool(&sub, "steal", true);
	if (n_allowed)
		out_strings(&sub, "allow_options", allowed, n_allowed);
	if (s->barrier.n_members)
		barrier_out(&sub, &s->barrier);
	out_put(out, "settings", sub.obj);
}
