// SPDX-License-Identifier: Apache-2.0
// A streaming tar.zst writer over libarchive.
#ifndef CORE_ARCHIVE_H
#define CORE_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct archive_out;

/**
 * archive_create() - begin @path (created or replaced), pax tar compressed by zstd.
 *
 * Members are written as they are added; nothing is kept in memory. The file is complete
 * only after archive_finish() returned 0.
 */
int archive_create(const char *path, struct archive_out **ret, struct err *err);

/** archive_add_fd() - a member of @n bytes read by pread from @fd; mode 0644. */
int archive_add_fd(struct archive_out *out, const char *name, int fd, uint64_t n,
		   int64_t mtime_real_ns, struct err *err);

/** archive_finish() - write the end and close; frees @out in any case. */
int archive_finish(struct archive_out *out, struct err *err);

/** archive_drop() - close without an end; the caller removes the file. NULL is fine. */
void archive_drop(struct archive_out *out);

#endif
