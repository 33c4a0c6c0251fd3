// SPDX-License-Identifier: Apache-2.0
// A streaming tar.zst writer; the only file that includes archive.h.
#include "core/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/str.h"

enum { ARCHIVE_CHUNK_BYTES = 64 << 10 };

struct archive_out {
	struct archive *a;
};

static int archive_fail(struct archive_out *out, const char *what, struct err *err)
{
	const char *why = archive_error_string(out->a);
	int code = archive_errno(out->a);

	return err_set(err, code > 0 ? -code : -EIO, "%s: %s", what,
		       why ? why : "failed");
}

int archive_create(const char *path, struct archive_out **ret, struct err *err)
{
	struct archive_out *out = xcalloc(1, sizeof(*out));
	int r = 0;

	out->a = archive_write_new();
	if (!out->a || archive_write_set_format_pax_restricted(out->a) != ARCHIVE_OK ||
	    archive_write_add_filter_zstd(out->a) != ARCHIVE_OK)
		r = err_set(err, -ENOTSUP, "libarchive cannot write tar.zst here");
	else if (archive_write_open_filename(out->a, path) != ARCHIVE_OK)
		r = archive_fail(out, path, err);
	if (r < 0) {
		archive_drop(out);
		return r;
	}
	*ret = out;
	return 0;
}

static int archive_copy_data(struct archive_out *out, const char *name, int fd,
			     uint64_t n, struct err *err)
{
	cleanup_free char *chunk = xcalloc(1, ARCHIVE_CHUNK_BYTES);

	for (uint64_t at = 0; at < n;) {
		uint64_t left = n - at;
		ssize_t got =
			pread(fd, chunk,
			      left < ARCHIVE_CHUNK_BYTES ? left : ARCHIVE_CHUNK_BYTES,
			      (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_set(err, -EIO, "%s: shorter than it was", name);
		if (archive_write_data(out->a, chunk, (size_t)got) < 0)
			return archive_fail(out, name, err);
		at += (uint64_t)got;
	}
	return 0;
}

int archive_add_fd(struct archive_out *out, const char *name, int fd, uint64_t n,
		   int64_t mtime_real_ns, struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!entry)
		return err_set(err, -ENOMEM, "%s: out of memory", name);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, (int64_t)n);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_mtime(entry, (time_t)(mtime_real_ns / NS_PER_S), 0);
	r = archive_write_header(out->a, entry) == ARCHIVE_OK
		    ? 0
		    : archive_fail(out, name, err);
	archive_entry_free(entry);
	return r < 0 ? r : archive_copy_data(out, name, fd, n, err);
}

int archive_finish(struct archive_out *out, struct err *err)
{
	int r = archive_write_close(out->a) == ARCHIVE_OK
			? 0
			: archive_fail(out, "finishing the archive", err);

	archive_drop(out);
	return r;
}

void archive_drop(struct archive_out *out)
{
	if (!out)
		return;
	/* free closes too; its complaint about an unfinished archive is expected here */
	if (out->a)
		archive_write_free(out->a);
	free(out);
}
