// SPDX-License-Identifier: Apache-2.0
// step_<i>.json: the record that commits an attempt.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/hist_cut.h"
#include "manifests/step_parts.h"

void step_record_init(struct step_record *rec)
{
	const struct kernel_settings unknown = {UINT64_MAX, UINT64_MAX, UINT64_MAX,
						UINT64_MAX};

	*rec = (struct step_record){
		.exit_status = -1,
		.start = unknown,
		.end = unknown,
		.host = {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN,
			 INT64_MIN},
		.gcsfuse_log = {-1, -1, -1, -1},
	};
	for (unsigned i = 0; i < PHASE_COUNT; i++)
		rec->phase_ns[i] = -1;
}

static void place_in(struct json_in *in, struct step_record *ret)
{
	struct job_step at = {0};

	field_step(in, &at);
	ret->matrix_id = at.matrix_id;
	ret->test_id = at.test_id;
	ret->config_id = at.config_id;
	ret->iteration = at.iteration;
	ret->block = at.block;
	ret->pos = at.pos;
	ret->attempt = at.attempt;
}

/* A small number of a child's end, in @ret unless null. */
static void small_in(struct json_in *in, const char *key, int *ret)
{
	int64_t v = *ret;

	json_in_i64(in, key, JSON_MAY, &v);
	if (v < -1 || v > 255)
		json_in_fail(in, key, "is not between 0 and 255");
	else
		*ret = (int)v;
}

static void end_in(struct json_in *in, struct step_record *ret)
{
	const char *state = NULL;
	struct err why = {0};

	json_in_str(in, "state", JSON_MUST, &state);
	if (state && attempt_state_parse(state, &ret->state, &why) < 0)
		json_in_fail(in, "state", "%s", why.text);
	else if (state && !attempt_is_end(ret->state))
		json_in_fail(in, "state", "\"%s\" is not an end", state);
	field_text(in, "reason", ret->reason, sizeof(ret->reason));
	small_in(in, "exit_status", &ret->exit_status);
	small_in(in, "signal", &ret->signal);
	field_text(in, "started", ret->started, sizeof(ret->started));
	field_text(in, "ended", ret->ended, sizeof(ret->ended));
}

static void results_in(struct json_in *in, const struct hist_cut *cut,
		       struct step_record *ret)
{
	cleanup_str struct str line = STR_INIT(4096);
	const json_t *v = NULL;
	struct err why = {0};

	json_in_arr(in, "results", JSON_MUST, &v);
	if (!v || fio_results_from_cut(v, cut, &ret->results, &ret->n_results, &why) == 0)
		return;
	str_add_escaped(&line, why.text, strlen(why.text));
	json_in_fail(in, "results", "%.200s", str_text(&line));
}

static void step_in(struct json_in *in, const struct hist_cut *cut,
		    struct step_record *ret)
{
	field_name(in, "run", run_id_is_valid, "a run's name", ret->run,
		   sizeof(ret->run));
	field_name(in, "worker", str_is_rfc1035, "a worker's name", ret->worker,
		   sizeof(ret->worker));
	field_incarnation(in, "step.incarnation", &ret->incarnation);
	place_in(in, ret);
	end_in(in, ret);
	step_phases_in(in, ret);
	step_effective_in(in, ret);
	step_host_in(in, ret);
	step_gcsfuse_log_in(in, ret);
	step_monitor_in(in, ret);
	step_start_in(in, ret);
	field_flags(in, "flags", &ret->flags);
	results_in(in, cut, ret);
	step_files_in(in, ret);
}

/* @cut: what was taken out of @text, or NULL. */
static int parse(const char *text, size_t n, const struct hist_cut *cut,
		 struct step_record *ret, unsigned *ret_unknown, struct err *err)
{
	cleanup_step_record struct step_record rec = {0};
	cleanup_json json_t *doc = NULL;
	unsigned unknown = 0;
	struct json_in in;
	int r;

	step_record_init(&rec);
	r = doc_open(text, n, STEP_MAX_BYTES, JSON_RECORDS, "step", &unknown, &doc, &in,
		     err);
	if (r < 0)
		return r;
	step_in(&in, cut, &rec);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = rec;
	step_record_init(&rec);
	if (ret_unknown)
		*ret_unknown = unknown;
	return 0;
}

/* Whatever is wrong is found again in the text as it came, and named as it is there. */
int step_record_parse(const char *text, size_t n, struct step_record *ret,
		      unsigned *ret_unknown, struct err *err)
{
	cleanup_str struct str shorter = STR_INIT(STEP_MAX_BYTES);
	cleanup_hist_cut struct hist_cut cut = {0};

	if (n <= STEP_MAX_BYTES && hist_cut(text, n, &shorter, &cut) &&
	    parse(shorter.s, shorter.len, &cut, ret, ret_unknown, NULL) == 0)
		return 0;
	return parse(text, n, NULL, ret, ret_unknown, err);
}

json_t *step_record_to_json(const struct step_record *rec)
{
	struct json_out out = out_schema("step");
	char id[STEP_ID_CAP];

	step_id_format(id, rec->matrix_id, rec->iteration);
	out_str(&out, "run", rec->run);
	out_str(&out, "worker", rec->worker);
	out_incarnation(&out, &rec->incarnation);
	out_str(&out, "step", id);
	out_num(&out, "matrix_id", rec->matrix_id);
	out_num(&out, "test_id", rec->test_id);
	out_num(&out, "config_id", rec->config_id);
	out_num(&out, "iteration", rec->iteration);
	out_num(&out, "block", rec->block);
	out_num(&out, "pos", rec->pos);
	out_num(&out, "attempt", rec->attempt);
	out_str(&out, "state", attempt_state_name(rec->state));
	out_text(&out, "reason", rec->reason, sizeof(rec->reason));
	out_int_or(&out, "exit_status", rec->exit_status, -1);
	out_int_or(&out, "signal", rec->signal, 0);
	out_text(&out, "started", rec->started, sizeof(rec->started));
	out_text(&out, "ended", rec->ended, sizeof(rec->ended));
	step_phases_out(&out, rec);
	step_effective_out(&out, rec);
	step_host_out(&out, rec);
	step_gcsfuse_log_out(&out, rec);
	step_monitor_out(&out, rec);
	step_start_out(&out, rec);
	out_flags(&out, "flags", rec->flags);
	out_put(&out, "results", fio_results_to_json(rec->results, rec->n_results));
	step_files_out(&out, rec);
	return out.obj;
}

void step_record_done(struct step_record *rec)
{
	json_decref(rec->gcsfuse_config);
	free(rec->flags);
	fio_results_free(rec->results, rec->n_results);
	step_record_init(rec);
}
