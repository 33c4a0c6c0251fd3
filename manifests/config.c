// SPDX-License-Identifier: Apache-2.0
// config.json
#include <errno.h>
#include <stdlib.h>

#include "manifests/orders.h"

static const char *const design_names[] = {
	[DESIGN_BLOCKS] = "blocks",
	[DESIGN_SPREAD] = "spread",
	[DESIGN_TOGETHER] = "together",
};

enum { ITERATIONS_MAX = 1000000, REPLICAS_MAX = 100000, LOOKS_MAX = 1000 };

const char *design_name(enum design d)
{
	return (unsigned)d < ARRAY_SIZE(design_names) ? design_names[d] : "?";
}

static void inputs_in(struct json_in *in, struct config *ret)
{
	static const char rule[] = "64 hexadecimal digits";
	struct json_in sub;

	if (!field_sub(in, "inputs", JSON_MUST, "config.inputs", &sub))
		return;
	field_str(&sub, "tests", JSON_MUST, is_sha256, rule, &ret->tests_sha256);
	field_str(&sub, "configs", JSON_NULLABLE, is_sha256, rule, &ret->configs_sha256);
	field_str(&sub, "fio", JSON_MUST, is_sha256, rule, &ret->fio_sha256);
	field_sub_end(in, &sub);
}

static void looks_in(struct json_in *in, struct config *ret)
{
	const json_t *v = orders_array(in, "looks", 0, LOOKS_MAX);

	if (!v)
		return;
	ret->n_looks = json_array_size(v);
	ret->looks = xcalloc(ret->n_looks, sizeof(*ret->looks));
	for (size_t i = 0; i < ret->n_looks; i++) {
		const json_t *item = json_array_get(v, i);
		json_int_t look = json_integer_value(item);

		if (!json_is_integer(item) || look < 1 || look > ITERATIONS_MAX) {
			json_in_fail(in, "looks", "[%zu] is not between 1 and %d", i,
				     ITERATIONS_MAX);
			return;
		}
		ret->looks[i] = (unsigned)look;
	}
}

static void config_in(struct json_in *in, struct config *ret)
{
	unsigned design = 0;

	field_str(in, "run", JSON_MUST, run_id_is_valid, "a run's name", &ret->run);
	inputs_in(in, ret);
	field_enum(in, "design", design_names, ARRAY_SIZE(design_names), &design);
	ret->design = design;
	json_in_u64(in, "seed", JSON_MUST, &ret->seed);
	field_range(in, "iterations", 1, ITERATIONS_MAX, &ret->iterations);
	field_range(in, "replicas", 1, REPLICAS_MAX, &ret->replicas);
	looks_in(in, ret);
	field_strings(in, "workers", JSON_MUST, str_is_rfc1035, "a worker's name",
		      &ret->workers, &ret->n_workers);
	if (in->r == 0 && !ret->n_workers)
		json_in_fail(in, "workers", "must not be empty");
	orders_arms_in(in, ORDER_CONFIG, &ret->arms, &ret->n_arms);
	orders_cases_in(in, &ret->cases, &ret->n_cases);
	if (in->r == 0 && !ret->n_cases)
		json_in_fail(in, "cases", "must not be empty");
	orders_data_in(in, &ret->data);
	orders_settings_in(in, &ret->settings, &ret->allowed_options,
			   &ret->n_allowed_options);
	if (in->r == 0 &&
	    (ret->design == DESIGN_TOGETHER) != (ret->settings.barrier.n_members > 0))
		json_in_fail(in, "design", "settings.barrier is of design together only");
}

int config_parse(const char *text, size_t n, struct config *ret, struct err *err)
{
	cleanup_config struct config config = {0};
	struct json_in in;
	int r = doc_open(text, n, CONFIG_MAX_BYTES, JSON_ORDERS, "config", NULL,
			 &config.doc, &in, err);

	if (r < 0)
		return r;
	config_in(&in, &config);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = config;
	config = (struct config){0};
	return 0;
}

json_t *config_to_json(const struct config *config)
{
	struct json_out out = out_schema("config"), inputs = out_begin();
	json_t *looks = json_array();

	out_str(&inputs, "tests", config->tests_sha256);
	out_str(&inputs, "configs", config->configs_sha256);
	out_str(&inputs, "fio", config->fio_sha256);
	for (size_t i = 0; i < config->n_looks; i++)
		array_put(&looks, json_u64(config->looks[i]));
	out_str(&out, "run", config->run);
	out_put(&out, "inputs", inputs.obj);
	out_str(&out, "design", design_name(config->design));
	/* NULL, so no document: null would be another seed */
	out_put(&out, "seed", config->seed <= INT64_MAX ? json_u64(config->seed) : NULL);
	out_num(&out, "iterations", config->iterations);
	out_num(&out, "replicas", config->replicas);
	out_put(&out, "looks", looks);
	out_strings(&out, "workers", config->workers, config->n_workers);
	orders_arms_out(&out, ORDER_CONFIG, config->arms, config->n_arms);
	orders_cases_out(&out, config->cases, config->n_cases);
	orders_data_out(&out, &config->data);
	orders_settings_out(&out, &config->settings, config->allowed_options,
			    config->n_allowed_options);
	return out.obj;
}

void config_done(struct config *config)
{
	if (config->doc) {
		orders_arms_free(config->arms, config->n_arms);
		free(config->cases);
		free(config->looks);
		free(config->workers);
		free(config->allowed_options);
		free(config->settings.barrier.members);
		json_decref(config->doc);
	}
	*config = (struct config){0};
}
