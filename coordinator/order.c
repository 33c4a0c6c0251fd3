// SPDX-License-Identifier: Apache-2.0
// Writing control orders.
#include "coordinator/order.h"

#include <errno.h>

#include "coordinator/cmd.h"
#include "core/json.h"

enum { ORDER_SEQ_MAX = 1000000 };

struct newest {
	const struct run_ref *ref;
	unsigned seq;
};

static int on_order(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct newest *newest = arg;
	struct path_parts parts;

	(void)err;
	path_parse(newest->ref, meta->name, &parts);
	if (parts.kind == PATH_KIND_CONTROL && parts.seq > newest->seq)
		newest->seq = parts.seq;
	return 0;
}

static int order_newest(struct run *run, unsigned *ret_seq, struct err *err)
{
	struct newest newest = {.ref = &run->ref};
	char prefix[PATH_CAP];
	struct list_req req = {.prefix = prefix, .on_object = on_order, .arg = &newest};
	int64_t date_ns = 0;
	int r = path_dir(prefix, &run->ref, PATH_CONTROL, err);

	if (r == 0)
		r = run->store->ops->list(run->store, &req, &date_ns, err);
	if (r == 0)
		*ret_seq = newest.seq;
	return r;
}

/* An order that its readers would refuse is worse than none: it stops them. */
static int order_render(const struct control *order, struct str *ret, struct err *err)
{
	cleanup_json json_t *doc = control_to_json(order);
	cleanup_control struct control again = {0};
	int r = json_dump(doc, ret, err);

	if (r == 0)
		r = control_parse(str_text(ret), ret->len, &again, err);
	return r < 0 ? err_wrap(err, r, "the order") : 0;
}

int order_write(struct run *run, const struct control *order, unsigned *ret_seq,
		struct err *err)
{
	cleanup_str struct str text = STR_INIT(CONTROL_MAX_BYTES);
	struct put_req put = {.content_type = "application/json",
			      .precondition = PUT_CREATE};
	unsigned seq = 0;
	int r = order_render(order, &text, err);

	if (r == 0)
		r = order_newest(run, &seq, err);
	if (r < 0)
		return r;
	put.data = text.s;
	put.n = text.len;
	for (seq++; seq < ORDER_SEQ_MAX && !cmd_interrupted(); seq++) {
		struct obj_meta meta = {0};
		struct err why = {0};
		char name[PATH_CAP];

		r = path_control(name, &run->ref, seq, err);
		if (r < 0)
			return r;
		r = run->store->ops->put(run->store, name, &put, &meta, &why);
		if (r == 0)
			*ret_seq = seq;
		if (r != -EEXIST)
			return r < 0 ? err_set(err, r, "%s", why.text) : 0;
	}
	if (cmd_interrupted())
		return err_set(err, -ECANCELED, "interrupted");
	return err_set(err, -E2BIG, "the run has too many control orders");
}
