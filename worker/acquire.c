// SPDX-License-Identifier: Apache-2.0
// Where a gcsfuse binary can come from.
#include "worker/acquire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "worker/files.h"
#include "worker/worker.h"

enum {
	BINARY_MAX_BYTES = 512 << 20,
	BINARY_TRANSFER_S = 600,
	BINARY_BUILD_S = 1800,
	CTIME_OLD_S = 2,
};

typedef int path_fn(char out[PATH_CAP], const struct run_ref *run, const char *key,
		    enum binary_file file, struct err *err);

/* The one cache folder this worker may write. */
static char *own_cache(struct worker *w)
{
	const char *dir = getenv("MUSTER_CACHE_DIR");

	return dir && dir[0] == '/' ? xstrdup(dir)
				    : xasprintf("%s/cache", w->id.workspace);
}

/* Open @path, hash it, and take it if it is what @want (NULL = anything) says. */
static int adopt(struct binary *b, const char *path, const char *want, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char sum[DIGEST_CAP];
	struct stat before;
	int r;

	if (fd < 0)
		return err_errno(err, -errno, "%s", path);
	if (fstat(fd, &before) < 0)
		return err_errno(err, -errno, "%s", path);
	if (!S_ISREG(before.st_mode))
		return err_set(err, -EBADMSG, "%s is no regular file", path);
	r = digest_fd(fd, sum, NULL, err);
	if (r < 0)
		return err_wrap(err, r, "%s", path);
	if (want && strcmp(sum, want) != 0)
		return err_set(err, -EBADMSG, "%s has sha256 %s, pinned is %s", path, sum,
			       want);
	if (fstat(fd, &b->seen) < 0 || !binary_stat_same(&before, &b->seen))
		return err_set(err, -EBADMSG, "%s changed while it was read", path);
	b->is_seen_old =
		clock_real_ns() / NS_PER_S - b->seen.st_ctim.tv_sec > CTIME_OLD_S;
	str_copy(b->sha256, sizeof(b->sha256), sum);
	b->fd = steal_fd(&fd);
	return 0;
}

/* A cache folder: gcsfuse.json says what gcsfuse has to be. */
static int from_folder(const char *cache, const struct arm *arm, struct binary *b,
		       struct err *err)
{
	cleanup_free char *json = xasprintf("%s/%s/gcsfuse.json", cache, arm->key);
	cleanup_free char *path = xasprintf("%s/%s/gcsfuse", cache, arm->key);
	cleanup_str struct str text = STR_INIT(GOBUILD_JSON_MAX_BYTES);
	struct gobuild_info info;
	int r;

	r = files_read(json, &text, err);
	if (r == 0)
		r = gobuild_info_parse(str_text(&text), text.len, &info, err);
	if (r < 0)
		return r;
	if (strcmp(info.key, arm->key) != 0)
		return err_set(err, -EBADMSG, "%s is of another key", json);
	if (arm->sha256 && strcmp(info.sha256, arm->sha256) != 0)
		return err_set(err, -EBADMSG, "%s: sha256 %s, pinned is %s", json,
			       info.sha256, arm->sha256);
	str_copy(b->version, sizeof(b->version), info.version);
	return adopt(b, path, info.sha256, err);
}

int acquire_local(struct worker *w, const struct arm *arm, struct binary *b,
		  struct err *err)
{
	cleanup_free char *own = own_cache(w);
	const char *const places[] = {own, "/var/cache/muster"};
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(places) && r < 0; i++) {
		err_clear(err);
		r = from_folder(places[i], arm, b, err);
		if (r < 0 && r != -ENOENT) {
			log_line(LOG_WARN, "cached gcsfuse not used: %s",
				 err ? err->text : "");
			r = -ENOENT;
		}
	}
	return r;
}

/* Put a file that was made elsewhere in the workspace into the cache, with its json. */
static int into_cache(struct worker *w, const char *made, const struct gobuild_info *info,
		      char **ret_path, struct err *err)
{
	cleanup_free char *own = own_cache(w);
	cleanup_free char *dir = xasprintf("%s/%s", own, info->key);
	cleanup_free char *path = xasprintf("%s/gcsfuse", dir);
	cleanup_free char *json = xasprintf("%s/gcsfuse.json", dir);
	cleanup_free char *temp = xasprintf("%s/gcsfuse.json.%d", dir, (int)getpid());
	cleanup_str struct str text = STR_INIT(GOBUILD_JSON_MAX_BYTES);
	int r;

	r = gobuild_info_dump(info, &text, err);
	if (r == 0)
		r = files_make_dirs(dir, err);
	if (r == 0)
		r = files_write(temp, str_text(&text), text.len, err);
	if (r < 0)
		return r;
	if (chmod(made, 0500) < 0 || rename(made, path) < 0 || rename(temp, json) < 0)
		return err_errno(err, -errno, "cache %s", dir);
	*ret_path = steal_ptr(path);
	return 0;
}

/* Into the cache, and adopted once more there: rename and chmod move its ctime. */
static int keep(struct worker *w, struct binary *b, const char *made,
		const struct gobuild_info *info, struct err *err)
{
	cleanup_free char *cached = NULL;
	int r;

	close(b->fd);
	b->fd = -1;
	r = into_cache(w, made, info, &cached, err);
	if (r == 0)
		r = adopt(b, cached, info->sha256, err);
	if (r == 0)
		str_copy(b->version, sizeof(b->version), info->version);
	return r;
}

/* Where a binary is made or loaded before it is trusted: beside the cache, so that
 * rename() works. */
static int make_nest(struct worker *w, const char *key, char **ret, struct err *err)
{
	cleanup_free char *own = own_cache(w);

	*ret = xasprintf("%s/new-%s-%d", own, key, (int)getpid());
	return files_make_dirs(*ret, err);
}

static int read_info(struct worker *w, const struct arm *arm, path_fn *path,
		     struct gobuild_info *ret, struct err *err)
{
	cleanup_str struct str text = STR_INIT(GOBUILD_JSON_MAX_BYTES);
	struct obj_meta meta;
	char name[PATH_CAP];
	int r;

	r = path(name, &w->id.run, arm->key, BINARY_JSON, err);
	if (r == 0)
		r = w->ctl->ops->get(w->ctl, name, GOBUILD_JSON_MAX_BYTES, &text, &meta,
				     err);
	if (r == 0)
		r = gobuild_info_parse(str_text(&text), text.len, ret, err);
	if (r == 0 && strcmp(ret->key, arm->key) != 0)
		r = err_set(err, -EBADMSG, "gs://%s/%s is of another key",
			    w->id.run.bucket, name);
	if (r == 0 && arm->sha256 && strcmp(ret->sha256, arm->sha256) != 0)
		r = err_set(err, -EBADMSG, "gs://%s/%s: sha256 %s, pinned is %s",
			    w->id.run.bucket, name, ret->sha256, arm->sha256);
	return r;
}

static int load(struct worker *w, const char *name, const char *path, struct err *err)
{
	cleanup_close int fd =
		open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0700);
	struct obj_meta meta;

	if (fd < 0)
		return err_errno(err, -errno, "%s", path);
	return w->ctl->ops->get_file(w->ctl, name, BINARY_MAX_BYTES, fd, &meta, err);
}

static int from_store(struct worker *w, const struct arm *arm, struct binary *b,
		      path_fn *path, struct err *err)
{
	cleanup_free char *nest = NULL;
	cleanup_free char *made = NULL;
	struct gobuild_info info;
	char name[PATH_CAP];
	int r;

	worker_deadline(w, w->ctl, BINARY_TRANSFER_S);
	r = read_info(w, arm, path, &info, err);
	if (r == 0)
		r = path(name, &w->id.run, arm->key, BINARY_GCSFUSE, err);
	if (r == 0)
		r = make_nest(w, arm->key, &nest, err);
	if (r < 0)
		return r;
	made = xasprintf("%s/gcsfuse", nest);
	r = load(w, name, made, err);
	if (r == 0)
		r = adopt(b, made, info.sha256, err);
	if (r == 0)
		r = keep(w, b, made, &info, err);
	files_remove_tree(nest, NULL);
	return r;
}

int acquire_cache(struct worker *w, const struct arm *arm, struct binary *b,
		  struct err *err)
{
	return from_store(w, arm, b, path_cache, err);
}

int acquire_run(struct worker *w, const struct arm *arm, struct binary *b,
		struct err *err)
{
	return from_store(w, arm, b, path_binary, err);
}

static int describe(const struct arm *arm, const struct binary *b,
		    struct gobuild_info *ret)
{
	*ret = (struct gobuild_info){.bytes = (uint64_t)b->seen.st_size};
	str_copy(ret->key, sizeof(ret->key), arm->key);
	str_copy(ret->sha256, sizeof(ret->sha256), b->sha256);
	str_copy(ret->module, sizeof(ret->module), arm->module ? arm->module : "");
	str_copy(ret->version, sizeof(ret->version), arm->version ? arm->version : "");
	str_copy(ret->go, sizeof(ret->go), arm->go ? arm->go : "");
	str_copy(ret->recipe, sizeof(ret->recipe), GOBUILD_RECIPE);
	str_copy(ret->os, sizeof(ret->os), "linux");
	str_copy(ret->arch, sizeof(ret->arch), gobuild_arch());
	return 0;
}

int acquire_build(struct worker *w, const struct arm *arm, struct binary *b,
		  struct err *err)
{
	cleanup_free char *nest = NULL;
	cleanup_free char *made = NULL;
	struct gobuild_spec spec = {.module = arm->module,
				    .version = arm->version,
				    .go = arm->go,
				    .deadline_ns = clock_mono_ns() +
						   (int64_t)BINARY_BUILD_S * NS_PER_S,
				    .cancel_fd = w->stop.any_fd};
	struct gobuild_info info;
	int r;

	if (!arm->module || !arm->version || !arm->go)
		return err_set(err, -ENOENT, "nothing says how to build it");
	r = make_nest(w, arm->key, &nest, err);
	if (r < 0)
		return r;
	worker_say("building gcsfuse %s with %s", arm->version, arm->go);
	spec.dir = nest;
	r = gobuild_run(&spec, &made, err);
	if (r == 0)
		r = adopt(b, made, arm->sha256, err);
	if (r == 0) {
		describe(arm, b, &info);
		r = keep(w, b, made, &info, err);
	}
	files_remove_tree(nest, NULL);
	return r;
}

/* Create one object; that it is there already is as good. */
static int create(struct worker *w, path_fn *path, const struct arm *arm,
		  enum binary_file file, struct put_req *req, struct err *err)
{
	struct obj_meta meta;
	char name[PATH_CAP];
	int r;

	req->precondition = PUT_CREATE;
	r = path(name, &w->id.run, arm->key, file, err);
	if (r == 0)
		r = w->ctl->ops->put(w->ctl, name, req, &meta, err);
	if (r == -EEXIST) {
		err_clear(err);
		return 0;
	}
	return r;
}

int acquire_publish(struct worker *w, const struct arm *arm, const struct binary *b,
		    struct err *err)
{
	cleanup_str struct str text = STR_INIT(GOBUILD_JSON_MAX_BYTES);
	struct put_req file = {.fd = b->fd, .file_bytes = (uint64_t)b->seen.st_size};
	struct put_req json = {.content_type = "application/json"};
	struct gobuild_info info;
	int r;

	worker_deadline(w, w->ctl, BINARY_TRANSFER_S);
	if (read_info(w, arm, path_cache, &info, NULL) == 0 ||
	    read_info(w, arm, path_binary, &info, NULL) == 0)
		return 0;
	describe(arm, b, &info);
	r = gobuild_info_dump(&info, &text, err);
	json.data = str_text(&text);
	json.n = text.len;
	if (r == 0)
		r = create(w, path_binary, arm, BINARY_GCSFUSE, &file, err);
	if (r == 0)
		r = create(w, path_binary, arm, BINARY_JSON, &json, err);
	return r;
}
