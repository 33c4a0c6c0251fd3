// SPDX-License-Identifier: Apache-2.0
// Orders taken in one by one.
#include "worker/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct order_move *add_move(struct orders *o)
{
	o->moves = xrealloc(o->moves, o->n_moves + 1, sizeof(*o->moves));
	return &o->moves[o->n_moves++];
}

static void take_move(struct orders *o, const struct control *c)
{
	struct order_move *m = add_move(o);

	*m = (struct order_move){.round = c->round, .all_steps = c->all_steps};
	if (c->all_steps)
		return;
	m->steps = xcalloc(c->n_steps + 1, sizeof(*m->steps));
	for (size_t i = 0; i < c->n_steps; i++)
		m->steps[m->n++] = xstrdup(c->steps[i]);
	if (m->n)
		qsort(m->steps, m->n, sizeof(*m->steps), by_text);
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
		take_move(o, c);
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
	for (size_t i = 0; i < from->n_moves; i++)
		*add_move(to) = from->moves[i];
	for (size_t i = 0; i < from->n_commits; i++) {
		to->commits =
			xrealloc(to->commits, to->n_commits + 1, sizeof(*to->commits));
		to->commits[to->n_commits++] = from->commits[i];
	}
	free(from->commits);
	from->commits = NULL;
	from->n_commits = 0;
	free(from->moves);
	from->moves = NULL;
	from->n_moves = 0;
}

void orders_take(struct orders *o, struct orders *ret)
{
	*ret = *o;
	o->n_moves = 0;
	o->moves = NULL;
	o->n_commits = 0;
	o->commits = NULL;
}

static bool has_step(const struct order_move *m, const char *id)
{
	return m->n && bsearch(&id, m->steps, m->n, sizeof(*m->steps), by_text);
}

bool order_move_drops(const struct order_move *m, const char *id, unsigned round)
{
	if (m->round > 0 && (round >= m->round || m->all_steps))
		return false;
	return m->all_steps || has_step(m, id);
}

bool order_move_gives(const struct order_move *m, const char *id)
{
	return m->round > 0 && (m->all_steps || has_step(m, id));
}

void orders_done(struct orders *o)
{
	for (size_t i = 0; i < o->n_moves; i++) {
		for (size_t k = 0; k < o->moves[i].n; k++)
			free(o->moves[i].steps[k]);
		free(o->moves[i].steps);
	}
	free(o->moves);
	for (size_t i = 0; i < o->n_commits; i++)
		order_commit_done(&o->commits[i]);
	free(o->commits);
	*o = (struct orders){0};
}
