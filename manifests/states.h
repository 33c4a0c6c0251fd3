// SPDX-License-Identifier: Apache-2.0
// The state machine of attempts and workers.
#ifndef MANIFESTS_STATES_H
#define MANIFESTS_STATES_H

#include <stdbool.h>

#include "core/err.h"

/*
 * pending -> preparing -> running -> uploading -> ok | failed | timeout | invalid |
 * cancelled | interrupted. The last six are ends; "interrupted" ends the attempt and not
 * the step, the other five end the step.
 */
enum attempt_state {
	ATTEMPT_PENDING,
	ATTEMPT_PREPARING,
	ATTEMPT_RUNNING,
	ATTEMPT_UPLOADING,
	ATTEMPT_OK,
	ATTEMPT_FAILED,
	ATTEMPT_TIMEOUT,
	ATTEMPT_INVALID,
	ATTEMPT_CANCELLED,
	ATTEMPT_INTERRUPTED,
	ATTEMPT_STATE_COUNT,
};

bool attempt_may(enum attempt_state from, enum attempt_state to);
/** attempt_is_end() - no way leads on from here. */
bool attempt_is_end(enum attempt_state s);
/** attempt_is_final() - ends the step too: ok, failed, timeout, invalid, cancelled. */
bool attempt_is_final(enum attempt_state s);
const char *attempt_state_name(enum attempt_state s);
int attempt_state_parse(const char *name, enum attempt_state *ret, struct err *err);

/* boot -> nojob -> setup -> ready -> running -> finishing -> done | failed | … */
enum worker_state {
	WORKER_BOOT,
	WORKER_NOJOB,
	WORKER_SETUP,
	WORKER_READY,
	WORKER_RUNNING,
	WORKER_FINISHING,
	WORKER_DONE,
	WORKER_FAILED,
	WORKER_CANCELLED,
	WORKER_INTERRUPTED,
	WORKER_STATE_COUNT,
};

bool worker_may(enum worker_state from, enum worker_state to);
/** worker_is_end() - done, failed, cancelled, interrupted: the lease is free to take. */
bool worker_is_end(enum worker_state s);
const char *worker_state_name(enum worker_state s);
int worker_state_parse(const char *name, enum worker_state *ret, struct err *err);

#endif
