// SPDX-License-Identifier: Apache-2.0
// JSON in with limits, strict or lenient reading of objects, canonical JSON out.
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum { JSON_DEPTH_MAX = 32 };

/**
 * json_load() - parse one whole document; new reference in @ret.
 *
 * Refused: more than @max_bytes, duplicate keys, depth over JSON_DEPTH_MAX, NUL inside a
 * string, trailing text, invalid UTF-8. @what names the document in the error.
 */
int json_load(const char *text, size_t n, size_t max_bytes, const char *what,
	      json_t **ret, struct err *err);

/** json_dump() - compact, keys in insertion order, a final newline. */
int json_dump(const json_t *doc, struct str *ret, struct err *err);

/** json_dump_pretty() - the same with two-space indentation, for people. */
int json_dump_pretty(const json_t *doc, struct str *ret, struct err *err);

/** json_text() - new string from foreign bytes; what is not UTF-8 becomes U+FFFD. */
json_t *json_text(const char *s);
/** json_text_or_null() - json_text(), or JSON null for NULL. */
json_t *json_text_or_null(const char *s);
/** json_u64() - new integer; values past INT64_MAX (never real here) become null. */
json_t *json_u64(uint64_t v);
/** json_f64() - new real; NaN and infinity become null. */
json_t *json_f64(double v);

enum json_mode {
	JSON_ORDERS,  /* strict: an unknown key is an error */
	JSON_RECORDS, /* lenient: unknown keys are counted */
};

/**
 * struct json_in - reads one object key by key; the first error sticks in @err.
 *
 * Use: json_in_init(), then one json_in_*() per key in any order, then json_in_end(),
 * which reports unknown keys and returns the sticky result. Getters leave their output
 * untouched on an error (those of borrowed values store NULL). In JSON_RECORDS a required
 * key that is null counts as wrong type, and numbers may be reals with a whole value.
 */
struct json_in {
	const json_t *obj;
	enum json_mode mode;
	const char *where; /* e.g. "job" or "job.arms[3]"; borrowed */
	struct err *err;
	int r;		   /* sticky: 0 or the first -errno */
	unsigned seen;	   /* keys the object has that were asked for */
	unsigned *unknown; /* JSON_RECORDS: += keys nobody asked for; may be NULL */
	struct str asked;  /* "\nkey\n…" */
};

/** json_in_init() - @v must be an object, else -EINVAL sticks. */
void json_in_init(struct json_in *in, const json_t *v, enum json_mode mode,
		  const char *where, unsigned *unknown, struct err *err);

enum json_need {
	JSON_MUST,     /* present, and of the type */
	JSON_NULLABLE, /* present, of the type or null (output untouched) */
	JSON_MAY,      /* absent or null leaves the output untouched */
};

/** Strings are borrowed from the document. */
void json_in_str(struct json_in *in, const char *key, enum json_need need,
		 const char **ret);
void json_in_u64(struct json_in *in, const char *key, enum json_need need, uint64_t *ret);
void json_in_uint(struct json_in *in, const char *key, enum json_need need,
		  unsigned *ret);
void json_in_i64(struct json_in *in, const char *key, enum json_need need, int64_t *ret);
void json_in_f64(struct json_in *in, const char *key, enum json_need need, double *ret);
void json_in_bool(struct json_in *in, const char *key, enum json_need need, bool *ret);
/** Borrowed sub-object / array; NULL is stored when absent or null. */
void json_in_obj(struct json_in *in, const char *key, enum json_need need,
		 const json_t **ret);
void json_in_arr(struct json_in *in, const char *key, enum json_need need,
		 const json_t **ret);
/** Any value, also null; NULL when absent. */
void json_in_any(struct json_in *in, const char *key, enum json_need need,
		 const json_t **ret);

/** json_in_fail() - record an error about @key in the reader's own words. */
void json_in_fail(struct json_in *in, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** json_in_schema() - "schema" must be "muster/<kind>/<major>"; names what it found. */
void json_in_schema(struct json_in *in, const char *kind, unsigned major);

/** json_in_end() - unknown keys; releases; returns 0 or the first error. */
int json_in_end(struct json_in *in);

static inline void json_decref_fn(json_t **v)
{
	json_decref(*v);
}
#define cleanup_json cleanup(json_decref_fn)

#endif
