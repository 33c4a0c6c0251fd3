// SPDX-License-Identifier: Apache-2.0
// Taking a worker's name.
#include "worker/lease.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/plant.h"
#include "worker/build_id.h"
#include "worker/worker.h"

/* Until a job says otherwise, and how long a bucket is tried: contract §3.0, §3.4. */
enum { LEASE_LOOK_S = 5, LEASE_STALE_S = 120, LEASE_BUCKET_S = 120, LEASE_RETRY_S = 5 };

enum lease_verdict lease_decide(const struct lease_seen *seen, struct lease_watch *watch,
				const char *instance_id, int64_t stale_ns, int64_t now_ns)
{
	if (!seen->exists)
		return LEASE_CREATE;
	if (watch->generation && watch->generation != seen->generation)
		return LEASE_ALIVE;
	if (seen->age_ns > stale_ns)
		return LEASE_TAKE_OVER;
	if (seen->is_readable &&
	    (worker_is_end(seen->hb.state) ||
	     strcmp(seen->hb.incarnation.instance_id, instance_id) == 0))
		return LEASE_TAKE_OVER;
	if (!watch->generation)
		*watch = (struct lease_watch){seen->generation, now_ns};
	return now_ns - watch->since_ns >= stale_ns ? LEASE_TAKE_OVER : LEASE_LOOK_AGAIN;
}

int lease_owner(struct store *store, const char *name, struct heartbeat *ret,
		uint64_t *ret_generation, struct err *err)
{
	cleanup_str struct str text = STR_INIT(MANIFEST_MAX_BYTES);
	struct manifest m = {0};
	struct obj_meta meta = {0};
	int r;

	*ret = (struct heartbeat){0};
	*ret_generation = 0;
	r = store->ops->get(store, name, MANIFEST_MAX_BYTES, &text, &meta, err);
	if (r < 0)
		return r;
	*ret_generation = meta.generation;
	/* what cannot be read is not ours either: the incarnation stays empty */
	if (text.len <= HEARTBEAT_MAX_BYTES &&
	    heartbeat_parse(str_text(&text), text.len, ret, NULL, NULL) == 0)
		return 0;
	*ret = (struct heartbeat){0};
	if (manifest_parse(str_text(&text), text.len, &m, NULL, NULL) == 0)
		ret->incarnation = m.incarnation;
	manifest_done(&m);
	return 0;
}

int lease_rival(struct store *store, const char *lease, const char *name,
		const char *nonce, struct heartbeat *ret, uint64_t *ret_generation,
		struct err *err)
{
	uint64_t generation;
	int r;

	r = lease_owner(store, name, ret, ret_generation, err);
	if (r == 0 && strcmp(ret->incarnation.nonce, nonce) == 0)
		return 0;
	if (strcmp(name, lease) != 0 && (r == 0 || r == -ENOENT)) {
		err_clear(err);
		r = lease_owner(store, lease, ret, &generation, err);
	}
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	return r < 0 ? r : strcmp(ret->incarnation.nonce, nonce) != 0;
}

static int keep_meta(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct lease_seen *seen = arg;

	(void)err;
	if (!seen->exists) {
		seen->exists = true;
		seen->generation = meta->generation;
		seen->age_ns = -meta->updated_ns;
	}
	return 0;
}

/* One LIST gives the age by the server's clock, one GET what the owner says. */
static int look(struct worker *w, const char *name, struct lease_seen *ret,
		struct err *err)
{
	cleanup_str struct str text = STR_INIT(HEARTBEAT_MAX_BYTES);
	struct list_req req = {.prefix = name, .on_object = keep_meta, .arg = ret};
	struct obj_meta meta = {0};
	int64_t server_now_ns = 0;
	int r;

	*ret = (struct lease_seen){0};
	r = w->ctl->ops->list(w->ctl, &req, &server_now_ns, err);
	if (r < 0 || !ret->exists)
		return r;
	ret->age_ns += server_now_ns;
	r = w->ctl->ops->get(w->ctl, name, HEARTBEAT_MAX_BYTES, &text, &meta, err);
	if (r == -ENOENT || r == -EFBIG) {
		err_clear(err);
		ret->exists = r == -EFBIG;
		return 0;
	}
	if (r < 0)
		return r;
	/* rewritten between the two calls: as young as can be */
	if (meta.generation != ret->generation) {
		ret->generation = meta.generation;
		ret->age_ns = 0;
	}
	ret->is_readable =
		heartbeat_parse(str_text(&text), text.len, &ret->hb, NULL, NULL) == 0;
	return 0;
}

/* The step the last owner had in flight when it was heard last. */
static void note_inflight(struct worker *w, const struct heartbeat *hb)
{
	unsigned matrix_id, iteration;

	if (hb->step[0] && hb->attempt > 0 &&
	    step_id_parse(hb->step, &matrix_id, &iteration, NULL) == 0)
		found_note(&w->queue, matrix_id, iteration, hb->attempt, false);
}

bool lease_may_be_begun(const struct lease_seen *seen, bool is_same_machine)
{
	const struct heartbeat *hb = &seen->hb;
	bool is_end, has_told;

	if (!seen->exists || !seen->is_readable)
		return seen->exists;
	is_end = worker_is_end(hb->state);
	/* without a step its end came before its queue */
	has_told = hb->incarnation.n < 2 ||
		   (is_end ? hb->total > 0 : hb->state >= WORKER_RUNNING);
	return !has_told || !(is_end || is_same_machine);
}

static bool is_same_machine(const struct worker *w, const struct heartbeat *hb)
{
	return strcmp(hb->incarnation.instance_id, w->id.instance_id) == 0;
}

/* Write the first heartbeat over what was seen. -EEXIST: somebody was faster. */
static int claim(struct worker *w, const char *name, const struct lease_seen *seen,
		 struct err *err)
{
	cleanup_str struct str text = STR_INIT(HEARTBEAT_MAX_BYTES);
	cleanup_json json_t *doc = NULL;
	char summary[STORE_SUMMARY_CAP];
	struct heartbeat *hb = &w->board.hb;
	struct put_req req = {.content_type = "application/json", .summary = summary};
	struct obj_meta meta = {0};
	int r;

	hb->incarnation.n = (seen->exists ? seen->hb.incarnation.n : 0) + 1;
	/* until an attempt begins here: this life may end before it has used what it read
	 */
	str_copy(hb->step, sizeof(hb->step), seen->hb.step);
	hb->attempt = seen->hb.attempt;
	clock_format(clock_real_ns(), hb->at);
	doc = heartbeat_to_json(hb);
	heartbeat_summary(hb, summary);
	r = json_dump(doc, &text, err);
	if (r < 0)
		return r;
	req.data = str_text(&text);
	req.n = text.len;
	req.precondition = seen->exists ? PUT_REPLACE : PUT_CREATE;
	req.if_generation = seen->generation;
	r = w->ctl->ops->put(w->ctl, name, &req, &meta, err);
	if (r < 0)
		return r;
	w->beat.lease_generation = meta.generation;
	w->queue.may_be_begun = lease_may_be_begun(seen, is_same_machine(w, &seen->hb));
	note_inflight(w, &seen->hb);
	return 0;
}

static int in_use(struct worker *w, const struct lease_seen *seen, struct err *err)
{
	w->exit_code = WORKER_EXIT_DUPLICATE;
	return err_set(
		err, -EBUSY,
		"worker %s is alive elsewhere (incarnation %u, %s): this one stops "
		"and writes nothing",
		w->id.worker, seen->hb.incarnation.n, worker_state_name(seen->hb.state));
}

/* Permissions arrive late on new machines. 0 = worth another look. */
static int be_patient(struct worker *w, int r, int64_t end_ns, struct err *err)
{
	if (r != -EACCES && r != -ENOENT && r != -EAGAIN)
		return r;
	if (clock_mono_ns() > end_ns)
		return r;
	worker_say("waiting for the bucket: %s", err->text);
	if (stop_pause(&w->stop, (int64_t)LEASE_RETRY_S * NS_PER_S) < 0)
		return -ECANCELED;
	err_clear(err);
	return 0;
}

static int64_t stale_ns(void)
{
	return plant_ns("MUSTER_LEASE_STALE_MS", (int64_t)LEASE_STALE_S * NS_PER_S);
}

static int64_t look_ns(void)
{
	return plant_ns("MUSTER_LEASE_LOOK_MS", (int64_t)LEASE_LOOK_S * NS_PER_S);
}

/* One look, and what follows from it. 1 = the name is ours, 0 = look again. */
static int try_name(struct worker *w, const char *name, struct lease_watch *watch,
		    struct err *err)
{
	struct lease_seen seen;
	int r;

	worker_deadline(w, w->ctl, LEASE_BUCKET_S);
	r = look(w, name, &seen, err);
	if (r < 0)
		return r;
	switch (lease_decide(&seen, watch, w->id.instance_id, stale_ns(),
			     clock_mono_ns())) {
	case LEASE_ALIVE:
		return in_use(w, &seen, err);
	case LEASE_LOOK_AGAIN:
		log_line(LOG_INFO, "%s has a heartbeat %lld s old: looking again", name,
			 (long long)(seen.age_ns / NS_PER_S));
		if (stop_pause(&w->stop, look_ns()) < 0)
			return err_set(err, -ECANCELED, "%s", stop_text(&w->stop));
		return 0;
	case LEASE_CREATE:
	case LEASE_TAKE_OVER:
		break;
	}
	r = claim(w, name, &seen, err);
	if (r == -EEXIST) {
		/* somebody was faster: its generation is the one to watch */
		err_clear(err);
		return 0;
	}
	return r < 0 ? r : 1;
}

static int take_name(struct worker *w, const char *name, struct err *err)
{
	int64_t end_ns = clock_mono_ns() + (int64_t)LEASE_BUCKET_S * NS_PER_S;
	struct lease_watch watch = {0};
	int r = 0;

	while (r == 0) {
		r = try_name(w, name, &watch, err);
		if (r < 0)
			r = be_patient(w, r, end_ns, err);
	}
	return r < 0 ? r : 0;
}

static int manifest_read(struct worker *w, const char *name, uint64_t *ret_generation,
			 struct err *err)
{
	cleanup_str struct str text = STR_INIT(MANIFEST_MAX_BYTES);
	struct obj_meta meta = {0};
	struct err why = {0};
	int r;

	r = w->ctl->ops->get(w->ctl, name, MANIFEST_MAX_BYTES, &text, &meta, err);
	if (r < 0)
		return r;
	*ret_generation = meta.generation;
	manifest_done(&w->previous);
	w->previous = (struct manifest){0};
	if (manifest_parse(str_text(&text), text.len, &w->previous, NULL, &why) < 0) {
		log_line(LOG_WARN, "the earlier manifest is not readable: %s", why.text);
		manifest_done(&w->previous);
		w->previous = (struct manifest){0};
	}
	return 0;
}

/* This process may have been silent for long since it took the name: what it has just
 * read may be its heir's. */
static int still_ours(struct worker *w, struct err *err)
{
	struct lease_seen heir = {.exists = true};
	uint64_t generation;
	int r;

	r = lease_rival(w->ctl, w->beat.lease, w->beat.lease,
			w->board.hb.incarnation.nonce, &heir.hb, &generation, err);
	return r == 1 ? in_use(w, &heir, err) : r;
}

/* The index an earlier incarnation left, rewritten as ours: from here on its own writes
 * fail. */
static int manifest_take(struct worker *w, const char *name, struct err *err)
{
	cleanup_str struct str text = STR_INIT(MANIFEST_MAX_BYTES);
	cleanup_json json_t *doc = NULL;
	struct put_req req = {.content_type = "application/json",
			      .precondition = PUT_REPLACE};
	struct manifest *m = &w->previous;
	struct obj_meta meta = {0};
	int r;

	r = manifest_read(w, name, &req.if_generation, err);
	if (r == 0)
		r = still_ours(w, err);
	if (r < 0)
		return r;
	str_copy(m->run, sizeof(m->run), w->id.run.run);
	str_copy(m->worker, sizeof(m->worker), w->id.worker);
	m->round = m->round ? m->round : 1;
	m->incarnation = w->board.hb.incarnation;
	m->state = WORKER_BOOT;
	m->reason[0] = '\0';
	doc = manifest_to_json(m);
	r = json_dump(doc, &text, err);
	if (r < 0)
		return r;
	req.data = str_text(&text);
	req.n = text.len;
	r = w->ctl->ops->put(w->ctl, name, &req, &meta, err);
	if (r == 0)
		w->beat.manifest_generation = meta.generation;
	return r;
}

/* The board shows the earlier lines until the queue is built: the index is never lost. */
static void fill_board(struct worker *w)
{
	struct manifest *m = &w->board.manifest;

	str_copy(m->run, sizeof(m->run), w->id.run.run);
	str_copy(m->worker, sizeof(m->worker), w->id.worker);
	m->round = w->previous.round ? w->previous.round : 1;
	m->incarnation = w->board.hb.incarnation;
	for (size_t i = 0; i < w->previous.n_steps; i++)
		board_add(&w->board, &w->previous.steps[i]);
}

static void fill_heartbeat(struct worker *w)
{
	struct heartbeat *hb = &w->board.hb;
	char build[BUILD_ID_CAP];

	str_copy(hb->run, sizeof(hb->run), w->id.run.run);
	str_copy(hb->worker, sizeof(hb->worker), w->id.worker);
	rng_nonce(hb->incarnation.nonce);
	str_copy(hb->incarnation.boot_id, sizeof(hb->incarnation.boot_id), w->id.boot_id);
	str_copy(hb->incarnation.instance_id, sizeof(hb->incarnation.instance_id),
		 w->id.instance_id);
	build_id_read(build);
	snprintf(hb->worker_build, sizeof(hb->worker_build), "%s%s%s", MUSTER_VERSION,
		 build[0] ? "+" : "", build);
}

int lease_take(struct worker *w, struct err *err)
{
	char manifest[PATH_CAP];
	int r;

	fill_heartbeat(w);
	r = path_worker(w->beat.lease, &w->id.run, w->id.worker, err);
	if (r == 0)
		r = path_manifest(manifest, &w->id.run, w->id.worker, err);
	if (r == 0)
		r = take_name(w, w->beat.lease, err);
	if (r < 0)
		return r;
	worker_die_at("after", "take-name");
	/* its last owner may write once more between our read and our write */
	for (int tries = 0; tries < 3; tries++) {
		r = manifest_take(w, manifest, err);
		if (r != -EEXIST)
			break;
		if (tries < 2)
			err_clear(err);
	}
	if (r == -ENOENT)
		err_clear(err);
	else if (r < 0)
		return r;
	fill_board(w);
	w->beat.run = w->id.run;
	str_copy(w->beat.worker, sizeof(w->beat.worker), w->id.worker);
	return beat_start(&w->beat, err);
}
