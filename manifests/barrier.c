// SPDX-License-Identifier: Apache-2.0
// barriers/<k>/arrive/<worker>.json and barriers/<k>/verdict.json
#include "manifests/barrier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/fields.h"

static void offset_in(struct json_in *in, struct arrival *ret)
{
	int64_t none = INT64_MIN;
	uint64_t bound_ns = UINT64_MAX;

	json_in_i64(in, "offset_ns", JSON_MAY, &none);
	json_in_u64(in, "bound_ns", JSON_MAY, &bound_ns);
	/* one without the other says nothing */
	ret->has_offset = none != INT64_MIN && bound_ns != UINT64_MAX;
	if (!ret->has_offset)
		return;
	ret->offset_ns = none;
	ret->bound_ns = bound_ns;
}

int arrival_parse(const char *text, size_t n, struct arrival *ret, unsigned *ret_unknown,
		  struct err *err)
{
	cleanup_json json_t *doc = NULL;
	struct arrival a = {0};
	unsigned unknown = 0;
	struct json_in in;
	int r = doc_open(text, n, ARRIVAL_MAX_BYTES, JSON_RECORDS, "arrival", &unknown,
			 &doc, &in, err);

	if (r < 0)
		return r;
	field_name(&in, "run", run_id_is_valid, "a run's name", a.run, sizeof(a.run));
	field_name(&in, "worker", str_is_rfc1035, "a worker's name", a.worker,
		   sizeof(a.worker));
	field_incarnation(&in, "arrival.incarnation", &a.incarnation);
	field_range(&in, "barrier", 1, UINT32_MAX, &a.barrier);
	field_name(&in, "step", is_step_id, "a step (<matrix_id>-<iteration>)", a.step,
		   sizeof(a.step));
	field_range(&in, "attempt", 1, UINT32_MAX, &a.attempt);
	offset_in(&in, &a);
	field_text(&in, "reason", a.reason, sizeof(a.reason));
	field_text(&in, "at", a.at, sizeof(a.at));
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = a;
	if (ret_unknown)
		*ret_unknown = unknown;
	return 0;
}

json_t *arrival_to_json(const struct arrival *a)
{
	struct json_out out = out_schema("arrival");

	out_str(&out, "run", a->run);
	out_str(&out, "worker", a->worker);
	out_incarnation(&out, &a->incarnation);
	out_num(&out, "barrier", a->barrier);
	out_str(&out, "step", a->step);
	out_num(&out, "attempt", a->attempt);
	out_int_or(&out, "offset_ns", a->has_offset ? a->offset_ns : INT64_MIN,
		   INT64_MIN);
	out_num_or(&out, "bound_ns", a->has_offset ? a->bound_ns : UINT64_MAX,
		   UINT64_MAX);
	out_text(&out, "reason", a->reason, sizeof(a->reason));
	out_text(&out, "at", a->at, sizeof(a->at));
	return out.obj;
}

const char *arrival_summary(const struct arrival *arrival)
{
	return arrival->reason[0] ? "absent" : "ready";
}

bool arrival_is_absent(const char *summary)
{
	return strcmp(summary, "absent") == 0;
}

static const char *const decision_names[] = {"abort", "go"};

static void decision_in(struct json_in *in, struct verdict_doc *ret)
{
	unsigned decision = 0;
	uint64_t go_ns = 0;

	field_enum(in, "decision", decision_names, ARRAY_SIZE(decision_names), &decision);
	ret->is_go = decision == 1;
	json_in_u64(in, "go_server_ns", JSON_NULLABLE, &go_ns);
	ret->go_server_ns = (int64_t)go_ns;
	json_in_str(in, "reason", JSON_NULLABLE, &ret->reason);
	if (in->r == 0 &&
	    ret->is_go != json_is_integer(json_object_get(ret->doc, "go_server_ns")))
		json_in_fail(in, "go_server_ns", "is a time for go, null for abort");
	if (in->r == 0 && ret->is_go != !ret->reason)
		json_in_fail(in, "reason", "is null for go, a text for abort");
}

int verdict_parse(const char *text, size_t n, struct verdict_doc *ret, struct err *err)
{
	cleanup_verdict struct verdict_doc v = {0};
	enum barrier_policy policy = BARRIER_ALL;
	const char *name = NULL;
	struct json_in in;
	int r = doc_open(text, n, VERDICT_MAX_BYTES, JSON_ORDERS, "verdict", NULL, &v.doc,
			 &in, err);

	if (r < 0)
		return r;
	field_str(&in, "run", JSON_MUST, run_id_is_valid, "a run's name", &v.run);
	field_range(&in, "barrier", 1, UINT32_MAX, &v.barrier);
	decision_in(&in, &v);
	json_in_str(&in, "policy", JSON_MUST, &name);
	if (name && !barrier_policy_find(name, &policy))
		json_in_fail(&in, "policy", "is none of all, majority, best-effort");
	v.policy = policy;
	field_strings(&in, "members", JSON_MUST, str_is_rfc1035, "a worker's name",
		      &v.members, &v.n_members);
	field_str(&in, "worker", JSON_MUST, str_is_rfc1035, "a worker's name", &v.worker);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = v;
	v = (struct verdict_doc){0};
	return 0;
}

json_t *verdict_to_json(const struct verdict_doc *v)
{
	struct json_out out = out_schema("verdict");

	out_str(&out, "run", v->run);
	out_num(&out, "barrier", v->barrier);
	out_str(&out, "decision", decision_names[v->is_go]);
	out_put(&out, "go_server_ns",
		v->is_go ? json_integer(v->go_server_ns) : json_null());
	out_str(&out, "policy", barrier_policy_name(v->policy));
	out_strings(&out, "members", v->members, v->n_members);
	out_str(&out, "reason", v->reason);
	out_str(&out, "worker", v->worker);
	return out.obj;
}

void verdict_done(struct verdict_doc *v)
{
	if (v->doc) {
		free(v->members);
		json_decref(v->doc);
	}
	*v = (struct verdict_doc){0};
}
