// SPDX-License-Identifier: Apache-2.0
// Objects in a folder: DIR/data holds bytes, DIR/buckets/<bucket> one record per object.
#ifndef EMULATOR_DISK_H
#define EMULATOR_DISK_H

#include "core/err.h"
#include "emulator/objects.h"

/**
 * emu_disk_open() - create or open a data folder and lock it against a second process.
 *
 * -EBUSY when another process has it. Killed at any moment, the folder is consistent:
 * data files are written before the record that names them, records appear by rename.
 * Nothing is synced: a power cut is not a case an emulator has to survive.
 */
int emu_disk_open(const char *dir, struct emu_disk **ret, struct err *err);
void emu_disk_close(struct emu_disk *d);

/** emu_disk_load() - fill @s (no other thread yet) and remove what nothing refers to. */
int emu_disk_load(struct emu_disk *d, struct emu_store *s, struct err *err);

/* All below are no-ops when @d is NULL; the caller holds the store's lock. */

int emu_disk_add_bucket(struct emu_disk *d, const char *name, int64_t created_ns,
			struct err *err);
void emu_disk_drop_bucket(struct emu_disk *d, const char *name);
/** emu_disk_put() - write @o's record; @moved_from is the object it replaces, or NULL. */
int emu_disk_put(struct emu_disk *d, const struct emu_object *o,
		 const struct emu_object *moved_from, struct err *err);
/** emu_disk_drop() - remove @o's record. */
int emu_disk_drop(struct emu_disk *d, const struct emu_object *o, struct err *err);

#endif
