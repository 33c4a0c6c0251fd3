// SPDX-License-Identifier: Apache-2.0
// Waiting for the job, reading later rounds.
#include "worker/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/plant.h"
#include "worker/worker.h"

enum { JOB_WAIT_S = 600, JOB_LOOK_S = 5, JOB_REQUEST_S = 120 };

static int bad_job(struct worker *w, int r, const char *name, struct err *err)
{
	w->exit_code = WORKER_EXIT_CONFIG;
	return err_wrap(err, r, "bad job gs://%s/%s", w->id.run.bucket, name);
}

/* It has to be meant for us: a copy under another name is refused, not run. */
static int check_address(struct worker *w, const struct job *job, const char *worker,
			 unsigned round, struct err *err)
{
	if (strcmp(job->run, w->id.run.run) != 0)
		return err_set(err, -EINVAL, "run is \"%.64s\", not \"%s\"", job->run,
			       w->id.run.run);
	if (strcmp(job->worker, worker) != 0)
		return err_set(err, -EINVAL, "worker is \"%.64s\", not \"%s\"",
			       job->worker, worker);
	if (round > 0 && job->round != round)
		return err_set(err, -EINVAL, "round is %u, not %u", job->round, round);
	if (strcmp(job->control_url, w->id.url) != 0)
		return err_set(err, -EINVAL, "control.url is \"%.128s\", not \"%s\"",
			       job->control_url, w->id.url);
	return 0;
}

/* @name is the object; @round 0 takes whatever round it says. */
static int fetch_name(struct worker *w, const char *name, unsigned round,
		      struct job **ret, struct err *err)
{
	cleanup_str struct str text = STR_INIT(JOB_MAX_BYTES);
	cleanup_free struct job *job = xcalloc(1, sizeof(*job));
	struct obj_meta meta;
	int r;

	worker_deadline(w, w->ctl, JOB_REQUEST_S);
	r = w->ctl->ops->get(w->ctl, name, JOB_MAX_BYTES, &text, &meta, err);
	if (r == -EFBIG)
		return bad_job(w, r, name, err);
	if (r < 0)
		return r;
	r = job_parse(str_text(&text), text.len, job, err);
	if (r < 0)
		return bad_job(w, r, name, err);
	r = check_address(w, job, w->id.worker, round, err);
	if (r < 0) {
		job_done(job);
		return bad_job(w, r, name, err);
	}
	*ret = steal_ptr(job);
	return 0;
}

int job_fetch(struct worker *w, unsigned round, struct job **ret, struct err *err)
{
	char name[PATH_CAP];
	int r = path_job(name, &w->id.run, w->id.worker, round, err);

	return r < 0 ? r : fetch_name(w, name, round, ret, err);
}

static int fetch_other(struct worker *w, const char *worker, unsigned name_round,
		       unsigned round, struct job **ret, struct err *err)
{
	cleanup_str struct str text = STR_INIT(JOB_MAX_BYTES);
	cleanup_free struct job *job = xcalloc(1, sizeof(*job));
	struct obj_meta meta;
	char name[PATH_CAP];
	int r = path_job(name, &w->id.run, worker, name_round, err);

	worker_deadline(w, w->ctl, JOB_REQUEST_S);
	if (r == 0)
		r = w->ctl->ops->get(w->ctl, name, JOB_MAX_BYTES, &text, &meta, err);
	if (r == 0)
		r = job_parse(str_text(&text), text.len, job, err);
	if (r < 0)
		return r;
	r = check_address(w, job, worker, round, err);
	if (r == 0 && strcmp(job->config_sha256, w->queue.jobs[0]->config_sha256) != 0)
		r = err_set(err, -EINVAL, "%s is of another config", name);
	if (r < 0) {
		job_done(job);
		return r;
	}
	*ret = steal_ptr(job);
	return 0;
}

int job_fetch_other(struct worker *w, const char *worker, unsigned round,
		    struct job **ret, struct err *err)
{
	int r = fetch_other(w, worker, round ? round : 1, round, ret, err);

	if (r != -ENOENT || round < 2)
		return r;
	err_clear(err);
	return fetch_other(w, worker, 1, round, ret, err);
}

static unsigned wait_limit_s(void)
{
#ifdef MUSTER_TESTING
	const char *text = getenv("MUSTER_JOB_WAIT_S");
	uint64_t s;

	if (text && parse_u64(text, &s, NULL) == 0)
		return (unsigned)s;
#endif
	return JOB_WAIT_S;
}

bool job_is_draining(struct worker *w, char reason[REASON_CAP])
{
	struct board *b = &w->board;
	bool is_draining;

	pthread_mutex_lock(&b->lock);
	is_draining = b->orders.drain;
	snprintf(reason, REASON_CAP, "%s",
		 b->orders.reason[0] ? b->orders.reason : "stopped by an order");
	pthread_mutex_unlock(&b->lock);
	return is_draining;
}

/* 5 s, give or take 30 %: a fleet that boots together must not ask together. */
static int pause_jittered(struct worker *w)
{
	double share = (double)(rng_entropy() >> 11) * 0x1p-53;

	int64_t look_ns = plant_ns("MUSTER_JOB_LOOK_MS", (int64_t)JOB_LOOK_S * NS_PER_S);

	return stop_pause(&w->stop, (int64_t)((double)look_ns * (0.7 + 0.6 * share)));
}

static int no_job(struct worker *w, const char *name, struct err *err)
{
	w->exit_code = WORKER_EXIT_CONFIG;
	return err_set(err, -ENOENT, "no job at gs://%s/%s", w->id.run.bucket, name);
}

/*
 * A job of a later round is none before an order commits it. The one under the first's
 * name may be what a resume left that died; then orders name another.
 */
static int check_committed(struct worker *w, struct job **job, struct err *err)
{
	enum { ROUNDS = 64 };
	unsigned rounds[ROUNDS];
	size_t n = (*job)->round > 1 ? board_rounds(&w->board, rounds, ROUNDS) : 0;
	unsigned own = (*job)->round;
	int r = -ENOENT;

	if (own == 1)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (rounds[i] == own)
			return 0;
	job_done(*job);
	free(*job);
	*job = NULL;
	for (size_t i = 0; i < n && r == -ENOENT; i++) {
		err_clear(err);
		r = rounds[i] > 1 ? job_fetch(w, rounds[i], job, err) : -ENOENT;
	}
	if (r == -ENOENT) {
		err_clear(err);
		err_set(err, r, "the job of round %u is not in force", own);
	}
	return r;
}

static int wait_for(struct worker *w, const char *name, struct job **ret, struct err *err)
{
	int64_t end_ns = clock_mono_ns() + (int64_t)wait_limit_s() * NS_PER_S;
	char reason[REASON_CAP];
	int r;

	for (;;) {
		/* round 2 or later is right too: `resume` gives a worker that had no job
		 * its first one under this name */
		r = fetch_name(w, name, 0, ret, err);
		if (r == 0)
			r = check_committed(w, ret, err);
		if (r == 0 || r == -EINVAL || r == -EFBIG || r == -ECANCELED)
			return r;
		if (r == -ENOENT)
			board_state(&w->board, WORKER_NOJOB, NULL);
		if (clock_mono_ns() >= end_ns)
			return r == -ENOENT ? (err_clear(err), no_job(w, name, err)) : r;
		log_line(LOG_INFO, "no job yet: %s", err->text);
		err_clear(err);
		if (pause_jittered(w) < 0 || job_is_draining(w, reason))
			return err_set(err, -ECANCELED, "stopped before there was a job");
	}
}

/* What a job changes for the whole worker. */
static int take_job(struct worker *w, struct job *job, struct err *err)
{
	struct board *b = &w->board;

	pthread_mutex_lock(&b->lock);
	b->heartbeat_s = job->settings.heartbeat_s;
	b->manifest.round =
		job->round > b->manifest.round ? job->round : b->manifest.round;
	b->hb_changed = true;
	pthread_mutex_unlock(&b->lock);
	w->settings = job->settings;
	return queue_add_job(w, job, err);
}

int job_wait(struct worker *w, struct err *err)
{
	struct job *job = NULL;
	char name[PATH_CAP];
	int r;

	r = path_job(name, &w->id.run, w->id.worker, 1, err);
	if (r == 0)
		r = wait_for(w, name, &job, err);
	if (r < 0)
		return r;
	board_state(&w->board, WORKER_SETUP, NULL);
	r = queue_scan(w, err);
	if (r < 0) {
		job_done(job);
		free(job);
		return r;
	}
	r = take_job(w, job, err);
	return r < 0 ? r : steal_boot(w, err);
}

/* The job of a round, read once; NULL where this worker has none: it only loses steps. */
static int job_of_round(struct worker *w, unsigned round, const struct job **ret,
			struct err *err)
{
	struct job *job = NULL;
	int r;

	*ret = round > 1 ? queue_job(&w->queue, round) : NULL;
	if (round < 2 || *ret)
		return 0;
	r = job_fetch(w, round, &job, err);
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	*ret = job;
	return take_job(w, job, err);
}

static int apply_moves(struct worker *w, const struct orders *orders, struct err *err)
{
	bool has_added = false;

	for (size_t i = 0; i < orders->n_moves; i++) {
		const struct order_move *move = &orders->moves[i];
		const struct job *job = NULL;
		size_t added = 0;
		int r = job_of_round(w, move->round, &job, err);

		if (r == 0)
			r = queue_apply(w, move, job, &added, err);
		if (r < 0)
			return r;
		if (added)
			worker_say("round %u: %zu steps more", move->round, added);
		has_added |= added > 0;
	}
	return has_added;
}

/*
 * A worker that was started again does not know what it was told before: it begins
 * nothing until it does. Later a store that is away does not keep it from going on.
 */
static int ask_for_orders(struct worker *w, struct orders *ret, struct err *err)
{
	int64_t end_ns = clock_mono_ns() + (int64_t)wait_limit_s() * NS_PER_S;

	while (!board_orders(&w->board, ret) && stop_why(&w->stop) < STOP_SIGNAL) {
		if (clock_mono_ns() >= end_ns)
			return err_set(err, -EAGAIN,
				       "the control orders of %s could not be read for "
				       "%u s",
				       w->id.url, wait_limit_s());
		worker_say("waiting for the control orders");
		pause_jittered(w);
	}
	return 0;
}

int job_take_orders(struct worker *w, struct err *err)
{
	cleanup_orders struct orders orders = {0};
	int r = ask_for_orders(w, &orders, err);

	if (r < 0)
		return r;
	if (orders.is_refused) {
		w->exit_code = WORKER_EXIT_CONFIG;
		return err_set(err, -EINVAL, "control order: %s", orders.reason);
	}
	steal_note_orders(w, &orders);
	return apply_moves(w, &orders, err);
}
