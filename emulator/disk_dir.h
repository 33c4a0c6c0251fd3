// SPDX-License-Identifier: Apache-2.0
// Paths of the data folder, shared by disk.c and disk_load.c.
#ifndef EMULATOR_DISK_DIR_H
#define EMULATOR_DISK_DIR_H

#include "emulator/blob.h"

/* a record names its data files; an object composed very often has many */
enum { EMU_RECORD_MAX = 64 * 1024 * 1024 };

/** emu_disk_bucket_path() - malloc'd DIR/buckets/<bucket>. */
char *emu_disk_bucket_path(const struct emu_disk *d, const char *bucket);
/** emu_disk_record_path() - malloc'd DIR/buckets/<bucket>/<generation>.json. */
char *emu_disk_record_path(const struct emu_disk *d, const char *bucket,
			   uint64_t generation);

#endif
