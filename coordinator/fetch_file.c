// SPDX-License-Identifier: Apache-2.0
// Collect's own files: whole or not at all; and the archive of all.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/fetch.h"

int fetch_make_dirs(const char *path, struct err *err)
{
	cleanup_free char *copy = xstrdup(path);
	char *slash = strrchr(copy, '/');
	int r;

	if (!*copy)
		return err_set(err, -EINVAL, "a folder's name is empty");
	if (!slash || slash == copy)
		return 0;
	*slash = '\0';
	/* the lowest first: those above it are mostly there */
	if (mkdir(copy, 0755) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_errno(err, -errno, "cannot make the folder %s", copy);
	r = fetch_make_dirs(copy, err);
	if (r == 0 && mkdir(copy, 0755) < 0 && errno != EEXIST)
		r = err_errno(err, -errno, "cannot make the folder %s", copy);
	return r;
}

int fetch_file_open(const struct fetch *fetch, const char *name, struct fetch_file *ret,
		    struct err *err)
{
	struct fetch_file file = {.full = xasprintf("%s/%s", fetch->out_dir, name)};
	int r = fetch_make_dirs(file.full, err), fd;

	if (r < 0) {
		fetch_file_drop(&file);
		return r;
	}
	file.tmp = xasprintf("%s.partial", file.full);
	fd = open(file.tmp, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	file.f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file.f) {
		r = err_errno(err, -errno, "cannot write %s", file.tmp);
		if (fd >= 0)
			close(fd);
		fetch_file_drop(&file);
		return r;
	}
	*ret = file;
	return 0;
}

int fetch_file_keep(struct fetch_file *file, struct err *err)
{
	FILE *f = steal_ptr(file->f);
	bool is_written = ferror(f) == 0 && fflush(f) == 0;
	int r = is_written ? 0 : errno ? -errno : -EIO;

	if (fclose(f) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(file->tmp, file->full) < 0)
		r = -errno;
	if (r < 0)
		return err_errno(err, r, "cannot write %s", file->full);
	free(file->tmp);
	file->tmp = NULL;
	return 0;
}

void fetch_file_drop(struct fetch_file *file)
{
	if (file->f)
		fclose(file->f);
	if (file->tmp)
		unlink(file->tmp);
	free(file->tmp);
	free(file->full);
	*file = (struct fetch_file){0};
}

int fetch_write(const struct fetch *fetch, const char *name, const struct str *text,
		struct err *err)
{
	cleanup_fetch_file struct fetch_file file = {0};
	int r = str_check(text, name, err);

	if (r == 0)
		r = fetch_file_open(fetch, name, &file, err);
	if (r < 0)
		return r;
	fwrite(str_text(text), 1, text->len, file.f);
	return fetch_file_keep(&file, err);
}

static int archive_one(struct archive_out *out, const struct fetch *fetch,
		       const char *path, int64_t mtime_ns, struct err *err)
{
	cleanup_free char *full = xasprintf("%s/%s", fetch->out_dir, path);
	cleanup_close int fd = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st = {0};

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "cannot read %s", full);
	return archive_add_fd(out, path, fd, (uint64_t)st.st_size, mtime_ns, err);
}

/* Times are the bucket's, so that the same run gives the same archive. */
static int archive_all(struct archive_out *out, const struct fetch *fetch,
		       const struct run_objects *objects, const char *const *own,
		       struct err *err)
{
	int64_t newest_ns = 0;
	char path[PATH_CAP];
	int r = 0;

	for (size_t i = 0; i < objects->n && r == 0; i++) {
		const struct run_object *object = &objects->v[i];

		if (!object->is_here || !fetch_path(object, path))
			continue;
		if (object->updated_ns > newest_ns)
			newest_ns = object->updated_ns;
		r = archive_one(out, fetch, path, object->updated_ns, err);
	}
	for (; *own && r == 0; own++)
		r = archive_one(out, fetch, *own, newest_ns, err);
	return r;
}

int fetch_archive(const struct fetch *fetch, const struct run_objects *objects,
		  const char *const *own, const char *path, struct err *err)
{
	cleanup_free char *tmp = xasprintf("%s.partial", path);
	struct archive_out *out = NULL;
	int r = archive_create(tmp, &out, err);

	if (r < 0)
		return r;
	r = archive_all(out, fetch, objects, own, err);
	if (r == 0)
		r = archive_finish(out, err);
	else
		archive_drop(out);
	if (r == 0 && rename(tmp, path) < 0)
		r = err_errno(err, -errno, "cannot be put in place");
	if (r == 0)
		return 0;
	unlink(tmp);
	return err_wrap(err, r, "%s", path);
}
