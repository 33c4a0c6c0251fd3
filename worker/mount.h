// SPDX-License-Identifier: Apache-2.0
// One gcsfuse mount: start it by descriptor, know when it is ready, end it in any state.
#ifndef WORKER_MOUNT_H
#define WORKER_MOUNT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/cgroup.h"
#include "core/err.h"
#include "core/proc.h"
#include "core/store.h"
#include "core/str.h"
#include "manifests/job.h"
#include "manifests/record.h"

/** struct mount_spec - all borrowed until mount_start() returns. Paths are absolute. */
struct mount_spec {
	int binary_fd; /* the verified gcsfuse, O_RDONLY; unused for kind dir */
	const struct arm *arm;
	const struct job_data *data; /* bucket, endpoint, auth */
	const char *workspace;	     /* HOME of gcsfuse */
	const char *step_dir; /* below the workspace: cwd, config file, cache, temp */
	const struct cgroup *cgroup; /* gcsfuse gets a group of its own; NULL = none */
	const char *point;	     /* below the workspace; made if absent */
	const char *log_path;	     /* gcsfuse's stdout and stderr, made or emptied */
	int64_t deadline_ns;	     /* CLOCK_MONOTONIC */
	int cancel_fd;		     /* readable = give up (-ECANCELED); -1 = none */
};

/**
 * struct mount - zero = not mounted. For kind dir only @point is set: starting makes the
 * folder, stopping does nothing, and every other call answers at once.
 */
struct mount {
	struct proc proc; /* gcsfuse; pid 0 for kind dir or when it has ended */
	bool is_mounted;  /* a FUSE mount of ours is (or may be) there */
	unsigned dev_major,
		dev_minor; /* st_dev of the mount; minor names the connection */
	char *point, *step_dir, *log_path;
	const struct cgroup *cgroup; /* borrowed; NULL = none */
	json_t *config; /* effective configuration as gcsfuse logged it; or NULL */
	struct kernel_settings start; /* read when the mount was ready */
};

/**
 * mount_start() - start gcsfuse and return when the mount is ready: in mountinfo, statfs
 * answers, the log says mounted, and gcsfuse has written the kernel settings.
 *
 * On an error everything is undone, and the text ends in gcsfuse's own last error line if
 * it has one. -ETIMEDOUT, -ECANCELED, -EIO (gcsfuse ended), -EINVAL (the arm asks for
 * what this data store has not: grpc with an emulated endpoint).
 */
int mount_start(const struct mount_spec *spec, struct mount *ret, struct err *err);

/** mount_minor() - the FUSE connection's number for the monitor; -1 if there is none. */
int mount_minor(const struct mount *m);

/**
 * mount_answers() - does statfs on the mount answer within @timeout_ns? In a child: never
 * hangs. True for kind dir.
 */
bool mount_answers(const struct mount *m, int64_t timeout_ns);

/**
 * mount_warm() - list the folder recursively with a stat of every entry, as `ls -R` does.
 *
 * @dir: absolute; a folder that does not exist is not an error
 * @ret_entries: may be NULL
 */
int mount_warm(const struct mount *m, const char *dir, int64_t deadline_ns, int cancel_fd,
	       uint64_t *ret_entries, struct err *err);

/* What is left of an unmount's time once there is a reason to hurry. */
enum { MOUNT_HURRY_S = 5 };

/**
 * mount_stop() - unmount, wait for gcsfuse's end, remove its cache and temp folders.
 *
 * @hurry_fd: readable, before or meanwhile = at most MOUNT_HURRY_S from then on; -1 =
 * none
 *
 * Falls back to mount_abort() at the deadline (0 is returned then too and @ret_aborted,
 * may be NULL, is set). Harmless when nothing is mounted. The log file stays.
 */
int mount_stop(struct mount *m, int64_t deadline_ns, int hurry_fd, bool *ret_aborted,
	       struct err *err);

/**
 * mount_abort() - free everybody who waits for the mount: abort the FUSE connection,
 * SIGKILL gcsfuse, detach. Never touches the mount path; done within 2 s.
 *
 * May be called in mid-fio; mount_stop() afterwards is harmless. The struct stays
 * readable until mount_done().
 */
int mount_abort(struct mount *m, struct err *err);

/** mount_done() - release memory; the mount must have been stopped or aborted. */
void mount_done(struct mount *m);

/**
 * mount_sweep() - abort and detach every gcsfuse mount at or below @folder, whoever made
 * it. Other file systems are left alone (the workspace may be one).
 *
 * @ret_count: how many there were; may be NULL
 */
int mount_sweep(const char *folder, unsigned *ret_count, struct err *err);

/** struct mount_args - gcsfuse's argv and what has to be on disk for it. */
struct mount_args {
	size_t n;
	char **argv;	   /* NULL-ended, owned */
	char *cache_dir;   /* rendered --cache-dir, or NULL; owned */
	char *temp_dir;	   /* rendered --temp-dir, or NULL; owned */
	char *config_path; /* where arm->config_file is to be written, or NULL; owned */
};

/**
 * mount_argv() - own flags first, the arm's last, then bucket and mount point. Pure.
 *
 * -EINVAL: the arm asks for grpc and the data store is an emulated endpoint.
 */
int mount_argv(const struct mount_spec *spec, struct mount_args *ret, struct err *err);
void mount_args_done(struct mount_args *a);

#endif
