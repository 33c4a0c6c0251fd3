// SPDX-License-Identifier: Apache-2.0
// Orders taken in one by one.
#include "worker/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"

static void add_round(struct orders *o, unsigned round)
{
	for (size_t i = 0; i < o->n_rounds; i++)
		if (o->rounds[i] == round)
			return;
	if (round > 0 && o->n_rounds < ORDER_ROUNDS_MAX)
		o->rounds[o->n_rounds++] = round;
}

static void add_drop(struct orders *o, const struct control *c)
{
	struct order_drop *d;

	/* "all steps of that round": who has them says its own job of the round; other
	 * workers' jobs are not read for it, and running a moved step only costs time */
	if (c->all_steps && c->round > 0)
		return;
	o->drops = xrealloc(o->drops, o->n_drops + 1, sizeof(*o->drops));
	d = &o->drops[o->n_drops++];
	*d = (struct order_drop){.round = c->round, .all_steps = c->all_steps};
	if (c->all_steps)
		return;
	d->steps = xcalloc(c->n_steps + 1, sizeof(*d->steps));
	for (size_t i = 0; i < c->n_steps; i++)
		d->steps[d->n++] = xstrdup(c->steps[i]);
}

static int by_key(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void add_commit(struct orders *o, const struct control *c)
{
	struct order_commit n = {.round = c->round,
				 .all_workers = c->all_workers,
				 .all_steps = c->all_steps};

	n.workers = xcalloc(c->n_workers + 1, sizeof(*n.workers));
	n.steps = xcalloc(c->n_steps + 1, sizeof(*n.steps));
	for (size_t i = 0; i < c->n_workers; i++)
		n.workers[n.n_workers++] = xstrdup(c->workers[i]);
	for (size_t i = 0; i < c->n_steps; i++) {
		unsigned matrix_id = 0, iteration = 0;

		if (step_id_parse(c->steps[i], &matrix_id, &iteration, NULL) == 0)
			n.steps[n.n_steps++] = (uint64_t)matrix_id << 32 | iteration;
	}
	if (n.n_steps)
		qsort(n.steps, n.n_steps, sizeof(*n.steps), by_key);
	o->commits = xrealloc(o->commits, o->n_commits + 1, sizeof(n));
	o->commits[o->n_commits++] = n;
}

bool order_commit_gives(const struct order_commit *c, const char *worker, unsigned round,
			unsigned matrix_id, unsigned iteration)
{
	uint64_t key = (uint64_t)matrix_id << 32 | iteration;

	if (c->round != round)
		return false;
	if (!c->all_steps &&
	    (!c->n_steps || !bsearch(&key, c->steps, c->n_steps, sizeof(key), by_key)))
		return false;
	for (size_t i = 0; i < c->n_workers; i++)
		if (strcmp(c->workers[i], worker) == 0)
			return true;
	return c->all_workers;
}

void order_commit_done(struct order_commit *c)
{
	for (size_t i = 0; i < c->n_workers; i++)
		free(c->workers[i]);
	free(c->workers);
	free(c->steps);
}

void orders_apply(struct orders *o, const struct control *c, const char *worker)
{
	o->next_seq++;
	if (c->kind == CONTROL_REASSIGN && c->round)
		add_commit(o, c);
	if (!control_names(c, worker))
		return;
	add_round(o, c->round);
	switch (c->kind) {
	case CONTROL_DRAIN:
	case CONTROL_ABORT:
		o->drain = true;
		o->abort |= c->kind == CONTROL_ABORT;
		snprintf(o->reason, sizeof(o->reason), "%s", c->reason ? c->reason : "");
		break;
	case CONTROL_RESUME:
		o->drain = o->is_refused;
		o->abort = o->is_refused;
		break;
	case CONTROL_REASSIGN:
		add_drop(o, c);
		break;
	}
}

void orders_refuse(struct orders *o, const char *why)
{
	o->next_seq++;
	o->drain = true;
	o->abort = true;
	o->is_refused = true;
	snprintf(o->reason, sizeof(o->reason), "%s", why);
}

void orders_merge(struct orders *to, struct orders *from)
{
	to->drain = from->drain;
	to->abort = from->abort;
	to->is_refused = from->is_refused;
	str_copy(to->reason, sizeof(to->reason), from->reason);
	for (size_t i = 0; i < from->n_rounds; i++)
		add_round(to, from->rounds[i]);
	for (size_t i = 0; i < from->n_drops; i++) {
		to->drops = xrealloc(to->drops, to->n_drops + 1, sizeof(*to->drops));
		to->drops[to->n_drops++] = from->drops[i];
	}
	for (size_t i = 0; i < from->n_commits; i++) {
		to->commits =
			xrealloc(to->commits, to->n_commits + 1, sizeof(*to->commits));
		to->commits[to->n_commits++] = from->commits[i];
	}
	free(from->commits);
	from->commits = NULL;
	from->n_commits = 0;
	free(from->drops);
	from->drops = NULL;
	from->n_drops = 0;
	from->n_rounds = 0;
}

void orders_take(struct orders *o, struct orders *ret)
{
	*ret = *o;
	o->n_rounds = 0;
	o->n_drops = 0;
	o->drops = NULL;
	o->n_commits = 0;
	o->commits = NULL;
}

bool order_drop_has(const struct order_drop *d, const char *id, unsigned round)
{
	if (d->round > 0 && round >= d->round)
		return false;
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->steps[i], id) == 0)
			return true;
	return d->all_steps;
}

void orders_done(struct orders *o)
{
	for (size_t i = 0; i < o->n_drops; i++) {
		for (size_t k = 0; k < o->drops[i].n; k++)
			free(o->drops[i].steps[k]);
		free(o->drops[i].steps);
	}
	free(o->drops);
	for (size_t i = 0; i < o->n_commits; i++)
		order_commit_done(&o->commits[i]);
	free(o->commits);
	*o = (struct orders){0};
}
