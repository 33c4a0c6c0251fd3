// SPDX-License-Identifier: Apache-2.0
// The heartbeat thread.
#include "worker/beat.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/plant.h"
#include "worker/lease.h"

static int64_t gap_ns(void)
{
	return plant_ns("MUSTER_BEAT_GAP_MS", (int64_t)BEAT_GAP_S * NS_PER_S);
}

int64_t beat_lease_ns(const struct beat_now *b)
{
	int64_t free_ns = b->lease_at_ns + gap_ns();

	if (b->hb_changed && b->is_urgent)
		return b->now_ns;
	if (b->hb_changed)
		return free_ns > b->now_ns ? free_ns : b->now_ns;
	return b->lease_due_ns;
}

int64_t beat_manifest_ns(const struct beat_now *b)
{
	int64_t free_ns = b->manifest_at_ns + gap_ns();

	if (!b->manifest_changed)
		return INT64_MAX;
	if (b->is_urgent)
		return b->now_ns;
	return free_ns > b->now_ns ? free_ns : b->now_ns;
}

int64_t beat_request_ns(int64_t now_ns, int64_t signal_ns)
{
	int64_t end_ns = now_ns + (int64_t)BEAT_REQUEST_S * NS_PER_S;
	int64_t last_ns = signal_ns + (int64_t)BEAT_LAST_S * NS_PER_S;

	return signal_ns && last_ns < end_ns ? last_ns : end_ns;
}

static void set_deadline(struct beat *beat)
{
	beat->store->deadline_ns =
		beat_request_ns(clock_mono_ns(), stop_since_ns(beat->stop));
}

static void fenced(struct beat *beat, const struct heartbeat *rival)
{
	struct board *b = beat->board;

	log_line(LOG_ERROR,
		 "fenced out: %s now belongs to another worker (incarnation %u)",
		 beat->worker, rival->incarnation.n);
	pthread_mutex_lock(&b->lock);
	b->is_fenced = true;
	b->rival_is_here = strcmp(rival->incarnation.instance_id,
				  b->hb.incarnation.instance_id) == 0;
	pthread_mutex_unlock(&b->lock);
	stop_raise(beat->stop, STOP_FENCED);
}

/* Write the document @name; when its generation is not ours, find out whose it is. */
static int write_owned(struct beat *beat, const char *name, const struct str *text,
		       const char *summary, uint64_t *generation, struct err *err)
{
	struct put_req req = {.data = str_text(text),
			      .n = text->len,
			      .content_type = "application/json",
			      .summary = summary};
	struct heartbeat rival;
	struct obj_meta meta;
	int r;

	for (int tries = 0; tries < 3; tries++) {
		req.precondition = *generation ? PUT_REPLACE : PUT_CREATE;
		req.if_generation = *generation;
		if (summary && plant_is("noprecondition"))
			req.precondition = PUT_ANY;
		set_deadline(beat);
		r = beat->store->ops->put(beat->store, name, &req, &meta, err);
		if (r == 0)
			*generation = meta.generation;
		if (r != -EEXIST)
			return r;
		err_clear(err);
		r = lease_rival(beat->store, beat->lease, name,
				beat->board->hb.incarnation.nonce, &rival, generation,
				err);
		if (r < 0)
			return r;
		if (r == 1 && !plant_is("nofence")) {
			fenced(beat, &rival);
			return err_set(err, -EPERM, "fenced out");
		}
	}
	return err_set(err, -EAGAIN, "%s changes faster than it can be written", name);
}

static void say_failed(const char *what, const struct err *err)
{
	log_line(LOG_WARN, "%s not written: %s", what, err->text);
}

/* Who is interrupted has seconds left: its heir writes the index anew. */
static bool is_last_word(enum worker_state state)
{
	return worker_is_end(state) && state != WORKER_INTERRUPTED;
}

/* @was_last: the index was written after the last word was on the board; if not, that
 * waits for the next turn. */
static void write_lease(struct beat *beat, bool was_last)
{
	struct board *b = beat->board;
	cleanup_str struct str text = STR_INIT(HEARTBEAT_MAX_BYTES);
	cleanup_json json_t *doc = NULL;
	char summary[STORE_SUMMARY_CAP];
	struct heartbeat hb;
	struct err err = {0};
	int64_t period_ns;
	bool is_early;
	int r;

	pthread_mutex_lock(&b->lock);
	hb = b->hb;
	is_early = is_last_word(hb.state) && !was_last;
	b->hb_changed = is_early;
	period_ns = (int64_t)b->heartbeat_s * NS_PER_S;
	pthread_mutex_unlock(&b->lock);
	if (is_early)
		return;
	clock_format(clock_real_ns(), hb.at);
	doc = heartbeat_to_json(&hb);
	heartbeat_summary(&hb, summary);
	r = json_dump(doc, &text, &err);
	if (r == 0)
		r = write_owned(beat, beat->lease, &text, summary,
				&beat->lease_generation, &err);
	beat->lease_at_ns = clock_mono_ns();
	beat->lease_due_ns =
		beat->lease_at_ns +
		(int64_t)((double)period_ns * (0.9 + 0.2 * rng_double(&beat->rng)));
	if (r == 0 || r == -EPERM)
		return;
	say_failed("heartbeat", &err);
	pthread_mutex_lock(&b->lock);
	b->hb_changed = true;
	pthread_mutex_unlock(&b->lock);
}

/* False: it is still to be written. */
static bool write_manifest(struct beat *beat)
{
	struct board *b = beat->board;
	cleanup_str struct str text = STR_INIT(MANIFEST_MAX_BYTES);
	cleanup_json json_t *doc = NULL;
	char name[PATH_CAP];
	struct err err = {0};
	int r;

	pthread_mutex_lock(&b->lock);
	doc = manifest_to_json(&b->manifest);
	b->manifest_changed = false;
	pthread_mutex_unlock(&b->lock);
	r = json_dump(doc, &text, &err);
	if (r == 0)
		r = path_manifest(name, &beat->run, beat->worker, &err);
	if (r == 0)
		r = write_owned(beat, name, &text, NULL, &beat->manifest_generation,
				&err);
	beat->manifest_at_ns = clock_mono_ns();
	if (r == 0 || r == -EPERM)
		return true;
	say_failed("manifest", &err);
	pthread_mutex_lock(&b->lock);
	b->manifest_changed = true;
	pthread_mutex_unlock(&b->lock);
	return false;
}

/* One order, if the next number is there: 1, else 0 or the error of the look. */
static int read_order(struct beat *beat)
{
	cleanup_str struct str text = STR_INIT(CONTROL_MAX_BYTES);
	struct control order = {0};
	struct err err = {0};
	char name[PATH_CAP];
	int r;

	r = path_control(name, &beat->run, beat->orders.next_seq, &err);
	if (r < 0)
		return r;
	set_deadline(beat);
	r = beat->store->ops->get(beat->store, name, CONTROL_MAX_BYTES, &text, NULL,
				  &err);
	if (r == -ENOENT)
		return 0;
	if (r < 0 && r != -EFBIG) {
		log_line(LOG_WARN, "orders: %s", err.text);
		return r;
	}
	if (r == 0)
		r = control_parse(str_text(&text), text.len, &order, &err);
	if (r < 0)
		orders_refuse(&beat->orders, err.text);
	else
		orders_apply(&beat->orders, &order, beat->worker);
	log_line(LOG_INFO, "order %s%s%s", name, r < 0 ? " refused: " : "",
		 r < 0 ? err.text : "");
	control_done(&order);
	return 1;
}

/* An abort that a later order lifts must not be felt in between: orders come into force
 * once the newest has been read. */
static void read_orders(struct beat *beat, unsigned asked)
{
	struct board *b = beat->board;
	int r = 0;

	while (stop_why(beat->stop) != STOP_FENCED && (r = read_order(beat)) == 1)
		;
	pthread_mutex_lock(&b->lock);
	if (r == 0)
		orders_merge(&b->orders, &beat->orders);
	b->has_looked |= r == 0;
	b->polls_done = asked;
	pthread_cond_broadcast(&b->answered);
	pthread_mutex_unlock(&b->lock);
	if (r == 0 && beat->orders.abort)
		stop_raise(beat->stop, STOP_ABORT);
	else if (r == 0)
		stop_lift(beat->stop);
}

static void tell_signal(struct beat *beat)
{
	if (beat->is_signal_told || stop_since_ns(beat->stop) == 0)
		return;
	beat->is_signal_told = true;
	board_state(beat->board, WORKER_INTERRUPTED, stop_text(beat->stop));
}

/* Sleep until @until_ns, a change on the board, or a signal. */
static void wait_change(struct beat *beat, int64_t until_ns)
{
	struct pollfd p[2] = {{.fd = beat->board->wake_fd, .events = POLLIN},
			      {.fd = beat->is_signal_told ? -1 : beat->stop->term_fd,
			       .events = POLLIN}};
	int64_t left_ns = until_ns - clock_mono_ns();
	struct timespec ts;
	uint64_t count;

	if (left_ns <= 0)
		return;
	ts = (struct timespec){.tv_sec = left_ns / NS_PER_S,
			       .tv_nsec = left_ns % NS_PER_S};
	if (ppoll(p, 2, &ts, NULL) > 0 && (p[0].revents & POLLIN))
		while (read(beat->board->wake_fd, &count, sizeof(count)) > 0)
			;
}

/* One turn: write what is due, read orders. False when the thread may leave.
 *
 * The index goes before the lease twice: before the first step, for what is known of
 * attempts outlives this process; and at the end, for nobody goes on where a lease says
 * that all is done. */
static bool beat_turn(struct beat *beat)
{
	struct board *b = beat->board;
	struct beat_now now = {.lease_at_ns = beat->lease_at_ns,
			       .manifest_at_ns = beat->manifest_at_ns,
			       .lease_due_ns = beat->lease_due_ns};
	unsigned asked, answered;
	bool is_over, is_last, is_first, has_beaten = false, has_told = false;

	tell_signal(beat);
	pthread_mutex_lock(&b->lock);
	is_over = b->is_over;
	now.hb_changed = b->hb_changed;
	now.manifest_changed = b->manifest_changed;
	now.is_urgent = worker_is_end(b->hb.state) || is_over;
	asked = b->polls_asked;
	answered = b->polls_done;
	is_first = b->hb.state == WORKER_READY && asked != answered;
	is_last = is_last_word(b->hb.state);
	pthread_mutex_unlock(&b->lock);

	if ((is_first || is_last) && now.manifest_changed &&
	    stop_why(beat->stop) != STOP_FENCED) {
		now.manifest_changed = !write_manifest(beat);
		has_told = true;
	}
	now.now_ns = clock_mono_ns();
	if (is_over &&
	    ((!now.hb_changed && !now.manifest_changed) || now.now_ns > beat->over_ns))
		return false;
	if (beat_lease_ns(&now) <= now.now_ns) {
		write_lease(beat, is_last);
		has_beaten = true;
	}
	if (!has_told && beat_manifest_ns(&now) <= now.now_ns &&
	    stop_why(beat->stop) != STOP_FENCED)
		write_manifest(beat);
	if (!is_over && (has_beaten || asked != answered))
		read_orders(beat, asked);
	return stop_why(beat->stop) != STOP_FENCED;
}

static int64_t next_turn_ns(struct beat *beat)
{
	struct board *b = beat->board;
	struct beat_now now = {.now_ns = clock_mono_ns(),
			       .lease_at_ns = beat->lease_at_ns,
			       .manifest_at_ns = beat->manifest_at_ns,
			       .lease_due_ns = beat->lease_due_ns};
	int64_t lease_ns, manifest_ns;

	/* urgent is left out: what an end could not write is tried again after the gap */
	pthread_mutex_lock(&b->lock);
	now.hb_changed = b->hb_changed;
	now.manifest_changed = b->manifest_changed;
	if (b->is_over || b->polls_asked != b->polls_done)
		now.lease_due_ns = 0;
	pthread_mutex_unlock(&b->lock);
	lease_ns = beat_lease_ns(&now);
	manifest_ns = beat_manifest_ns(&now);
	return lease_ns < manifest_ns ? lease_ns : manifest_ns;
}

static void *beat_main(void *arg)
{
	struct beat *beat = arg;
	struct board *b = beat->board;

	while (beat_turn(beat))
		wait_change(beat, next_turn_ns(beat));
	pthread_mutex_lock(&b->lock);
	b->is_ended = true;
	pthread_cond_broadcast(&b->answered);
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

int beat_start(struct beat *beat, struct err *err)
{
	sigset_t all, was;
	int r;

	rng_init(&beat->rng, rng_entropy());
	beat->orders.next_seq = 1;
	beat->lease_at_ns = clock_mono_ns();
	beat->lease_due_ns =
		beat->lease_at_ns + (int64_t)beat->board->heartbeat_s * NS_PER_S;
	beat->board->is_ended = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	r = pthread_create(&beat->thread, NULL, beat_main, beat);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (r != 0) {
		beat->board->is_ended = true;
		return err_errno(err, -r, "heartbeat thread");
	}
	beat->is_running = true;
	return 0;
}

void beat_finish(struct beat *beat)
{
	if (beat->is_running) {
		/* a preempted machine has seconds left */
		int64_t signal_ns = stop_since_ns(beat->stop);
		int64_t s = signal_ns ? BEAT_END_SIGNALLED_S : BEAT_END_S;
		int64_t last_ns = signal_ns + (int64_t)BEAT_LAST_S * NS_PER_S;

		beat->over_ns = clock_mono_ns() + s * NS_PER_S;
		if (signal_ns && beat->over_ns > last_ns)
			beat->over_ns = last_ns;
		pthread_mutex_lock(&beat->board->lock);
		beat->board->is_over = true;
		pthread_mutex_unlock(&beat->board->lock);
		board_wake(beat->board);
		pthread_join(beat->thread, NULL);
		beat->is_running = false;
	}
	orders_done(&beat->orders);
	store_close(beat->store);
	beat->store = NULL;
}
