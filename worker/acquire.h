// SPDX-License-Identifier: Apache-2.0
// Where a gcsfuse binary can come from, one function per place.
#ifndef WORKER_ACQUIRE_H
#define WORKER_ACQUIRE_H

#include "core/err.h"
#include "manifests/job.h"
#include "worker/binary.h"

struct worker;

/*
 * Each returns 0 with b->fd open and verified, -ENOENT when the place has none, and
 * -EBADMSG when it has one that is not the pinned one. -ECANCELED: the worker stops.
 */
int acquire_local(struct worker *w, const struct arm *arm, struct binary *b,
		  struct err *err);
int acquire_cache(struct worker *w, const struct arm *arm, struct binary *b,
		  struct err *err);
int acquire_run(struct worker *w, const struct arm *arm, struct binary *b,
		struct err *err);
int acquire_build(struct worker *w, const struct arm *arm, struct binary *b,
		  struct err *err);

/** acquire_publish() - <run>/binaries/<key>/, if neither it nor `_cache` has the key. */
int acquire_publish(struct worker *w, const struct arm *arm, const struct binary *b,
		    struct err *err);

#endif
