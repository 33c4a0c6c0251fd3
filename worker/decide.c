// SPDX-License-Identifier: Apache-2.0
// Giving the verdict on a synchronised start.
#include "worker/decide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/plant.h"
#include "manifests/barrier.h"
#include "worker/barrier.h"
#include "worker/worker.h"

enum { LOOK_S = 30, NAMED_MAX = 5, FLEET_LOOK_POLLS = 10 };

static const unsigned char gone = SEEN_ABSENT | SEEN_ENDED | SEEN_STALE;

void decider_done(struct decider *d)
{
	free(d->seen);
}

bool decider_is_due(const struct decider *d, int64_t arrived_ns)
{
	int64_t poll_ns = barrier_poll_ns(d->settings->lead_ms);
	int64_t now_ns = clock_mono_ns();

	if (!d->looked_ns)
		return now_ns >= arrived_ns + barrier_first_look_ns(d->rank, poll_ns);
	return now_ns >= d->looked_ns + barrier_next_look_ns(d->rank, poll_ns);
}

struct barrier_tally decider_tally(const struct decider *d, bool is_over)
{
	struct barrier_tally t = {.members = d->settings->n_members, .is_over = is_over};
	unsigned char lost = gone;

	/* with everybody needed, one preempted machine must not end the others' run at
	 * once: it comes back, or is stale soon */
	if (d->settings->policy != BARRIER_ALL)
		lost |= SEEN_INTERRUPTED;
	for (size_t i = 0; i < t.members; i++) {
		t.gone += (d->seen[i] & lost) != 0;
		t.ready += d->seen[i] == SEEN_READY;
	}
	return t;
}

static const char *why_gone(unsigned char seen)
{
	return seen & SEEN_ABSENT	 ? " (its step failed before)"
	       : seen & SEEN_ENDED	 ? " (ended)"
	       : seen & SEEN_STALE	 ? " (no heartbeat)"
	       : seen & SEEN_INTERRUPTED ? " (interrupted)"
					 : "";
}

void decider_reason(const struct decider *d, bool is_over, char *out, size_t cap)
{
	const struct barrier_settings *s = d->settings;
	struct barrier_tally t = decider_tally(d, is_over);
	cleanup_str struct str text = STR_INIT(4096);
	size_t n = 0;

	str_addf(&text, "%zu of %zu were ready, policy %s", t.ready, t.members,
		 barrier_policy_name(s->policy));
	if (is_over)
		str_addf(&text, ", after %u s", s->timeout_s);
	str_add(&text, "; not there: ");
	for (size_t i = 0; i < t.members; i++) {
		if (d->seen[i] == SEEN_READY || n++ >= NAMED_MAX)
			continue;
		str_addf(&text, "%s%s%s", n > 1 ? ", " : "", s->members[i],
			 why_gone(d->seen[i]));
	}
	if (n > NAMED_MAX)
		str_addf(&text, " and %zu more", n - NAMED_MAX);
	snprintf(out, cap, "%s", str_text(&text));
}

struct look {
	struct worker *w;
	struct decider *d;
	int64_t server_now_ns;
};

static int by_name(const void *key, const void *member)
{
	return strcmp(key, *(const char *const *)member);
}

static unsigned char *seen_of(const struct decider *d, const char *worker)
{
	const struct barrier_settings *s = d->settings;
	const char *const *at =
		bsearch(worker, s->members, s->n_members, sizeof(*s->members), by_name);

	return at ? &d->seen[at - s->members] : NULL;
}

static int on_arrival(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct look *look = arg;
	struct decider *d = look->d;
	struct path_parts parts;
	unsigned char *seen;

	(void)err;
	path_parse(&look->w->id.run, meta->name, &parts);
	seen = parts.kind == PATH_KIND_ARRIVAL ? seen_of(d, parts.worker) : NULL;
	if (!seen)
		return 0;
	*seen |= arrival_is_absent(meta->summary) ? SEEN_ABSENT : SEEN_READY;
	if (!d->first_ns || meta->created_ns < d->first_ns)
		d->first_ns = meta->created_ns;
	return 0;
}

static int on_worker(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct look *look = arg;
	struct path_parts parts;
	struct heartbeat hb = {0};
	int64_t age_ns = look->server_now_ns - meta->updated_ns;
	bool is_stale = age_ns > (int64_t)look->d->stale_s * NS_PER_S, has_ended;
	unsigned char *seen;

	(void)err;
	path_parse(&look->w->id.run, meta->name, &parts);
	seen = parts.kind == PATH_KIND_WORKER ? seen_of(look->d, parts.worker) : NULL;
	if (!seen || strcmp(parts.worker, look->w->id.worker) == 0)
		return 0;
	*seen &= (unsigned char)~(SEEN_ENDED | SEEN_STALE | SEEN_INTERRUPTED);
	has_ended = heartbeat_from_summary(meta->summary, &hb, NULL) == 0 &&
		    worker_is_end(hb.state);
	if (has_ended && hb.state == WORKER_INTERRUPTED && !is_stale)
		*seen |= SEEN_INTERRUPTED;
	else if (has_ended)
		*seen |= SEEN_ENDED;
	else if (is_stale)
		*seen |= SEEN_STALE;
	return 0;
}

static int list(struct look *look, const char *prefix, list_fn *on_object,
		struct err *err)
{
	struct store *ctl = look->w->ctl;
	struct list_req req = {.prefix = prefix, .on_object = on_object, .arg = look};
	int64_t date_ns = 0, sent_ns = clock_mono_ns();
	int r;

	worker_deadline(look->w, ctl, LOOK_S);
	r = ctl->ops->list(ctl, &req, &date_ns, err);
	/* the last of several pages has the date */
	if (r == 0)
		clock_offset_add(&look->w->server_clock, date_ns, NS_PER_S, sent_ns,
				 clock_mono_ns());
	return r;
}

static int look_at_arrivals(struct look *look, struct err *err)
{
	char prefix[PATH_CAP];
	int r = path_arrivals(prefix, &look->w->id.run, look->d->barrier, err);

	return r < 0 ? r : list(look, prefix, on_arrival, err);
}

static int look_at_fleet(struct look *look, struct err *err)
{
	int64_t now_ns = clock_mono_ns(), offset_ns, bound_ns;
	char prefix[PATH_CAP];
	int r = path_dir(prefix, &look->w->id.run, PATH_WORKERS, err);

	look->d->fleet_ns = now_ns;
	if (clock_offset_get(&look->w->server_clock, now_ns, &offset_ns, &bound_ns))
		look->server_now_ns = now_ns + offset_ns;
	return r < 0 ? r : list(look, prefix, on_worker, err);
}

static int64_t fleet_look_ns(const struct decider *d)
{
	return FLEET_LOOK_POLLS * barrier_poll_ns(d->settings->lead_ms);
}

/* 1: it is in the bucket, whoever wrote it. */
static int create(struct worker *w, const struct decider *d,
		  const struct verdict_doc *verdict, struct err *err)
{
	cleanup_str struct str text = STR_INIT(VERDICT_MAX_BYTES);
	cleanup_json json_t *doc = verdict_to_json(verdict);
	struct put_req req = {.content_type = "application/json",
			      .precondition = PUT_CREATE};
	int64_t lead_ns = barrier_lead_ns(d->settings->lead_ms, 0);
	struct obj_meta meta = {0};
	char name[PATH_CAP];
	int r = json_dump(doc, &text, err);

	if (r == 0)
		r = path_verdict(name, &w->id.run, d->barrier, err);
	if (r < 0)
		return r;
	req.data = str_text(&text);
	req.n = text.len;
	if (plant_is("verdict"))
		req.precondition = PUT_ANY;
	worker_deadline(w, w->ctl, LOOK_S);
	/* one that lands after half of its lead would make everybody late: given up, and
	 * if it has not landed, decided anew */
	if (verdict->is_go && w->ctl->deadline_ns > clock_mono_ns() + lead_ns / 2)
		w->ctl->deadline_ns = clock_mono_ns() + lead_ns / 2;
	r = worker_put(w, name, &req, &meta, err);
	if (r < 0 && r != -EEXIST)
		return r;
	err_clear(err);
	log_line(LOG_INFO, "start %u: %s, decided by %s", d->barrier,
		 verdict->is_go ? "go" : "abort", r == 0 ? "us" : "another");
	return 1;
}

static int decide(struct worker *w, const struct decider *d, bool is_over,
		  enum barrier_call call, struct err *err)
{
	const struct barrier_settings *s = d->settings;
	cleanup_free const char **ready = xcalloc(s->n_members, sizeof(*ready));
	char reason[REASON_CAP];
	struct verdict_doc verdict = {
		.run = w->id.run.run,
		.barrier = d->barrier,
		.is_go = call == BARRIER_GO,
		.policy = s->policy,
		.members = ready,
		.worker = w->id.worker,
	};
	int64_t now_ns = clock_mono_ns(), offset_ns = 0, bound_ns = 0;

	for (size_t i = 0; i < s->n_members; i++)
		if (d->seen[i] == SEEN_READY)
			ready[verdict.n_members++] = s->members[i];
	if (!clock_offset_get(&w->server_clock, now_ns, &offset_ns, &bound_ns))
		return err_set(err, -EAGAIN, "the store's clock is not known");
	verdict.go_server_ns = now_ns + offset_ns + barrier_lead_ns(s->lead_ms, bound_ns);
	decider_reason(d, is_over, reason, sizeof(reason));
	verdict.reason = verdict.is_go ? NULL : reason;
	return create(w, d, &verdict, err);
}

/* Since the first arrival, by the store's clock: all deciders say the same. */
static bool is_over(const struct worker *w, const struct decider *d)
{
	int64_t now_ns = clock_mono_ns(), offset_ns, bound_ns;

	if (!d->first_ns ||
	    !clock_offset_get(&w->server_clock, now_ns, &offset_ns, &bound_ns))
		return false;
	return now_ns + offset_ns - d->first_ns >=
	       (int64_t)d->settings->timeout_s * NS_PER_S;
}

static enum barrier_call judge(const struct worker *w, const struct decider *d,
			       struct barrier_tally *tally)
{
	*tally = decider_tally(d, is_over(w, d));
	return plant_is("alone") ? BARRIER_GO : barrier_judge(d->settings->policy, tally);
}

int decider_look(struct worker *w, struct decider *d, struct err *err)
{
	struct look look = {.w = w, .d = d};
	struct barrier_tally tally;
	enum barrier_call call;
	bool is_due;
	int r;

	if (!d->seen)
		d->seen = xcalloc(d->settings->n_members, sizeof(*d->seen));
	d->looked_ns = clock_mono_ns();
	is_due = !d->fleet_ns || d->looked_ns >= d->fleet_ns + fleet_look_ns(d);
	r = look_at_arrivals(&look, err);
	if (r == 0 && is_due)
		r = look_at_fleet(&look, err);
	if (r < 0)
		return r;
	call = judge(w, d, &tally);
	/* who was gone at an older look may be back, and who arrived may have ended */
	if (call != BARRIER_WAIT && !is_due) {
		r = look_at_fleet(&look, err);
		if (r < 0)
			return r;
		call = judge(w, d, &tally);
	}
	return call == BARRIER_WAIT ? 0 : decide(w, d, tally.is_over, call, err);
}
