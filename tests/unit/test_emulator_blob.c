// SPDX-License-Identifier: Apache-2.0
// Object data: written in pieces, sealed in units, read at any offset, joined.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/crc32c.h"
#include "core/str.h"
#include "emulator/disk.h"
#include "tests/unit/tap.h"

enum { DATA_BYTES = 3 * EMU_UNIT_BYTES + 12345 };

static unsigned char *make_data(void)
{
	unsigned char *p = xcalloc(1, DATA_BYTES);
	unsigned state = 7;

	for (size_t i = 0; i < DATA_BYTES; i++) {
		state = state * 1103515245u + 12345u;
		p[i] = (unsigned char)(state >> 16);
	}
	return p;
}

static struct emu_blob *write_blob(struct emu_disk *disk, const unsigned char *data,
				   size_t n, size_t step)
{
	struct emu_blob *b = NULL;
	struct emu_writer w;
	int r = 0;

	emu_writer_init(&w, disk, DATA_BYTES);
	for (size_t at = 0; r == 0 && at < n; at += step)
		r = emu_writer_add(&w, data + at, n - at < step ? n - at : step, NULL);
	if (r == 0)
		r = emu_writer_finish(&w, &b, NULL);
	emu_writer_done(&w);
	return r < 0 ? NULL : b;
}

static bool holds(const struct emu_blob *b, const unsigned char *data, size_t n)
{
	cleanup_free unsigned char *got = xcalloc(1, n + 1);
	size_t offsets[] = {0, n / 3, n / 2, n ? n - 1 : 0, n};

	if (!b || b->size != n || b->crc32c != crc32c_update(0, data, n))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		ssize_t len = emu_blob_read(b, offsets[i], got, n + 1);

		if (len != (ssize_t)(n - offsets[i]) ||
		    memcmp(got, data + offsets[i], (size_t)len) != 0)
			return false;
	}
	return true;
}

static void test_write_and_read(struct emu_disk *disk, const unsigned char *data)
{
	static const size_t sizes[] = {0,
				       1,
				       4096,
				       4097,
				       EMU_UNIT_BYTES - 1,
				       EMU_UNIT_BYTES,
				       EMU_UNIT_BYTES + 1,
				       DATA_BYTES};
	static const size_t steps[] = {1000, 65536, DATA_BYTES};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		bool is_good = true;

		for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
			struct emu_blob *b = write_blob(disk, data, sizes[i], steps[k]);

			is_good = is_good && holds(b, data, sizes[i]);
			emu_blob_unref(b);
		}
		ok(is_good, "%zu bytes in %s: read back with the right CRC32C", sizes[i],
		   disk ? "files" : "memory");
	}
}

static void test_md5(void)
{
	static const unsigned char want[16] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2,
					       0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d,
					       0x28, 0xe1, 0x7f, 0x72};
	struct emu_blob *b = write_blob(NULL, (const unsigned char *)"abc", 3, 1);

	ok(b->has_md5 && memcmp(b->md5, want, 16) == 0, "MD5 of \"abc\" is RFC 1321's");
	emu_blob_unref(b);
}

static void test_drop_tail(struct emu_disk *disk, const unsigned char *data)
{
	size_t cut = 2 * EMU_UNIT_BYTES;
	struct emu_blob *b = NULL;
	struct emu_writer w;

	emu_writer_init(&w, disk, DATA_BYTES);
	emu_writer_add(&w, data, cut + 1000, NULL);
	emu_writer_drop_tail(&w);
	ok(w.sealed_bytes == cut, "whole units are kept in %s",
	   disk ? "files" : "memory");
	emu_writer_add(&w, data + cut, DATA_BYTES - cut, NULL);
	emu_writer_finish(&w, &b, NULL);
	ok(holds(b, data, DATA_BYTES) && b->has_md5,
	   "going on from the last whole unit gives the whole in %s",
	   disk ? "files" : "memory");
	emu_blob_unref(b);
	emu_writer_done(&w);
}

static void test_maximum(const unsigned char *data)
{
	struct emu_writer w;
	struct err err = {0};

	emu_writer_init(&w, NULL, 1000);
	ok(emu_writer_add(&w, data, 1000, &err) == 0 &&
		   emu_writer_add(&w, data, 1, &err) == -EFBIG,
	   "one byte more than the maximum is refused");
	emu_writer_done(&w);
}

static void test_concat(struct emu_disk *disk, const unsigned char *data)
{
	size_t a = EMU_UNIT_BYTES + 17, b = 0, c = DATA_BYTES - a;
	struct emu_blob *parts[] = {write_blob(disk, data, a, 9999),
				    write_blob(disk, data, b, 1),
				    write_blob(disk, data + a, c, 77777)};
	struct emu_blob *whole = emu_blob_concat(parts, 3), *nested;

	for (size_t i = 0; i < 3; i++)
		emu_blob_unref(parts[i]);
	ok(holds(whole, data, DATA_BYTES) && !whole->has_md5,
	   "joined blobs outlive their parts and have no MD5 (%s)",
	   disk ? "files" : "memory");
	nested = emu_blob_concat(&whole, 1);
	emu_blob_unref(whole);
	ok(holds(nested, data, DATA_BYTES), "a joined blob can be joined again (%s)",
	   disk ? "files" : "memory");
	emu_blob_unref(nested);
}

static struct emu_disk *open_disk(const char *dir)
{
	struct emu_disk *disk = NULL;

	emu_disk_open(dir, &disk, NULL);
	return disk;
}

static void test_files_are_removed(const char *dir)
{
	cleanup_free char *data = xasprintf("%s/data", dir);
	struct stat st;

	/* rmdir() succeeds only on an empty folder */
	ok(stat(data, &st) == 0 && rmdir(data) == 0,
	   "no data file is left when nothing refers to it");
}

static void test_lock(const char *dir)
{
	struct emu_disk *second = NULL;
	struct err err = {0};

	ok(emu_disk_open(dir, &second, &err) == -EBUSY, "a folder in use is refused: %s",
	   err.text);
}

int main(void)
{
	char dir[] = "/tmp/test_emulator_blob.XXXXXX";
	cleanup_free unsigned char *data = make_data();
	struct emu_disk *disk;

	if (!mkdtemp(dir))
		return 1;
	disk = open_disk(dir);
	ok(disk != NULL, "a data folder is made");
	if (!disk)
		return done_testing();
	test_write_and_read(NULL, data);
	test_write_and_read(disk, data);
	test_md5();
	test_drop_tail(NULL, data);
	test_drop_tail(disk, data);
	test_maximum(data);
	test_concat(NULL, data);
	test_concat(disk, data);
	test_lock(dir);
	test_files_are_removed(dir);
	emu_disk_close(disk);
	return done_testing();
}
