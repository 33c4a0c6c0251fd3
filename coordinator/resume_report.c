// SPDX-License-Identifier: Apache-2.0
// resume: what was moved, and who has to be started.
#include <stdlib.h>
#include <string.h>

#include "coordinator/resume.h"
#include "core/json.h"

static void what_happened(const struct resume_loser *l, struct str *ret)
{
	const struct fleet_worker *w = &l->worker;
	long long s = w->age_ns > 0 ? w->age_ns / NS_PER_S : 0;

	str_addf(ret, "%s ", w->name);
	switch (w->view) {
	case FLEET_WAITING:
	case FLEET_MISSING:
		str_add(ret, "has never been seen");
		break;
	case FLEET_STALE:
		str_addf(ret, "is stale, last heard of %lld s ago", s);
		break;
	case FLEET_ALIVE:
		str_add(ret, l->role == REPLAN_LIVING ? "lives" : "is about to end");
		break;
	case FLEET_ENDED:
		str_addf(ret, "ended %s", worker_state_name(w->hb.state));
		break;
	}
	if (w->hb.reason[0])
		str_addf(ret, " (%s)", w->hb.reason);
	str_add(ret, ":");
}

/** struct group - moves of one worker to one other. */
struct group {
	const struct resume_move *first;
	size_t n;
};

/** struct groups - of all moves, by giver, then in the order of the first move. */
struct groups {
	size_t n;
	struct group *v; /* owned */
};

static void groups_done(struct groups *groups)
{
	free(groups->v);
}
#define cleanup_groups cleanup(groups_done)

static int by_pair(const void *a, const void *b)
{
	const struct resume_move *x = ((const struct group *)a)->first;
	const struct resume_move *y = ((const struct group *)b)->first;
	int d = strcmp(x->from, y->from);

	d = d ? d : strcmp(x->to, y->to);
	d = d ? d : x->is_return - y->is_return;
	return d;
}

static int by_pair_and_place(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int d = by_pair(a, b);

	return d ? d : (x->first > y->first) - (x->first < y->first);
}

static int by_giver_and_place(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int d = strcmp(x->first->from, y->first->from);

	return d ? d : (x->first > y->first) - (x->first < y->first);
}

static void groups_make(const struct resume *resume, struct groups *ret)
{
	size_t n = 0;

	ret->v = xcalloc(resume->n_moves + 1, sizeof(*ret->v));
	for (size_t i = 0; i < resume->n_moves; i++)
		ret->v[i] = (struct group){&resume->moves[i], 1};
	qsort(ret->v, resume->n_moves, sizeof(*ret->v), by_pair_and_place);
	for (size_t i = 0; i < resume->n_moves; i++) {
		if (n && by_pair(&ret->v[n - 1], &ret->v[i]) == 0)
			ret->v[n - 1].n++;
		else
			ret->v[n++] = ret->v[i];
	}
	qsort(ret->v, n, sizeof(*ret->v), by_giver_and_place);
	ret->n = n;
}

/* The groups of one giver begin here; they end where another's begin. */
static size_t groups_find(const struct groups *groups, const char *from)
{
	size_t low = 0, high = groups->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(groups->v[mid].first->from, from) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool group_is_of(const struct groups *groups, size_t i, const char *from)
{
	return i < groups->n && strcmp(groups->v[i].first->from, from) == 0;
}

static void loser_text(const struct groups *groups, const struct resume_loser *l,
		       struct str *ret)
{
	const char *name = l->worker.name, *comma = "";

	what_happened(l, ret);
	for (size_t i = groups_find(groups, name); group_is_of(groups, i, name); i++) {
		const struct resume_move *m = groups->v[i].first;
		size_t n = groups->v[i].n;

		str_addf(ret, "%s %zu step%s ", comma, n, n == 1 ? "" : "s");
		if (m->is_return)
			str_addf(ret, "back to %s, which has ended %s", m->to,
				 n == 1 ? "it" : "them");
		else if (strcmp(m->from, m->to) == 0)
			str_add(ret, "to it again");
		else
			str_addf(ret, "to %s", m->to);
		comma = ",";
	}
	str_add(ret, "\n");
}

static void start_text(const struct resume *resume, struct str *ret)
{
	cleanup_str struct str url = STR_INIT(PATH_CAP + 256);

	if (!resume->n_start)
		return;
	run_ref_url(&resume->run->ref, &url);
	str_add(ret, "to be started, unless they are just booting:");
	for (size_t i = 0; i < resume->n_start; i++)
		str_addf(ret, " %s", resume->start[i]);
	str_addf(ret,
		 "\n  machines of a fleet by terraform apply, others by\n"
		 "  muster-worker --run %s --worker %s\n",
		 str_text(&url), resume->start[0]);
}

void resume_text(const struct resume *resume, struct str *ret)
{
	cleanup_groups struct groups groups = {0};

	groups_make(resume, &groups);
	if (resume->has_lifted)
		str_addf(ret, "%s\n",
			 resume->is_dry ? "the order to stop would be lifted"
					: "the order to stop is lifted");
	for (size_t i = 0; i < resume->n_losers; i++)
		loser_text(&groups, &resume->losers[i], ret);
	if (!resume->n_moves && !resume->n_unfinished)
		str_addf(ret, "nothing to move: all %zu steps have ended\n",
			 resume->n_final);
	else if (!resume->n_moves && resume->n_left)
		str_add(ret, "nothing to move\n");
	else if (!resume->n_moves)
		str_add(ret, "nothing to move: every step is with a worker that lives, "
			     "has ended it, or is to be started\n");
	else
		str_addf(ret, "%zu step%s %s\n", resume->n_moves,
			 resume->n_moves == 1 ? "" : "s",
			 resume->is_dry ? "would be moved; nothing was written"
					: "moved");
	if (resume->n_left)
		str_addf(ret,
			 "%zu unclaimed block%s of dead workers %s left to the living: "
			 "--steal\n",
			 resume->n_left, resume->n_left == 1 ? "" : "s",
			 resume->n_left == 1 ? "is" : "are");
	start_text(resume, ret);
}

static json_t *loser_json(const struct groups *groups, const struct resume_loser *l)
{
	static const char *const roles[] = {"living", "expected", "dead"};
	const struct fleet_worker *w = &l->worker;
	json_t *o = json_object();
	json_int_t n = 0;

	for (size_t i = groups_find(groups, w->name); group_is_of(groups, i, w->name);
	     i++)
		n += (json_int_t)groups->v[i].n;
	json_object_set_new(o, "worker", json_string(w->name));
	json_object_set_new(o, "role", json_string(roles[l->role]));
	json_object_set_new(o, "view", json_string(fleet_view_name(w->view)));
	json_object_set_new(o, "state",
			    w->has_heartbeat ? json_string(worker_state_name(w->hb.state))
					     : json_null());
	json_object_set_new(o, "reason",
			    json_text_or_null(w->hb.reason[0] ? w->hb.reason : NULL));
	json_object_set_new(o, "age_s",
			    w->age_ns == -1 ? json_null()
					    : json_f64((double)w->age_ns / NS_PER_S));
	json_object_set_new(o, "steps", json_integer(n));
	return o;
}

static json_t *move_json(const struct resume_move *m)
{
	json_t *o = json_object();

	json_object_set_new(o, "step", json_string(m->step));
	json_object_set_new(o, "from", json_string(m->from));
	json_object_set_new(o, "to", json_string(m->to));
	json_object_set_new(o, "attempt", json_integer(m->attempt));
	json_object_set_new(o, "ended", json_boolean(m->is_return));
	return o;
}

static json_t *numbers_json(const unsigned *v, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_integer(v[i]));
	return array;
}

json_t *resume_json(const struct resume *resume)
{
	json_t *o = json_object(), *losers = json_array(), *moves = json_array();
	json_t *start = json_array();
	cleanup_groups struct groups groups = {0};

	groups_make(resume, &groups);
	for (size_t i = 0; i < resume->n_losers; i++)
		json_array_append_new(losers, loser_json(&groups, &resume->losers[i]));
	for (size_t i = 0; i < resume->n_moves; i++)
		json_array_append_new(moves, move_json(&resume->moves[i]));
	for (size_t i = 0; i < resume->n_start; i++)
		json_array_append_new(start, json_string(resume->start[i]));
	json_object_set_new(o, "schema", json_string("muster/resume/1"));
	json_object_set_new(o, "run", json_string(resume->run->ref.run));
	json_object_set_new(o, "dry_run", json_boolean(resume->is_dry));
	json_object_set_new(o, "lifted", json_boolean(resume->has_lifted));
	json_object_set_new(o, "rounds", numbers_json(resume->rounds, resume->n_rounds));
	json_object_set_new(o, "orders", numbers_json(resume->orders, resume->n_orders));
	json_object_set_new(o, "workers", losers);
	json_object_set_new(o, "moves", moves);
	json_object_set_new(o, "left", json_u64(resume->n_left));
	json_object_set_new(o, "start", start);
	return o;
}
