// SPDX-License-Identifier: Apache-2.0
// Chunks and blobs: sharing, reading, joining.
#include "emulator/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/str.h"
#include "emulator/chunk.h"

enum { FILE_NAME_CAP = 24 };

static void file_name(uint64_t file, char out[FILE_NAME_CAP])
{
	snprintf(out, FILE_NAME_CAP, "%016llx", (unsigned long long)file);
}

int emu_chunk_number(const char *name, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;

	if (!str_is_hex(name, 16))
		return -EINVAL;
	for (; *name; name++)
		v = v << 4 | (uint64_t)(strchr(digits, *name) - digits);
	*ret = v;
	return 0;
}

int emu_chunk_open(const struct emu_disk *disk, uint64_t file, int flags)
{
	char name[FILE_NAME_CAP];
	int fd;

	file_name(file, name);
	fd = openat(disk->data_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

struct emu_chunk *emu_chunk_new(struct emu_disk *disk)
{
	struct emu_chunk *c = xcalloc(1, sizeof(*c));

	c->refs = 1;
	c->disk = disk;
	return c;
}

void emu_chunk_unref(struct emu_chunk *c)
{
	char name[FILE_NAME_CAP];

	if (!c || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (c->disk && !c->disk->is_closing) {
		file_name(c->file, name);
		unlinkat(c->disk->data_fd, name, 0);
	}
	free(c->data);
	free(c);
}

struct emu_blob *emu_blob_ref(struct emu_blob *b)
{
	__atomic_add_fetch(&b->refs, 1, __ATOMIC_RELAXED);
	return b;
}

void emu_blob_unref(struct emu_blob *b)
{
	if (!b || __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < b->n; i++)
		emu_chunk_unref(b->parts[i].chunk);
	free(b->parts);
	free(b);
}

/* The part that holds @offset; @offset < b->size. */
static const struct emu_part *part_at(const struct emu_blob *b, uint64_t offset)
{
	size_t lo = 0, hi = b->n;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->parts[mid].start <= offset)
			lo = mid;
		else
			hi = mid;
	}
	return &b->parts[lo];
}

static ssize_t chunk_read(const struct emu_chunk *c, uint64_t offset, void *buf, size_t n)
{
	cleanup_close int fd = -1;
	ssize_t got;

	if (n > c->len - offset)
		n = (size_t)(c->len - offset);
	if (!c->disk) {
		memcpy(buf, c->data + offset, n);
		return (ssize_t)n;
	}
	fd = emu_chunk_open(c->disk, c->file, O_RDONLY);
	if (fd < 0)
		return fd;
	got = pread(fd, buf, n, (off_t)offset);
	if (got < 0)
		return -errno;
	return got == 0 ? -EIO : got;
}

ssize_t emu_blob_read(const struct emu_blob *b, uint64_t offset, void *buf, size_t n)
{
	size_t done = 0;

	while (done < n && offset < b->size) {
		const struct emu_part *p = part_at(b, offset);
		ssize_t got = chunk_read(p->chunk, offset - p->start, (char *)buf + done,
					 n - done);

		if (got < 0)
			return got;
		done += (size_t)got;
		offset += (uint64_t)got;
	}
	return (ssize_t)done;
}

struct emu_blob *emu_blob_new(size_t n)
{
	struct emu_blob *b = xcalloc(1, sizeof(*b));

	b->refs = 1;
	b->parts = xcalloc(n, sizeof(*b->parts));
	return b;
}

void emu_blob_take(struct emu_blob *b, struct emu_chunk *c)
{
	b->parts[b->n].chunk = c;
	b->parts[b->n++].start = b->size;
	b->size += c->len;
}

struct emu_blob *emu_blob_concat(struct emu_blob *const *blobs, size_t n)
{
	struct emu_blob *b;
	size_t parts = 0;

	for (size_t i = 0; i < n; i++)
		parts += blobs[i]->n;
	b = emu_blob_new(parts);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < blobs[i]->n; k++) {
			struct emu_chunk *c = blobs[i]->parts[k].chunk;

			__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
			emu_blob_take(b, c);
		}
		b->crc32c = crc32c_combine(b->crc32c, blobs[i]->crc32c, blobs[i]->size);
	}
	return b;
}
