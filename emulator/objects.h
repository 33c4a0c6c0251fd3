// SPDX-License-Identifier: Apache-2.0
// The buckets and their objects: every change happens here, under one lock.
#ifndef EMULATOR_OBJECTS_H
#define EMULATOR_OBJECTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emulator/cond.h"
#include "emulator/meta.h"

struct emu_limit;

struct emu_bucket {
	char *name;
	int64_t created_ns;
	size_t n, cap;
	struct emu_object **objects; /* sorted by name, as bytes */
};

/** struct emu_store - shared by all connections. */
struct emu_store {
	pthread_mutex_t mu; /* guards all that follows */
	uint64_t last_generation;
	size_t n;
	struct emu_bucket **buckets; /* sorted by name */
	struct emu_limit *limit;     /* NULL: no limit on writes per object */
	struct emu_disk *disk;	     /* NULL: in memory; set once, before use */
};

/** struct emu_target - the object a call is about, and under which conditions. */
struct emu_target {
	const char *bucket, *name;
	bool has_generation; /* the `generation` parameter: this version or none */
	uint64_t generation;
	struct emu_cond cond;
};

/** emu_store_init() - empty; @disk may be NULL; @is_limited: at most 1 write/s/object. */
void emu_store_init(struct emu_store *s, struct emu_disk *disk, bool is_limited);
void emu_store_done(struct emu_store *s);

/*
 * The calls below return 0 or the HTTP status recorded in @f. Objects they return are new
 * references.
 */

int emu_store_get(struct emu_store *s, const struct emu_target *t,
		  struct emu_object **ret, struct emu_fail *f);
/** emu_store_check() - would emu_store_put() be allowed now? */
int emu_store_check(struct emu_store *s, const struct emu_target *t, struct emu_fail *f);
/** emu_store_put() - create or overwrite; @meta and @blob are taken in every case. */
int emu_store_put(struct emu_store *s, const struct emu_target *t, json_t *meta,
		  struct emu_blob *blob, struct emu_object **ret, struct emu_fail *f);
enum emu_edit { EMU_PATCH, EMU_UPDATE };
/** emu_store_edit() - change writable fields: merged (PATCH) or replaced (UPDATE). */
int emu_store_edit(struct emu_store *s, const struct emu_target *t, enum emu_edit how,
		   const json_t *resource, struct emu_object **ret, struct emu_fail *f);
int emu_store_delete(struct emu_store *s, const struct emu_target *t, struct emu_fail *f);

enum emu_copy { EMU_COPY, EMU_MOVE };
/** emu_store_copy() - copy or move; @meta (taken) replaces the source's unless NULL. */
int emu_store_copy(struct emu_store *s, const struct emu_target *from,
		   const struct emu_target *to, enum emu_copy how, json_t *meta,
		   struct emu_object **ret, struct emu_fail *f);
/** emu_store_compose() - @n sources of one bucket in order; @meta is taken or NULL. */
int emu_store_compose(struct emu_store *s, const struct emu_target *from, size_t n,
		      const struct emu_target *to, json_t *meta, struct emu_object **ret,
		      struct emu_fail *f);

/** emu_bucket_name_check() - 400 for a bad name: 3 to 63 of [a-z0-9._-]. */
int emu_bucket_name_check(const char *name, struct emu_fail *f);
/** emu_bucket_create() - 400 for a bad name, 409 when it exists. */
int emu_bucket_create(struct emu_store *s, const char *name, struct emu_fail *f);
/** emu_bucket_get() - 404 when there is none; @ret_created_ns may be NULL. */
int emu_bucket_get(struct emu_store *s, const char *name, int64_t *ret_created_ns,
		   struct emu_fail *f);
/** emu_bucket_delete() - 409 when it is not empty. */
int emu_bucket_delete(struct emu_store *s, const char *name, struct emu_fail *f);
/** emu_bucket_names() - malloc'd array of malloc'd names. */
char **emu_bucket_names(struct emu_store *s, size_t *ret_n);

/** emu_store_counts() - for statistics. */
void emu_store_counts(struct emu_store *s, uint64_t *ret_objects, uint64_t *ret_bytes);

#endif
