// SPDX-License-Identifier: Apache-2.0
// Small files and folders of the workspace.
#ifndef WORKER_FILES_H
#define WORKER_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

/** files_make_dirs() - @path and every folder above it, mode 0700. */
int files_make_dirs(const char *path, struct err *err);

/** files_remove_tree() - the folder and everything in it; absent is fine. Other mounts
 * and what links point to are left alone. */
int files_remove_tree(const char *path, struct err *err);

/** files_read() - the whole file, at most ret->max bytes (-EFBIG); -ENOENT. */
int files_read(const char *path, struct str *ret, struct err *err);

/** files_write() - make or replace a small file, mode 0600. */
int files_write(const char *path, const void *data, size_t n, struct err *err);

/** struct files_count - regular files below a folder. */
struct files_count {
	uint64_t files, bytes;
};

/** files_count() - count them; an absent folder has none. */
int files_count(const char *path, struct files_count *ret, struct err *err);

/** files_free_bytes() - what the file system of @path has left for us. */
int files_free_bytes(const char *path, uint64_t *ret, struct err *err);

#endif
