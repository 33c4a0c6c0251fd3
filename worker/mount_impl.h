// SPDX-License-Identifier: Apache-2.0
// Shared by the mount*.c files alone.
#ifndef WORKER_MOUNT_IMPL_H
#define WORKER_MOUNT_IMPL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "worker/mount.h"

/** struct mount_entry - one gcsfuse mount of /proc/self/mountinfo. */
struct mount_entry {
	unsigned dev_major, dev_minor;
	char point[PATH_MAX];
};

/**
 * mount_table_read() - every gcsfuse mount at or below @folder, oldest first.
 *
 * @ret: malloc'd array, NULL when there is none
 */
int mount_table_read(const char *folder, struct mount_entry **ret, size_t *ret_n,
		     struct err *err);

/** mount_need_connections() - make the kernel's control files of FUSE visible, if we may.
 */
void mount_need_connections(void);

/** mount_connection_abort() - fail every request of a FUSE connection; never blocks. */
void mount_connection_abort(unsigned dev_minor);

/** mount_detach() - umount2(MNT_DETACH), fusermount3 -uz without root. */
int mount_detach(const char *point);

/** mount_unmount_once() - the polite unmount, by a child with a deadline; -EBUSY;
 * -ECANCELED when @cancel_fd (or -1) became readable. */
int mount_unmount_once(const char *point, int64_t deadline_ns, int cancel_fd);

/** mount_statfs() - 0 when statfs on @point answers before the deadline. */
int mount_statfs(const char *point, int64_t deadline_ns, int cancel_fd);

/** mount_wait_ready() - the second half of mount_start(); @inotify_fd watches the log. */
int mount_wait_ready(const struct mount_spec *spec, struct mount *m, int inotify_fd,
		     struct err *err);

/** mount_arg_value() - the last value the arm gives to flag @name, or NULL; owned. */
char *mount_arg_value(const struct arm *arm, const char *name);

/** mount_yaml_value() - the value of @key on a line of @text, or NULL; owned. */
char *mount_yaml_value(const char *text, const char *key);

#endif
