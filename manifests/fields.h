// SPDX-License-Identifier: Apache-2.0
// Reading and writing single fields: what the documents of manifests/ share.
// For this folder only.
#ifndef MANIFESTS_FIELDS_H
#define MANIFESTS_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/json.h"
#include "manifests/job.h"
#include "manifests/record.h"

enum { EXCERPT_CAP = 96, WHERE_CAP = 64 };

/** excerpt() - the beginning of foreign text for an error: one line, whole characters. */
void excerpt(char out[EXCERPT_CAP], const char *text);

/** doc_open() - load @text and begin reading it: the schema is judged. */
int doc_open(const char *text, size_t n, size_t max_bytes, enum json_mode mode,
	     const char *kind, unsigned *unknown, json_t **ret, struct json_in *in,
	     struct err *err);

/** field_sub() - begin reading the object under @key; false when there is none. */
bool field_sub(struct json_in *in, const char *key, enum json_need need,
	       const char *where, struct json_in *sub);
/** field_sub_end() - end it; its error becomes @in's. */
void field_sub_end(struct json_in *in, struct json_in *sub);

/** Orders: a string that keeps a rule; @rule says it in words, for the error. */
typedef bool field_rule(const char *text);
void field_str(struct json_in *in, const char *key, enum json_need need,
	       field_rule *is_valid, const char *rule, const char **ret);
/** field_range() - a required number, @min to @max. */
void field_range(struct json_in *in, const char *key, unsigned min, unsigned max,
		 unsigned *ret);
/** field_step() - a step's id and place in the plan, as jobs and records both say them.
 */
void field_step(struct json_in *in, struct job_step *ret);
/** field_enum() - a required string, the index of one of @n names in @ret. */
void field_enum(struct json_in *in, const char *key, const char *const *names, size_t n,
		unsigned *ret);
/** field_strings() - a required array of strings that keep a rule, no two alike;
 * NULL stays for null, which only @need JSON_NULLABLE allows. Owned array of borrowed
 * strings. */
void field_strings(struct json_in *in, const char *key, enum json_need need,
		   field_rule *is_valid, const char *rule, const char ***ret,
		   size_t *ret_n);

/** Rules. */
bool is_any_text(const char *text);
bool is_sha256(const char *text);
bool is_binary_key(const char *text);
bool is_step_id(const char *text);
bool is_option_name(const char *text);
/** is_endpoint() - http(s)://host[:port][/path] without user, query or final slash. */
bool is_endpoint(const char *text);
/** is_run_url() - a run's URL as run_ref_url() writes it. */
bool is_run_url(const char *url);
/** has_twins() - are two of these equal? */
bool has_twins(const char *const *texts, size_t n);

/** text_clean() - @from into @out: cut at a whole character, in one line. */
void text_clean(char *out, size_t cap, const char *from);
/** Records: text that is cut to its array; "" for null or absent. */
void field_text(struct json_in *in, const char *key, char *out, size_t cap);
/** field_name() - a required text that keeps a rule and fits. */
void field_name(struct json_in *in, const char *key, field_rule *is_valid,
		const char *rule, char *out, size_t cap);
void field_incarnation(struct json_in *in, const char *where, struct incarnation *ret);
/** field_flags() - an array of words, as one owned text of words; NULL for none. */
void field_flags(struct json_in *in, const char *key, char **ret);

/** struct json_out - an object being written; any failure makes the whole NULL. */
struct json_out {
	json_t *obj;
};
struct json_out out_begin(void);
struct json_out out_schema(const char *kind);
/** out_put() - @v is taken. */
void out_put(struct json_out *out, const char *key, json_t *v);
/** out_str() - an order's string, exactly; NULL becomes null. */
void out_str(struct json_out *out, const char *key, const char *text);
/** out_text() - a record's text, as field_text() would read it; "" becomes null. */
void out_text(struct json_out *out, const char *key, const char *text, size_t cap);
void out_num(struct json_out *out, const char *key, uint64_t v);
/** out_num_or() - null when @v is @null_value. */
void out_num_or(struct json_out *out, const char *key, uint64_t v, uint64_t null_value);
void out_int_or(struct json_out *out, const char *key, int64_t v, int64_t null_value);
void out_bool(struct json_out *out, const char *key, bool v);
void out_incarnation(struct json_out *out, const struct incarnation *inc);
void out_flags(struct json_out *out, const char *key, const char *flags);
void out_strings(struct json_out *out, const char *key, const char *const *v, size_t n);
/** array_put() - append @v, taken; on failure *@array becomes NULL. */
void array_put(json_t **array, json_t *v);

#endif
