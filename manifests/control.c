// SPDX-License-Identifier: Apache-2.0
// control/<seq>.json
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/fields.h"

static const char *const kind_names[] = {
	[CONTROL_DRAIN] = "drain",
	[CONTROL_ABORT] = "abort",
	[CONTROL_RESUME] = "resume",
	[CONTROL_REASSIGN] = "reassign",
};

static void control_in(struct json_in *in, struct control *ret)
{
	uint64_t round = 0;
	unsigned kind = 0;

	field_enum(in, "kind", kind_names, ARRAY_SIZE(kind_names), &kind);
	ret->kind = kind;
	field_strings(in, "workers", JSON_NULLABLE, str_is_rfc1035, "a worker's name",
		      &ret->workers, &ret->n_workers);
	ret->all_workers = !ret->workers;
	field_strings(in, "steps", JSON_NULLABLE, is_step_id,
		      "a step (<matrix_id>-<iteration>)", &ret->steps, &ret->n_steps);
	ret->all_steps = !ret->steps;
	json_in_u64(in, "round", JSON_NULLABLE, &round);
	if (json_is_integer(json_object_get(ret->doc, "round")) &&
	    (round < 1 || round > UINT32_MAX))
		json_in_fail(in, "round", "is not between 1 and %u", UINT32_MAX);
	ret->round = (unsigned)round;
	json_in_str(in, "reason", JSON_NULLABLE, &ret->reason);
}

int control_parse(const char *text, size_t n, struct control *ret, struct err *err)
{
	cleanup_control struct control c = {0};
	struct json_in in;
	int r = doc_open(text, n, CONTROL_MAX_BYTES, JSON_ORDERS, "control", NULL, &c.doc,
			 &in, err);

	if (r < 0)
		return r;
	control_in(&in, &c);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct control){0};
	return 0;
}

json_t *control_to_json(const struct control *c)
{
	struct json_out out = out_schema("control");

	out_str(&out, "kind", kind_names[c->kind]);
	if (c->all_workers)
		out_put(&out, "workers", json_null());
	else
		out_strings(&out, "workers", c->workers, c->n_workers);
	if (c->all_steps)
		out_put(&out, "steps", json_null());
	else
		out_strings(&out, "steps", c->steps, c->n_steps);
	out_num_or(&out, "round", c->round, 0);
	out_str(&out, "reason", c->reason);
	return out.obj;
}

void control_done(struct control *c)
{
	if (c->doc) {
		free(c->workers);
		free(c->steps);
		json_decref(c->doc);
	}
	*c = (struct control){0};
}

bool control_names(const struct control *c, const char *worker)
{
	for (size_t i = 0; i < c->n_workers; i++)
		if (strcmp(c->workers[i], worker) == 0)
			return true;
	return c->all_workers;
}
