// SPDX-License-Identifier: Apache-2.0
// The state machine, as two tables.
#include "manifests/states.h"

#include <errno.h>
#include <string.h>

#include "core/cleanup.h"
#include "manifests/fields.h"

static const bool attempt_allowed[ATTEMPT_STATE_COUNT][ATTEMPT_STATE_COUNT] = {
	/* Nothing has begun, so nothing can time out or be interrupted: a worker that
	 * stops here leaves the step pending. Failed: its arm has no binary, or asks for
	 * what the job does not give. Cancelled: by an order. */
	[ATTEMPT_PENDING] = {[ATTEMPT_PREPARING] = true,
			     [ATTEMPT_FAILED] = true,
			     [ATTEMPT_CANCELLED] = true},
	/* Layout and mount have deadlines, and files worth keeping when they fail: the
	 * way to an end may lead through uploading. Invalid: the fio job is refused. */
	[ATTEMPT_PREPARING] = {[ATTEMPT_RUNNING] = true,
			       [ATTEMPT_UPLOADING] = true,
			       [ATTEMPT_FAILED] = true,
			       [ATTEMPT_TIMEOUT] = true,
			       [ATTEMPT_INVALID] = true,
			       [ATTEMPT_CANCELLED] = true,
			       [ATTEMPT_INTERRUPTED] = true},
	/* Never straight to ok: ok says that every file is in the bucket. The direct ways
	 * are for a worker that cannot upload any more. */
	[ATTEMPT_RUNNING] = {[ATTEMPT_UPLOADING] = true,
			     [ATTEMPT_FAILED] = true,
			     [ATTEMPT_TIMEOUT] = true,
			     [ATTEMPT_INVALID] = true,
			     [ATTEMPT_CANCELLED] = true,
			     [ATTEMPT_INTERRUPTED] = true},
	/* The verdict on fio is known by now and written with the record. */
	[ATTEMPT_UPLOADING] = {[ATTEMPT_OK] = true,
			       [ATTEMPT_FAILED] = true,
			       [ATTEMPT_TIMEOUT] = true,
			       [ATTEMPT_INVALID] = true,
			       [ATTEMPT_CANCELLED] = true,
			       [ATTEMPT_INTERRUPTED] = true},
	/* the six ends lead nowhere: another try is another attempt */
};

#define ANY_WRONG_END                                                                    \
	[WORKER_FAILED] = true, [WORKER_CANCELLED] = true, [WORKER_INTERRUPTED] = true

static const bool worker_allowed[WORKER_STATE_COUNT][WORKER_STATE_COUNT] = {
	/* Orders and signals come at any time, so every state but an end may go wrong in
	 * all three ways; only finishing may go well. */
	[WORKER_BOOT] = {[WORKER_NOJOB] = true, [WORKER_SETUP] = true, ANY_WRONG_END},
	[WORKER_NOJOB] = {[WORKER_SETUP] = true, ANY_WRONG_END},
	/* Finishing without having been ready: what failed is in the log to upload. */
	[WORKER_SETUP] =
		{[WORKER_READY] = true, [WORKER_FINISHING] = true, ANY_WRONG_END},
	/* A job without steps has nothing to run. */
	[WORKER_READY] =
		{[WORKER_RUNNING] = true, [WORKER_FINISHING] = true, ANY_WRONG_END},
	/* Back to setup: an order gave the worker another round, whose arms may need
	 * binaries that it has not. */
	[WORKER_RUNNING] =
		{[WORKER_SETUP] = true, [WORKER_FINISHING] = true, ANY_WRONG_END},
	[WORKER_FINISHING] = {[WORKER_SETUP] = true, [WORKER_DONE] = true, ANY_WRONG_END},
	/* the four ends lead nowhere: who takes the name over begins at boot */
};

static const char *const attempt_names[ATTEMPT_STATE_COUNT] = {
	[ATTEMPT_PENDING] = "pending",
	[ATTEMPT_PREPARING] = "preparing",
	[ATTEMPT_RUNNING] = "running",
	[ATTEMPT_UPLOADING] = "uploading",
	[ATTEMPT_OK] = "ok",
	[ATTEMPT_FAILED] = "failed",
	[ATTEMPT_TIMEOUT] = "timeout",
	[ATTEMPT_INVALID] = "invalid",
	[ATTEMPT_CANCELLED] = "cancelled",
	[ATTEMPT_INTERRUPTED] = "interrupted",
};

static const char *const worker_names[WORKER_STATE_COUNT] = {
	[WORKER_BOOT] = "boot",		  [WORKER_NOJOB] = "nojob",
	[WORKER_SETUP] = "setup",	  [WORKER_READY] = "ready",
	[WORKER_RUNNING] = "running",	  [WORKER_FINISHING] = "finishing",
	[WORKER_DONE] = "done",		  [WORKER_FAILED] = "failed",
	[WORKER_CANCELLED] = "cancelled", [WORKER_INTERRUPTED] = "interrupted",
};

bool attempt_may(enum attempt_state from, enum attempt_state to)
{
	return (unsigned)from < ATTEMPT_STATE_COUNT &&
	       (unsigned)to < ATTEMPT_STATE_COUNT && attempt_allowed[from][to];
}

bool attempt_is_end(enum attempt_state s)
{
	return s >= ATTEMPT_OK && s <= ATTEMPT_INTERRUPTED;
}

bool attempt_is_final(enum attempt_state s)
{
	return attempt_is_end(s) && s != ATTEMPT_INTERRUPTED;
}

bool worker_may(enum worker_state from, enum worker_state to)
{
	return (unsigned)from < WORKER_STATE_COUNT && (unsigned)to < WORKER_STATE_COUNT &&
	       worker_allowed[from][to];
}

bool worker_is_end(enum worker_state s)
{
	return s >= WORKER_DONE && s <= WORKER_INTERRUPTED;
}

const char *attempt_state_name(enum attempt_state s)
{
	return (unsigned)s < ATTEMPT_STATE_COUNT ? attempt_names[s] : "?";
}

const char *worker_state_name(enum worker_state s)
{
	return (unsigned)s < WORKER_STATE_COUNT ? worker_names[s] : "?";
}

static int find_name(const char *const *names, size_t n, const char *name,
		     const char *whose, struct err *err)
{
	char shown[EXCERPT_CAP];

	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	excerpt(shown, name);
	return err_set(err, -EINVAL, "\"%s\" is not a state of %s", shown, whose);
}

int attempt_state_parse(const char *name, enum attempt_state *ret, struct err *err)
{
	int i = find_name(attempt_names, ARRAY_SIZE(attempt_names), name, "an attempt",
			  err);

	if (i < 0)
		return i;
	*ret = (enum attempt_state)i;
	return 0;
}

int worker_state_parse(const char *name, enum worker_state *ret, struct err *err)
{
	int i = find_name(worker_names, ARRAY_SIZE(worker_names), name, "a worker", err);

	if (i < 0)
		return i;
	*ret = (enum worker_state)i;
	return 0;
}
