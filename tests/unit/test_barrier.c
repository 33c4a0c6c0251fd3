// SPDX-License-Identifier: Apache-2.0
// The verdict on a start: policies × who is there × who cannot come × the timeout; leads,
// turns, and what a start is recorded as.
#include <string.h>

#include "core/clock.h"
#include "core/str.h"
#include "tests/unit/tap.h"
#include "worker/barrier_rules.h"
#include "worker/decide.h"

static const char call_letters[] = "wga"; /* wait, go, abort */

/* ready gone over: all, majority, best-effort, of 4 members */
static const struct {
	size_t ready, gone;
	bool is_over;
	const char *calls;
} rows[] = {
	{4, 0, false, "ggg"},
	{4, 0, true, "ggg"},
	/* one missing: may still come, then not */
	{3, 0, false, "www"},
	{3, 0, true, "agg"},
	{3, 1, false, "agg"},
	{3, 1, true, "agg"},
	/* exactly half is no majority */
	{2, 0, false, "www"},
	{2, 0, true, "aag"},
	{2, 1, false, "aww"},
	{2, 1, true, "aag"},
	{2, 2, false, "aag"},
	{2, 2, true, "aag"},
	{1, 0, false, "www"},
	{1, 0, true, "aag"},
	{1, 1, false, "aww"},
	{1, 3, false, "aag"},
	{1, 2, false, "aww"},
	{1, 3, true, "aag"},
	/* nobody at all */
	{0, 0, false, "www"},
	{0, 0, true, "aaa"},
	{0, 4, false, "aaa"},
	{0, 3, false, "aww"},
};

static void test_judge(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned p = BARRIER_ALL; p <= BARRIER_BEST_EFFORT; p++) {
			const struct barrier_tally t = {4, rows[i].ready, rows[i].gone,
							rows[i].is_over};
			enum barrier_call call = barrier_judge(p, &t);

			ok(call_letters[call] == rows[i].calls[p],
			   "%s: %zu of 4 ready, %zu gone%s: %c", barrier_policy_name(p),
			   t.ready, t.gone, t.is_over ? ", timeout" : "",
			   call_letters[call]);
		}
}

/* What must hold for every fleet up to 9. */
static void test_judge_rules(void)
{
	unsigned bad = 0, seen = 0;

	for (size_t n = 1; n <= 9; n++)
		for (size_t ready = 0; ready <= n; ready++)
			for (size_t gone = 0; ready + gone <= n; gone++)
				for (unsigned k = 0; k < 6; k++) {
					const struct barrier_tally t = {n, ready, gone,
									k % 2};
					enum barrier_policy p = k / 2;
					enum barrier_call c = barrier_judge(p, &t);

					seen++;
					/* a decision at the timeout, never a wait */
					bad += t.is_over && c == BARRIER_WAIT;
					/* nor with nobody left to wait for */
					bad += ready + gone == n && c == BARRIER_WAIT;
					bad += c == BARRIER_GO && !ready;
					bad += p == BARRIER_ALL && c == BARRIER_GO &&
					       ready < n;
					bad += p == BARRIER_MAJORITY && c == BARRIER_GO &&
					       2 * ready <= n;
					bad += ready == n && c != BARRIER_GO;
				}
	ok(!bad, "%u situations keep the rules", seen);
}

static void test_times(void)
{
	int64_t poll_ns = barrier_poll_ns(5000);

	ok(poll_ns == NS_PER_S, "a lead of 5 s: polls of 1 s");
	ok(barrier_poll_ns(4000) == NS_PER_S && barrier_poll_ns(400) == 100 * NS_PER_MS,
	   "a quarter of shorter leads");
	ok(barrier_first_look_ns(0, poll_ns) == 0 &&
		   barrier_first_look_ns(3, poll_ns) == 6LL * NS_PER_S,
	   "the first rank looks at once, others after two polls a rank");
	ok(barrier_next_look_ns(0, poll_ns) == 2LL * NS_PER_S &&
		   barrier_next_look_ns(3, poll_ns) == 8LL * NS_PER_S,
	   "and then the seldomer the higher the rank");
	ok(barrier_lead_ns(5000, NS_PER_MS) == 5LL * NS_PER_S, "the lead as asked for");
	ok(barrier_lead_ns(5000, 2LL * NS_PER_S) ==
		   3LL * NS_PER_S + 4LL * NS_PER_S + 100 * NS_PER_MS,
	   "longer when the clock is badly known");
	ok(barrier_lead_ns(400, 0) == 400 * NS_PER_MS &&
		   barrier_lead_ns(300, 0) == 325 * NS_PER_MS,
	   "never less than three polls and the preparations");
}

static void test_started(void)
{
	static const struct {
		int64_t late_ns;
		bool was_past;
		uint64_t ms;
		bool is_flagged;
	} starts[] = {
		{0, false, 0, false},
		{-400000, false, 0, false},
		{499999, false, 0, false},
		{500000, false, 1, false},
		{50 * NS_PER_MS, false, 50, false},
		{50 * NS_PER_MS + 1, false, 50, true},
		{1, true, 1, true},
		{-1, true, 1, true},
		{7LL * NS_PER_S, true, 7000, true},
	};
	const struct barrier_clock clock = {.offset_ns = 1000, .bound_ns = 77};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		struct step_start s = {.go_server_ns = 100LL * NS_PER_S};
		bool is_flagged = barrier_started(
			&clock, 100LL * NS_PER_S - 1000 + starts[i].late_ns,
			starts[i].was_past, &s);

		ok(is_flagged == starts[i].is_flagged && s.late_by_ms == starts[i].ms &&
			   s.bound_ns == 77 &&
			   s.at_server_ns == 100LL * NS_PER_S + starts[i].late_ns,
		   "%lld ns late%s: %llu ms%s", (long long)starts[i].late_ns,
		   starts[i].was_past ? ", read too late" : "",
		   (unsigned long long)s.late_by_ms, is_flagged ? ", flagged" : "");
	}
}

static void test_seen(void)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	const struct barrier_settings settings = {.policy = BARRIER_MAJORITY,
						  .timeout_s = 60,
						  .n_members = ARRAY_SIZE(names),
						  .members = (const char **)names};
	unsigned char seen[] = {SEEN_READY,
				SEEN_READY | SEEN_STALE,
				SEEN_READY | SEEN_ENDED,
				SEEN_ABSENT | SEEN_ENDED,
				0,
				0,
				SEEN_STALE,
				0};
	const struct decider d = {.settings = &settings, .seen = seen};
	struct barrier_tally t = decider_tally(&d, true);
	char reason[REASON_CAP];

	ok(t.members == 8 && t.ready == 1 && t.gone == 4 && t.is_over,
	   "who arrived and is gone does not count as ready");
	decider_reason(&d, true, reason, sizeof(reason));
	ok(strcmp(reason, "1 of 8 were ready, policy majority, after 60 s; not there: "
			  "b (no heartbeat), c (ended), d (its step failed before), e, f "
			  "and 2 more") == 0,
	   "%s", reason);
}

static void test_interrupted(void)
{
	static const char *const names[] = {"a", "b"};
	struct barrier_settings settings = {.policy = BARRIER_ALL,
					    .timeout_s = 60,
					    .n_members = ARRAY_SIZE(names),
					    .members = (const char **)names};
	unsigned char seen[] = {SEEN_READY, SEEN_READY | SEEN_INTERRUPTED};
	const struct decider d = {.settings = &settings, .seen = seen};
	struct barrier_tally t = decider_tally(&d, false);

	ok(t.ready == 1 && t.gone == 0 && barrier_judge(BARRIER_ALL, &t) == BARRIER_WAIT,
	   "all: who was interrupted is waited for");
	settings.policy = BARRIER_BEST_EFFORT;
	t = decider_tally(&d, false);
	ok(t.ready == 1 && t.gone == 1 &&
		   barrier_judge(BARRIER_BEST_EFFORT, &t) == BARRIER_GO,
	   "best-effort: it is not");
}

int main(void)
{
	test_judge();
	test_judge_rules();
	test_times();
	test_started();
	test_seen();
	test_interrupted();
	return done_testing();
}
