// SPDX-License-Identifier: Apache-2.0
// The steps every change of the store is made of; the caller holds the store's lock.
#ifndef EMULATOR_STORE_H
#define EMULATOR_STORE_H

#include "emulator/limit.h"
#include "emulator/objects.h"

/** emu_find_bucket() - 404 when there is none. */
int emu_find_bucket(const struct emu_store *s, const char *name, struct emu_bucket **ret,
		    struct emu_fail *f);
/** emu_find_live() - an existing object whose conditions hold; borrowed. */
int emu_find_live(const struct emu_store *s, const struct emu_target *t,
		  struct emu_bucket **ret_bucket, struct emu_object **ret,
		  struct emu_fail *f);
/** emu_find_place() - where an object may be created or overwritten. */
int emu_find_place(const struct emu_store *s, const struct emu_target *t,
		   struct emu_bucket **ret_bucket, struct emu_fail *f);
/** emu_take_turn() - 429 when the name was written less than a second ago. */
int emu_take_turn(struct emu_store *s, enum emu_limit_kind kind,
		  const struct emu_target *t, struct emu_fail *f);
/** emu_stamp_new() - the next generation, metageneration 1, times. */
void emu_stamp_new(struct emu_store *s, struct emu_object *o);
/** emu_commit() - make @o the live object of its name; takes a reference of its own. */
int emu_commit(struct emu_store *s, struct emu_bucket *b, struct emu_object *o,
	       struct emu_object *moved_from, struct emu_fail *f);

#endif
