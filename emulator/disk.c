// SPDX-License-Identifier: Apache-2.0
// The data folder: opening it, and the records of buckets and objects.
#include "emulator/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "core/crc32c.h"
#include "core/json.h"
#include "core/str.h"
#include "emulator/chunk.h"
#include "emulator/disk_dir.h"

static int make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "cannot create %s", path);
	return 0;
}

static int lock_dir(struct emu_disk *d, struct err *err)
{
	cleanup_free char *path = xasprintf("%s/lock", d->dir);

	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0)
		return err_errno(err, -errno, "cannot open %s", path);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, -EBUSY, "%s is in use by another process", d->dir);
	return 0;
}

static int open_parts(struct emu_disk *d, struct err *err)
{
	cleanup_free char *data = xasprintf("%s/data", d->dir);
	cleanup_free char *buckets = xasprintf("%s/buckets", d->dir);
	int r = make_dir(d->dir, err);

	if (r == 0)
		r = lock_dir(d, err);
	if (r == 0)
		r = make_dir(data, err);
	if (r == 0)
		r = make_dir(buckets, err);
	if (r < 0)
		return r;
	d->data_fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->data_fd < 0)
		return err_errno(err, -errno, "cannot open %s", data);
	return 0;
}

int emu_disk_open(const char *dir, struct emu_disk **ret, struct err *err)
{
	struct emu_disk *d = xcalloc(1, sizeof(*d));
	int r;

	d->dir = xstrdup(dir);
	d->data_fd = d->lock_fd = -1;
	d->next_file = 1;
	r = open_parts(d, err);
	if (r < 0)
		emu_disk_close(d);
	else
		*ret = d;
	return r;
}

void emu_disk_close(struct emu_disk *d)
{
	if (!d)
		return;
	if (d->data_fd >= 0)
		close(d->data_fd);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	free(d->dir);
	free(d);
}

char *emu_disk_bucket_path(const struct emu_disk *d, const char *bucket)
{
	return xasprintf("%s/buckets/%s", d->dir, bucket);
}

char *emu_disk_record_path(const struct emu_disk *d, const char *bucket,
			   uint64_t generation)
{
	return xasprintf("%s/buckets/%s/%llu.json", d->dir, bucket,
			 (unsigned long long)generation);
}

static int write_file(const char *path, const struct str *text, struct err *err)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t done = 0;

	if (fd < 0)
		return err_errno(err, -errno, "cannot create %s", path);
	while (done < text->len) {
		ssize_t put = write(fd, text->s + done, text->len - done);

		if (put < 0 && errno != EINTR)
			return err_errno(err, -errno, "cannot write %s", path);
		if (put > 0)
			done += (size_t)put;
	}
	return 0;
}

/* Whole or not at all: under another name first, then renamed. Takes @doc. */
static int write_record(const char *path, json_t *doc, struct err *err)
{
	cleanup_free char *tmp = xasprintf("%s.tmp", path);
	cleanup_str struct str text = STR_INIT(EMU_RECORD_MAX);
	int r = json_dump(doc, &text, err);

	json_decref(doc);
	if (r == 0)
		r = write_file(tmp, &text, err);
	if (r == 0 && rename(tmp, path) < 0)
		r = err_errno(err, -errno, "cannot rename %s", tmp);
	if (r < 0)
		unlink(tmp);
	return r;
}

int emu_disk_add_bucket(struct emu_disk *d, const char *name, int64_t created_ns,
			struct err *err)
{
	cleanup_free char *path = NULL, *record = NULL;
	int r;

	if (!d)
		return 0;
	path = emu_disk_bucket_path(d, name);
	record = xasprintf("%s/bucket.json", path);
	r = make_dir(path, err);
	if (r < 0)
		return r;
	return write_record(
		record, json_pack("{s:I}", "created_ns", (json_int_t)created_ns), err);
}

void emu_disk_drop_bucket(struct emu_disk *d, const char *name)
{
	cleanup_free char *path = NULL, *record = NULL;

	if (!d)
		return;
	path = emu_disk_bucket_path(d, name);
	record = xasprintf("%s/bucket.json", path);
	unlink(record);
	rmdir(path);
}

static json_t *files_json(const struct emu_blob *b)
{
	json_t *files = json_array();

	for (size_t i = 0; i < b->n; i++)
		json_array_append_new(
			files, json_pack("[II]", (json_int_t)b->parts[i].chunk->file,
					 (json_int_t)b->parts[i].chunk->len));
	return files;
}

static json_t *record_json(const struct emu_object *o)
{
	char crc[CRC32C_B64_CAP], md5[EMU_MD5_B64_CAP];
	json_t *v;

	crc32c_base64(o->blob->crc32c, crc);
	v = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:o}", "name", o->name,
		      "generation", (json_int_t)o->generation, "metageneration",
		      (json_int_t)o->metageneration, "created_ns",
		      (json_int_t)o->created_ns, "updated_ns", (json_int_t)o->updated_ns,
		      "components", (json_int_t)o->components, "crc32c", crc, "files",
		      files_json(o->blob));
	if (o->blob->has_md5) {
		emu_md5_base64(o->blob->md5, md5);
		json_object_set_new(v, "md5", json_string(md5));
	}
	json_object_set(v, "meta", o->meta);
	return v;
}

int emu_disk_put(struct emu_disk *d, const struct emu_object *o,
		 const struct emu_object *moved_from, struct err *err)
{
	cleanup_free char *path = NULL;
	json_t *v;

	if (!d)
		return 0;
	path = emu_disk_record_path(d, o->bucket, o->generation);
	v = record_json(o);
	/* a kill between this record and the removal of the other is repaired by it */
	if (moved_from)
		json_object_set_new(v, "moved_from",
				    json_integer((json_int_t)moved_from->generation));
	return write_record(path, v, err);
}

int emu_disk_drop(struct emu_disk *d, const struct emu_object *o, struct err *err)
{
	cleanup_free char *path = NULL;

	if (!d)
		return 0;
	path = emu_disk_record_path(d, o->bucket, o->generation);
	if (unlink(path) < 0)
		return err_errno(err, -errno, "cannot remove %s", path);
	return 0;
}
