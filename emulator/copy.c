// SPDX-License-Identifier: Apache-2.0
// Changes that take their data from other objects: copy, move, compose.
#include <string.h>

#include "core/str.h"
#include "emulator/disk.h"
#include "emulator/index.h"
#include "emulator/store.h"

/* The destination's record: the source's data under another name. */
static struct emu_object *copied(struct emu_store *s, const struct emu_object *src,
				 const struct emu_target *to, json_t *meta)
{
	struct emu_object *o;

	if (!meta)
		meta = json_deep_copy(src->meta);
	o = emu_object_new(to->bucket, to->name, meta, emu_blob_ref(src->blob));
	o->components = src->components;
	emu_stamp_new(s, o);
	return o;
}

static int copy_locked(struct emu_store *s, const struct emu_target *from,
		       const struct emu_target *to, enum emu_copy how, json_t **meta,
		       struct emu_object **ret, struct emu_fail *f)
{
	struct emu_bucket *src_bucket, *dst_bucket;
	struct emu_object *src = NULL;
	int status = emu_find_live(s, from, &src_bucket, &src, f);

	if (!status)
		status = emu_find_place(s, to, &dst_bucket, f);
	if (!status)
		status = emu_take_turn(s, EMU_LIMIT_WRITE, to, f);
	if (status)
		return status;
	*ret = copied(s, src, to, steal_ptr(*meta));
	status = emu_commit(s, dst_bucket, *ret, how == EMU_MOVE ? src : NULL, f);
	if (status || how != EMU_MOVE)
		return status;
	emu_disk_drop(s->disk, src, NULL);
	emu_index_remove(src_bucket, from->name);
	return 0;
}

int emu_store_copy(struct emu_store *s, const struct emu_target *from,
		   const struct emu_target *to, enum emu_copy how, json_t *meta,
		   struct emu_object **ret, struct emu_fail *f)
{
	struct emu_object *o = NULL;
	int status;

	pthread_mutex_lock(&s->mu);
	status = copy_locked(s, from, to, how, &meta, &o, f);
	pthread_mutex_unlock(&s->mu);
	json_decref(meta);
	if (status)
		emu_object_unref(o);
	else
		*ret = o;
	return status;
}

static struct emu_object *composed(struct emu_store *s, struct emu_object *const *src,
				   size_t n, const struct emu_target *to, json_t *meta)
{
	struct emu_blob **blobs = xcalloc(n, sizeof(*blobs));
	struct emu_object *o;

	for (size_t i = 0; i < n; i++)
		blobs[i] = src[i]->blob;
	o = emu_object_new(to->bucket, to->name, meta ? meta : json_object(),
			   emu_blob_concat(blobs, n));
	free(blobs);
	for (size_t i = 0; i < n; i++)
		o->components += src[i]->components ? src[i]->components : 1;
	emu_stamp_new(s, o);
	return o;
}

static int compose_locked(struct emu_store *s, const struct emu_target *from, size_t n,
			  const struct emu_target *to, json_t **meta,
			  struct emu_object **ret, struct emu_fail *f)
{
	cleanup_free struct emu_object **src = xcalloc(n, sizeof(struct emu_object *));
	struct emu_bucket *b;
	int status = 0;

	for (size_t i = 0; i < n && !status; i++)
		status = emu_find_live(s, &from[i], &b, &src[i], f);
	if (!status)
		status = emu_find_place(s, to, &b, f);
	if (!status)
		status = emu_take_turn(s, EMU_LIMIT_WRITE, to, f);
	if (status)
		return status;
	*ret = composed(s, src, n, to, steal_ptr(*meta));
	return emu_commit(s, b, *ret, NULL, f);
}

int emu_store_compose(struct emu_store *s, const struct emu_target *from, size_t n,
		      const struct emu_target *to, json_t *meta, struct emu_object **ret,
		      struct emu_fail *f)
{
	struct emu_object *o = NULL;
	int status;

	pthread_mutex_lock(&s->mu);
	status = compose_locked(s, from, n, to, &meta, &o, f);
	pthread_mutex_unlock(&s->mu);
	json_decref(meta);
	if (status)
		emu_object_unref(o);
	else
		*ret = o;
	return status;
}
