// SPDX-License-Identifier: Apache-2.0
// The sorted index of a bucket; the caller holds the store's lock.
#ifndef EMULATOR_INDEX_H
#define EMULATOR_INDEX_H

#include "emulator/objects.h"

/** emu_index_bucket() - the bucket, or NULL. */
struct emu_bucket *emu_index_bucket(const struct emu_store *s, const char *name);
/** emu_index_add_bucket() - insert a new one; it must not exist. */
struct emu_bucket *emu_index_add_bucket(struct emu_store *s, const char *name,
					int64_t created_ns);
/** emu_index_drop_bucket() - remove and free an empty bucket. */
void emu_index_drop_bucket(struct emu_store *s, struct emu_bucket *b);

/** emu_index_lower() - position of the first name >= @name among @n sorted objects. */
size_t emu_index_lower(struct emu_object *const *objects, size_t n, const char *name);
/** emu_index_find() - the live object of that name, or NULL; borrowed. */
struct emu_object *emu_index_find(const struct emu_bucket *b, const char *name);
/** emu_index_set() - insert or replace; takes the reference @o. */
void emu_index_set(struct emu_bucket *b, struct emu_object *o);
/** emu_index_remove() - remove and release, if it is there. */
void emu_index_remove(struct emu_bucket *b, const char *name);

#endif
