// SPDX-License-Identifier: Apache-2.0
// Reading a data folder back at start.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "core/json.h"
#include "core/log.h"
#include "core/str.h"
#include "emulator/base64.h"
#include "emulator/chunk.h"
#include "emulator/disk.h"
#include "emulator/disk_dir.h"
#include "emulator/index.h"

/* Objects share files after copy and compose: one chunk per file. */
struct load {
	struct emu_disk *disk;
	struct emu_store *store;
	void *chunks; /* tsearch() tree of struct emu_chunk, one reference each */
	struct emu_bucket *bucket;
	uint64_t *moved; /* generations whose object was moved away */
	size_t n_moved;
};

static int by_file(const void *a, const void *b)
{
	const struct emu_chunk *x = a, *y = b;

	return x->file < y->file ? -1 : x->file > y->file;
}

static void release_chunk(void *c)
{
	emu_chunk_unref(c);
}

static int load_chunk(struct load *l, uint64_t file, uint64_t len, struct emu_chunk **ret,
		      struct err *err)
{
	struct emu_chunk key = {.file = file}, *c;
	cleanup_close int fd = -1;
	struct stat st;
	void *at = tfind(&key, &l->chunks, by_file);

	if (at) {
		c = *(struct emu_chunk **)at;
		if (c->len != len)
			return err_set(err, -EINVAL, "two sizes for one data file");
	} else {
		fd = emu_chunk_open(l->disk, file, O_RDONLY);
		if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size < len)
			return err_set(err, -ENOENT, "data file %llu is missing or short",
				       (unsigned long long)file);
		c = emu_chunk_new(l->disk);
		c->file = file;
		c->len = len;
		if (!tsearch(c, &l->chunks, by_file)) {
			free(c);
			return err_set(err, -ENOMEM, "out of memory");
		}
	}
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	*ret = c;
	return 0;
}

static int load_blob(struct load *l, const json_t *files, const char *crc32c,
		     const char *md5, struct emu_blob **ret, struct err *err)
{
	struct emu_blob *b = emu_blob_new(json_array_size(files));
	cleanup_str struct str raw = STR_INIT(64);
	int r = crc32c_parse(crc32c, &b->crc32c, err);

	for (size_t i = 0; r == 0 && i < json_array_size(files); i++) {
		const json_t *pair = json_array_get(files, i);
		json_int_t file = json_integer_value(json_array_get(pair, 0));
		json_int_t len = json_integer_value(json_array_get(pair, 1));
		struct emu_chunk *c = NULL;

		r = load_chunk(l, (uint64_t)file, (uint64_t)len, &c, err);
		if (r == 0)
			emu_blob_take(b, c);
	}
	if (r == 0 && md5) {
		if (emu_base64_parse(md5, &raw) < 0 || raw.len != sizeof(b->md5)) {
			r = err_set(err, -EINVAL, "bad md5");
		} else {
			memcpy(b->md5, raw.s, sizeof(b->md5));
			b->has_md5 = true;
		}
	}
	if (r < 0)
		emu_blob_unref(b);
	else
		*ret = b;
	return r;
}

static int read_object(struct load *l, const json_t *doc, struct emu_object **ret,
		       uint64_t *ret_moved_from, struct err *err)
{
	const char *name = NULL, *crc32c = NULL, *md5 = NULL;
	uint64_t generation = 0, metageneration = 0, components = 0;
	const json_t *files = NULL, *meta = NULL;
	int64_t created_ns = 0, updated_ns = 0;
	struct emu_blob *blob = NULL;
	struct json_in in;
	int r;

	json_in_init(&in, doc, JSON_ORDERS, "record", NULL, err);
	json_in_str(&in, "name", JSON_MUST, &name);
	json_in_u64(&in, "generation", JSON_MUST, &generation);
	json_in_u64(&in, "metageneration", JSON_MUST, &metageneration);
	json_in_u64(&in, "components", JSON_MUST, &components);
	json_in_i64(&in, "created_ns", JSON_MUST, &created_ns);
	json_in_i64(&in, "updated_ns", JSON_MUST, &updated_ns);
	json_in_str(&in, "crc32c", JSON_MUST, &crc32c);
	json_in_str(&in, "md5", JSON_MAY, &md5);
	json_in_arr(&in, "files", JSON_MUST, &files);
	json_in_obj(&in, "meta", JSON_MUST, &meta);
	json_in_u64(&in, "moved_from", JSON_MAY, ret_moved_from);
	r = json_in_end(&in);
	if (r == 0)
		r = load_blob(l, files, crc32c, md5, &blob, err);
	if (r < 0)
		return r;
	*ret = emu_object_new(l->bucket->name, name, json_deep_copy(meta), blob);
	(*ret)->generation = generation;
	(*ret)->metageneration = metageneration;
	(*ret)->components = components;
	(*ret)->created_ns = created_ns;
	(*ret)->updated_ns = updated_ns;
	return 0;
}

/* Of two records of one name the younger counts: a kill came before the removal. */
static void keep_younger(struct load *l, struct emu_object *o)
{
	struct emu_object *other = emu_index_find(l->bucket, o->name);

	if (o->generation > l->store->last_generation)
		l->store->last_generation = o->generation;
	if (other && other->generation > o->generation) {
		emu_disk_drop(l->disk, o, NULL);
		emu_object_unref(o);
		return;
	}
	if (other)
		emu_disk_drop(l->disk, other, NULL);
	emu_index_set(l->bucket, o);
}

static int read_file(const char *path, struct str *ret, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char buf[16384];
	ssize_t n;

	if (fd < 0)
		return err_errno(err, -errno, "cannot open %s", path);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		str_addn(ret, buf, (size_t)n);
	if (n < 0)
		return err_errno(err, -errno, "cannot read %s", path);
	return str_check(ret, path, err);
}

static int load_record(struct load *l, const char *path, struct err *err)
{
	cleanup_str struct str text = STR_INIT(EMU_RECORD_MAX);
	cleanup_json json_t *doc = NULL;
	struct emu_object *o = NULL;
	uint64_t moved_from = 0;
	int r = read_file(path, &text, err);

	if (r == 0)
		r = json_load(str_text(&text), text.len, EMU_RECORD_MAX, path, &doc, err);
	if (r == 0)
		r = read_object(l, doc, &o, &moved_from, err);
	if (r < 0 || !o)
		return r;
	keep_younger(l, o);
	if (moved_from) {
		l->moved = xrealloc(l->moved, l->n_moved + 1, sizeof(*l->moved));
		l->moved[l->n_moved++] = moved_from;
	}
	return 0;
}

static void forget_moved(struct load *l)
{
	for (size_t i = 0; i < l->n_moved; i++) {
		cleanup_free char *path =
			emu_disk_record_path(l->disk, l->bucket->name, l->moved[i]);

		if (access(path, F_OK) < 0)
			continue;
		for (size_t k = 0; k < l->bucket->n; k++) {
			struct emu_object *o = l->bucket->objects[k];

			if (o->generation != l->moved[i])
				continue;
			emu_disk_drop(l->disk, o, NULL);
			emu_index_remove(l->bucket, o->name);
			break;
		}
	}
	free(l->moved);
	l->moved = NULL;
	l->n_moved = 0;
}

static int64_t read_created_ns(const char *bucket_path)
{
	cleanup_free char *path = xasprintf("%s/bucket.json", bucket_path);
	cleanup_str struct str text = STR_INIT(EMU_JSON_MAX);
	cleanup_json json_t *doc = NULL;

	if (read_file(path, &text, NULL) < 0 ||
	    json_load(str_text(&text), text.len, EMU_JSON_MAX, path, &doc, NULL) < 0)
		return clock_real_ns();
	return json_integer_value(json_object_get(doc, "created_ns"));
}

static int load_bucket(struct load *l, const char *name, struct err *err)
{
	cleanup_free char *path = emu_disk_bucket_path(l->disk, name);
	struct emu_fail f = {0};
	struct dirent *e;
	DIR *dir;

	if (emu_bucket_name_check(name, &f))
		return err_set(err, -EINVAL, "%s: not a bucket's name", path);
	dir = opendir(path);
	if (!dir)
		return err_errno(err, -errno, "cannot open %s", path);
	l->bucket = emu_index_add_bucket(l->store, name, read_created_ns(path));
	while ((e = readdir(dir))) {
		cleanup_free char *file = xasprintf("%s/%s", path, e->d_name);
		struct err why = {0};

		if (str_ends(e->d_name, ".tmp"))
			unlink(file);
		else if (str_ends(e->d_name, ".json") &&
			 strcmp(e->d_name, "bucket.json") != 0 &&
			 load_record(l, file, &why) < 0)
			log_line(LOG_WARN, "%s is left out: %s", file, why.text);
	}
	closedir(dir);
	forget_moved(l);
	return 0;
}

/* Data files no record names: uploads cut short, or removed objects. */
static void remove_orphans(struct load *l)
{
	cleanup_free char *path = xasprintf("%s/data", l->disk->dir);
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		struct emu_chunk key = {0};

		if (e->d_name[0] == '.' || emu_chunk_number(e->d_name, &key.file) < 0)
			continue;
		if (key.file >= l->disk->next_file)
			l->disk->next_file = key.file + 1;
		if (!tfind(&key, &l->chunks, by_file))
			unlinkat(l->disk->data_fd, e->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

int emu_disk_load(struct emu_disk *d, struct emu_store *s, struct err *err)
{
	cleanup_free char *path = xasprintf("%s/buckets", d->dir);
	struct load l = {.disk = d, .store = s};
	struct dirent *e;
	int r = 0;
	DIR *dir = opendir(path);

	if (!dir)
		return err_errno(err, -errno, "cannot open %s", path);
	while (r == 0 && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			r = load_bucket(&l, e->d_name, err);
	closedir(dir);
	if (r == 0)
		remove_orphans(&l);
	else
		d->is_closing = true; /* keep what could not be understood */
	tdestroy(l.chunks, release_chunk);
	return r;
}
