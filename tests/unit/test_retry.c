// SPDX-License-Identifier: Apache-2.0
// Retry decisions: every outcome, backoff, deadlines.
#include <errno.h>

#include "core/clock.h"
#include "core/retry.h"
#include "tests/unit/tap.h"

static const int64_t s = NS_PER_S;

static struct retry fresh(void)
{
	struct retry retry = {.is_idempotent = true, .can_refresh = true};

	retry_begin(&retry, 0);
	return retry;
}

static enum retry_verdict decide(struct retry *retry, enum http_outcome outcome,
				 long status)
{
	struct retry_event event = {.outcome = outcome, .status = status};
	int64_t delay_ns = 0;
	struct rng rng;

	rng_init(&rng, 1);
	return retry_decide(retry, &event, 0, &rng, &delay_ns);
}

static void test_first_verdicts(void)
{
	static const struct {
		enum http_outcome outcome;
		long status;
		enum retry_verdict once, idempotent;
	} cases[] = {
		{HTTP_ANSWERED, 200, RETRY_DONE, RETRY_DONE},
		{HTTP_ANSWERED, 204, RETRY_DONE, RETRY_DONE},
		{HTTP_ANSWERED, 206, RETRY_DONE, RETRY_DONE},
		{HTTP_ANSWERED, 304, RETRY_DONE, RETRY_DONE},
		{HTTP_ANSWERED, 308, RETRY_DONE, RETRY_DONE},
		{HTTP_ANSWERED, 400, RETRY_FAIL, RETRY_FAIL},
		{HTTP_ANSWERED, 401, RETRY_REFRESH, RETRY_REFRESH},
		{HTTP_ANSWERED, 403, RETRY_FAIL, RETRY_FAIL},
		{HTTP_ANSWERED, 404, RETRY_FAIL, RETRY_FAIL},
		{HTTP_ANSWERED, 408, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_ANSWERED, 409, RETRY_FAIL, RETRY_FAIL},
		{HTTP_ANSWERED, 410, RETRY_FAIL, RETRY_FAIL},
		{HTTP_ANSWERED, 411, RETRY_FAIL, RETRY_FAIL},
		{HTTP_ANSWERED, 412, RETRY_FAIL, RETRY_FAIL},
		{HTTP_ANSWERED, 416, RETRY_FAIL, RETRY_FAIL},
		{HTTP_ANSWERED, 429, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_ANSWERED, 499, RETRY_FAIL, RETRY_FAIL},
		{HTTP_ANSWERED, 500, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_ANSWERED, 502, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_ANSWERED, 503, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_ANSWERED, 504, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_ANSWERED, 599, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_UNREACHED, 0, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_BROKEN, 0, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_BROKEN, 200, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_LATE, 0, RETRY_FAIL, RETRY_AGAIN},
		{HTTP_CANCELLED, 0, RETRY_CANCEL, RETRY_CANCEL},
		{HTTP_REFUSED, 0, RETRY_FAIL, RETRY_FAIL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct retry once = fresh(), many = fresh();

		once.is_idempotent = false;
		ok(decide(&once, cases[i].outcome, cases[i].status) == cases[i].once &&
			   decide(&many, cases[i].outcome, cases[i].status) ==
				   cases[i].idempotent,
		   "outcome %d, HTTP %ld", (int)cases[i].outcome, cases[i].status);
	}
}

static void test_settle(void)
{
	static const struct {
		enum http_outcome outcome;
		long status;
		enum retry_verdict then_412;
	} cases[] = {
		{HTTP_ANSWERED, 503, RETRY_SETTLE}, {HTTP_ANSWERED, 429, RETRY_SETTLE},
		{HTTP_ANSWERED, 408, RETRY_SETTLE}, {HTTP_BROKEN, 0, RETRY_SETTLE},
		{HTTP_LATE, 0, RETRY_SETTLE},	    {HTTP_UNREACHED, 0, RETRY_FAIL},
		{HTTP_ANSWERED, 401, RETRY_FAIL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct retry retry = fresh();

		decide(&retry, cases[i].outcome, cases[i].status);
		ok(decide(&retry, HTTP_ANSWERED, 412) == cases[i].then_412,
		   "412 after outcome %d, HTTP %ld", (int)cases[i].outcome,
		   cases[i].status);
	}
}

static void test_refresh(void)
{
	struct retry retry = fresh();

	ok(decide(&retry, HTTP_ANSWERED, 401) == RETRY_REFRESH, "401: a new token");
	ok(decide(&retry, HTTP_ANSWERED, 401) == RETRY_FAIL, "401 again: final");
	retry = fresh();
	retry.can_refresh = false;
	ok(decide(&retry, HTTP_ANSWERED, 401) == RETRY_FAIL,
	   "401 without credentials: final");
}

/* Draws 2000 delays after @failures failures: least and greatest. */
static void range_of(unsigned failures, long status, int64_t retry_after_ns,
		     int64_t base_ns, int64_t *ret_min, int64_t *ret_max)
{
	struct retry_event event = {.outcome = HTTP_ANSWERED,
				    .status = status,
				    .retry_after_ns = retry_after_ns};
	struct rng rng;

	rng_init(&rng, 42);
	*ret_min = INT64_MAX;
	*ret_max = 0;
	for (int i = 0; i < 2000; i++) {
		struct retry retry = {.is_idempotent = true,
				      .base_ns = base_ns,
				      .deadline_ns = 100000 * s};
		int64_t delay_ns = -1;

		retry_begin(&retry, 0);
		retry.failures = failures;
		retry_decide(&retry, &event, 0, &rng, &delay_ns);
		*ret_min = delay_ns < *ret_min ? delay_ns : *ret_min;
		*ret_max = delay_ns > *ret_max ? delay_ns : *ret_max;
	}
}

static void test_backoff(void)
{
	static const struct {
		unsigned failures;
		long status;
		int64_t retry_after_ns, base_ns, least_ns, greatest_ns;
	} cases[] = {
		{0, 503, 0, 0, 0, NS_PER_S},
		{1, 503, 0, 0, 0, 2LL * NS_PER_S},
		{4, 503, 0, 0, 0, 16LL * NS_PER_S},
		{5, 503, 0, 0, 0, 32LL * NS_PER_S},
		{60, 503, 0, 0, 0, 32LL * NS_PER_S},
		{0, 429, 0, 0, NS_PER_S, NS_PER_S},
		{3, 429, 0, 0, NS_PER_S, 8LL * NS_PER_S},
		{0, 503, 5LL * NS_PER_S, 0, 5LL * NS_PER_S, 5LL * NS_PER_S},
		{4, 503, 5LL * NS_PER_S, 0, 5LL * NS_PER_S, 16LL * NS_PER_S},
		{0, 503, 3600LL * NS_PER_S, 0, 64LL * NS_PER_S, 64LL * NS_PER_S},
		{0, 503, 0, 10 * NS_PER_MS, 0, 10 * NS_PER_MS},
		{9, 429, 0, 10 * NS_PER_MS, 10 * NS_PER_MS, 320 * NS_PER_MS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t span_ns = cases[i].greatest_ns - cases[i].least_ns, least,
			greatest;

		range_of(cases[i].failures, cases[i].status, cases[i].retry_after_ns,
			 cases[i].base_ns, &least, &greatest);
		ok(least >= cases[i].least_ns &&
			   least <= cases[i].least_ns + span_ns / 50 &&
			   greatest <= cases[i].greatest_ns &&
			   greatest >= cases[i].greatest_ns - span_ns / 50,
		   "delay after %u failures, HTTP %ld: %.3f to %.3f s", cases[i].failures,
		   cases[i].status, (double)least / 1e9, (double)greatest / 1e9);
	}
}

/* Fails every @step_ns until the verdict is not "again"; returns when that is. */
static int64_t give_up_at(struct retry *retry, bool has_progress, int64_t stop_ns)
{
	struct retry_event event = {.outcome = HTTP_BROKEN, .has_progress = has_progress};
	int64_t now_ns = 0, delay_ns = 0;
	struct rng rng;

	rng_init(&rng, 7);
	while (now_ns < stop_ns) {
		enum retry_verdict verdict =
			retry_decide(retry, &event, now_ns, &rng, &delay_ns);

		if (verdict == RETRY_GIVE_UP)
			return now_ns;
		now_ns += delay_ns + s / 10;
	}
	return INT64_MAX;
}

static void test_deadlines(void)
{
	struct retry control = {.is_idempotent = true};
	struct retry bulk = {.class = RETRY_BULK, .is_idempotent = true};
	struct retry own = {
		.class = RETRY_BULK, .is_idempotent = true, .deadline_ns = 10 * s};
	int64_t at;

	retry_begin(&control, 0);
	at = give_up_at(&control, false, 1000 * s);
	ok(at > 60 * s && at < 121 * s, "a control operation gives up by 120 s");
	retry_begin(&bulk, 0);
	at = give_up_at(&bulk, false, 1000 * s);
	ok(at > 200 * s && at < 301 * s,
	   "a bulk transfer gives up by 300 s without a byte");
	retry_begin(&bulk, 0);
	bulk.deadline_ns = 0;
	retry_begin(&bulk, 0);
	ok(give_up_at(&bulk, true, 5000 * s) == INT64_MAX,
	   "a bulk transfer that moves goes on");
	retry_begin(&own, 0);
	at = give_up_at(&own, true, 1000 * s);
	ok(at <= 11 * s, "the caller's deadline holds even when bytes move");
}

static void test_progress(void)
{
	struct retry retry = {.class = RETRY_BULK, .is_idempotent = true, .failures = 9};

	retry_begin(&retry, 0);
	decide(&retry, HTTP_BROKEN, 0);
	decide(&retry, HTTP_BROKEN, 0);
	ok(retry.failures == 2, "failures are counted");
	retry_progressed(&retry, 50 * s);
	ok(retry.failures == 0 && retry.deadline_ns == 350 * s,
	   "progress begins the count and the time anew");
}

static void test_env(void)
{
	int64_t ns = -1;
	struct err err = {0};

	unsetenv("MUSTER_RETRY_BASE_MS");
	ok(retry_base_from_env(&ns, NULL) == 0 && ns == 0, "no MUSTER_RETRY_BASE_MS");
	setenv("MUSTER_RETRY_BASE_MS", "10", 1);
	ok(retry_base_from_env(&ns, NULL) == 0 && ns == 10 * NS_PER_MS, "10 ms");
	setenv("MUSTER_RETRY_BASE_MS", "10x", 1);
	ok(retry_base_from_env(&ns, &err) < 0 && err.code < 0, "10x is refused");
}

int main(void)
{
	test_first_verdicts();
	test_settle();
	test_refresh();
	test_backoff();
	test_deadlines();
	test_progress();
	test_env();
	return done_testing();
}
