// SPDX-License-Identifier: Apache-2.0
// Collecting the data of one upload, unit by unit.
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <openssl/evp.h>

#include "core/crc32c.h"
#include "core/str.h"
#include "emulator/chunk.h"

void emu_writer_init(struct emu_writer *w, struct emu_disk *disk, uint64_t max_bytes)
{
	*w = (struct emu_writer){.disk = disk, .max_bytes = max_bytes, .fd = -1};
}

static int writer_push(struct emu_writer *w, struct emu_chunk *c)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 4;
		void *p = reallocarray(w->chunks, cap, sizeof(*w->chunks));

		if (!p)
			return -ENOMEM;
		w->chunks = p;
		w->cap = cap;
	}
	w->chunks[w->n++] = c;
	return 0;
}

/* The data file of this upload, created with its first sealed byte. */
static int writer_file(struct emu_writer *w, struct err *err)
{
	struct emu_chunk *c;
	int fd;

	if (w->fd >= 0)
		return 0;
	c = emu_chunk_new(w->disk);
	c->file = w->disk->next_file++;
	fd = emu_chunk_open(w->disk, c->file, O_RDWR | O_CREAT | O_EXCL);
	if (fd < 0) {
		emu_chunk_unref(c);
		return err_errno(err, fd, "cannot create a data file");
	}
	if (writer_push(w, c) < 0) {
		close(fd);
		emu_chunk_unref(c);
		return err_set(err, -ENOMEM, "out of memory");
	}
	w->fd = fd;
	return 0;
}

static int write_all(int fd, const unsigned char *p, size_t n, uint64_t offset)
{
	while (n) {
		ssize_t put = pwrite(fd, p, n, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		p += put;
		n -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

static int writer_hash(struct emu_writer *w, struct err *err)
{
	if (!w->md5) {
		w->md5 = EVP_MD_CTX_new();
		if (!w->md5 || EVP_DigestInit_ex(w->md5, EVP_md5(), NULL) != 1)
			return err_set(err, -EIO, "MD5 is not available");
	}
	if (!w->tail_len)
		return 0;
	if (EVP_DigestUpdate(w->md5, w->tail, w->tail_len) != 1)
		return err_set(err, -EIO, "MD5 failed");
	w->crc32c = crc32c_update(w->crc32c, w->tail, w->tail_len);
	return 0;
}

/* To the file, at the end of what is sealed: a failed try can be repeated. */
static int seal_to_disk(struct emu_writer *w, struct err *err)
{
	int r = writer_file(w, err);

	if (r < 0)
		return r;
	r = write_all(w->fd, w->tail, w->tail_len, w->sealed_bytes);
	if (r < 0)
		return err_errno(err, r, "cannot write a data file");
	r = writer_hash(w, err);
	if (r == 0)
		w->chunks[0]->len += w->tail_len;
	return r;
}

static int seal_to_memory(struct emu_writer *w, struct err *err)
{
	struct emu_chunk *c = emu_chunk_new(NULL);
	void *p;

	if (writer_push(w, c) < 0) {
		emu_chunk_unref(c);
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (writer_hash(w, err) < 0) {
		w->n--;
		emu_chunk_unref(c);
		return -EIO;
	}
	p = w->tail_len < w->tail_cap ? realloc(w->tail, w->tail_len) : NULL;
	c->data = p ? p : w->tail;
	c->len = w->tail_len;
	w->tail = NULL;
	w->tail_cap = 0;
	return 0;
}

/* Checksum the tail and move it to where sealed data live. */
static int writer_seal(struct emu_writer *w, struct err *err)
{
	int r;

	if (!w->tail_len)
		return writer_hash(w, err);
	r = w->disk ? seal_to_disk(w, err) : seal_to_memory(w, err);
	if (r < 0)
		return r;
	w->sealed_bytes += w->tail_len;
	w->tail_len = 0;
	return 0;
}

/* Room for @want more bytes in the tail; small objects take little memory. */
static int tail_room(struct emu_writer *w, size_t want)
{
	size_t cap = w->sealed_bytes ? EMU_UNIT_BYTES : 4096;
	void *p;

	while (cap < w->tail_len + want)
		cap *= 2;
	if (cap <= w->tail_cap)
		return 0;
	p = realloc(w->tail, cap);
	if (!p)
		return -ENOMEM;
	w->tail = p;
	w->tail_cap = cap;
	return 0;
}

int emu_writer_add(struct emu_writer *w, const void *data, size_t n, struct err *err)
{
	const unsigned char *p = data;

	if (n > w->max_bytes - w->sealed_bytes - w->tail_len)
		return err_set(err, -EFBIG, "the object is larger than %llu bytes",
			       (unsigned long long)w->max_bytes);
	while (n) {
		size_t take = EMU_UNIT_BYTES - w->tail_len;

		if (take > n)
			take = n;
		if (tail_room(w, take) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		memcpy(w->tail + w->tail_len, p, take);
		if (w->damages)
			w->tail[w->tail_len] ^= 1;
		w->damages = false;
		w->tail_len += take;
		p += take;
		n -= take;
		if (w->tail_len == EMU_UNIT_BYTES) {
			int r = writer_seal(w, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

void emu_writer_drop_tail(struct emu_writer *w)
{
	w->tail_len = 0;
}

int emu_writer_finish(struct emu_writer *w, struct emu_blob **ret, struct err *err)
{
	struct emu_blob *b;
	int r = writer_seal(w, err);

	if (r < 0)
		return r;
	b = emu_blob_new(w->n);
	for (size_t i = 0; i < w->n; i++)
		emu_blob_take(b, w->chunks[i]);
	w->n = 0;
	b->crc32c = w->crc32c;
	if (EVP_DigestFinal_ex(w->md5, b->md5, NULL) != 1) {
		emu_blob_unref(b);
		return err_set(err, -EIO, "MD5 failed");
	}
	b->has_md5 = true;
	emu_writer_done(w);
	*ret = b;
	return 0;
}

void emu_writer_done(struct emu_writer *w)
{
	for (size_t i = 0; i < w->n; i++)
		emu_chunk_unref(w->chunks[i]);
	free(w->chunks);
	free(w->tail);
	EVP_MD_CTX_free(w->md5);
	if (w->fd >= 0)
		close(w->fd);
	emu_writer_init(w, w->disk, w->max_bytes);
}
