// SPDX-License-Identifier: Apache-2.0
// Bringing a run's objects into collect's folder.
#include "coordinator/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/cmd.h"
#include "coordinator/pool.h"
#include "core/crc32c.h"

/* results are read by their size; past this an object is not one of ours (contract §7.4)
 */
enum { FETCH_OBJECT_MAX_BYTES = 256 << 20 };

void run_objects_done(struct run_objects *objects)
{
	for (size_t i = 0; i < objects->n; i++) {
		free(objects->v[i].relative);
		free(objects->v[i].problem);
	}
	for (size_t i = 0; i < objects->n_strange && i < FETCH_STRANGE_MAX; i++)
		free(objects->strange[i]);
	free(objects->v);
	free(objects->strange);
	*objects = (struct run_objects){0};
}

int run_object_name(const struct run *run, const struct run_object *object,
		    char out[PATH_CAP], struct err *err)
{
	char dir[PATH_CAP];
	int r = path_dir(dir, &run->ref, PATH_RUN, err);

	if (r == 0 && snprintf(out, PATH_CAP, "%s%s", dir, object->relative) >= PATH_CAP)
		r = err_set(err, -ENAMETOOLONG, "%s: name too long", object->relative);
	return r;
}

void run_object_parts(const struct run *run, const struct run_object *object,
		      struct path_parts *ret)
{
	char name[PATH_CAP];

	*ret = (struct path_parts){.kind = PATH_KIND_NONE};
	if (run_object_name(run, object, name, NULL) == 0)
		path_parse(&run->ref, name, ret);
	ret->relative = NULL;
}

bool fetch_path(const struct run_object *object, char out[PATH_CAP])
{
	if (object->kind == PATH_KIND_BINARY || object->kind == PATH_KIND_REPORT ||
	    object->kind == PATH_KIND_ARRIVAL)
		return false;
	if (str_starts(object->relative, "results/"))
		snprintf(out, PATH_CAP, "raw/%s", object->relative + strlen("results/"));
	else
		snprintf(out, PATH_CAP, "%s", object->relative);
	return true;
}

/* Is @full the object already? Bytes decide, not times. @text (or NULL) gets them. */
static bool is_same(const char *full, const struct run_object *object, struct str *text)
{
	cleanup_close int fd = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st = {0};
	uint32_t crc32c = 0;
	char chunk[16384];
	ssize_t got;

	if (fd < 0 || !object->has_crc32c || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != object->size_bytes)
		return false;
	while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
		crc32c = crc32c_update(crc32c, chunk, (size_t)got);
		if (text)
			str_addn(text, chunk, (size_t)got);
	}
	return got == 0 && crc32c == object->crc32c && (!text || !text->failed);
}

/* Errors that concern one object and not the store or the folder. */
static bool is_own_problem(int r)
{
	return r == -ENOENT || r == -EFBIG || r == -EBADMSG || r == -EINVAL;
}

/* The folders are there but for the first file in them. */
static int open_partial(const char *tmp, struct err *err)
{
	enum { FLAGS = O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC };
	int fd = open(tmp, FLAGS, 0644), r;

	if (fd < 0 && errno == ENOENT) {
		r = fetch_make_dirs(tmp, err);
		if (r < 0)
			return r;
		fd = open(tmp, FLAGS, 0644);
	}
	return fd < 0 ? err_errno(err, -errno, "cannot write %s", tmp) : fd;
}

static int write_text(int fd, const char *full, const struct str *text, struct err *err)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t put = write(fd, text->s + done, text->len - done);

		if (put < 0 && errno != EINTR)
			return err_errno(err, -errno, "cannot write %s", full);
		done += put > 0 ? (size_t)put : 0;
	}
	return 0;
}

/* Into @fd (of @full), and @text if it is not NULL. */
static int get_object(struct store *store, const char *name, int fd, const char *full,
		      struct str *text, struct err *err)
{
	struct obj_meta meta = {0};
	int r;

	if (text) {
		r = store->ops->get(store, name, FETCH_TEXT_MAX_BYTES, text, &meta, err);
		if (r != -EFBIG)
			return r < 0 ? r : write_text(fd, full, text, err);
		/* larger than when it was listed */
		text->failed = true;
	}
	return store->ops->get_file(store, name, FETCH_OBJECT_MAX_BYTES, fd, &meta, err);
}

static int download(struct store *store, const char *name, struct run_object *object,
		    const char *full, struct str *text, struct err *err)
{
	cleanup_free char *tmp = xasprintf("%s.partial", full);
	cleanup_close int fd = open_partial(tmp, err);
	struct err why = {0};
	int r;

	if (fd < 0)
		return fd;
	r = get_object(store, name, fd, full, text, &why);
	if (r == 0 && rename(tmp, full) == 0) {
		object->is_here = true;
		return 0;
	}
	if (r == 0)
		r = err_errno(&why, -errno, "cannot write %s", full);
	else if (is_own_problem(r))
		object->problem = xstrdup(why.text);
	object->is_gone = r == -ENOENT && object->problem;
	unlink(tmp);
	return object->problem ? 0 : err_set(err, r, "%s", why.text);
}

/*
 * Download with @store, verify, put in place by rename; or take the local file as it is.
 * Sets is_here, or the problem when this one object cannot be had: that is no error.
 */
static int fetch_object(const struct fetch *fetch, struct store *store,
			struct run_object *object, struct str *text, struct err *err)
{
	cleanup_free char *full = NULL;
	char path[PATH_CAP], name[PATH_CAP];
	int r;

	if (!fetch_path(object, path))
		return 0;
	full = xasprintf("%s/%s", fetch->out_dir, path);
	if (!fetch->is_new && is_same(full, object, text)) {
		object->is_here = true;
		return 0;
	}
	if (text)
		str_reset(text);
	r = run_object_name(fetch->run, object, name, err);
	return r < 0 ? r : download(store, name, object, full, text, err);
}

static bool is_told(const struct fetch *fetch, const struct run_object *object)
{
	return fetch->on_text && object->size_bytes <= FETCH_TEXT_MAX_BYTES &&
	       (object->is_record || object->kind == PATH_KIND_JOB);
}

struct fetch_job {
	const struct fetch *fetch;
	struct run_objects *objects;
	bool is_shown;
	_Atomic size_t done;
};

static int fetch_one(struct store *store, size_t index, void *arg, struct err *err)
{
	enum { SHOW_EVERY = 50 };
	struct fetch_job *job = arg;
	struct run_object *object = &job->objects->v[index];
	cleanup_str struct str text = STR_INIT(FETCH_TEXT_MAX_BYTES);
	bool tells = is_told(job->fetch, object);
	int r = fetch_object(job->fetch, store, object, tells ? &text : NULL, err);
	size_t done = ++job->done;

	if (tells && object->is_here && !text.failed) {
		object->is_told = true;
		job->fetch->on_text(index, &text, job->fetch->arg);
	}

	if (job->is_shown && (done % SHOW_EVERY == 0 || done == job->objects->n))
		fprintf(stderr, "\rfetched %zu of %zu\033[K%s", done, job->objects->n,
			done == job->objects->n ? "\r\033[K" : "");
	return r;
}

int fetch_all(const struct fetch *fetch, struct run_objects *objects,
	      struct err *ret_stopped, struct err *err)
{
	struct fetch_job job = {.fetch = fetch,
				.objects = objects,
				.is_shown = isatty(STDERR_FILENO) == 1};
	struct err why = {0};
	int r = pool_run(fetch->run, objects->n, fetch_one, &job, &why);

	if (job.is_shown && r < 0)
		fprintf(stderr, "\r\033[K");
	if (r == -EAGAIN || r == -ECANCELED) {
		*ret_stopped = why;
		return 0;
	}
	return r < 0 ? err_set(err, r, "%s", why.text) : 0;
}

int fetch_read(const struct fetch *fetch, const struct run_object *object,
	       size_t max_bytes, struct str *ret, struct err *err)
{
	cleanup_free char *full = NULL;
	cleanup_close int fd = -1;
	char path[PATH_CAP], chunk[16384];
	ssize_t got;

	if (!fetch_path(object, path))
		return err_set(err, -ENOENT, "%s is not collected", object->relative);
	full = xasprintf("%s/%s", fetch->out_dir, path);
	fd = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, -errno, "cannot read %s", full);
	while ((got = read(fd, chunk, sizeof(chunk))) > 0 && !ret->failed)
		str_addn(ret, chunk, (size_t)got);
	if (got < 0)
		return err_errno(err, -errno, "cannot read %s", full);
	if (ret->failed || ret->len > max_bytes)
		return err_set(err, -EFBIG, "%s: larger than %zu bytes", path, max_bytes);
	return 0;
}
