// SPDX-License-Identifier: Apache-2.0
// split --build-here: binaries built by the coordinator, into the fleet's cache.
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/split.h"
#include "core/clock.h"
#include "core/proc.h"

static const int64_t build_ns =
	1800LL * 1000000000; /* 93 s on two cores, with Go to fetch */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int describe(const struct arm *arm, int fd, struct gobuild_info *info,
		    struct err *err)
{
	*info = (struct gobuild_info){0};
	str_copy(info->key, sizeof(info->key), arm->key);
	str_copy(info->module, sizeof(info->module), arm->module);
	str_copy(info->version, sizeof(info->version), arm->version);
	str_copy(info->go, sizeof(info->go), arm->go);
	str_copy(info->recipe, sizeof(info->recipe), GOBUILD_RECIPE);
	str_copy(info->os, sizeof(info->os), "linux");
	str_copy(info->arch, sizeof(info->arch), gobuild_arch());
	return digest_fd(fd, info->sha256, &info->bytes, err);
}

static int create(struct split *split, const struct arm *arm, enum binary_file file,
		  const struct put_req *req, struct err *err)
{
	struct obj_meta meta = {0};
	struct err why = {0};
	char name[PATH_CAP];
	int r = path_cache(name, &split->ref, arm->key, file, err);

	if (r < 0)
		return r;
	r = split->store->ops->put(split->store, name, req, &meta, &why);
	return r < 0 && r != -EEXIST ? err_set(err, r, "%s", why.text) : 0;
}

static int build_into(struct split *split, const struct arm *arm, const char *dir,
		      struct err *err)
{
	const struct gobuild_spec spec = {
		.module = arm->module,
		.version = arm->version,
		.go = arm->go,
		.dir = dir,
		.deadline_ns = clock_mono_ns() + build_ns,
		.cancel_fd = -1,
	};
	cleanup_str struct str text = STR_INIT(GOBUILD_JSON_MAX_BYTES);
	struct put_req req = {.precondition = PUT_CREATE, .is_resumable = true};
	cleanup_free char *path = NULL;
	cleanup_close int fd = -1;
	struct gobuild_info info;
	int r = gobuild_run(&spec, &path, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, -errno, "%s", path);
	r = describe(arm, fd, &info, err);
	if (r == 0)
		r = gobuild_info_dump(&info, &text, err);
	if (r < 0)
		return r;
	req.fd = fd;
	req.file_bytes = info.bytes;
	r = create(split, arm, BINARY_GCSFUSE, &req, err);
	if (r < 0)
		return r;
	req = (struct put_req){.precondition = PUT_CREATE,
			       .content_type = "application/json",
			       .data = str_text(&text),
			       .n = text.len};
	return create(split, arm, BINARY_JSON, &req, err);
}

static int build_one(struct split *split, const struct arm *arm, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *dir =
		xasprintf("%s/muster-build.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	struct obj_meta meta = {0};
	struct err why = {0};
	char name[PATH_CAP];
	int r = path_cache(name, &split->ref, arm->key, BINARY_JSON, err);

	if (r < 0)
		return r;
	r = split->store->ops->stat(split->store, name, &meta, &why);
	if (r != -ENOENT)
		return r < 0 ? err_set(err, r, "%s", why.text) : 0;
	if (!mkdtemp(dir))
		return err_errno(err, -errno, "%s", dir);
	r = build_into(split, arm, dir, err);
	nftw(dir, remove_one, 32, FTW_DEPTH | FTW_PHYS);
	return r < 0 ? err_wrap(err, r, "build of arm %s (its workers will build it)",
				arm->label)
		     : 0;
}

int split_build(struct split *split, struct err *err)
{
	int r = proc_init(err);

	for (size_t a = 0; a < split->inputs.n_arms && r == 0; a++) {
		const struct arm *arm = &split->inputs.arms[a];

		if (arm->kind == ARM_GCSFUSE && !arm->sha256)
			r = build_one(split, arm, err);
	}
	return r;
}
