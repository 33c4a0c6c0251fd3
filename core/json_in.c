// SPDX-License-Identifier: Apache-2.0
// Reading an object key by key with one sticky error.
#include "core/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void json_in_init(struct json_in *in, const json_t *v, enum json_mode mode,
		  const char *where, unsigned *unknown, struct err *err)
{
	*in = (struct json_in){
		.obj = v,
		.mode = mode,
		.where = where,
		.unknown = unknown,
		.err = err,
		.asked = STR_INIT(8192),
	};
	str_addc(&in->asked, '\n');
	if (!json_is_object(v)) {
		in->obj = NULL;
		in->r = err_set(err, -EINVAL, "%s: not an object", where);
	}
}

void json_in_fail(struct json_in *in, const char *key, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	if (in->r < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	in->r = err_set(in->err, -EINVAL, "%s: %s: %s", in->where, key, why);
}

/* Has @key been asked for? */
static bool json_in_asked(const struct json_in *in, const char *key)
{
	size_t n = strlen(key);
	const char *p = str_text(&in->asked);

	if (!n || strchr(key, '\n'))
		return false;
	for (; (p = strstr(p, key)); p++)
		if (p[-1] == '\n' && p[n] == '\n')
			return true;
	return false;
}

/* The value of @key when it is there and not null; else NULL, having judged @need. */
static const json_t *json_in_find(struct json_in *in, const char *key,
				  enum json_need need)
{
	const json_t *v;

	if (in->r < 0)
		return NULL;
	v = json_object_get(in->obj, key);
	if (!json_in_asked(in, key)) {
		str_add(&in->asked, key);
		str_addc(&in->asked, '\n');
		in->seen += v != NULL;
	}
	if (!v && need != JSON_MAY)
		json_in_fail(in, key, "missing");
	else if (json_is_null(v) && need == JSON_MUST)
		json_in_fail(in, key, "must not be null");
	return in->r < 0 || json_is_null(v) ? NULL : v;
}

void json_in_str(struct json_in *in, const char *key, enum json_need need,
		 const char **ret)
{
	const json_t *v = json_in_find(in, key, need);

	if (!v)
		return;
	if (!json_is_string(v))
		json_in_fail(in, key, "not a string");
	else
		*ret = json_string_value(v);
}

void json_in_i64(struct json_in *in, const char *key, enum json_need need, int64_t *ret)
{
	const json_t *v = json_in_find(in, key, need);
	double d;

	if (!v)
		return;
	if (json_is_integer(v)) {
		*ret = json_integer_value(v);
		return;
	}
	d = json_is_real(v) ? json_real_value(v) : NAN;
	/* 2^53: past it a real no longer names one whole number */
	if (in->mode == JSON_RECORDS && isfinite(d) && d == trunc(d) && fabs(d) <= 0x1p53)
		*ret = (int64_t)d;
	else
		json_in_fail(in, key, "not a whole number");
}

void json_in_u64(struct json_in *in, const char *key, enum json_need need, uint64_t *ret)
{
	int64_t v = -1;
	int before = in->r;

	json_in_i64(in, key, need, &v);
	if (before < 0 || in->r < 0)
		return;
	if (v >= 0)
		*ret = (uint64_t)v;
	else if (json_is_number(json_object_get(in->obj, key)))
		json_in_fail(in, key, "must not be negative");
}

void json_in_uint(struct json_in *in, const char *key, enum json_need need, unsigned *ret)
{
	uint64_t v = *ret;

	json_in_u64(in, key, need, &v);
	if (in->r < 0)
		return;
	if (v > UINT32_MAX)
		json_in_fail(in, key, "too large");
	else
		*ret = (unsigned)v;
}

void json_in_f64(struct json_in *in, const char *key, enum json_need need, double *ret)
{
	const json_t *v = json_in_find(in, key, need);

	if (!v)
		return;
	if (!json_is_number(v))
		json_in_fail(in, key, "not a number");
	else
		*ret = json_number_value(v);
}

void json_in_bool(struct json_in *in, const char *key, enum json_need need, bool *ret)
{
	const json_t *v = json_in_find(in, key, need);

	if (!v)
		return;
	if (!json_is_boolean(v))
		json_in_fail(in, key, "not true or false");
	else
		*ret = json_is_true(v);
}

void json_in_obj(struct json_in *in, const char *key, enum json_need need,
		 const json_t **ret)
{
	const json_t *v = json_in_find(in, key, need);

	*ret = NULL;
	if (!v)
		return;
	if (!json_is_object(v))
		json_in_fail(in, key, "not an object");
	else
		*ret = v;
}

void json_in_arr(struct json_in *in, const char *key, enum json_need need,
		 const json_t **ret)
{
	const json_t *v = json_in_find(in, key, need);

	*ret = NULL;
	if (!v)
		return;
	if (!json_is_array(v))
		json_in_fail(in, key, "not an array");
	else
		*ret = v;
}

void json_in_any(struct json_in *in, const char *key, enum json_need need,
		 const json_t **ret)
{
	(void)json_in_find(in, key, need);
	*ret = in->r < 0 ? NULL : json_object_get(in->obj, key);
}

void json_in_schema(struct json_in *in, const char *kind, unsigned major)
{
	const char *found = NULL;
	cleanup_str struct str shown = STR_INIT(512);
	char want[64];

	json_in_str(in, "schema", JSON_MUST, &found);
	if (!found)
		return;
	snprintf(want, sizeof(want), "muster/%s/%u", kind, major);
	if (strcmp(found, want) == 0)
		return;
	str_add_escaped(&shown, found, strnlen(found, 60));
	json_in_fail(in, "schema", "is \"%s\", this program reads \"%s\"",
		     str_text(&shown), want);
}

/* Count the keys that no getter asked for; in orders the first of them is an error. */
static void json_in_unknown(struct json_in *in)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)in->obj, key, v) {
		if (json_in_asked(in, key))
			continue;
		if (in->mode == JSON_ORDERS) {
			cleanup_str struct str name = STR_INIT(512);

			str_add_escaped(&name, key, strnlen(key, 60));
			json_in_fail(in, str_text(&name), "unknown key");
			return;
		}
		if (in->unknown)
			(*in->unknown)++;
	}
}

int json_in_end(struct json_in *in)
{
	if (in->r == 0 && in->seen < json_object_size(in->obj))
		json_in_unknown(in);
	str_done(&in->asked);
	return in->r;
}
