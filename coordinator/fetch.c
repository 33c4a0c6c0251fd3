// SPDX-License-Identifier: Apache-2.0
// Bringing a run's objects into collect's folder.
#include "coordinator/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "coordinator/cmd.h"

/* results are read by their size; past this an object is not one of ours (contract §7.4)
 */
enum { FETCH_OBJECT_MAX_BYTES = 256 << 20 };

void run_objects_done(struct run_objects *objects)
{
	for (size_t i = 0; i < objects->n; i++)
		free(objects->v[i].name);
	for (size_t i = 0; i < objects->n_strange && i < FETCH_STRANGE_MAX; i++)
		free(objects->strange[i]);
	free(objects->v);
	free(objects->strange);
	*objects = (struct run_objects){0};
}

struct listing {
	struct run *run;
	struct run_objects *objects;
};

static void add_strange(struct run_objects *objects, const char *name)
{
	if (!objects->strange)
		objects->strange = xcalloc(FETCH_STRANGE_MAX, sizeof(char *));
	if (objects->n_strange < FETCH_STRANGE_MAX)
		objects->strange[objects->n_strange] = xstrdup(name);
	objects->n_strange++;
}

static int on_object(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct listing *listing = arg;
	struct run_objects *objects = listing->objects;
	struct run_object *object;
	struct path_parts parts;

	if (cmd_interrupted())
		return err_set(err, -EINTR, "interrupted");
	path_parse(&listing->run->ref, meta->name, &parts);
	if (parts.kind == PATH_KIND_NONE) {
		add_strange(objects, meta->name);
		return 0;
	}
	if (objects->n == objects->cap) {
		objects->cap = objects->cap ? objects->cap * 2 : 256;
		objects->v = xrealloc(objects->v, objects->cap, sizeof(*object));
	}
	object = &objects->v[objects->n++];
	*object = (struct run_object){
		.name = xstrdup(meta->name),
		.parts = parts,
		.size_bytes = meta->size_bytes,
		.generation = meta->generation,
		.updated_ns = meta->updated_ns,
	};
	object->parts.relative = object->name + (parts.relative - meta->name);
	return 0;
}

int fetch_list(struct run *run, struct run_objects *ret, struct err *err)
{
	struct listing listing = {.run = run, .objects = ret};
	char prefix[PATH_CAP];
	struct list_req req = {.prefix = prefix, .on_object = on_object, .arg = &listing};
	int64_t date_ns = 0;
	int r = path_dir(prefix, &run->ref, PATH_RUN, err);

	*ret = (struct run_objects){0};
	if (r == 0)
		r = run->store->ops->list(run->store, &req, &date_ns, err);
	if (r < 0)
		run_objects_done(ret);
	return r;
}

bool fetch_path(const struct run_object *object, char out[PATH_CAP])
{
	const char *relative = object->parts.relative;

	if (object->parts.kind == PATH_KIND_BINARY ||
	    object->parts.kind == PATH_KIND_REPORT)
		return false;
	if (str_starts(relative, "results/"))
		snprintf(out, PATH_CAP, "raw/%s", relative + strlen("results/"));
	else
		snprintf(out, PATH_CAP, "%s", relative);
	return true;
}

/* Make the folders above out_dir/@path. */
static int make_parents(const char *full, struct err *err)
{
	cleanup_free char *copy = xstrdup(full);

	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_errno(err, -errno, "cannot make the folder %s", copy);
		*p = '/';
	}
	return 0;
}

/* Open out_dir/@path's temporary neighbour for writing; @ret_full is the final path. */
static int open_target(const struct fetch *fetch, const char *path, char **ret_full,
		       char **ret_tmp, struct err *err)
{
	cleanup_free char *full = xasprintf("%s/%s", fetch->out_dir, path);
	cleanup_free char *tmp = xasprintf("%s.partial", full);
	int r = make_parents(full, err);
	int fd;

	if (r < 0)
		return r;
	fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, -errno, "cannot write %s", tmp);
	*ret_full = steal_ptr(full);
	*ret_tmp = steal_ptr(tmp);
	return fd;
}

static int keep_target(struct fetch *fetch, int fd, const char *path, const char *full,
		       const char *tmp, int64_t mtime_ns, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || rename(tmp, full) < 0)
		return err_errno(err, -errno, "cannot write %s", full);
	fetch->n_objects++;
	fetch->n_bytes += (uint64_t)st.st_size;
	if (!fetch->archive)
		return 0;
	return archive_add_fd(fetch->archive, path, fd, (uint64_t)st.st_size, mtime_ns,
			      err);
}

int fetch_object(struct fetch *fetch, const struct run_object *object, struct err *err)
{
	struct store *store = fetch->run->store;
	cleanup_free char *full = NULL;
	cleanup_free char *tmp = NULL;
	cleanup_close int fd = -1;
	struct obj_meta meta = {0};
	char path[PATH_CAP];
	int r;

	if (!fetch_path(object, path))
		return 0;
	fd = open_target(fetch, path, &full, &tmp, err);
	if (fd < 0)
		return fd;
	r = store->ops->get_file(store, object->name, FETCH_OBJECT_MAX_BYTES, fd, &meta,
				 err);
	if (r == 0)
		r = keep_target(fetch, fd, path, full, tmp, object->updated_ns, err);
	if (r < 0)
		unlink(tmp);
	return r;
}

int fetch_read(const struct fetch *fetch, const struct run_object *object,
	       size_t max_bytes, struct str *ret, struct err *err)
{
	cleanup_free char *full = NULL;
	cleanup_close int fd = -1;
	char path[PATH_CAP], chunk[16384];
	ssize_t got;

	if (!fetch_path(object, path))
		return err_set(err, -ENOENT, "%s is not collected", object->name);
	full = xasprintf("%s/%s", fetch->out_dir, path);
	fd = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, -errno, "cannot read %s", full);
	while ((got = read(fd, chunk, sizeof(chunk))) > 0 && ret->len <= max_bytes)
		str_addn(ret, chunk, (size_t)got);
	if (got < 0)
		return err_errno(err, -errno, "cannot read %s", full);
	if (ret->len > max_bytes)
		return err_set(err, -EFBIG, "%s: larger than %zu bytes", path, max_bytes);
	return str_check(ret, path, err);
}

static int write_all(int fd, const struct str *text)
{
	for (size_t at = 0; at < text->len;) {
		ssize_t n = write(fd, text->s + at, text->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return 0;
}

int fetch_write(struct fetch *fetch, const char *name, const struct str *text,
		struct err *err)
{
	cleanup_free char *full = NULL;
	cleanup_free char *tmp = NULL;
	cleanup_close int fd = -1;
	int r = str_check(text, name, err);

	if (r < 0)
		return r;
	fd = open_target(fetch, name, &full, &tmp, err);
	if (fd < 0)
		return fd;
	r = write_all(fd, text);
	if (r < 0)
		err_errno(err, r, "cannot write %s", full);
	else
		r = keep_target(fetch, fd, name, full, tmp, clock_real_ns(), err);
	if (r < 0)
		unlink(tmp);
	return r;
}
