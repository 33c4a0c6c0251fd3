// SPDX-License-Identifier: Apache-2.0
// jobs/<worker>.json
#include "manifests/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/orders.h"

static void control_in(struct json_in *in, struct job *ret)
{
	struct json_in sub;
	struct run_ref ref;

	if (!field_sub(in, "control", JSON_MUST, "job.control", &sub))
		return;
	field_str(&sub, "url", JSON_MUST, is_run_url,
		  "a run's URL (gs://bucket[/prefix]/run)", &ret->control_url);
	if (sub.r == 0 && ret->run && run_ref_parse(ret->control_url, &ref, NULL) == 0 &&
	    strcmp(ref.run, ret->run) != 0)
		json_in_fail(&sub, "url", "does not end in the run \"%s\"", ret->run);
	field_sub_end(in, &sub);
}

static int by_step(const void *a, const void *b)
{
	const struct job_step *x = a, *y = b;

	if (x->matrix_id != y->matrix_id)
		return x->matrix_id < y->matrix_id ? -1 : 1;
	return (x->iteration > y->iteration) - (x->iteration < y->iteration);
}

static void check_steps_unique(struct json_in *in, const struct job *job)
{
	cleanup_free struct job_step *sorted = xcalloc(job->n_steps, sizeof(*sorted));

	if (job->n_steps < 2)
		return;
	memcpy(sorted, job->steps, job->n_steps * sizeof(*sorted));
	qsort(sorted, job->n_steps, sizeof(*sorted), by_step);
	for (size_t i = 1; i < job->n_steps; i++)
		if (by_step(&sorted[i - 1], &sorted[i]) == 0)
			json_in_fail(in, "steps", "%u-%u is there twice",
				     sorted[i].matrix_id, sorted[i].iteration);
}

/* Every step's case and arm must be in the job: it is all a worker has. */
static void check_steps_known(struct json_in *in, const struct job *job)
{
	cleanup_id_set struct id_set tests = {0}, configs = {0};

	tests = (struct id_set){job->n_cases, xcalloc(job->n_cases, sizeof(unsigned))};
	configs = (struct id_set){job->n_arms, xcalloc(job->n_arms, sizeof(unsigned))};
	for (size_t i = 0; i < job->n_cases; i++)
		tests.ids[i] = job->cases[i].test_id;
	for (size_t i = 0; i < job->n_arms; i++)
		configs.ids[i] = job->arms[i].config_id;
	id_set_sort(&tests);
	id_set_sort(&configs);
	for (size_t i = 0; i < job->n_steps && in->r == 0; i++) {
		const struct job_step *s = &job->steps[i];

		if (!id_set_has(&tests, s->test_id))
			json_in_fail(in, "steps", "[%zu]: no case has test_id %u", i,
				     s->test_id);
		else if (s->barrier && !job->settings.barrier.n_members)
			json_in_fail(in, "steps", "[%zu]: a barrier without its settings",
				     i);
		else if (!id_set_has(&configs, s->config_id))
			json_in_fail(in, "steps", "[%zu]: no arm has config_id %u", i,
				     s->config_id);
	}
}

void job_steps_in(struct json_in *in, struct job *ret)
{
	const json_t *v = orders_array(in, "steps", 0, ORDER_STEPS_MAX);

	if (!v)
		return;
	ret->n_steps = json_array_size(v);
	ret->steps = xcalloc(ret->n_steps, sizeof(*ret->steps));
	for (size_t i = 0; i < ret->n_steps && in->r == 0; i++) {
		char where[WHERE_CAP];
		struct json_in item;

		orders_item(in, "steps", v, i, where, &item);
		field_step(&item, &ret->steps[i]);
		if (json_object_get(item.obj, "barrier"))
			field_range(&item, "barrier", 1, UINT32_MAX,
				    &ret->steps[i].barrier);
		field_sub_end(in, &item);
	}
	if (in->r < 0)
		return;
	check_steps_unique(in, ret);
	check_steps_known(in, ret);
}

int job_parse(const char *text, size_t n, struct job *ret, struct err *err)
{
	cleanup_job struct job job = {0};
	struct json_in in;
	int r = doc_open(text, n, JOB_MAX_BYTES, JSON_ORDERS, "job", NULL, &job.doc, &in,
			 err);

	if (r < 0)
		return r;
	field_str(&in, "run", JSON_MUST, run_id_is_valid, "a run's name", &job.run);
	field_str(&in, "worker", JSON_MUST, str_is_rfc1035, "a worker's name",
		  &job.worker);
	field_range(&in, "round", 1, UINT32_MAX, &job.round);
	field_str(&in, "config_sha256", JSON_MUST, is_sha256, "64 hexadecimal digits",
		  &job.config_sha256);
	control_in(&in, &job);
	orders_data_in(&in, &job.data);
	orders_settings_in(&in, &job.settings, &job.allowed_options,
			   &job.n_allowed_options);
	orders_arms_in(&in, ORDER_JOB, &job.arms, &job.n_arms);
	orders_cases_in(&in, &job.cases, &job.n_cases);
	job_steps_in(&in, &job);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = job;
	job = (struct job){0};
	return 0;
}

static json_t *step_out(const struct job_step *s)
{
	struct json_out out = out_begin();
	char id[STEP_ID_CAP];

	step_id_format(id, s->matrix_id, s->iteration);
	out_str(&out, "step", id);
	out_num(&out, "matrix_id", s->matrix_id);
	out_num(&out, "test_id", s->test_id);
	out_num(&out, "config_id", s->config_id);
	out_num(&out, "iteration", s->iteration);
	out_num(&out, "block", s->block);
	out_num(&out, "pos", s->pos);
	out_num(&out, "attempt", s->attempt);
	if (s->from)
		out_str(&out, "from", s->from);
	if (s->barrier)
		out_num(&out, "barrier", s->barrier);
	return out.obj;
}

json_t *job_to_json(const struct job *job)
{
	struct json_out out = out_schema("job"), control = out_begin();
	json_t *steps = json_array();

	for (size_t i = 0; i < job->n_steps; i++)
		array_put(&steps, step_out(&job->steps[i]));
	out_str(&control, "url", job->control_url);
	out_str(&out, "run", job->run);
	out_str(&out, "worker", job->worker);
	out_num(&out, "round", job->round);
	out_str(&out, "config_sha256", job->config_sha256);
	out_put(&out, "control", control.obj);
	orders_data_out(&out, &job->data);
	orders_settings_out(&out, &job->settings, job->allowed_options,
			    job->n_allowed_options);
	orders_arms_out(&out, ORDER_JOB, job->arms, job->n_arms);
	orders_cases_out(&out, job->cases, job->n_cases);
	out_put(&out, "steps", steps);
	return out.obj;
}

void job_done(struct job *job)
{
	if (job->doc && !job->is_like) {
		orders_arms_free(job->arms, job->n_arms);
		free(job->cases);
		free(job->allowed_options);
		free(job->settings.barrier.members);
	}
	if (job->doc) {
		free(job->steps);
		json_decref(job->doc);
	}
	*job = (struct job){0};
}

const struct arm *job_find_arm(const struct job *job, unsigned config_id)
{
	for (size_t i = 0; i < job->n_arms; i++)
		if (job->arms[i].config_id == config_id)
			return &job->arms[i];
	return NULL;
}

const struct test_case *job_find_case(const struct job *job, unsigned test_id)
{
	for (size_t i = 0; i < job->n_cases; i++)
		if (job->cases[i].test_id == test_id)
			return &job->cases[i];
	return NULL;
}
