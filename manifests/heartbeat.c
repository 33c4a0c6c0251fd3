// SPDX-License-Identifier: Apache-2.0
// workers/<worker>.json: the lease and the heartbeat.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifests/fields.h"

static void state_in(struct json_in *in, enum worker_state *ret)
{
	const char *name = NULL;
	struct err why = {0};

	json_in_str(in, "state", JSON_MUST, &name);
	if (name && worker_state_parse(name, ret, &why) < 0)
		json_in_fail(in, "state", "%s", why.text);
}

static void step_in(struct json_in *in, struct heartbeat *ret)
{
	const char *step = NULL;

	field_str(in, "step", JSON_MAY, is_step_id, "a step (<matrix_id>-<iteration>)",
		  &step);
	if (step)
		str_copy(ret->step, sizeof(ret->step), step);
}

int heartbeat_parse(const char *text, size_t n, struct heartbeat *ret,
		    unsigned *ret_unknown, struct err *err)
{
	cleanup_json json_t *doc = NULL;
	struct heartbeat hb = {0};
	unsigned unknown = 0;
	struct json_in in;
	int r = doc_open(text, n, HEARTBEAT_MAX_BYTES, JSON_RECORDS, "worker", &unknown,
			 &doc, &in, err);

	if (r < 0)
		return r;
	field_name(&in, "run", run_id_is_valid, "a run's name", hb.run, sizeof(hb.run));
	field_name(&in, "worker", str_is_rfc1035, "a worker's name", hb.worker,
		   sizeof(hb.worker));
	field_incarnation(&in, "worker.incarnation", &hb.incarnation);
	state_in(&in, &hb.state);
	field_text(&in, "reason", hb.reason, sizeof(hb.reason));
	step_in(&in, &hb);
	json_in_uint(&in, "attempt", JSON_MAY, &hb.attempt);
	json_in_uint(&in, "done", JSON_MAY, &hb.done);
	json_in_uint(&in, "total", JSON_MAY, &hb.total);
	field_text(&in, "progress", hb.progress, sizeof(hb.progress));
	field_text(&in, "worker_build", hb.worker_build, sizeof(hb.worker_build));
	field_text(&in, "at", hb.at, sizeof(hb.at));
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = hb;
	if (ret_unknown)
		*ret_unknown = unknown;
	return 0;
}

json_t *heartbeat_to_json(const struct heartbeat *hb)
{
	struct json_out out = out_schema("worker");

	out_str(&out, "run", hb->run);
	out_str(&out, "worker", hb->worker);
	out_incarnation(&out, &hb->incarnation);
	out_str(&out, "state", worker_state_name(hb->state));
	out_text(&out, "reason", hb->reason, sizeof(hb->reason));
	out_text(&out, "step", hb->step, sizeof(hb->step));
	out_num_or(&out, "attempt", hb->attempt, 0);
	out_num(&out, "done", hb->done);
	out_num(&out, "total", hb->total);
	out_text(&out, "progress", hb->progress, sizeof(hb->progress));
	out_text(&out, "worker_build", hb->worker_build, sizeof(hb->worker_build));
	out_text(&out, "at", hb->at, sizeof(hb->at));
	return out.obj;
}

void heartbeat_summary(const struct heartbeat *hb, char out[STORE_SUMMARY_CAP])
{
	int n = snprintf(out, STORE_SUMMARY_CAP, "%s %s %u %u/%u",
			 worker_state_name(hb->state), *hb->step ? hb->step : "-",
			 hb->attempt, hb->done, hb->total);

	if (hb->incarnation.n && n > 0 && n < STORE_SUMMARY_CAP)
		snprintf(out + n, STORE_SUMMARY_CAP - (size_t)n, " %u",
			 hb->incarnation.n);
}

/* The next word of *@p, up to any of @stops or the end, in @out. */
static bool take_word(const char **p, const char *stops, char *out, size_t cap)
{
	size_t n = strcspn(*p, stops);

	if (n < 1 || n >= cap)
		return false;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p += n + ((*p)[n] != '\0');
	return true;
}

static bool take_number(const char **p, const char *stops, unsigned *ret)
{
	char word[16];
	uint64_t v = 0;

	if (!take_word(p, stops, word, sizeof(word)) || parse_u64(word, &v, NULL) < 0 ||
	    v > UINT32_MAX)
		return false;
	*ret = (unsigned)v;
	return true;
}

int heartbeat_from_summary(const char *summary, struct heartbeat *ret, struct err *err)
{
	char state[16], step[STEP_ID_CAP], again[STORE_SUMMARY_CAP];
	struct heartbeat hb = {0};
	const char *p = summary;
	bool is_ours = take_word(&p, " ", state, sizeof(state)) &&
		       worker_state_parse(state, &hb.state, NULL) == 0 &&
		       take_word(&p, " ", step, sizeof(step)) &&
		       take_number(&p, " ", &hb.attempt) &&
		       take_number(&p, "/", &hb.done) &&
		       take_number(&p, " ", &hb.total) &&
		       (!*p || take_number(&p, " ", &hb.incarnation.n));

	if (is_ours && strcmp(step, "-") != 0) {
		is_ours = is_step_id(step);
		str_copy(hb.step, sizeof(hb.step), step);
	}
	/* one spelling only, so that nothing trails */
	if (is_ours)
		heartbeat_summary(&hb, again);
	if (!is_ours || strcmp(again, summary) != 0)
		return err_set(err, -EINVAL, "not a heartbeat's summary");
	*ret = hb;
	return 0;
}
