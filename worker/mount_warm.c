// SPDX-License-Identifier: Apache-2.0
// Metadata warm-up: every entry below a folder looked at once.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/proc.h"
#include "worker/mount.h"

/* Data folders are at most a few levels deep; a loop of links is not followed. */
enum { DEPTH_MAX = 64, DENTS_BYTES = 8192 };

struct warm_ret {
	uint64_t entries;
};

/* Runs in a forked child: system calls alone, no opendir(3). */
static int walk(int fd, unsigned depth, uint64_t *entries)
{
	char buf[DENTS_BYTES] __attribute__((aligned(8)));
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = getdents64(fd, buf, sizeof(buf))) != 0) {
		if (n < 0)
			return -errno;
		for (ssize_t at = 0; r == 0 && at < n;) {
			const struct dirent64 *de = (const void *)(buf + at);
			struct stat st;
			int sub;

			at += de->d_reclen;
			if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
				continue;
			if (fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
				return -errno;
			++*entries;
			if (!S_ISDIR(st.st_mode) || depth == DEPTH_MAX)
				continue;
			sub = openat(fd, de->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
			if (sub < 0)
				return -errno;
			r = walk(sub, depth + 1, entries);
			close(sub);
		}
	}
	return r;
}

static int child_warm(const void *arg, void *ret, size_t n)
{
	struct warm_ret *w = ret;
	int fd = open(arg, O_RDONLY | O_DIRECTORY), r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = n == sizeof(*w) ? walk(fd, 0, &w->entries) : -EINVAL;
	close(fd);
	return r;
}

int mount_warm(const struct mount *m, const char *dir, int64_t deadline_ns, int cancel_fd,
	       uint64_t *ret_entries, struct err *err)
{
	struct warm_ret w = {0};
	int r = proc_call_deadline(child_warm, dir, &w, sizeof(w), deadline_ns,
				   cancel_fd);

	(void)m;
	if (r < 0)
		return err_errno(err, r, "list %s", dir);
	if (ret_entries)
		*ret_entries = w.entries;
	return 0;
}
