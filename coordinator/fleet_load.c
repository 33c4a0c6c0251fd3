// SPDX-License-Identifier: Apache-2.0
// Reading the fleet from the bucket.
#include "coordinator/fleet_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/cmd.h"
#include "coordinator/fleet_jobs.h"
#include "coordinator/fleet_slow.h"
#include "coordinator/pool.h"

/* ends a listing early */
enum { PAST_LAST = 1 };
/* up to here all jobs are listed at every look: one call more */
enum { LIST_JOBS_MAX = 1000 };

struct load {
	struct run *run;
	struct fleet *fleet;
	bool is_complete; /* of verdicts: every step of the run has ended */
	/* of a listing of jobs/ */
	size_t skip;		 /* length of the folder's name */
	char last[JOB_STEM_CAP]; /* "" = to the end */
};

/* A job of a later round, also one under the first's name (its worker came later), is
 * none before an order commits it. */
static bool is_job_of_run(const struct load *load, const struct path_parts *parts)
{
	const struct order_log *log = &load->run->orders;
	const struct fleet_worker *w;

	if (parts->round > 1)
		return order_log_commits(log, parts->worker, parts->round);
	w = fleet_find(load->fleet, parts->worker);
	return (w && w->is_planned) || order_log_commits(log, parts->worker, 0);
}

static int on_job(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct load *load = arg;
	struct path_parts parts;
	const char *file = meta->name + load->skip;
	struct fleet_worker *w;

	(void)err;
	if (load->last[0] && strcmp(file, load->last) > 0 &&
	    !str_starts(file, load->last))
		return PAST_LAST;
	path_parse(&load->run->ref, meta->name, &parts);
	if (parts.kind != PATH_KIND_JOB)
		return 0;
	if (!is_job_of_run(load, &parts) || strcmp(meta->summary, JOB_CLAIM_SUMMARY) == 0)
		return 0;
	w = fleet_worker(load->fleet, parts.worker);
	w->is_planned = true;
	fleet_add_job(w, parts.round, meta->created_ns);
	return 0;
}

static int on_heartbeat(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct load *load = arg;
	struct path_parts parts;
	struct fleet_worker *w;

	(void)err;
	path_parse(&load->run->ref, meta->name, &parts);
	if (parts.kind != PATH_KIND_WORKER)
		return 0;
	w = fleet_worker(load->fleet, parts.worker);
	w->has_heartbeat = true;
	w->updated_ns = meta->updated_ns;
	w->has_summary = heartbeat_from_summary(meta->summary, &w->hb, NULL) == 0;
	return 0;
}

static int load_workers(struct load *load, struct err *err)
{
	struct store *store = load->run->store;
	char prefix[PATH_CAP];
	struct list_req req = {.prefix = prefix, .on_object = on_heartbeat, .arg = load};
	int r = path_dir(prefix, &load->run->ref, PATH_WORKERS, err);

	if (r < 0)
		return r;
	return store->ops->list(store, &req, &load->fleet->server_now_ns, err);
}

/* Workers that came after split: an order that gives them steps names them, and their
 * first job is hardly older than that. */
static void add_reassigned(const struct run *run, struct fleet *fleet)
{
	const struct order_log *log = &run->orders;

	for (size_t i = 0; i < log->n; i++) {
		const struct control *c = &log->v[i];

		for (size_t k = 0; c->kind == CONTROL_REASSIGN && k < c->n_workers; k++) {
			struct fleet_worker *w = fleet_worker(fleet, c->workers[k]);
			size_t at = (size_t)(w - fleet->workers);

			w->is_planned = true;
			if (at >= run->config.n_workers && !w->first_job_ns)
				w->first_job_ns = log->written_ns[i];
		}
	}
}

/* Who has been heard of has a job, as old as the run. */
static void take_for_granted(struct load *load)
{
	for (size_t i = 0; i < load->fleet->n; i++) {
		struct fleet_worker *w = &load->fleet->workers[i];

		if (w->is_planned && w->has_heartbeat && !w->first_job_ns)
			w->first_job_ns = load->run->created_ns;
	}
}

/* Only the stretch of names between the first and the last that matter is asked for. */
static int load_jobs(struct load *load, bool is_complete, struct err *err)
{
	struct store *store = load->run->store;
	char prefix[PATH_CAP], first[JOB_STEM_CAP] = "", start[PATH_CAP + JOB_STEM_CAP];
	struct list_req req = {.prefix = prefix,
			       .start_offset = start,
			       .on_object = on_job,
			       .arg = load};
	int64_t date_ns = 0;
	int r = path_dir(prefix, &load->run->ref, PATH_JOBS, err);

	if (r < 0)
		return r;
	load->skip = strlen(prefix);
	if (!is_complete && !fleet_jobless(load->fleet, first, load->last))
		return 0;
	snprintf(start, sizeof(start), "%s%s", prefix, first);
	/* ages are of the moment of the heartbeats: this reply's Date is not used */
	r = store->ops->list(store, &req, &date_ns, err);
	return r == PAST_LAST ? 0 : r;
}

/* In a large fleet: only what decides something. */
static int look_at_jobs(struct load *load, struct err *err)
{
	bool has_moved = order_log_has_moved(&load->run->orders);
	int r = 0;

	take_for_granted(load);
	if (has_moved)
		r = fleet_ask_jobs(load->run, load->fleet, err);
	if (r < 0)
		return r;
	return r == 1 ? 0 : load_jobs(load, has_moved, err);
}

/* The whole heartbeat; why it cannot be had becomes the reason. */
static void load_heartbeat(struct run *run, struct fleet_worker *w)
{
	cleanup_str struct str text = STR_INIT(HEARTBEAT_MAX_BYTES);
	struct heartbeat hb = {0};
	struct err why = {0};
	char name[PATH_CAP];
	int r = path_worker(name, &run->ref, w->name, &why);

	if (r == 0)
		r = run_get(run, name, HEARTBEAT_MAX_BYTES, &text, &why);
	if (r == 0)
		r = heartbeat_parse(str_text(&text), text.len, &hb, NULL, &why);
	if (r == 0 && strcmp(hb.worker, w->name) != 0)
		r = err_set(&why, -EINVAL, "it names worker %s", hb.worker);
	if (r == 0) {
		w->hb = hb;
		w->has_summary = true;
	} else {
		snprintf(w->hb.reason, sizeof(w->hb.reason),
			 "heartbeat unreadable: %.400s", why.text);
	}
}

/* A heartbeat that lost its metadata, by a copy of the run for instance, still counts. */
static void load_unsummarised(struct run *run, struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->n; i++) {
		struct fleet_worker *w = &fleet->workers[i];

		if (w->has_heartbeat && !w->has_summary && !cmd_interrupted())
			load_heartbeat(run, w);
	}
}

/* Later rounds list steps again that cancelled workers count as ended. */
static uint64_t planned_steps(const struct run *run)
{
	const struct config *c = &run->config;

	if (!c->settings.steal || order_log_has_moved(&run->orders))
		return 0;
	return (uint64_t)c->n_arms * c->n_cases * c->iterations * c->replicas;
}

static int load_fleet(struct run *run, int64_t watch_started_ns, bool is_complete,
		      struct fleet *ret, struct err *err)
{
	struct load load = {.run = run, .fleet = ret};
	int r;

	*ret = (struct fleet){0};
	for (size_t i = 0; i < run->config.n_workers; i++)
		fleet_worker(ret, run->config.workers[i])->is_planned = true;
	r = order_log_update(run, err);
	is_complete = is_complete || run->config.n_workers <= LIST_JOBS_MAX;
	add_reassigned(run, ret);
	if (r == 0)
		r = load_workers(&load, err);
	if (r == 0)
		r = is_complete ? load_jobs(&load, true, err) : look_at_jobs(&load, err);
	if (r < 0) {
		fleet_done(ret);
		return err_wrap(err, r, "reading the fleet");
	}
	ret->n_planned_steps = planned_steps(run);
	load_unsummarised(run, ret);
	fleet_derive(ret, run->config.settings.stale_s, watch_started_ns);
	fleet_mark_slow(ret);
	return 0;
}

int fleet_load(struct run *run, int64_t watch_started_ns, struct fleet *ret,
	       struct err *err)
{
	return load_fleet(run, watch_started_ns, true, ret, err);
}

int fleet_look(struct run *run, int64_t watch_started_ns, struct fleet *ret,
	       struct err *err)
{
	return load_fleet(run, watch_started_ns, false, ret, err);
}

/*
 * A process that takes a name over rewrites lease and manifest at once. When they name
 * different ones, and stay so, two write under one name: machines that were cloned with
 * one identity, for instance. A worker that was never restarted cannot be one of two.
 */
static void check_duplicate(struct run *run, struct fleet_worker *w)
{
	cleanup_manifest struct manifest manifest = {0};
	cleanup_str struct str text = STR_INIT(MANIFEST_MAX_BYTES);
	char name[PATH_CAP];

	if (w->view != FLEET_ALIVE || w->hb.incarnation.n < 2 ||
	    path_manifest(name, &run->ref, w->name, NULL) < 0 ||
	    run_get(run, name, MANIFEST_MAX_BYTES, &text, NULL) < 0 ||
	    manifest_parse(str_text(&text), text.len, &manifest, NULL, NULL) < 0)
		return;
	w->is_duplicate =
		strcmp(manifest.incarnation.nonce, w->hb.incarnation.nonce) != 0;
}

static bool is_of_interest(const struct fleet *fleet, const struct fleet_worker *w)
{
	return fleet->n <= FLEET_PROGRESS_MAX || w->view == FLEET_STALE ||
	       (w->view == FLEET_ENDED && w->hb.state != WORKER_DONE);
}

/* Of the others: one that was started again may be there twice. */
static bool is_suspect(const struct fleet *fleet, const struct fleet_worker *w)
{
	return !is_of_interest(fleet, w) && w->view == FLEET_ALIVE &&
	       w->hb.incarnation.n >= 2;
}

/* Returns how many of @left are left. */
static unsigned load_reasons(struct run *run, struct fleet *fleet, unsigned left,
			     bool (*is_meant)(const struct fleet *fleet,
					      const struct fleet_worker *w))
{
	for (size_t i = 0; i < fleet->n && left && !cmd_interrupted(); i++) {
		struct fleet_worker *w = &fleet->workers[i];
		struct heartbeat listed = w->hb;

		if (!w->has_heartbeat || w->hb.reason[0] || !is_meant(fleet, w))
			continue;
		left--;
		load_heartbeat(run, w);
		/* rewritten since the listing: what is shown stays of one moment */
		if (w->hb.state != listed.state)
			w->hb = listed;
		else
			check_duplicate(run, w);
	}
	return left;
}

void fleet_load_reasons(struct run *run, struct fleet *fleet)
{
	unsigned left = load_reasons(run, fleet, FLEET_REASONS_MAX, is_of_interest);

	load_reasons(run, fleet, left, is_suspect);
}

static int load_verdict(struct store *store, size_t index, void *arg, struct err *err)
{
	const struct load *load = arg;
	struct fleet_worker *w = &load->fleet->workers[index];
	cleanup_manifest struct manifest manifest = {0};
	cleanup_str struct str text = STR_INIT(MANIFEST_MAX_BYTES);
	struct obj_meta meta = {0};
	char name[PATH_CAP];

	(void)err;
	if (!w->is_planned || !fleet_is_judged(w, load->is_complete))
		return 0;
	/* what goes wrong here leaves the worker unjudged, and that is shown */
	if (path_manifest(name, &load->run->ref, w->name, NULL) < 0 ||
	    store->ops->get(store, name, MANIFEST_MAX_BYTES, &text, &meta, NULL) < 0 ||
	    manifest_parse(str_text(&text), text.len, &manifest, NULL, NULL) < 0)
		return 0;
	w->has_verdict = true;
	for (size_t i = 0; i < manifest.n_steps; i++) {
		/* never begun here, and ended elsewhere */
		if (load->is_complete && manifest.steps[i].state == ATTEMPT_PENDING)
			continue;
		w->steps_not_ok += manifest.steps[i].state != ATTEMPT_OK;
		w->steps_invalid += manifest.steps[i].state == ATTEMPT_INVALID;
	}
	return 0;
}

void fleet_load_verdicts(struct run *run, struct fleet *fleet)
{
	struct load load = {.run = run,
			    .fleet = fleet,
			    .is_complete = fleet_count(fleet).is_complete};
	struct err interrupted = {0};

	pool_run(run, fleet->n, load_verdict, &load, &interrupted);
}
