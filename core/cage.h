// SPDX-License-Identifier: Apache-2.0
// What a child is shut into: a root of its own, no network, few privileges.
#ifndef CORE_CAGE_H
#define CORE_CAGE_H

#include <stddef.h>

#include "core/err.h"

/* In the cage
 *  - the root is an empty file system that shows, read-only and without device nodes, the
 *    system's programs and libraries, /sys, the caged program, and a /proc in which only
 *    processes the child may trace appear. What is not shown does not exist;
 *  - the writable folders are where they are outside, with what is mounted below them,
 *    and nothing else can be written. /dev has null, zero, full, random, urandom;
 *  - the network namespace is empty (lo is down), System V and POSIX IPC are its own;
 *  - no new privileges can be had, and of root's capabilities only those remain that a
 *    load generator needs; none of them can undo the cage.
 *
 * Mounts propagate into the namespace until its root is exchanged, never out of it; after
 * that it holds no mount but those it shows. Unmounting outside therefore never waits for
 * a cage, and a FUSE server ends when both its mount and the cages that show it are gone.
 */

/** struct cage - a plan, made before the fork so that the child needs no memory. */
struct cage {
	struct cage_item *items; /* what is shown, in the order of mounting */
	size_t n;
};

/** struct cage_spec - borrowed. Paths are absolute and without symbolic links. */
struct cage_spec {
	const char *program;	     /* shown even outside of the system's folders */
	const char *const *writable; /* folders, NULL-ended */
};

/**
 * cage_is_allowed() - may this process build one? -EPERM without CAP_SYS_ADMIN, -ENOSYS
 * when the kernel has no mount_setattr() (before 5.12).
 */
int cage_is_allowed(struct err *err);

/** cage_plan() - -ENOENT: the program is not there. Nothing else is looked at: a writable
 * folder may be a mount that hangs. */
int cage_plan(const struct cage_spec *spec, struct cage *ret, struct err *err);
void cage_done(struct cage *c);

/**
 * cage_enter() - in a forked child, before its exec: async-signal-safe.
 *
 * @ret_what: a string constant naming what failed
 *
 * Returns 0 or -errno; after an error the process is good for nothing but _exit(). The
 * working folder is the cage's root.
 */
int cage_enter(const struct cage *c, const char **ret_what);

#endif
