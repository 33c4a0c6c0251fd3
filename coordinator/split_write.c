// SPDX-License-Identifier: Apache-2.0
// split: into the bucket. config.json first, which claims the run; then what is missing.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/split.h"
#include "core/json.h"

/* Tests end the program after a given number of writes, as a power cut would. */
static void may_die(struct split *split)
{
	split->n_written++;
#ifdef MUSTER_TESTING
	const char *text = getenv("MUSTER_DIE_AFTER_PUTS");
	uint64_t n = 0;

	if (text && parse_u64(text, &n, NULL) == 0 && split->n_written >= n)
		_exit(137);
#endif
}

/* Create an object; one that is there already stays: -EEXIST only when @is_claim. */
static int put(struct split *split, const char *name, const struct put_req *req,
	       bool is_claim, struct err *err)
{
	struct obj_meta meta = {0};
	struct err why = {0};
	int r = split->store->ops->put(split->store, name, req, &meta, &why);

	if (r == -EEXIST && !is_claim)
		return 0;
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	may_die(split);
	return 0;
}

static int put_text(struct split *split, const char *name, const struct str *text,
		    const char *type, bool is_claim, struct err *err)
{
	const struct put_req req = {
		.data = str_text(text),
		.n = text->len,
		.content_type = type,
		.precondition = PUT_CREATE,
	};

	return put(split, name, &req, is_claim, err);
}

static int write_config(struct split *split, struct err *err)
{
	char name[PATH_CAP];
	int r = path_config(name, &split->ref, err);

	if (r < 0 || split->is_claimed)
		return r;
	r = put_text(split, name, &split->config_text, "application/json", true, err);
	if (r == -EEXIST && err)
		return err_wrap(err, r, "run %s was taken by somebody else just now",
				split->ref.run);
	return r;
}

static int write_inputs(struct split *split, struct err *err)
{
	char name[PATH_CAP];
	int r = path_tests_csv(name, &split->ref, err);

	if (r == 0)
		r = put_text(split, name, &split->inputs.tests.text, "text/csv", false,
			     err);
	if (r == 0 && split->inputs.configs.sha256[0]) {
		r = path_configs_csv(name, &split->ref, err);
		if (r == 0)
			r = put_text(split, name, &split->inputs.configs.text, "text/csv",
				     false, err);
	}
	if (r == 0)
		r = path_jobfile(name, &split->ref, err);
	if (r == 0)
		r = put_text(split, name, &split->inputs.fio.text, "text/plain", false,
			     err);
	return r;
}

/* A binary that was handed in, and what is known of it, into the fleet's cache. */
static int write_binary(struct split *split, const struct split_binary *binary,
			struct err *err)
{
	cleanup_str struct str text = STR_INIT(GOBUILD_JSON_MAX_BYTES);
	const struct put_req req = {
		.fd = binary->fd,
		.file_bytes = binary->info.bytes,
		.precondition = PUT_CREATE,
		.is_resumable = true,
	};
	char name[PATH_CAP];
	int r = gobuild_info_dump(&binary->info, &text, err);

	if (r == 0)
		r = path_cache(name, &split->ref, binary->info.key, BINARY_GCSFUSE, err);
	if (r == 0)
		r = put(split, name, &req, false, err);
	if (r == 0)
		r = path_cache(name, &split->ref, binary->info.key, BINARY_JSON, err);
	if (r == 0)
		r = put_text(split, name, &text, "application/json", false, err);
	return r;
}

/* The cases a worker's steps name, in the table's order. */
static size_t cases_of(const struct split *split, const struct plan_worker *worker,
		       struct test_case *out)
{
	const struct inputs *in = &split->inputs;
	cleanup_free bool *is_used = xcalloc(in->n_cases, sizeof(*is_used));
	size_t n = 0;

	for (size_t i = 0; i < worker->n_steps; i++)
		is_used[(worker->steps[i].matrix_id - 1) % in->n_cases] = true;
	for (size_t i = 0; i < in->n_cases; i++)
		if (is_used[i])
			out[n++] = in->cases[i];
	return n;
}

static enum arm_role role_of(const struct arm *arm, enum arm_role planned)
{
	if (arm->kind == ARM_DIR)
		return ROLE_NONE;
	return arm->sha256 ? ROLE_FETCH : planned;
}

static int job_text(const struct split *split, size_t w, struct str *ret, struct err *err)
{
	const struct plan_worker *worker = &split->plan.workers[w];
	const struct config *config = &split->config;
	cleanup_free struct test_case *cases =
		xcalloc(split->inputs.n_cases, sizeof(*cases));
	cleanup_free struct arm *arms = xcalloc(split->inputs.n_arms, sizeof(*arms));
	struct job job = {
		.run = split->ref.run,
		.worker = split->workers[w],
		.round = 1,
		.config_sha256 = split->config_sha256,
		.control_url = split->url,
		.data = config->data,
		.settings = config->settings,
		.n_arms = split->inputs.n_arms,
		.arms = arms,
		.n_cases = cases_of(split, worker, cases),
		.cases = cases,
		.n_steps = worker->n_steps,
		.steps = worker->steps,
		.allowed_options = config->allowed_options,
		.n_allowed_options = config->n_allowed_options,
	};
	cleanup_json json_t *doc = NULL;

	for (size_t a = 0; a < job.n_arms; a++) {
		arms[a] = split->inputs.arms[a];
		arms[a].role = role_of(&arms[a], worker->roles[a]);
	}
	doc = job_to_json(&job);
	if (!doc)
		return err_set(err, -ENOMEM, "a job's document");
	return json_dump(doc, ret, err);
}

static int write_job(struct split *split, size_t w, struct err *err)
{
	cleanup_str struct str text = STR_INIT(JOB_MAX_BYTES);
	cleanup_job struct job again = {0};
	char name[PATH_CAP];
	int r = job_text(split, w, &text, err);

	/* what no worker would read is not written */
	if (r == 0)
		r = job_parse(str_text(&text), text.len, &again, err);
	if (r == 0)
		r = path_job(name, &split->ref, split->workers[w], 1, err);
	return r < 0 ? r : put_text(split, name, &text, "application/json", false, err);
}

int split_write(struct split *split, struct err *err)
{
	int r = write_config(split, err);

	if (r == 0)
		r = write_inputs(split, err);
	for (size_t a = 0; a < split->inputs.n_arms && r == 0; a++)
		if (split->binaries[a].fd >= 0)
			r = write_binary(split, &split->binaries[a], err);
	if (r == 0 && split->flags.build_here)
		r = split_build(split, err);
	for (size_t w = 0; w < split->n_workers && r == 0; w++)
		r = write_job(split, w, err);
	return r;
}
