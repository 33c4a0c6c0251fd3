// SPDX-License-Identifier: Apache-2.0
// The gcsfuse binaries of the arms: had, verified, kept open.
#ifndef WORKER_BINARY_H
#define WORKER_BINARY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/digest.h"
#include "core/err.h"
#include "core/gobuild.h"
#include "manifests/job.h"
#include "manifests/record.h"

struct worker;

/** struct binary - one key; several arms may share it. */
struct binary {
	char key[GOBUILD_KEY_CAP];
	char sha256[DIGEST_CAP]; /* of the open file; what every mount is checked by */
	char version[64];
	char label[64];	  /* of the first arm that asked */
	int fd;		  /* O_RDONLY, kept open; -1 = could not be had */
	struct stat seen; /* of @fd just after it was hashed */
	bool is_seen_old; /* its ctime was old enough then to tell a later change */
	char reason[REASON_CAP]; /* why it could not be had */
};

/**
 * binaries_get() - boot step: every arm of every job in the queue, once a key.
 *
 * Local cache → `_cache` → <run>/binaries → build, whatever the role; role build
 * publishes what it has, role wait waits 15 min for it and then builds itself. An arm
 * that cannot be had is no error: its steps fail with the binary's reason.
 */
int binaries_get(struct worker *w, struct err *err);

/** binary_find() - of this arm; NULL for kind dir. */
struct binary *binary_find(struct worker *w, const struct arm *arm);

/**
 * binary_verify() - before a mount: is the open file still the one that was pinned?
 *
 * Hashed again unless device, inode, size, mtime and ctime of the very descriptor that
 * will be executed are those seen just after the last hash. That is sound because ctime
 * cannot be set from user space: any write, truncation or chmod moves it, and no path is
 * looked up in between. A change within the clock tick of the last look would be missed,
 * so a file whose ctime was younger than 2 s at that look is hashed every time.
 */
int binary_verify(struct binary *b, struct err *err);

/** binary_stat_same() - are these two looks at one unchanged file? Pure. */
bool binary_stat_same(const struct stat *a, const struct stat *b);

void binaries_done(struct worker *w);

#endif
