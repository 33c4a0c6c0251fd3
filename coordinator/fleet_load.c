// SPDX-License-Identifier: Apache-2.0
// Reading the fleet from the bucket.
#include "coordinator/fleet_load.h"

struct load {
	struct run *run;
	struct fleet *fleet;
};

static int on_job(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct load *load = arg;
	struct path_parts parts;
	struct fleet_worker *w;

	(void)err;
	path_parse(&load->run->ref, meta->name, &parts);
	if (parts.kind != PATH_KIND_JOB)
		return 0;
	w = fleet_worker(load->fleet, parts.worker);
	if (parts.round > w->rounds)
		w->rounds = parts.round;
	if (meta->created_ns > w->job_created_ns)
		w->job_created_ns = meta->created_ns;
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

static int load_dir(struct load *load, enum path_dir dir, list_fn *on_object,
		    struct err *err)
{
	struct store *store = load->run->store;
	char prefix[PATH_CAP];
	struct list_req req = {.prefix = prefix, .on_object = on_object, .arg = load};
	int r = path_dir(prefix, &load->run->ref, dir, err);

	if (r < 0)
		return r;
	return store->ops->list(store, &req, &load->fleet->server_now_ns, err);
}

int fleet_load(struct run *run, int64_t watch_started_ns, struct fleet *ret,
	       struct err *err)
{
	struct load load = {.run = run, .fleet = ret};
	int r;

	*ret = (struct fleet){0};
	r = load_dir(&load, PATH_JOBS, on_job, err);
	if (r == 0)
		r = load_dir(&load, PATH_WORKERS, on_heartbeat, err);
	if (r < 0) {
		fleet_done(ret);
		return err_wrap(err, r, "reading the fleet");
	}
	fleet_derive(ret, run->config.settings.stale_s, watch_started_ns);
	return 0;
}

static void load_reason(struct run *run, struct fleet_worker *w)
{
	cleanup_str struct str text = STR_INIT(HEARTBEAT_MAX_BYTES);
	char name[PATH_CAP];
	unsigned unknown = 0;

	if (path_worker(name, &run->ref, w->name, NULL) == 0 &&
	    run_get(run, name, HEARTBEAT_MAX_BYTES, &text, NULL) == 0)
		heartbeat_parse(text.s, text.len, &w->hb, &unknown, NULL);
}

void fleet_load_reasons(struct run *run, struct fleet *fleet)
{
	unsigned left = FLEET_REASONS_MAX;

	for (size_t i = 0; i < fleet->n && left; i++) {
		struct fleet_worker *w = &fleet->workers[i];
		bool is_wrong = w->view == FLEET_ENDED && w->hb.state != WORKER_DONE;

		if (!w->has_heartbeat || (w->has_summary && !is_wrong))
			continue;
		load_reason(run, w);
		left--;
	}
}
