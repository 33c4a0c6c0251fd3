// SPDX-License-Identifier: Apache-2.0
// Control groups (v2) as bags of processes: whoever is put into one can be killed at
// once.
#ifndef CORE_CGROUP_H
#define CORE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

/** struct cgroup - the group this process was started in; zero = none, and then every
 * call below does nothing and succeeds. */
struct cgroup {
	char *top; /* its folder */
};

/**
 * cgroup_find() - this process's own group, if it was given one to divide.
 *
 * It was when nobody else is in it (a service of its own, as with systemd's
 * Delegate=yes), its folder can be written to and the kernel has cgroup.kill (5.14).
 * Where the hierarchy is mounted is read from /proc/self/mountinfo.
 *
 * -ENOTSUP with the reason: no groups here.
 */
int cgroup_find(struct cgroup *ret, struct err *err);
void cgroup_done(struct cgroup *cg);

/** cgroup_join() - move this process into the group @name below, made if absent. */
int cgroup_join(const struct cgroup *cg, const char *name, struct err *err);

/**
 * cgroup_open() - make the group @name below and open its cgroup.procs, for
 * proc_spec.cgroup_fd. Returns the descriptor, 0 when there are no groups, or -errno.
 */
int cgroup_open(const struct cgroup *cg, const char *name, struct err *err);

/** cgroup_kill() - SIGKILL for everybody in group @name; 0 when there is none such. */
int cgroup_kill(const struct cgroup *cg, const char *name, struct err *err);

/**
 * cgroup_end() - kill, wait until the group is empty, remove it. 0 when there is none.
 *
 * @deadline_ns: CLOCK_MONOTONIC
 *
 * -EBUSY: somebody is still in it; the group stays.
 */
int cgroup_end(const struct cgroup *cg, const char *name, int64_t deadline_ns,
	       struct err *err);

/** cgroup_sweep() - cgroup_end() for every group below whose name begins with @prefix;
 * the first error. */
int cgroup_sweep(const struct cgroup *cg, const char *prefix, int64_t deadline_ns,
		 struct err *err);

/** struct cgroup_mount - a line of mountinfo that mounts a cgroup v2 hierarchy. */
struct cgroup_mount {
	char root[4096], point[4096]; /* octal escapes undone */
};

/** cgroup_parse_mount() - is @line one? Pure. */
bool cgroup_parse_mount(const char *line, struct cgroup_mount *ret);

#endif
