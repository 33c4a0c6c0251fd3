// SPDX-License-Identifier: Apache-2.0
// Taking a worker's name: the rules of take-over, and the first heartbeat.
#ifndef WORKER_LEASE_H
#define WORKER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/store.h"
#include "manifests/record.h"

struct worker;

/** struct lease_seen - workers/<worker>.json as one look at the bucket shows it. */
struct lease_seen {
	bool exists;
	uint64_t generation;
	int64_t age_ns;	  /* by the server's clock alone: Date - updated */
	bool is_readable; /* the heartbeat below could be parsed */
	struct heartbeat hb;
};

enum lease_verdict {
	LEASE_CREATE,	  /* nobody has the name */
	LEASE_TAKE_OVER,  /* its owner has ended, or was this machine, or is stale */
	LEASE_LOOK_AGAIN, /* may be alive: look again in 5 s */
	LEASE_ALIVE,	  /* it moved while we looked: a live worker owns the name */
};

/** struct lease_watch - what has been seen of a lease that is not ours (yet). */
struct lease_watch {
	uint64_t generation; /* 0 = first look */
	int64_t since_ns;    /* CLOCK_MONOTONIC of the first look at it */
};

/**
 * lease_decide() - one look more; pure.
 *
 * @watch: zero at the first look, updated here
 */
enum lease_verdict lease_decide(const struct lease_seen *seen, struct lease_watch *watch,
				const char *instance_id, int64_t stale_ns,
				int64_t now_ns);

/**
 * lease_may_be_begun() - may an attempt of which nothing is to be seen have begun? pure.
 *
 * @seen: what was taken over
 * No, if its owner ended in order, or was this machine, whose workspace tells what it
 * began; but from its second life on only if that life came to what it had to say of the
 * lives before it: its manifest has the numbers of the attempts once it runs steps.
 */
bool lease_may_be_begun(const struct lease_seen *seen, bool is_same_machine);

/**
 * lease_take() - boot step: own the name, or -EBUSY when a live worker does.
 *
 * Fills in the board's incarnation and the generations the heartbeat thread goes on
 * from; after a take-over rewrites the manifest at once and keeps its lines in
 * w->previous. Starts the heartbeat thread.
 */
int lease_take(struct worker *w, struct err *err);

/**
 * lease_owner() - who wrote the lease or manifest @name: its incarnation is filled in.
 *
 * @ret_generation: of the object; 0 when there is none (-ENOENT)
 */
int lease_owner(struct store *store, const char *name, struct heartbeat *ret,
		uint64_t *ret_generation, struct err *err);

/**
 * lease_rival() - @name, the lease or the manifest, is not as we left it: is the worker's
 * name another's by now? 1 = yes, @ret says whose; 0 = no, or there is no lease any more.
 *
 * @nonce: our incarnation's
 * @ret_generation: of @name; 0 when there is none
 * The lease alone decides: a life that lost it may have written the manifest once more.
 * It is looked at last, so whoever takes it after that writes the manifest after us.
 */
int lease_rival(struct store *store, const char *lease, const char *name,
		const char *nonce, struct heartbeat *ret, uint64_t *ret_generation,
		struct err *err);

#endif
