// SPDX-License-Identifier: Apache-2.0
// What blob.c, writer.c and disk.c share about chunks; nobody else needs it.
#ifndef EMULATOR_CHUNK_H
#define EMULATOR_CHUNK_H

#include "emulator/blob.h"

/** emu_chunk_new() - one reference, empty. */
struct emu_chunk *emu_chunk_new(struct emu_disk *disk);
/** emu_chunk_unref() - the last one frees the memory and removes the file. */
void emu_chunk_unref(struct emu_chunk *c);
/** emu_chunk_open() - descriptor of a data file, or -errno. */
int emu_chunk_open(const struct emu_disk *disk, uint64_t file, int flags);

/** emu_chunk_number() - the number a data file's name stands for, or -EINVAL. */
int emu_chunk_number(const char *name, uint64_t *ret);

/** emu_blob_new() - one reference, empty, room for @n parts. */
struct emu_blob *emu_blob_new(size_t n);
/** emu_blob_take() - append @c and take over the caller's reference. */
void emu_blob_take(struct emu_blob *b, struct emu_chunk *c);

#endif
