// SPDX-License-Identifier: Apache-2.0
// Reading and changing objects, each call atomic under the store's lock.
#include "emulator/objects.h"

#include <string.h>

#include "core/clock.h"
#include "core/str.h"
#include "emulator/disk.h"
#include "emulator/index.h"
#include "emulator/store.h"

void emu_store_init(struct emu_store *s, struct emu_disk *disk, bool is_limited)
{
	*s = (struct emu_store){.disk = disk};
	pthread_mutex_init(&s->mu, NULL);
	if (is_limited)
		s->limit = emu_limit_new();
}

void emu_store_done(struct emu_store *s)
{
	while (s->n) {
		struct emu_bucket *b = s->buckets[s->n - 1];

		for (size_t i = 0; i < b->n; i++)
			emu_object_unref(b->objects[i]);
		emu_index_drop_bucket(s, b);
	}
	free(s->buckets);
	emu_limit_free(s->limit);
	pthread_mutex_destroy(&s->mu);
}

int emu_find_bucket(const struct emu_store *s, const char *name, struct emu_bucket **ret,
		    struct emu_fail *f)
{
	*ret = emu_index_bucket(s, name);
	if (!*ret)
		return emu_fail(f, 404, "notFound",
				"The specified bucket does not exist.");
	return 0;
}

int emu_find_live(const struct emu_store *s, const struct emu_target *t,
		  struct emu_bucket **ret_bucket, struct emu_object **ret,
		  struct emu_fail *f)
{
	int status = emu_find_bucket(s, t->bucket, ret_bucket, f);

	if (status)
		return status;
	*ret = emu_index_find(*ret_bucket, t->name);
	if (!*ret || (t->has_generation && (*ret)->generation != t->generation))
		return emu_fail(f, 404, "notFound", "No such object: %s/%s", t->bucket,
				t->name);
	return emu_cond_check(&t->cond, (*ret)->generation, (*ret)->metageneration, f);
}

int emu_find_place(const struct emu_store *s, const struct emu_target *t,
		   struct emu_bucket **ret_bucket, struct emu_fail *f)
{
	const struct emu_object *o;
	int status = emu_find_bucket(s, t->bucket, ret_bucket, f);

	if (status)
		return status;
	o = emu_index_find(*ret_bucket, t->name);
	return emu_cond_check(&t->cond, o ? o->generation : 0, o ? o->metageneration : 0,
			      f);
}

int emu_take_turn(struct emu_store *s, enum emu_limit_kind kind,
		  const struct emu_target *t, struct emu_fail *f)
{
	return emu_limit_take(s->limit, kind, t->bucket, t->name, clock_mono_ns(), f);
}

int emu_commit(struct emu_store *s, struct emu_bucket *b, struct emu_object *o,
	       struct emu_object *moved_from, struct emu_fail *f)
{
	struct emu_object *old = emu_index_find(b, o->name);
	struct err err = {0};

	if (emu_disk_put(s->disk, o, moved_from, &err) < 0)
		return emu_fail(f, 500, "backendError", "%s", err.text);
	if (old && old->generation != o->generation)
		emu_disk_drop(s->disk, old, NULL);
	emu_index_set(b, emu_object_ref(o));
	return 0;
}

/* Microseconds since the epoch, as the service has it, and always increasing. */
void emu_stamp_new(struct emu_store *s, struct emu_object *o)
{
	int64_t now_ns = clock_real_ns();
	uint64_t us = (uint64_t)now_ns / 1000;

	s->last_generation = us > s->last_generation ? us : s->last_generation + 1;
	o->generation = s->last_generation;
	o->metageneration = 1;
	o->created_ns = o->updated_ns = now_ns;
}

int emu_store_get(struct emu_store *s, const struct emu_target *t,
		  struct emu_object **ret, struct emu_fail *f)
{
	struct emu_object *o = NULL;
	struct emu_bucket *b;
	int status;

	pthread_mutex_lock(&s->mu);
	status = emu_find_live(s, t, &b, &o, f);
	if (!status)
		*ret = emu_object_ref(o);
	pthread_mutex_unlock(&s->mu);
	return status;
}

int emu_store_check(struct emu_store *s, const struct emu_target *t, struct emu_fail *f)
{
	struct emu_bucket *b;
	int status;

	pthread_mutex_lock(&s->mu);
	status = emu_find_place(s, t, &b, f);
	pthread_mutex_unlock(&s->mu);
	return status;
}

int emu_store_put(struct emu_store *s, const struct emu_target *t, json_t *meta,
		  struct emu_blob *blob, struct emu_object **ret, struct emu_fail *f)
{
	struct emu_object *o = emu_object_new(t->bucket, t->name, meta, blob);
	struct emu_bucket *b;
	int status;

	pthread_mutex_lock(&s->mu);
	status = emu_find_place(s, t, &b, f);
	if (!status)
		status = emu_take_turn(s, EMU_LIMIT_WRITE, t, f);
	if (!status) {
		emu_stamp_new(s, o);
		status = emu_commit(s, b, o, NULL, f);
	}
	pthread_mutex_unlock(&s->mu);
	if (status)
		emu_object_unref(o);
	else
		*ret = o;
	return status;
}

/* A new version of @old's record with its data and the next metageneration. */
static int edited(const struct emu_object *old, enum emu_edit how, const json_t *resource,
		  struct emu_object **ret, struct emu_fail *f)
{
	json_t *meta = how == EMU_PATCH ? json_deep_copy(old->meta) : json_object();
	int status = emu_meta_merge(meta, resource, f);
	struct emu_object *o;

	if (status) {
		json_decref(meta);
		return status;
	}
	o = emu_object_new(old->bucket, old->name, meta, emu_blob_ref(old->blob));
	o->generation = old->generation;
	o->metageneration = old->metageneration + 1;
	o->components = old->components;
	o->created_ns = old->created_ns;
	o->updated_ns = clock_real_ns();
	*ret = o;
	return 0;
}

int emu_store_edit(struct emu_store *s, const struct emu_target *t, enum emu_edit how,
		   const json_t *resource, struct emu_object **ret, struct emu_fail *f)
{
	struct emu_object *old = NULL, *o = NULL;
	struct emu_bucket *b;
	int status;

	pthread_mutex_lock(&s->mu);
	status = emu_find_live(s, t, &b, &old, f);
	if (!status)
		status = emu_take_turn(s, EMU_LIMIT_UPDATE, t, f);
	if (!status)
		status = edited(old, how, resource, &o, f);
	if (!status)
		status = emu_commit(s, b, o, NULL, f);
	pthread_mutex_unlock(&s->mu);
	if (status)
		emu_object_unref(o);
	else
		*ret = o;
	return status;
}

int emu_store_delete(struct emu_store *s, const struct emu_target *t, struct emu_fail *f)
{
	struct emu_object *o = NULL;
	struct emu_bucket *b;
	struct err err = {0};
	int status;

	pthread_mutex_lock(&s->mu);
	status = emu_find_live(s, t, &b, &o, f);
	if (!status)
		status = emu_take_turn(s, EMU_LIMIT_WRITE, t, f);
	if (!status && emu_disk_drop(s->disk, o, &err) < 0)
		status = emu_fail(f, 500, "backendError", "%s", err.text);
	if (!status)
		emu_index_remove(b, t->name);
	pthread_mutex_unlock(&s->mu);
	return status;
}

void emu_store_counts(struct emu_store *s, uint64_t *ret_objects, uint64_t *ret_bytes)
{
	*ret_objects = *ret_bytes = 0;
	pthread_mutex_lock(&s->mu);
	for (size_t i = 0; i < s->n; i++) {
		*ret_objects += s->buckets[i]->n;
		for (size_t k = 0; k < s->buckets[i]->n; k++)
			*ret_bytes += s->buckets[i]->objects[k]->blob->size;
	}
	pthread_mutex_unlock(&s->mu);
}
