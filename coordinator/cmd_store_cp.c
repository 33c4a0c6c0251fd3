// SPDX-License-Identifier: Apache-2.0
// muster store cp: a file into the bucket, or an object into a file.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "coordinator/cmd_store.h"

static const uint64_t cp_max_bytes = 1ULL << 42; /* an object has at most 5 TiB */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int open_file(const char *path, uint64_t *ret_bytes, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s: not a regular file", path);
	*ret_bytes = (uint64_t)st.st_size;
	return steal_fd(&fd);
}

static int upload(const struct store_cmd *cmd, const char *path, const char *to)
{
	cleanup_store struct store *store = NULL;
	cleanup_str struct str name = STR_INIT(STORE_NAME_CAP - 1);
	struct put_req req = {.is_resumable = cmd->is_resumable};
	struct obj_meta meta = {0};
	struct store_url url;
	struct err err = {0};
	cleanup_close int fd = open_file(path, &req.file_bytes, &err);
	int exit_code = 0;

	if (fd < 0)
		return store_exit(&err);
	if (store_open_url(to, &url, &store, &exit_code) < 0)
		return exit_code;
	str_add(&name, url.name);
	if (!url.name[0] || str_ends(url.name, "/"))
		str_add(&name, base_name(path));
	if (str_check(&name, "the object's name", &err) < 0)
		return store_exit(&err);
	str_copy(url.name, sizeof(url.name), str_text(&name));
	req.fd = fd;
	store_condition(cmd, &req);
	if (store->ops->put(store, url.name, &req, &meta, &err) < 0)
		return store_exit(&err);
	return store_print_written(cmd, &url, &meta);
}

/* The file appears whole and verified, or not at all. */
static int fetch_file(struct store *store, const char *name, const char *path,
		      struct obj_meta *meta, struct err *err)
{
	cleanup_free char *part = xasprintf("%s.part-XXXXXX", path);
	cleanup_close int fd = mkostemp(part, O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_errno(err, -errno, "%s", path);
	r = store->ops->get_file(store, name, cp_max_bytes, fd, meta, err);
	if (r == 0 && rename(part, path) < 0)
		r = err_errno(err, -errno, "%s", path);
	if (r < 0)
		unlink(part);
	return r;
}

static int download(const struct store_cmd *cmd, const char *from, const char *to)
{
	cleanup_store struct store *store = NULL;
	cleanup_free char *path = NULL;
	struct obj_meta meta = {0};
	struct store_url url;
	struct err err = {0};
	struct stat st;
	int exit_code = 0;

	if (cmd->has_generation || cmd->is_resumable)
		return cmd_usage("cp: --if-generation-match and --resumable are for "
				 "uploads");
	if (store_open_url(from, &url, &store, &exit_code) < 0)
		return exit_code;
	if (!*base_name(url.name))
		return cmd_usage("%.200s names no object", from);
	if (stat(to, &st) == 0 && S_ISDIR(st.st_mode))
		path = xasprintf("%s/%s", to, base_name(url.name));
	else
		path = xstrdup(to);
	if (fetch_file(store, url.name, path, &meta, &err) < 0)
		return store_exit(&err);
	return store_print_written(cmd, &url, &meta);
}

int store_cp(const struct store_cmd *cmd)
{
	const char *from = cmd->args.v[0], *to = cmd->args.v[1];
	bool is_from_url = str_starts(from, "gs://"), is_to_url = str_starts(to, "gs://");

	if (is_from_url == is_to_url)
		return cmd_usage(
			"cp: one of the two must be a gs:// URL, the other a file");
	return is_to_url ? upload(cmd, from, to) : download(cmd, from, to);
}
