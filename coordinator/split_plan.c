// SPDX-License-Identifier: Apache-2.0
// split: the bucket as found, the plan, and config.json.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cost.h"
#include "coordinator/split.h"
#include "core/clock.h"
#include "core/json.h"

/*
 * A start waits for the slowest of the fleet: its boot, its build of gcsfuse, its layout.
 * The lead covers three polls and the clocks' doubt.
 */
enum { BARRIER_TIMEOUT_S = 1800, BARRIER_LEAD_MS = 5000 };

static int read_claimed(struct split *split, struct err *err)
{
	struct obj_meta meta = {0};
	struct err why = {0};
	char name[PATH_CAP];
	int r = path_config(name, &split->ref, err);

	if (r < 0)
		return r;
	r = split->store->ops->get(split->store, name, CONFIG_MAX_BYTES,
				   &split->config_text, &meta, &why);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	r = config_parse(split->config_text.s, split->config_text.len, &split->claimed,
			 err);
	if (r < 0)
		return err_wrap(err, r, "gs://%s/%s", split->ref.bucket, name);
	split->is_claimed = true;
	digest_bytes(split->config_text.s, split->config_text.len, split->config_sha256);
	return 0;
}

/* Is the data bucket there? Only a clear no counts: workers may see it differently. */
static int probe_data(struct split *split, struct err *err)
{
	cleanup_store struct store *store = NULL;
	struct store_opts opts = {.bucket = split->data_url.bucket,
				  .endpoint = split->endpoint};
	struct err why = {0};
	bool is_used = false;
	int r;

	for (size_t a = 0; a < split->inputs.n_arms; a++)
		is_used |= split->inputs.arms[a].kind == ARM_GCSFUSE;
	if (!is_used || split->flags.data_endpoint)
		return 0;
	opts.auth = split->endpoint ? STORE_AUTH_ANONYMOUS : STORE_AUTH_ADC;
	r = store_gcs_open(&opts, &store, &why);
	if (r == 0)
		r = store->ops->probe(store, &why);
	if (r == -ENOENT)
		return err_set(err, r, "--data: %s", why.text);
	if (r < 0)
		str_addf(&split->notes, "data bucket not looked at: %s\n", why.text);
	return 0;
}

int split_open(struct split *split, struct err *err)
{
	cleanup_free char *endpoint = store_endpoint_from_env();
	struct store_opts opts = {.bucket = split->ref.bucket, .endpoint = endpoint};
	int r;

	opts.auth = endpoint ? STORE_AUTH_ANONYMOUS : STORE_AUTH_ADC;
	r = store_gcs_open(&opts, &split->store, err);
	if (r == 0)
		r = split->store->ops->probe(split->store, err);
	if (r == 0)
		r = probe_data(split, err);
	return r < 0 ? r : read_claimed(split, err);
}

static uint64_t default_seed(const struct split *split)
{
	char sum[DIGEST_CAP];
	uint64_t seed = 0;

	digest_bytes(split->ref.run, strlen(split->ref.run), sum);
	for (unsigned i = 0; i < 16; i++)
		seed = seed << 4 |
		       (uint64_t)(sum[i] <= '9' ? sum[i] - '0' : sum[i] - 'a' + 10);
	/* JSON integers are signed: 63 bits are kept */
	return seed & INT64_MAX;
}

static struct barrier_settings barrier_settings(const struct split *split)
{
	const struct split_flags *f = &split->flags;
	struct barrier_settings barrier = {
		.timeout_s = BARRIER_TIMEOUT_S,
		.lead_ms = BARRIER_LEAD_MS,
		.n_members = split->n_workers,
		.members = split->members,
	};

	if (f->barrier_policy)
		barrier_policy_find(f->barrier_policy, &barrier.policy);
	if (f->barrier_timeout_ns)
		barrier.timeout_s =
			(unsigned)((f->barrier_timeout_ns + NS_PER_S - 1) / NS_PER_S);
	if (f->barrier_lead_ns)
		barrier.lead_ms =
			(unsigned)((f->barrier_lead_ns + NS_PER_MS - 1) / NS_PER_MS);
	return barrier;
}

static void make_config(struct split *split)
{
	const struct split_flags *f = &split->flags;
	struct config *c = &split->config;

	*c = (struct config){
		.run = split->ref.run,
		.tests_sha256 = split->inputs.tests.sha256,
		.configs_sha256 = split->inputs.configs.sha256[0]
					  ? split->inputs.configs.sha256
					  : NULL,
		.fio_sha256 = split->inputs.fio.sha256,
		.design = split->design,
		.seed = f->has_seed	    ? f->seed
			: split->is_claimed ? split->claimed.seed
					    : default_seed(split),
		.replicas = (unsigned)f->replicas,
		.n_workers = split->n_workers,
		.workers = (const char **)split->workers,
		.n_arms = split->inputs.n_arms,
		.arms = split->inputs.arms,
		.n_cases = split->inputs.n_cases,
		.cases = split->inputs.cases,
		.data = {.bucket = split->data_url.bucket,
			 .prefix = split->data_url.name,
			 .endpoint = split->endpoint,
			 .auth = split->endpoint ? STORE_AUTH_ANONYMOUS : STORE_AUTH_ADC},
		.settings = job_settings_default(),
		.allowed_options = (const char **)f->allowed.v,
		.n_allowed_options = f->allowed.n,
	};
	c->settings.max_attempts = (unsigned)f->max_attempts;
	c->settings.steal = f->steal;
	c->settings.heartbeat_s = (unsigned)(f->heartbeat_ns / NS_PER_S);
	c->settings.stale_s = (unsigned)(f->stale_ns / NS_PER_S);
	if (split->design == DESIGN_TOGETHER)
		c->settings.barrier = barrier_settings(split);
}

static int make_plan(struct split *split, struct err *err)
{
	size_t cases = split->inputs.n_cases, arms = split->inputs.n_arms;
	cleanup_free unsigned *test_ids = xcalloc(cases, sizeof(*test_ids));
	cleanup_free unsigned *config_ids = xcalloc(arms, sizeof(*config_ids));
	cleanup_free double *cost_s = xcalloc(cases, sizeof(*cost_s));
	cleanup_free const char **keys = xcalloc(arms, sizeof(*keys));
	const struct plan_in in = {
		.n_cases = cases,
		.n_arms = arms,
		.n_workers = split->n_workers,
		.test_ids = test_ids,
		.config_ids = config_ids,
		.cost_s = cost_s,
		.arm_keys = keys,
		.design = split->config.design,
		.iterations = (unsigned)split->flags.iterations,
		.replicas = (unsigned)split->flags.replicas,
		.seed = split->config.seed,
	};

	for (size_t i = 0; i < cases; i++) {
		test_ids[i] = split->inputs.cases[i].test_id;
		cost_s[i] = cost_step_s(&split->inputs.facts[i]);
	}
	for (size_t a = 0; a < arms; a++) {
		const struct arm *arm = &split->inputs.arms[a];

		config_ids[a] = arm->config_id;
		keys[a] = arm->sha256 ? NULL : arm->key;
	}
	return plan_make(&in, &split->plan, err);
}

char *json_first_difference(const json_t *a, const json_t *b, const char *path)
{
	const char *key;
	json_t *v;

	if (json_is_object(a) && json_is_object(b)) {
		json_object_foreach ((json_t *)a, key, v) {
			cleanup_free char *below =
				xasprintf("%s%s%s", path, *path ? "." : "", key);
			char *found =
				json_first_difference(v, json_object_get(b, key), below);

			if (found)
				return found;
		}
		return json_object_size(a) == json_object_size(b) ? NULL : xstrdup(path);
	}
	if (json_is_array(a) && json_is_array(b)) {
		size_t n = json_array_size(a), m = json_array_size(b);

		for (size_t i = 0; i < n && i < m; i++) {
			cleanup_free char *below = xasprintf("%s[%zu]", path, i);
			char *found = json_first_difference(json_array_get(a, i),
							    json_array_get(b, i), below);

			if (found)
				return found;
		}
		return n == m ? NULL : xasprintf("%s (%zu, not %zu)", path, m, n);
	}
	return json_equal(a, b) ? NULL : xstrdup(path);
}

/* A run id belongs to its inputs: the same again, or another id. */
static int check_claimed(const struct split *split, const json_t *doc, struct err *err)
{
	cleanup_free char *path = json_first_difference(doc, split->claimed.doc, "");

	if (!path)
		return 0;
	return err_set(err, -EEXIST,
		       "run %s is taken: its config.json differs in %s (another run id, "
		       "or muster clean first)",
		       split->ref.run, path);
}

static void add_notes(struct split *split)
{
	if (split->plan.iterations != split->flags.iterations)
		str_addf(&split->notes,
			 "iterations rounded up from %llu to %u: %zu arms are balanced "
			 "in multiples of %u\n",
			 (unsigned long long)split->flags.iterations,
			 split->plan.iterations, split->inputs.n_arms,
			 plan_rows(split->inputs.n_arms));
	for (size_t w = 0; w < split->n_workers; w++)
		if (!split->plan.workers[w].n_steps)
			str_addf(&split->notes, "worker %s has nothing to run\n",
				 split->workers[w]);
	for (size_t i = 0; i < split->inputs.n_cases; i++)
		if (split->inputs.facts[i].is_block_over_file)
			str_addf(&split->notes,
				 "test %u: its block is larger than its file: fio will "
				 "do no I/O and the steps will be invalid\n",
				 split->inputs.cases[i].test_id);
}

int split_plan(struct split *split, struct err *err)
{
	cleanup_json json_t *doc = NULL;
	struct config again = {0};
	int r;

	make_config(split);
	r = make_plan(split, err);
	if (r < 0)
		return r;
	split->config.iterations = split->plan.iterations;
	add_notes(split);
	doc = config_to_json(&split->config);
	if (!doc)
		return err_set(err, -EINVAL, "config.json: a text that is not UTF-8");
	if (split->is_claimed)
		return check_claimed(split, doc, err);
	r = json_dump(doc, &split->config_text, err);
	if (r == 0 && !split->flags.dry_run)
		r = config_parse(split->config_text.s, split->config_text.len, &again,
				 err);
	config_done(&again);
	if (r < 0)
		return err_wrap(err, r, "config.json");
	digest_bytes(split->config_text.s, split->config_text.len, split->config_sha256);
	return 0;
}
