// SPDX-License-Identifier: Apache-2.0
// claims/<leader step>[.r<k>].json, and what a unit is.
#include "manifests/claim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/fields.h"

static bool goes_on(const struct job_step *before, const struct job_step *s)
{
	return s->block && s->block == before->block && s->test_id == before->test_id &&
	       s->pos > before->pos;
}

size_t job_unit_end(const struct job_step *steps, size_t n, size_t i)
{
	for (i++; i < n && goes_on(&steps[i - 1], &steps[i]); i++)
		;
	return i;
}

size_t job_unit_begin(const struct job_step *steps, size_t i)
{
	while (i > 0 && goes_on(&steps[i - 1], &steps[i]))
		i--;
	return i;
}

static void steps_in(struct json_in *in, struct claim *ret)
{
	cleanup_free const char **ids = NULL;
	const char *leader = NULL;
	size_t n = 0;

	field_str(in, "step", JSON_MUST, is_step_id, "a step (<matrix_id>-<iteration>)",
		  &leader);
	field_strings(in, "steps", JSON_MUST, is_step_id,
		      "a step (<matrix_id>-<iteration>)", &ids, &n);
	if (in->r < 0)
		return;
	if (!n || strcmp(ids[0], leader) != 0) {
		json_in_fail(in, "steps", "does not begin with the step");
		return;
	}
	step_id_parse(leader, &ret->matrix_id, &ret->iteration, NULL);
	ret->steps = xcalloc(n, sizeof(*ret->steps));
	ret->n_steps = n;
	for (size_t i = 0; i < n; i++)
		str_copy(ret->steps[i], STEP_ID_CAP, ids[i]);
}

int claim_parse(const char *text, size_t n, struct claim *ret, unsigned *ret_unknown,
		struct err *err)
{
	cleanup_json json_t *doc = NULL;
	cleanup_claim struct claim c = {0};
	unsigned unknown = 0;
	struct json_in in;
	int r = doc_open(text, n, CLAIM_MAX_BYTES, JSON_RECORDS, "claim", &unknown, &doc,
			 &in, err);

	if (r < 0)
		return r;
	field_name(&in, "run", run_id_is_valid, "a run's name", c.run, sizeof(c.run));
	field_range(&in, "round", 1, UINT32_MAX, &c.round);
	steps_in(&in, &c);
	field_name(&in, "worker", str_is_rfc1035, "a worker's name", c.worker,
		   sizeof(c.worker));
	field_incarnation(&in, "claim.incarnation", &c.incarnation);
	field_name(&in, "from", str_is_rfc1035, "a worker's name", c.from,
		   sizeof(c.from));
	field_text(&in, "at", c.at, sizeof(c.at));
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct claim){0};
	if (ret_unknown)
		*ret_unknown = unknown;
	return 0;
}

json_t *claim_to_json(const struct claim *c)
{
	struct json_out out = out_schema("claim");
	json_t *steps = json_array();
	char id[STEP_ID_CAP];

	step_id_format(id, c->matrix_id, c->iteration);
	for (size_t i = 0; i < c->n_steps; i++)
		array_put(&steps, json_string(c->steps[i]));
	out_str(&out, "run", c->run);
	out_num(&out, "round", c->round);
	out_str(&out, "step", id);
	out_put(&out, "steps", steps);
	out_str(&out, "worker", c->worker);
	out_incarnation(&out, &c->incarnation);
	out_str(&out, "from", c->from);
	out_text(&out, "at", c->at, sizeof(c->at));
	return out.obj;
}

void claim_done(struct claim *c)
{
	free(c->steps);
	*c = (struct claim){0};
}
