// SPDX-License-Identifier: Apache-2.0
// The state machine: every pair of states, against tables written by hand.
#include <errno.h>
#include <string.h>

#include "core/cleanup.h"
#include "manifests/states.h"
#include "tests/unit/tap.h"

/* one line per "from", one column per "to", in the order of the enum */
static const char *const attempt_table[ATTEMPT_STATE_COUNT] = {
	/*                pend prep run upl ok fail time inv canc intr */
	[ATTEMPT_PENDING] = ".x...x..x.",   [ATTEMPT_PREPARING] = "..xx.xxxxx",
	[ATTEMPT_RUNNING] = "...x.xxxxx",   [ATTEMPT_UPLOADING] = "....xxxxxx",
	[ATTEMPT_OK] = "..........",	    [ATTEMPT_FAILED] = "..........",
	[ATTEMPT_TIMEOUT] = "..........",   [ATTEMPT_INVALID] = "..........",
	[ATTEMPT_CANCELLED] = "..........", [ATTEMPT_INTERRUPTED] = "..........",
};

static const char *const worker_table[WORKER_STATE_COUNT] = {
	/*             boot nojob setup ready run fin done fail canc intr */
	[WORKER_BOOT] = ".xx....xxx",	   [WORKER_NOJOB] = "..x....xxx",
	[WORKER_SETUP] = "...x.x.xxx",	   [WORKER_READY] = "....xx.xxx",
	[WORKER_RUNNING] = "..x..x.xxx",   [WORKER_FINISHING] = "..x...xxxx",
	[WORKER_DONE] = "..........",	   [WORKER_FAILED] = "..........",
	[WORKER_CANCELLED] = "..........", [WORKER_INTERRUPTED] = "..........",
};

static void test_attempts(void)
{
	for (unsigned from = 0; from < ATTEMPT_STATE_COUNT; from++)
		for (unsigned to = 0; to < ATTEMPT_STATE_COUNT; to++)
			ok(attempt_may(from, to) == (attempt_table[from][to] == 'x'),
			   "attempt: %s -> %s: %s", attempt_state_name(from),
			   attempt_state_name(to),
			   attempt_table[from][to] == 'x' ? "yes" : "no");
	ok(!attempt_may(ATTEMPT_STATE_COUNT, ATTEMPT_OK) &&
		   !attempt_may(ATTEMPT_PENDING, ATTEMPT_STATE_COUNT),
	   "attempt: a state past the last leads nowhere");
}

static void test_workers(void)
{
	for (unsigned from = 0; from < WORKER_STATE_COUNT; from++)
		for (unsigned to = 0; to < WORKER_STATE_COUNT; to++)
			ok(worker_may(from, to) == (worker_table[from][to] == 'x'),
			   "worker: %s -> %s: %s", worker_state_name(from),
			   worker_state_name(to),
			   worker_table[from][to] == 'x' ? "yes" : "no");
	ok(!worker_may(WORKER_STATE_COUNT, WORKER_DONE) &&
		   !worker_may(WORKER_BOOT, WORKER_STATE_COUNT),
	   "worker: a state past the last leads nowhere");
}

/* An end is what has no way on, and every other state can reach every wrong end. */
static void test_ends(void)
{
	for (unsigned s = 0; s < ATTEMPT_STATE_COUNT; s++) {
		bool leads_on = strchr(attempt_table[s], 'x') != NULL;

		ok(attempt_is_end(s) == !leads_on, "attempt: %s is %san end",
		   attempt_state_name(s), leads_on ? "not " : "");
		ok(attempt_is_final(s) == (!leads_on && s != ATTEMPT_INTERRUPTED),
		   "attempt: does %s end the step?", attempt_state_name(s));
		if (leads_on)
			ok(attempt_may(s, ATTEMPT_FAILED) &&
				   attempt_may(s, ATTEMPT_CANCELLED),
			   "attempt: %s may fail and be cancelled",
			   attempt_state_name(s));
		ok(attempt_may(s, ATTEMPT_OK) == (s == ATTEMPT_UPLOADING),
		   "attempt: only uploading leads to ok, %s", attempt_state_name(s));
	}
	for (unsigned s = 0; s < WORKER_STATE_COUNT; s++) {
		bool leads_on = strchr(worker_table[s], 'x') != NULL;

		ok(worker_is_end(s) == !leads_on, "worker: %s is %san end",
		   worker_state_name(s), leads_on ? "not " : "");
		ok(worker_may(s, WORKER_DONE) == (s == WORKER_FINISHING),
		   "worker: only finishing leads to done, %s", worker_state_name(s));
	}
	ok(!attempt_is_end(ATTEMPT_STATE_COUNT) && !worker_is_end(WORKER_STATE_COUNT),
	   "no state is no end");
}

static void test_names(void)
{
	static const char *const strange[] = {"", "Ok", "okay", "ok ", "running\n", "?"};

	for (unsigned s = 0; s < ATTEMPT_STATE_COUNT; s++) {
		enum attempt_state back = ATTEMPT_STATE_COUNT;

		ok(attempt_state_parse(attempt_state_name(s), &back, NULL) == 0 &&
			   back == s,
		   "attempt: the name %s and back", attempt_state_name(s));
	}
	for (unsigned s = 0; s < WORKER_STATE_COUNT; s++) {
		enum worker_state back = WORKER_STATE_COUNT;

		ok(worker_state_parse(worker_state_name(s), &back, NULL) == 0 &&
			   back == s,
		   "worker: the name %s and back", worker_state_name(s));
	}
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		enum attempt_state a = ATTEMPT_RUNNING;
		enum worker_state w = WORKER_RUNNING;
		struct err e1 = {0}, e2 = {0};

		ok(attempt_state_parse(strange[i], &a, &e1) == -EINVAL &&
			   a == ATTEMPT_RUNNING && e1.code && !strchr(e1.text, '\n'),
		   "attempt: strange name %zu is refused in one line", i);
		ok(worker_state_parse(strange[i], &w, &e2) == -EINVAL &&
			   w == WORKER_RUNNING && e2.code && !strchr(e2.text, '\n'),
		   "worker: strange name %zu is refused in one line", i);
	}
}

int main(void)
{
	test_attempts();
	test_workers();
	test_ends();
	test_names();
	return done_testing();
}
