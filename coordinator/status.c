// SPDX-License-Identifier: Apache-2.0
// What status, watch and wait show and conclude.
#include "coordinator/status.h"

#include "coordinator/cmd.h"
#include "coordinator/table.h"

static void hint(const struct fleet_counts *c, struct str *ret)
{
	if (c->waiting && !c->is_complete)
		str_addf(ret,
			 "%zu waiting: their VMs have not booted or cannot reach the "
			 "bucket "
			 "yet\n",
			 c->waiting);
	if (c->missing && !c->is_complete)
		str_addf(ret,
			 "%zu missing: never seen; look at the VM's console, or start "
			 "muster-worker again\n",
			 c->missing);
	if (c->stale && !c->is_complete)
		str_addf(ret,
			 "%zu stale: died or cut off; a worker started again under the "
			 "same "
			 "name goes on where it stopped\n",
			 c->stale);
	if (c->interrupted && !c->is_complete)
		str_addf(ret,
			 "%zu interrupted: start them again to go on with the unfinished "
			 "steps\n",
			 c->interrupted);
	if (c->strangers)
		str_addf(ret,
			 "%zu under names that the run does not know: they have no job "
			 "here\n",
			 c->strangers);
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
	hint(&c, ret);
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

	/* who ended early has been replaced by others when every step has ended */
	if (!fleet_is_over(&c) || (c.interrupted && !c.is_complete) || c.unjudged)
		code = cmd_worst(code, EXIT_UNKNOWN_YET);
	if ((c.failed && !c.is_complete) || c.cancelled || c.steps_not_ok)
		code = cmd_worst(code, EXIT_NO);
	if (c.steps_invalid)
		code = cmd_worst(code, EXIT_INVALID);
	return code;
}
