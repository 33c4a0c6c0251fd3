// SPDX-License-Identifier: Apache-2.0
// /etc/muster/worker.json of a VM
#include <errno.h>

#include "manifests/fields.h"

int vm_config_parse(const char *text, size_t n, struct vm_config *ret, struct err *err)
{
	cleanup_vm_config struct vm_config c = {0};
	struct json_in in;
	int r = doc_open(text, n, VM_MAX_BYTES, JSON_ORDERS, "vm", NULL, &c.doc, &in,
			 err);

	if (r < 0)
		return r;
	field_str(&in, "run_url", JSON_MAY, is_run_url,
		  "a run's URL (gs://bucket[/prefix]/run)", &c.run_url);
	field_str(&in, "worker", JSON_MAY, str_is_rfc1035, "a worker's name", &c.worker);
	field_str(&in, "endpoint", JSON_MAY, is_endpoint,
		  "http(s)://host[:port] without a final slash", &c.endpoint);
	json_in_bool(&in, "debug", JSON_MAY, &c.debug);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct vm_config){0};
	return 0;
}

json_t *vm_config_to_json(const struct vm_config *c)
{
	struct json_out out = out_schema("vm");

	out_str(&out, "run_url", c->run_url);
	out_str(&out, "worker", c->worker);
	out_str(&out, "endpoint", c->endpoint);
	out_bool(&out, "debug", c->debug);
	return out.obj;
}

void vm_config_done(struct vm_config *c)
{
	json_decref(c->doc);
	*c = (struct vm_config){0};
}
