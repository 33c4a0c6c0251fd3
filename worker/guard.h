// SPDX-License-Identifier: Apache-2.0
// The guardian: a tiny process that cleans up after a worker that was killed.
#ifndef WORKER_GUARD_H
#define WORKER_GUARD_H

#include <sys/types.h>

#include "core/err.h"

struct cgroup;

/** struct guard - zero = none. */
struct guard {
	pid_t pid;
	int fd; /* our end of a socket; its closing is the news of our death */
};

/**
 * guard_wait_previous() - wait, at most 10 s, until the guardian of a worker that died in
 * this workspace has finished. -ETIMEDOUT.
 */
int guard_wait_previous(const char *workspace, struct err *err);

/**
 * guard_start() - fork the guardian. Before any thread and any TLS session exists.
 *
 * @workspace: absolute, exists; the guardian holds a lock on <workspace>/guard.lock
 * @cg: the worker's control groups (worker/groups.h), or none of them
 *
 * When the worker dies in any way, the guardian kills the groups of fio and gcsfuse, and
 * every process whose folder lies below the workspace and whose environment is the one
 * children get (proc.h), then aborts and detaches mounts below the workspace, and ends.
 *
 * It ignores SIGTERM. A service manager that kills the rest of the service when the
 * worker is dead (systemd) ends the guardian together with all there is to kill; the
 * mounts left over are swept by the next worker of the workspace.
 */
int guard_start(const char *workspace, const struct cgroup *cg, struct guard *ret,
		struct err *err);

/** guard_stop() - the worker ends in order: the guardian ends without doing anything. */
void guard_stop(struct guard *g);

/**
 * guard_sweep() - what the guardian does, at once: leftovers of an earlier worker when
 * there was no guardian. Never kills the caller, its guardian or registered children.
 */
int guard_sweep(const char *workspace, const struct cgroup *cg, struct err *err);

#endif
