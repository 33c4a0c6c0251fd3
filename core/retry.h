// SPDX-License-Identifier: Apache-2.0
// What to do after a failed request: pure decisions, no clock, no network.
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/http.h"
#include "core/rng.h"

/** enum retry_class - how long to go on. */
enum retry_class {
	RETRY_CONTROL, /* 120 s in all */
	RETRY_BULK,    /* 300 s since the last byte that counted */
};

/**
 * struct retry - one logical operation over its attempts.
 *
 * Set the first block, then retry_begin(). Backoff is full jitter: uniform in
 * [0, min(32, 2^failures) · base], at least the base after a 429 (Cloud Storage limits
 * writes to one object to one a second), at least the server's Retry-After up to 64 s.
 */
struct retry {
	enum retry_class class;
	bool is_idempotent;    /* repeating it cannot apply it twice */
	bool can_refresh;      /* its credential can be renewed after a 401 */
	int64_t base_ns;       /* 0 = 1 s */
	int64_t deadline_ns;   /* CLOCK_MONOTONIC; 0 = by class */
	int64_t bulk_limit_ns; /* of RETRY_BULK; 0 = 300 s */

	bool is_moving;	   /* the deadline follows progress */
	unsigned failures; /* since the last progress */
	bool is_ambiguous; /* an earlier attempt may have been carried out */
	bool has_refreshed;
	bool is_last;
};

struct retry_event {
	enum http_outcome outcome;
	long status;		/* when HTTP_ANSWERED */
	int64_t retry_after_ns; /* 0 = not said */
	bool has_progress;	/* bytes that need not be sent or received again */
};

enum retry_verdict {
	RETRY_DONE,    /* answered below 400: the caller reads it */
	RETRY_AGAIN,   /* after *ret_delay_ns */
	RETRY_REFRESH, /* renew the credential, then again at once */
	RETRY_SETTLE,  /* 412, but perhaps our own doing: compare nonces */
	RETRY_FAIL,    /* permanent, or not repeatable */
	RETRY_GIVE_UP, /* transient, but the time is up */
	RETRY_CANCEL,  /* the caller asked for it */
};

void retry_begin(struct retry *retry, int64_t now_ns);

/** retry_decide() - the verdict on one attempt; @ret_delay_ns is set with RETRY_AGAIN. */
enum retry_verdict retry_decide(struct retry *retry, const struct retry_event *event,
				int64_t now_ns, struct rng *rng, int64_t *ret_delay_ns);

/** retry_progressed() - bytes were settled outside of a failed attempt: begin counting
 * anew. */
void retry_progressed(struct retry *retry, int64_t now_ns);

/** retry_is_transient() - 408, 429, 5xx, or no whole answer (gcs-rest: Retry strategy).
 */
bool retry_is_transient(enum http_outcome outcome, long status);

/** retry_base_from_env() - MUSTER_RETRY_BASE_MS in ns, 0 if unset; -EINVAL. */
int retry_base_from_env(int64_t *ret_ns, struct err *err);

#endif
