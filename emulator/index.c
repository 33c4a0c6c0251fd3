// SPDX-License-Identifier: Apache-2.0
// The sorted index of buckets and objects.
#include "emulator/index.h"

#include <string.h>

#include "core/str.h"

static size_t bucket_lower(const struct emu_store *s, const char *name)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(s->buckets[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct emu_bucket *emu_index_bucket(const struct emu_store *s, const char *name)
{
	size_t at = bucket_lower(s, name);

	if (at < s->n && strcmp(s->buckets[at]->name, name) == 0)
		return s->buckets[at];
	return NULL;
}

struct emu_bucket *emu_index_add_bucket(struct emu_store *s, const char *name,
					int64_t created_ns)
{
	struct emu_bucket *b = xcalloc(1, sizeof(*b));
	size_t at = bucket_lower(s, name);

	b->name = xstrdup(name);
	b->created_ns = created_ns;
	s->buckets = xrealloc(s->buckets, s->n + 1, sizeof(*s->buckets));
	memmove(s->buckets + at + 1, s->buckets + at, (s->n - at) * sizeof(*s->buckets));
	s->buckets[at] = b;
	s->n++;
	return b;
}

void emu_index_drop_bucket(struct emu_store *s, struct emu_bucket *b)
{
	size_t at = bucket_lower(s, b->name);

	s->n--;
	memmove(s->buckets + at, s->buckets + at + 1, (s->n - at) * sizeof(*s->buckets));
	free(b->objects);
	free(b->name);
	free(b);
}

size_t emu_index_lower(struct emu_object *const *objects, size_t n, const char *name)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(objects[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_at(const struct emu_bucket *b, size_t at, const char *name)
{
	return at < b->n && strcmp(b->objects[at]->name, name) == 0;
}

struct emu_object *emu_index_find(const struct emu_bucket *b, const char *name)
{
	size_t at = emu_index_lower(b->objects, b->n, name);

	return is_at(b, at, name) ? b->objects[at] : NULL;
}

void emu_index_set(struct emu_bucket *b, struct emu_object *o)
{
	size_t at = emu_index_lower(b->objects, b->n, o->name);

	if (is_at(b, at, o->name)) {
		emu_object_unref(b->objects[at]);
		b->objects[at] = o;
		return;
	}
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->objects = xrealloc(b->objects, b->cap, sizeof(struct emu_object *));
	}
	memmove(b->objects + at + 1, b->objects + at,
		(b->n - at) * sizeof(struct emu_object *));
	b->objects[at] = o;
	b->n++;
}

void emu_index_remove(struct emu_bucket *b, const char *name)
{
	size_t at = emu_index_lower(b->objects, b->n, name);

	if (!is_at(b, at, name))
		return;
	emu_object_unref(b->objects[at]);
	b->n--;
	memmove(b->objects + at, b->objects + at + 1,
		(b->n - at) * sizeof(struct emu_object *));
}
