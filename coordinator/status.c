// SPDX-License-Identifier: Apache-2.0
// What status, watch and wait show and conclude.
#include "coordinator/status.h"

#include "coordinator/cmd.h"
#include "coordinator/table.h"

/** struct remedy - what a reader should know of some workers, and do about them. */
struct remedy {
	bool (*is_meant)(const struct fleet *fleet, const struct fleet_worker *w);
	const char *what;
	bool is_resumable; /* muster resume moves their steps */
};

static bool is_missed(const struct fleet_worker *w, enum fleet_view view)
{
	return w->is_planned && !w->is_relieved && w->view == view;
}

static bool is_waiting(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return is_missed(w, FLEET_WAITING);
}

static bool is_missing(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return is_missed(w, FLEET_MISSING);
}

static bool is_stale(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return is_missed(w, FLEET_STALE);
}

/* Ended so that steps are left which nobody has. */
static bool has_ended(const struct fleet_worker *w, enum worker_state state)
{
	return is_missed(w, FLEET_ENDED) && w->hb.state == state;
}

static bool is_failed(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return has_ended(w, WORKER_FAILED);
}

static bool is_interrupted(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return has_ended(w, WORKER_INTERRUPTED);
}

static bool is_cancelled(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return has_ended(w, WORKER_CANCELLED);
}

/* Only known once the steps were looked at: done, yet the owner of a pending one. */
static bool has_left_over(const struct fleet *fleet, const struct fleet_worker *w)
{
	return fleet->steps.is_known && has_ended(w, WORKER_DONE);
}

static bool is_relieved(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return w->is_planned && w->is_relieved &&
	       (w->view == FLEET_STALE || w->view == FLEET_MISSING);
}

static bool is_duplicate(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return w->is_duplicate;
}

static bool is_slow(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return w->is_slow;
}

static bool is_stranger(const struct fleet *fleet, const struct fleet_worker *w)
{
	(void)fleet;
	return !w->is_planned;
}

static const struct remedy remedies[] = {
	{is_waiting, "waiting: not booted yet, or cannot reach the bucket", false},
	{is_missing, "missing: never seen; look at the machine's console", true},
	{is_stale, "stale: died or cut off; started again it goes on where it stopped",
	 true},
	{is_interrupted, "interrupted: started again it goes on where it stopped", true},
	{is_failed, "failed: its reason is above; its unfinished steps can be moved",
	 true},
	{is_cancelled, "cancelled: stopped by an order, its steps can be run after all",
	 true},
	{has_left_over, "done, but a step it was given is not", true},
	{is_duplicate, "duplicate: two processes write under one name; stop one of them",
	 false},
	{is_slow,
	 "slow: more than twice as long to go as the fleet's median; look at "
	 "its machine",
	 false},
	{is_relieved, "gone, and not missed: others have its steps", false},
	{is_stranger, "under names that the run does not know: no job here", false},
};

static size_t add_names(const struct fleet *fleet, const struct remedy *remedy,
			struct str *ret)
{
	enum { NAMES_SHOWN = 8 };
	size_t n = 0;

	for (size_t i = 0; i < fleet->n; i++) {
		if (!remedy->is_meant(fleet, &fleet->workers[i]))
			continue;
		if (n++ < NAMES_SHOWN)
			str_addf(ret, "%s%s", n == 1 ? " (" : " ",
				 fleet->workers[i].name);
	}
	if (n > NAMES_SHOWN)
		str_addf(ret, " and %zu more", n - NAMES_SHOWN);
	if (n)
		str_add(ret, ")");
	return n;
}

static void hint(const struct run *run, const struct fleet *fleet,
		 const struct fleet_counts *c, struct str *ret)
{
	cleanup_str struct str url = STR_INIT(PATH_CAP + 256);
	bool is_resumable = fleet->steps.pending && fleet_is_over(c);

	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
		cleanup_str struct str names = STR_INIT(4096);
		size_t n = add_names(fleet, &remedies[i], &names);

		if (n)
			str_addf(ret, "%zu %s%s\n", n, remedies[i].what,
				 str_text(&names));
		is_resumable |= n && remedies[i].is_resumable;
	}
	run_ref_url(&run->ref, &url);
	if (is_resumable)
		str_addf(ret,
			 "give unfinished steps to others: muster resume %s "
			 "[--workers NEW,…]\n",
			 str_text(&url));
	if (c->steps_not_ok)
		str_addf(ret, "%llu steps are not ok: muster collect has the reasons\n",
			 (unsigned long long)c->steps_not_ok);
	if (fleet_is_over(c) && c->unjudged)
		str_addf(ret,
			 "%zu ended without a readable manifest: muster collect looks at "
			 "every step\n",
			 c->unjudged);
}

static void age_text(int64_t age_ns, struct str *ret)
{
	int64_t s = age_ns > 0 ? age_ns / NS_PER_S : 0;

	if (age_ns == -1)
		str_add(ret, "no job");
	else if (s < 120)
		str_addf(ret, "%lld s", (long long)s);
	else if (s < 7200)
		str_addf(ret, "%lld min", (long long)(s / 60));
	else
		str_addf(ret, "%lld h", (long long)(s / 3600));
}

static const char *shown_state(const struct fleet_worker *w)
{
	if (w->view == FLEET_ALIVE || w->view == FLEET_ENDED)
		return worker_state_name(w->hb.state);
	return fleet_view_name(w->view);
}

static void worker_row(struct table *t, const struct fleet_worker *w)
{
	cleanup_str struct str age = STR_INIT(64);

	age_text(w->age_ns, &age);
	table_row(t);
	table_set(t, 0, "%s", w->name);
	table_set(t, 1, "%s", shown_state(w));
	table_set(t, 2, "%s", w->hb.step);
	if (w->hb.attempt > 1)
		table_set(t, 2, "%s (attempt %u)", w->hb.step, w->hb.attempt);
	table_set(t, 3, "%s", w->hb.progress);
	if (w->has_heartbeat)
		table_set(t, 4, "%u/%u", w->hb.done, w->hb.total);
	table_set(t, 5, "%s", str_text(&age));
	table_set(t, 6, "%s", w->hb.reason);
}

void status_text(const struct run *run, const struct fleet *fleet, size_t rows_max,
		 struct str *ret)
{
	static const char *const headers[] = {"worker", "state", "step",
					      "phase",	">done", ">heard of ago",
					      "reason", NULL};
	struct fleet_counts c = fleet_count(fleet);
	cleanup_table struct table t;

	table_init(&t, headers);
	for (size_t i = 0; i < fleet->n && i < rows_max; i++)
		worker_row(&t, &fleet->workers[i]);
	str_addf(ret, "run %s: %zu workers, %llu of %llu steps ended%s\n", run->ref.run,
		 fleet->n, (unsigned long long)c.steps_done,
		 (unsigned long long)c.steps_total,
		 !fleet->n_planned_steps && (c.waiting || c.missing)
			 ? " (of workers heard of)"
			 : "");
	table_text(&t, ret);
	if (fleet->n > rows_max)
		str_addf(ret, "… and %zu more workers\n", fleet->n - rows_max);
	hint(run, fleet, &c, ret);
}

static json_t *worker_json(const struct fleet_worker *w)
{
	json_t *o = json_object();

	json_object_set_new(o, "worker", json_string(w->name));
	json_object_set_new(o, "view", json_string(fleet_view_name(w->view)));
	json_object_set_new(o, "state",
			    w->has_heartbeat ? json_string(worker_state_name(w->hb.state))
					     : json_null());
	json_object_set_new(o, "reason",
			    json_text_or_null(w->hb.reason[0] ? w->hb.reason : NULL));
	json_object_set_new(o, "step",
			    json_text_or_null(w->hb.step[0] ? w->hb.step : NULL));
	json_object_set_new(o, "attempt",
			    w->hb.attempt ? json_integer(w->hb.attempt) : json_null());
	json_object_set_new(o, "done", json_integer(w->hb.done));
	json_object_set_new(o, "total", json_integer(w->hb.total));
	json_object_set_new(o, "progress",
			    json_text_or_null(w->hb.progress[0] ? w->hb.progress : NULL));
	json_object_set_new(o, "steps_not_ok",
			    w->has_verdict ? json_integer(w->steps_not_ok) : json_null());
	json_object_set_new(o, "planned", json_boolean(w->is_planned));
	json_object_set_new(o, "slow", json_boolean(w->is_slow));
	json_object_set_new(o, "duplicate", json_boolean(w->is_duplicate));
	json_object_set_new(o, "relieved", json_boolean(w->is_relieved));
	json_object_set_new(o, "incarnation",
			    w->hb.incarnation.n ? json_integer(w->hb.incarnation.n)
						: json_null());
	json_object_set_new(o, "age_s",
			    w->age_ns == -1 ? json_null()
					    : json_f64((double)w->age_ns / NS_PER_S));
	return o;
}

json_t *status_json(const struct run *run, const struct fleet *fleet)
{
	json_t *o = json_object(), *workers = json_array();
	struct fleet_counts c = fleet_count(fleet);

	for (size_t i = 0; i < fleet->n; i++)
		json_array_append_new(workers, worker_json(&fleet->workers[i]));
	json_object_set_new(o, "schema", json_string("muster/status/1"));
	json_object_set_new(o, "run", json_string(run->ref.run));
	json_object_set_new(o, "over", json_boolean(fleet_is_over(&c)));
	json_object_set_new(o, "steps_done", json_u64(c.steps_done));
	json_object_set_new(o, "steps_total", json_u64(c.steps_total));
	json_object_set_new(o, "workers", workers);
	return o;
}

void status_line(const struct run *run, const struct fleet *fleet, struct str *ret)
{
	struct fleet_counts c = fleet_count(fleet);

	str_addf(ret,
		 "run %s: %llu/%llu steps ended; workers: %zu alive, %zu waiting, %zu "
		 "ended, %zu stale, %zu missing\n",
		 run->ref.run, (unsigned long long)c.steps_done,
		 (unsigned long long)c.steps_total, c.alive, c.waiting, c.ended, c.stale,
		 c.missing);
}

int status_exit(const struct fleet *fleet)
{
	struct fleet_counts c = fleet_count(fleet);
	int code = EXIT_YES;

	/* how a worker ended says nothing of steps that were taken from it */
	if (fleet->steps.is_known)
		c.interrupted = c.failed = c.cancelled = 0;
	/* who ended early has been replaced by others when every step has ended */
	if (c.is_complete)
		c.interrupted = c.failed = 0;
	if (!fleet_is_over(&c) || c.interrupted || c.unjudged || fleet->steps.pending)
		code = cmd_worst(code, EXIT_UNKNOWN_YET);
	if (c.failed || c.cancelled || c.steps_not_ok)
		code = cmd_worst(code, EXIT_NO);
	if (c.steps_invalid)
		code = cmd_worst(code, EXIT_INVALID);
	return code;
}
