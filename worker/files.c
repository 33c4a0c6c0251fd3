// SPDX-License-Identifier: Apache-2.0
// Small files and folders of the workspace.
#include "worker/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FILES_DEPTH_MAX = 64 };

int files_make_dirs(const char *path, struct err *err)
{
	cleanup_free char *copy = xstrdup(path);

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return err_errno(err, -errno, "mkdir %s", copy);
		*p = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "mkdir %s", path);
	return 0;
}

/* One way through a tree: remove what is in it, or count it. */
struct walk {
	dev_t dev;
	bool is_removing;
	struct files_count count;
};

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int walk_dir(struct walk *w, int parent_fd, const char *name, int depth);

static int walk_entry(struct walk *w, int dir_fd, const char *name, int depth)
{
	struct stat st;
	int r;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode)) {
		if (st.st_dev != w->dev)
			return w->is_removing ? -EBUSY : 0;
		r = walk_dir(w, dir_fd, name, depth + 1);
		if (r < 0 || !w->is_removing)
			return r;
		return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
	}
	if (w->is_removing)
		return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
	if (S_ISREG(st.st_mode)) {
		w->count.files++;
		w->count.bytes += (uint64_t)st.st_size;
	}
	return 0;
}

static int walk_dir(struct walk *w, int parent_fd, const char *name, int depth)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d cleanup(close_dir) = NULL;
	const struct dirent *e;
	int r = 0;

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	if (depth > FILES_DEPTH_MAX)
		return -ELOOP;
	while (r == 0 && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = walk_entry(w, dirfd(d), e->d_name, depth);
	return r;
}

static int walk_start(const char *path, struct walk *w)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	w->dev = st.st_dev;
	return walk_dir(w, AT_FDCWD, path, 0);
}

int files_remove_tree(const char *path, struct err *err)
{
	struct walk w = {.is_removing = true};
	int r = walk_start(path, &w);

	if (r == 0 && rmdir(path) < 0)
		r = -errno;
	if (r < 0 && r != -ENOENT)
		return err_errno(err, r, "remove %s", path);
	return 0;
}

int files_count(const char *path, struct files_count *ret, struct err *err)
{
	struct walk w = {0};
	int r = walk_start(path, &w);

	if (r < 0 && r != -ENOENT)
		return err_errno(err, r, "count %s", path);
	*ret = w.count;
	return 0;
}

int files_read(const char *path, struct str *ret, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_free char *block = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "%s", path);
	if ((uint64_t)st.st_size > ret->max)
		return err_set(err, -EFBIG, "%s has %lld bytes, more than %zu", path,
			       (long long)st.st_size, ret->max);
	block = xcalloc(1, 64 << 10);
	while ((n = read(fd, block, 64 << 10)) > 0)
		str_addn(ret, block, (size_t)n);
	if (n < 0)
		return err_errno(err, -errno, "%s", path);
	return str_check(ret, path, err);
}

int files_write(const char *path, const void *data, size_t n, struct err *err)
{
	cleanup_close int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	const char *p = data;

	if (fd < 0)
		return err_errno(err, -errno, "%s", path);
	while (n > 0) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(err, -errno, "%s", path);
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

int files_free_bytes(const char *path, uint64_t *ret, struct err *err)
{
	struct statvfs v;

	if (statvfs(path, &v) < 0)
		return err_errno(err, -errno, "statvfs %s", path);
	*ret = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}
