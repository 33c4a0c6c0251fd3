// SPDX-License-Identifier: Apache-2.0
// Immutable, reference-counted object data: in memory, or in files of a data folder.
#ifndef EMULATOR_BLOB_H
#define EMULATOR_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"

/*
 * The service keeps whole units of 256 KiB of an interrupted resumable upload
 * (Cloud Storage documentation, "Resumable uploads", chunk size).
 */
enum { EMU_UNIT_BYTES = 256 * 1024 };

struct evp_md_ctx_st;

/**
 * struct emu_disk - the folder that holds data files; NULL wherever data stay in memory.
 */
struct emu_disk {
	char *dir;
	int data_fd;		    /* DIR/data */
	int lock_fd;		    /* DIR/lock, held while open */
	_Atomic uint64_t next_file; /* the next data file's number */
	_Atomic bool is_closing;    /* releasing a chunk no longer removes its file */
};

/** struct emu_chunk - one piece of data, shared by every blob made from it. */
struct emu_chunk {
	unsigned refs; /* changed atomically */
	uint64_t len;
	unsigned char *data;   /* NULL: in the file */
	struct emu_disk *disk; /* NULL: in memory */
	uint64_t file;	       /* number of the file in DIR/data */
};

struct emu_part {
	struct emu_chunk *chunk;
	uint64_t start; /* offset of its first byte in the blob */
};

/** struct emu_blob - never changes once made; safe for any number of readers. */
struct emu_blob {
	unsigned refs; /* changed atomically */
	uint64_t size;
	uint32_t crc32c;
	bool has_md5; /* not after compose */
	unsigned char md5[16];
	size_t n;
	struct emu_part *parts;
};

struct emu_blob *emu_blob_ref(struct emu_blob *b);
void emu_blob_unref(struct emu_blob *b);

/**
 * emu_blob_read() - up to @n bytes from @offset; may return fewer; 0 at the end.
 *
 * Negative errno when a data file cannot be read.
 */
ssize_t emu_blob_read(const struct emu_blob *b, uint64_t offset, void *buf, size_t n);

/** emu_blob_concat() - the data of @n blobs one after another, nothing copied. */
struct emu_blob *emu_blob_concat(struct emu_blob *const *blobs, size_t n);

/**
 * struct emu_writer - collects the data of one upload.
 *
 * Data are sealed (checksummed, and written out when there is a disk) in whole units;
 * what is not a whole unit waits in @tail and can be dropped again. One thread at a time.
 */
struct emu_writer {
	struct emu_disk *disk;
	uint64_t max_bytes;
	uint64_t sealed_bytes;
	uint32_t crc32c;
	struct evp_md_ctx_st *md5;
	unsigned char *tail;
	size_t tail_len, tail_cap;
	struct emu_chunk **chunks; /* memory: one per unit; disk: one file */
	size_t n, cap;
	int fd;
	bool damages; /* a fault: the next byte that is added is changed */
};

/** emu_writer_init() - @disk may be NULL; at most @max_bytes are taken. */
void emu_writer_init(struct emu_writer *w, struct emu_disk *disk, uint64_t max_bytes);
/** emu_writer_add() - -EFBIG past the maximum, -ENOMEM, or the file's errno. */
int emu_writer_add(struct emu_writer *w, const void *data, size_t n, struct err *err);
/** emu_writer_drop_tail() - forget what is past the last whole unit. */
void emu_writer_drop_tail(struct emu_writer *w);
/** emu_writer_finish() - the blob with checksums; the writer is empty afterwards. */
int emu_writer_finish(struct emu_writer *w, struct emu_blob **ret, struct err *err);
/** emu_writer_done() - throw away what was collected. */
void emu_writer_done(struct emu_writer *w);

#endif
