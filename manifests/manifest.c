// SPDX-License-Identifier: Apache-2.0
// results/<worker>/manifest.json: the index of a worker's steps.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "manifests/provenance.h"

enum { MANIFEST_STEPS_MAX = 1000000 };

static void summary_in(struct json_in *in, struct manifest_step *ret)
{
	struct json_in sub;

	if (!field_sub(in, "summary", JSON_MAY, "manifest.steps[].summary", &sub))
		return;
	ret->has_summary = true;
	json_in_f64(&sub, "bw_bytes_per_s", JSON_MAY, &ret->bw_bytes_per_s);
	json_in_f64(&sub, "iops", JSON_MAY, &ret->iops);
	json_in_u64(&sub, "lat_p50_ns", JSON_MAY, &ret->lat_p50_ns);
	json_in_u64(&sub, "lat_p99_ns", JSON_MAY, &ret->lat_p99_ns);
	field_sub_end(in, &sub);
}

static void step_in(struct json_in *in, struct manifest_step *ret)
{
	const char *state = NULL;
	struct err why = {0};

	field_name(in, "step", is_step_id, "a step (<matrix_id>-<iteration>)", ret->step,
		   sizeof(ret->step));
	field_range(in, "attempt", 1, UINT32_MAX, &ret->attempt);
	json_in_str(in, "state", JSON_MUST, &state);
	if (state && attempt_state_parse(state, &ret->state, &why) < 0)
		json_in_fail(in, "state", "%s", why.text);
	field_text(in, "reason", ret->reason, sizeof(ret->reason));
	summary_in(in, ret);
}

static void steps_in(struct json_in *in, struct manifest *ret)
{
	const json_t *v = NULL;

	json_in_arr(in, "steps", JSON_MUST, &v);
	if (!v)
		return;
	if (json_array_size(v) > MANIFEST_STEPS_MAX) {
		json_in_fail(in, "steps", "more than %d entries", MANIFEST_STEPS_MAX);
		return;
	}
	ret->n_steps = json_array_size(v);
	ret->steps = xcalloc(ret->n_steps, sizeof(*ret->steps));
	for (size_t i = 0; i < ret->n_steps && in->r == 0; i++) {
		char where[WHERE_CAP];
		struct json_in item;

		snprintf(where, sizeof(where), "manifest.steps[%zu]", i);
		json_in_init(&item, json_array_get(v, i), in->mode, where, in->unknown,
			     in->err);
		step_in(&item, &ret->steps[i]);
		field_sub_end(in, &item);
	}
}

static void manifest_in(struct json_in *in, struct manifest *ret)
{
	const char *state = NULL;
	struct err why = {0};

	field_name(in, "run", run_id_is_valid, "a run's name", ret->run,
		   sizeof(ret->run));
	field_name(in, "worker", str_is_rfc1035, "a worker's name", ret->worker,
		   sizeof(ret->worker));
	field_range(in, "round", 1, UINT32_MAX, &ret->round);
	field_incarnation(in, "manifest.incarnation", &ret->incarnation);
	json_in_str(in, "state", JSON_MUST, &state);
	if (state && worker_state_parse(state, &ret->state, &why) < 0)
		json_in_fail(in, "state", "%s", why.text);
	field_text(in, "reason", ret->reason, sizeof(ret->reason));
	field_provenance(in, &ret->provenance);
	steps_in(in, ret);
}

int manifest_parse(const char *text, size_t n, struct manifest *ret,
		   unsigned *ret_unknown, struct err *err)
{
	cleanup_manifest struct manifest m = {0};
	cleanup_json json_t *doc = NULL;
	unsigned unknown = 0;
	struct json_in in;
	int r = doc_open(text, n, MANIFEST_MAX_BYTES, JSON_RECORDS, "manifest", &unknown,
			 &doc, &in, err);

	if (r < 0)
		return r;
	manifest_in(&in, &m);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = m;
	m = (struct manifest){0};
	if (ret_unknown)
		*ret_unknown = unknown;
	return 0;
}

static json_t *step_out(const struct manifest_step *s)
{
	struct json_out out = out_begin(), sub = out_begin();

	out_put(&sub, "bw_bytes_per_s", json_f64(s->bw_bytes_per_s));
	out_put(&sub, "iops", json_f64(s->iops));
	out_num(&sub, "lat_p50_ns", s->lat_p50_ns);
	out_num(&sub, "lat_p99_ns", s->lat_p99_ns);
	out_str(&out, "step", s->step);
	out_num(&out, "attempt", s->attempt);
	out_str(&out, "state", attempt_state_name(s->state));
	out_text(&out, "reason", s->reason, sizeof(s->reason));
	if (!s->has_summary) {
		json_decref(sub.obj);
		sub.obj = json_null();
	}
	out_put(&out, "summary", sub.obj);
	return out.obj;
}

json_t *manifest_to_json(const struct manifest *m)
{
	struct json_out out = out_schema("manifest");
	json_t *steps = json_array();

	for (size_t i = 0; i < m->n_steps; i++)
		array_put(&steps, step_out(&m->steps[i]));
	out_str(&out, "run", m->run);
	out_str(&out, "worker", m->worker);
	out_num(&out, "round", m->round);
	out_incarnation(&out, &m->incarnation);
	out_str(&out, "state", worker_state_name(m->state));
	out_text(&out, "reason", m->reason, sizeof(m->reason));
	out_provenance(&out, &m->provenance);
	out_put(&out, "steps", steps);
	return out.obj;
}

void manifest_done(struct manifest *m)
{
	provenance_done(&m->provenance);
	free(m->steps);
	*m = (struct manifest){0};
}
