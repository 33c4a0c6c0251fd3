// SPDX-License-Identifier: Apache-2.0
// Taking over a name, the heartbeat's timing, orders: the pure rules.
#include <string.h>

#include "core/clock.h"
#include "core/str.h"
#include "tests/unit/tap.h"
#include "worker/beat.h"
#include "worker/lease.h"
#include "worker/orders.h"

enum { STALE_S = 120 };

static struct lease_seen seen(enum worker_state state, int64_t age_s,
			      const char *instance)
{
	struct lease_seen s = {.exists = true,
			       .generation = 7,
			       .age_ns = age_s * NS_PER_S,
			       .is_readable = true};

	s.hb.state = state;
	str_copy(s.hb.incarnation.instance_id, sizeof(s.hb.incarnation.instance_id),
		 instance);
	return s;
}

static enum lease_verdict first_look(struct lease_seen s)
{
	struct lease_watch watch = {0};

	return lease_decide(&s, &watch, "me", (int64_t)STALE_S * NS_PER_S, 1000);
}

static void test_first_look(void)
{
	static const enum worker_state ends[] = {WORKER_DONE, WORKER_FAILED,
						 WORKER_CANCELLED, WORKER_INTERRUPTED};
	static const enum worker_state lives[] = {WORKER_BOOT,	  WORKER_NOJOB,
						  WORKER_SETUP,	  WORKER_READY,
						  WORKER_RUNNING, WORKER_FINISHING};
	struct lease_seen s = {0};

	ok(first_look(s) == LEASE_CREATE, "nobody has the name: created");
	for (size_t i = 0; i < 4; i++)
		ok(first_look(seen(ends[i], 1, "other")) == LEASE_TAKE_OVER,
		   "an owner that is %s is taken over", worker_state_name(ends[i]));
	for (size_t i = 0; i < 6; i++)
		ok(first_look(seen(lives[i], 1, "other")) == LEASE_LOOK_AGAIN,
		   "one that is %s is watched", worker_state_name(lives[i]));
	ok(first_look(seen(WORKER_RUNNING, 1, "me")) == LEASE_TAKE_OVER,
	   "the same machine takes its own name over at once");
	ok(first_look(seen(WORKER_RUNNING, STALE_S + 1, "other")) == LEASE_TAKE_OVER,
	   "a stale owner is taken over");
	ok(first_look(seen(WORKER_RUNNING, STALE_S, "other")) == LEASE_LOOK_AGAIN,
	   "at exactly stale_s it is not stale yet");
	s = seen(WORKER_DONE, 1, "me");
	s.is_readable = false;
	ok(first_look(s) == LEASE_LOOK_AGAIN, "an unreadable heartbeat only ages");
}

/* Every state, life, machine and queue: when is nothing unseen? */
static void test_may_be_begun(void)
{
	struct lease_seen s = {0};
	unsigned wrong = 0;

	ok(!lease_may_be_begun(&s, false), "a name nobody had: nothing has begun");
	s = seen(WORKER_DONE, 1, "me");
	s.is_readable = false;
	ok(lease_may_be_begun(&s, true), "an unreadable heartbeat: anything may have");
	for (int state = 0; state < WORKER_STATE_COUNT; state++)
		for (unsigned bits = 0; bits < 8; bits++) {
			bool is_first = bits & 1, is_same = bits & 2,
			     has_queue = bits & 4;
			bool is_end = worker_is_end((enum worker_state)state);
			bool is_running =
				state == WORKER_RUNNING || state == WORKER_FINISHING;
			bool has_told = is_first || (is_end ? has_queue : is_running);

			s = seen((enum worker_state)state, 1, "x");
			s.hb.incarnation.n = is_first ? 1 : 2;
			s.hb.total = has_queue ? 3 : 0;
			wrong += lease_may_be_begun(&s, is_same) ==
				 (has_told && (is_end || is_same));
		}
	ok(wrong == 0,
	   "nothing unseen: it ended, or was this machine, and had told of lives before");
}

static void test_watching(void)
{
	struct lease_watch watch = {0};
	struct lease_seen s = seen(WORKER_RUNNING, 1, "other");
	int64_t stale_ns = (int64_t)STALE_S * NS_PER_S, t0 = 5 * (int64_t)NS_PER_S;

	ok(lease_decide(&s, &watch, "me", stale_ns, t0) == LEASE_LOOK_AGAIN &&
		   watch.generation == 7 && watch.since_ns == t0,
	   "the first look is remembered");
	ok(lease_decide(&s, &watch, "me", stale_ns, t0 + stale_ns - 1) ==
		   LEASE_LOOK_AGAIN,
	   "unchanged for less than stale_s: still watched");
	ok(lease_decide(&s, &watch, "me", stale_ns, t0 + stale_ns) == LEASE_TAKE_OVER,
	   "unchanged for stale_s by our own clock: taken over");
	s.generation = 8;
	ok(lease_decide(&s, &watch, "me", stale_ns, t0 + 1) == LEASE_ALIVE,
	   "another generation: a live worker owns the name");
	s.hb.state = WORKER_DONE;
	ok(lease_decide(&s, &watch, "me", stale_ns, t0 + 1) == LEASE_ALIVE,
	   "even one that has just ended: its machine may do the same again");
}

static void test_timing(void)
{
	const int64_t s = NS_PER_S;
	struct beat_now b = {.now_ns = 100 * s,
			     .lease_at_ns = 99 * s,
			     .manifest_at_ns = 90 * s,
			     .lease_due_ns = 129 * s};

	ok(beat_lease_ns(&b) == 129 * s, "no change: by the clock");
	ok(beat_manifest_ns(&b) == INT64_MAX, "the manifest never by the clock");
	b.hb_changed = b.manifest_changed = true;
	ok(beat_lease_ns(&b) == 101 * s, "a change waits until 2 s are over");
	ok(beat_manifest_ns(&b) == 100 * s, "or goes at once when they are");
	b.is_urgent = true;
	ok(beat_lease_ns(&b) == 100 * s, "an end goes at once");
	b.is_urgent = false;
	b.now_ns = 110 * s;
	ok(beat_lease_ns(&b) == 110 * s, "never in the past");
	ok(beat_request_ns(100 * s, 0) == 110 * s, "a request has 10 s");
	ok(beat_request_ns(100 * s, 99 * s) == 110 * s, "also after a signal");
	ok(beat_request_ns(100 * s, 85 * s) == 107 * s,
	   "but ends 22 s after it: the machine has 25");
	ok(beat_request_ns(100 * s, 70 * s) == 92 * s, "or at once");
}

static struct control order(enum control_kind kind, unsigned round)
{
	return (struct control){.kind = kind,
				.all_workers = true,
				.all_steps = true,
				.round = round,
				.reason = "because"};
}

static void test_orders(void)
{
	const char *steps[] = {"3-1", "4-1"}, *others[] = {"w-2"};
	struct control c = order(CONTROL_DRAIN, 0);
	struct orders o = {.next_seq = 1}, taken;

	c.all_workers = false;
	c.n_workers = 1;
	c.workers = others;
	orders_apply(&o, &c, "w-1");
	ok(!o.drain && o.next_seq == 2, "an order to another worker only counts");
	c = order(CONTROL_ABORT, 0);
	orders_apply(&o, &c, "w-1");
	ok(o.drain && o.abort && strcmp(o.reason, "because") == 0, "abort drains too");
	c = order(CONTROL_RESUME, 2);
	orders_apply(&o, &c, "w-1");
	orders_apply(&o, &c, "w-1");
	ok(!o.drain && !o.abort && o.n_moves == 0, "resume lifts both and moves nothing");
	c = order(CONTROL_REASSIGN, 3);
	orders_apply(&o, &c, "w-1");
	ok(o.n_moves == 1 && !order_move_drops(&o.moves[0], "4-1", 1) &&
		   order_move_gives(&o.moves[0], "4-1"),
	   "a reassigned round without steps named gives all and takes none away");
	c.all_steps = false;
	c.n_steps = 2;
	c.steps = steps;
	orders_apply(&o, &c, "w-1");
	orders_take(&o, &taken);
	ok(o.n_moves == 0 && o.next_seq == 7, "taken once");
	ok(taken.n_moves == 2 && order_move_drops(&taken.moves[1], "4-1", 1) &&
		   order_move_drops(&taken.moves[1], "3-1", 2),
	   "a reassigned step of an earlier round is given up");
	ok(!order_move_drops(&taken.moves[1], "5-1", 1) &&
		   !order_move_gives(&taken.moves[1], "5-1"),
	   "another is not, nor given");
	ok(!order_move_drops(&taken.moves[1], "4-1", 3) &&
		   order_move_gives(&taken.moves[1], "4-1"),
	   "nor the same one, given by that very round");
	orders_done(&taken);
	orders_refuse(&o, "unknown key");
	c = order(CONTROL_RESUME, 0);
	orders_apply(&o, &c, "w-1");
	ok(o.abort && o.is_refused, "an order that cannot be read stays in force");
	orders_done(&o);
}

int main(void)
{
	test_first_look();
	test_may_be_begun();
	test_watching();
	test_timing();
	test_orders();
	return done_testing();
}
