// SPDX-License-Identifier: Apache-2.0
// The run's control orders.
#include "coordinator/order_log.h"

#include <errno.h>
#include <stdlib.h>

#include "coordinator/run.h"

void order_log_done(struct order_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		control_done(&log->v[i]);
	free(log->v);
	free(log->written_ns);
	*log = (struct order_log){0};
}

/* 1 = there was one more. */
static int read_next(struct run *run, struct err *err)
{
	cleanup_str struct str text = STR_INIT(CONTROL_MAX_BYTES);
	struct order_log *log = &run->orders;
	struct control order = {0};
	struct obj_meta meta = {0};
	struct err why = {0};
	char name[PATH_CAP];
	int r = path_control(name, &run->ref, (unsigned)log->n + 1, err);

	if (r < 0)
		return r;
	r = run->store->ops->get(run->store, name, CONTROL_MAX_BYTES, &text, &meta, &why);
	if (r == -ENOENT)
		return 0;
	if (r < 0 && r != -EFBIG)
		return err_set(err, r, "%s", why.text);
	if (r == 0)
		r = control_parse(str_text(&text), text.len, &order, &why);
	if (r < 0 && !log->n_bad++)
		err_set(&log->bad, -EINVAL, "%s: %s", name, why.text);
	/* without workers it concerns nobody */
	if (r < 0)
		order = (struct control){.kind = CONTROL_RESUME};
	log->v = xrealloc(log->v, log->n + 1, sizeof(*log->v));
	log->written_ns = xrealloc(log->written_ns, log->n + 1, sizeof(int64_t));
	log->written_ns[log->n] = meta.updated_ns;
	log->v[log->n++] = order;
	return 1;
}

int order_log_update(struct run *run, struct err *err)
{
	int r;

	do
		r = read_next(run, err);
	while (r == 1);
	return r < 0 ? err_wrap(err, r, "reading the orders") : 0;
}

bool order_log_commits(const struct order_log *log, const char *worker, unsigned round)
{
	for (size_t i = log->n; i > 0; i--) {
		const struct control *c = &log->v[i - 1];

		if (c->kind == CONTROL_REASSIGN && c->round &&
		    (!round || c->round == round) && control_names(c, worker))
			return true;
	}
	return false;
}

static bool is_stop(const struct control *c)
{
	return c->kind == CONTROL_DRAIN || c->kind == CONTROL_ABORT;
}

bool order_log_is_stopped(const struct order_log *log)
{
	for (size_t i = log->n; i > 0; i--) {
		if (is_stop(&log->v[i - 1]))
			return true;
		/* one that names workers lifts it for them alone */
		if (log->v[i - 1].kind == CONTROL_RESUME && log->v[i - 1].all_workers)
			return false;
	}
	return false;
}

bool order_log_was_stopped(const struct order_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		if (is_stop(&log->v[i]))
			return true;
	return false;
}

bool order_log_has_moved(const struct order_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		if (log->v[i].kind == CONTROL_REASSIGN)
			return true;
	return false;
}
