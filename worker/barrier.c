// SPDX-License-Identifier: Apache-2.0
// A synchronised start: arriving, and reading the verdict. Giving it is in decide.c.
#include "worker/barrier.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/plant.h"
#include "manifests/barrier.h"
#include "worker/attempt.h"
#include "worker/decide.h"
#include "worker/worker.h"

enum {
	WRITE_S = 30,
	WITHDRAW_S = 10,
	NO_VERDICT_S = 60,     /* past the timeout: nobody decides any more */
	RANK_WAIT_MAX_S = 600, /* of the time that deciders before us may take */
	LOOK_LEAST_NS = NS_PER_S,
	/* a clock known no better than this is asked once more before it is used */
	CLOCK_DOUBT_NS = 50 * NS_PER_MS,
};

int worker_put(struct worker *w, const char *name, const struct put_req *req,
	       struct obj_meta *ret_meta, struct err *err)
{
	int64_t sent_ns = clock_mono_ns();
	int r = w->ctl->ops->put(w->ctl, name, req, ret_meta, err);
	int64_t received_ns = clock_mono_ns();

	/* of an object that was just created, updated is created */
	if (r == 0)
		clock_offset_add(&w->server_clock, ret_meta->updated_ns, NS_PER_MS,
				 sent_ns, received_ns);
	return r;
}

/* Create our arrival, or with @reason what tells that there will be none. */
static int put_arrival(struct worker *w, const struct job_step *plan, unsigned attempt,
		       const char *reason, struct err *err)
{
	cleanup_str struct str text = STR_INIT(ARRIVAL_MAX_BYTES);
	cleanup_json json_t *doc = NULL;
	struct arrival arrival = {
		.incarnation = w->board.hb.incarnation,
		.barrier = plan->barrier,
		.attempt = attempt,
	};
	struct put_req req = {.content_type = "application/json",
			      .precondition = PUT_CREATE};
	struct obj_meta meta = {0};
	char name[PATH_CAP];
	int64_t bound_ns = 0;
	int r;

	str_copy(arrival.run, sizeof(arrival.run), w->id.run.run);
	str_copy(arrival.worker, sizeof(arrival.worker), w->id.worker);
	step_id_format(arrival.step, plan->matrix_id, plan->iteration);
	reason_set(arrival.reason, reason);
	clock_format(clock_real_ns(), arrival.at);
	arrival.has_offset = clock_offset_get(&w->server_clock, clock_mono_ns(),
					      &arrival.offset_ns, &bound_ns);
	arrival.bound_ns = (uint64_t)bound_ns;
	doc = arrival_to_json(&arrival);
	r = json_dump(doc, &text, err);
	if (r == 0)
		r = path_arrival(name, &w->id.run, plan->barrier, w->id.worker, err);
	if (r < 0)
		return r;
	req.data = str_text(&text);
	req.n = text.len;
	req.summary = arrival_summary(&arrival);
	r = worker_put(w, name, &req, &meta, err);
	/* an incarnation before us arrived: we are expected all the same */
	if (r == -EEXIST) {
		err_clear(err);
		return 0;
	}
	return r;
}

void barrier_absent(struct worker *w, const struct job_step *plan, unsigned attempt,
		    const char *reason)
{
	struct err err = {0};

	if (!plan->barrier)
		return;
	worker_deadline(w, w->ctl, WITHDRAW_S);
	if (put_arrival(w, plan, attempt, reason[0] ? reason : "failed", &err) < 0)
		log_line(LOG_WARN, "start %u: the others wait for us: %s", plan->barrier,
			 err.text);
}

void attempt_withdraw(struct worker *w, struct attempt *a)
{
	if (!a->barrier.has_arrived && a->end != ATTEMPT_INTERRUPTED &&
	    stop_why(&w->stop) == STOP_NONE)
		barrier_absent(w, a->plan, a->number, a->reason);
}

static int arrive(struct worker *w, struct attempt *a, struct err *err)
{
	int64_t offset_ns, bound_ns;
	int r;

	worker_deadline(w, w->ctl, WRITE_S);
	r = put_arrival(w, a->plan, a->number, NULL, err);
	if (r < 0)
		return r;
	a->barrier.has_arrived = true;
	a->barrier.arrived_ns = clock_mono_ns();
	/* a worker that was started again has not written anything yet */
	if (!clock_offset_get(&w->server_clock, clock_mono_ns(), &offset_ns, &bound_ns) ||
	    bound_ns > CLOCK_DOUBT_NS)
		worker_log_upload(w);
	return 0;
}

/* When to start, by our own clock; from here on no other one is looked at. */
static int go(struct worker *w, struct attempt *a, const struct verdict_doc *v,
	      struct err *err)
{
	struct attempt_barrier *b = &a->barrier;
	int64_t now_ns = clock_mono_ns();

	if (!clock_offset_get(&w->server_clock, now_ns, &b->clock.offset_ns,
			      &b->clock.bound_ns))
		return err_set(err, -EAGAIN, "the store's clock is not known");
	b->go_ns = v->go_server_ns - b->clock.offset_ns;
	b->was_past = b->go_ns <= now_ns;
	b->go_server_ns = v->go_server_ns;
	b->members = (unsigned)v->n_members;
	log_line(LOG_INFO,
		 "start %u: go in %.3f s, with %zu of %zu; the store's clock is known to "
		 "+-%.1f ms (%u samples, %u contradictions)",
		 v->barrier, (double)(b->go_ns - now_ns) / NS_PER_S, v->n_members,
		 a->job->settings.barrier.n_members,
		 (double)b->clock.bound_ns / NS_PER_MS, w->server_clock.samples,
		 w->server_clock.restarts);
	return 0;
}

/* -ENOENT: there is no verdict yet. -ETIMEDOUT: it is abort. */
static int look_for_verdict(struct worker *w, struct attempt *a, struct err *err)
{
	cleanup_str struct str text = STR_INIT(VERDICT_MAX_BYTES);
	cleanup_verdict struct verdict_doc v = {0};
	int64_t most_ns =
		3 * barrier_poll_ns(a->job->settings.barrier.lead_ms) + LOOK_LEAST_NS;
	struct obj_meta meta;
	char name[PATH_CAP];
	int r = path_verdict(name, &w->id.run, a->plan->barrier, err);

	/* a request that hangs must not cost the whole lead */
	worker_deadline(w, w->ctl, WRITE_S);
	if (w->ctl->deadline_ns > clock_mono_ns() + most_ns)
		w->ctl->deadline_ns = clock_mono_ns() + most_ns;
	if (r == 0)
		r = w->ctl->ops->get(w->ctl, name, VERDICT_MAX_BYTES, &text, &meta, err);
	if (r == 0)
		r = verdict_parse(str_text(&text), text.len, &v, err);
	if (r == 0 && (v.barrier != a->plan->barrier || strcmp(v.run, a->job->run) != 0))
		r = err_set(err, -EINVAL, "the verdict is of another run or start");
	if (r < 0)
		return r;
	if (!v.is_go)
		return err_set(err, -ETIMEDOUT, "start %u was called off: %s", v.barrier,
			       v.reason);
	return go(w, a, &v, err);
}

static int64_t give_up_ns(const struct barrier_settings *s, size_t rank)
{
	int64_t poll_ns = barrier_poll_ns(s->lead_ms);
	int64_t before_ns = barrier_first_look_ns(rank, poll_ns);
	int64_t most_ns = (int64_t)RANK_WAIT_MAX_S * NS_PER_S;

	return (int64_t)(s->timeout_s + NO_VERDICT_S) * NS_PER_S +
	       (before_ns < most_ns ? before_ns : most_ns);
}

static bool is_rank(const struct barrier_settings *s, const char *worker, size_t *ret)
{
	for (size_t i = 0; i < s->n_members; i++) {
		if (strcmp(s->members[i], worker) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* One round: our arrival, the verdict, and our own look when it is our turn. */
static int one_round(struct worker *w, struct attempt *a, struct decider *d,
		     struct err *err)
{
	int r = 0;

	if (!a->barrier.has_arrived)
		r = arrive(w, a, err);
	if (r == 0)
		r = look_for_verdict(w, a, err);
	if (r != -ENOENT || !decider_is_due(d, a->barrier.arrived_ns))
		return r;
	err_clear(err);
	r = decider_look(w, d, err);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return look_for_verdict(w, a, err);
}

/* 30 % either way: a fleet that waits together must not ask together. */
static int pause_jittered(struct worker *w, int64_t poll_ns)
{
	double share = (double)(rng_entropy() >> 11) * 0x1p-53;

	return stop_pause(&w->stop, (int64_t)((double)poll_ns * (0.7 + 0.6 * share)));
}

static bool is_final(int r)
{
	return r == 0 || r == -ETIMEDOUT || r == -ECANCELED || r == -EINVAL;
}

int attempt_barrier(struct worker *w, struct attempt *a, struct err *err)
{
	const struct barrier_settings *s = &a->job->settings.barrier;
	cleanup_decider struct decider d = {.settings = s,
					    .stale_s = a->job->settings.stale_s,
					    .barrier = a->plan->barrier};
	int64_t end_ns, poll_ns = barrier_poll_ns(s->lead_ms);
	int r;

	if (!a->plan->barrier)
		return 0;
	if (!is_rank(s, w->id.worker, &d.rank))
		return err_set(err, -EINVAL, "%s is no member of start %u", w->id.worker,
			       a->plan->barrier);
	end_ns = clock_mono_ns() + give_up_ns(s, d.rank);
	for (;;) {
		err_clear(err);
		r = one_round(w, a, &d, err);
		if (r == -ENOENT && plant_is("nostart"))
			r = 0;
		if (is_final(r))
			return r;
		if (r != -ENOENT)
			log_line(LOG_WARN, "start %u: %s", a->plan->barrier, err->text);
		if (clock_mono_ns() >= end_ns)
			return err_wrap(err, -ETIMEDOUT, "start %u: no verdict",
					a->plan->barrier);
		err_clear(err);
		if (pause_jittered(w, poll_ns) < 0)
			return err_set(err, -ECANCELED, "stopped");
	}
}

void barrier_record(struct attempt *a)
{
	if (!a->barrier.go_ns)
		return;
	a->rec.sync = (struct step_start){
		.barrier = a->plan->barrier,
		.go_server_ns = a->barrier.go_server_ns,
		.members = a->barrier.members,
	};
	if (barrier_started(&a->barrier.clock, a->fio.start_ns, a->barrier.was_past,
			    &a->rec.sync))
		attempt_flag(a, "late_start");
}
