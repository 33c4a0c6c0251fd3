// SPDX-License-Identifier: Apache-2.0
// What config.json and the jobs have in common. For this folder only.
#ifndef MANIFESTS_ORDERS_H
#define MANIFESTS_ORDERS_H

#include "manifests/fields.h"
#include "manifests/job.h"

enum {
	ORDER_ARMS_MAX = 100000,
	ORDER_CASES_MAX = 100000, /* the rows of a CSV */
	ORDER_STEPS_MAX = 1000000,
	ORDER_SECONDS_MAX = 604800, /* a week */
};

/** Roles are a worker's: config.json has none. */
enum order_kind { ORDER_CONFIG, ORDER_JOB };

/* "arms": owned array, borrowed strings but for the env entries; orders_arms_free(). */
void orders_arms_in(struct json_in *in, enum order_kind kind, struct arm **ret,
		    size_t *ret_n);
void orders_arms_out(struct json_out *out, enum order_kind kind, const struct arm *arms,
		     size_t n);
void orders_arms_free(struct arm *arms, size_t n);

/* "cases": owned array of borrowed strings */
void orders_cases_in(struct json_in *in, struct test_case **ret, size_t *ret_n);
void orders_cases_out(struct json_out *out, const struct test_case *cases, size_t n);

/* "data" */
void orders_data_in(struct json_in *in, struct job_data *ret);
void orders_data_out(struct json_out *out, const struct job_data *data);

/* "settings", with allow_options inside */
void orders_settings_in(struct json_in *in, struct job_settings *ret,
			const char ***ret_allowed, size_t *ret_n_allowed);
void orders_settings_out(struct json_out *out, const struct job_settings *s,
			 const char *const *allowed, size_t n_allowed);

/** job_steps_in() - "steps" against the job's arms, cases and settings; owned array. */
void job_steps_in(struct json_in *in, struct job *ret);

/** orders_item() - begin reading element @i of the array @key; @where names it. */
void orders_item(struct json_in *in, const char *key, const json_t *array, size_t i,
		 char where[WHERE_CAP], struct json_in *item);
/** orders_array() - the array @key, @min to @max long; NULL on an error. */
const json_t *orders_array(struct json_in *in, const char *key, size_t min, size_t max);

/** struct id_set - unsigned ids, sorted, for uniqueness and membership. */
struct id_set {
	size_t n;
	unsigned *ids; /* owned */
};
/** id_set_sort() - sort; false when two are equal. */
bool id_set_sort(struct id_set *set);
bool id_set_has(const struct id_set *set, unsigned id);
void id_set_done(struct id_set *set);
#define cleanup_id_set cleanup(id_set_done)

#endif
