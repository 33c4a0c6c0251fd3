// SPDX-License-Identifier: Apache-2.0
// What to do after a failed request.
#include "core/retry.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/str.h"

static const int64_t control_limit_ns = 120LL * NS_PER_S;
static const int64_t bulk_usual_ns = 300LL * NS_PER_S;
static const int64_t retry_after_max_ns = 64LL * NS_PER_S;

enum { DOUBLINGS_MAX = 5 }; /* 2^5 · 1 s = 32 s */

bool retry_is_transient(enum http_outcome outcome, long status)
{
	switch (outcome) {
	case HTTP_ANSWERED:
		return status == 408 || status == 429 || (status >= 500 && status <= 599);
	case HTTP_UNREACHED:
	case HTTP_BROKEN:
	case HTTP_LATE:
		return true;
	case HTTP_CANCELLED:
	case HTTP_REFUSED:
		return false;
	}
	return false;
}

void retry_begin(struct retry *retry, int64_t now_ns)
{
	if (!retry->base_ns)
		retry->base_ns = NS_PER_S;
	if (!retry->bulk_limit_ns)
		retry->bulk_limit_ns = bulk_usual_ns;
	if (!retry->deadline_ns) {
		bool is_bulk = retry->class == RETRY_BULK;

		retry->deadline_ns =
			now_ns + (is_bulk ? retry->bulk_limit_ns : control_limit_ns);
		retry->is_moving = is_bulk;
	}
	retry->failures = 0;
	retry->is_ambiguous = retry->has_refreshed = retry->is_last = false;
}

void retry_progressed(struct retry *retry, int64_t now_ns)
{
	retry->failures = 0;
	retry->is_last = false;
	if (retry->is_moving)
		retry->deadline_ns = now_ns + retry->bulk_limit_ns;
}

static int64_t uniform(struct rng *rng, int64_t max_ns)
{
	return max_ns > 0 ? (int64_t)rng_below(rng, (uint64_t)max_ns + 1) : 0;
}

static int64_t backoff(const struct retry *retry, const struct retry_event *event,
		       struct rng *rng)
{
	unsigned n = retry->failures < DOUBLINGS_MAX ? retry->failures : DOUBLINGS_MAX;
	int64_t delay = uniform(rng, retry->base_ns << n);
	int64_t asked = event->retry_after_ns;

	if (event->outcome == HTTP_ANSWERED && event->status == 429 &&
	    delay < retry->base_ns)
		delay = retry->base_ns;
	if (asked > retry_after_max_ns)
		asked = retry_after_max_ns;
	return asked > delay ? asked : delay;
}

static enum retry_verdict again(struct retry *retry, const struct retry_event *event,
				int64_t now_ns, struct rng *rng, int64_t *ret_delay_ns)
{
	int64_t left_ns, delay_ns;

	/* a 429 says that nothing was done; a look at the nonce makes sure of it */
	if (event->outcome != HTTP_UNREACHED)
		retry->is_ambiguous = true;
	if (!retry->is_idempotent)
		return RETRY_FAIL;
	if (event->has_progress)
		retry_progressed(retry, now_ns);
	left_ns = retry->deadline_ns - now_ns;
	if (left_ns <= 0 || retry->is_last)
		return RETRY_GIVE_UP;
	delay_ns = backoff(retry, event, rng);
	if (delay_ns > left_ns) {
		/* a last attempt, at a random moment of what is left */
		delay_ns = uniform(rng, left_ns);
		retry->is_last = true;
	}
	retry->failures++;
	*ret_delay_ns = delay_ns;
	return RETRY_AGAIN;
}

enum retry_verdict retry_decide(struct retry *retry, const struct retry_event *event,
				int64_t now_ns, struct rng *rng, int64_t *ret_delay_ns)
{
	if (event->outcome == HTTP_CANCELLED)
		return RETRY_CANCEL;
	if (retry_is_transient(event->outcome, event->status))
		return again(retry, event, now_ns, rng, ret_delay_ns);
	if (event->outcome != HTTP_ANSWERED)
		return RETRY_FAIL;
	if (event->status < 400)
		return RETRY_DONE;
	if (event->status == 401 && retry->can_refresh && !retry->has_refreshed) {
		retry->has_refreshed = true;
		return RETRY_REFRESH;
	}
	if (event->status == 412 && retry->is_ambiguous)
		return RETRY_SETTLE;
	return RETRY_FAIL;
}

int retry_base_from_env(int64_t *ret_ns, struct err *err)
{
	const char *text = getenv("MUSTER_RETRY_BASE_MS");
	uint64_t ms = 0;
	int r;

	*ret_ns = 0;
	if (!text || !*text)
		return 0;
	r = parse_u64_range("MUSTER_RETRY_BASE_MS", text, 1, 60000, &ms, err);
	if (r == 0)
		*ret_ns = (int64_t)ms * NS_PER_MS;
	return r;
}
