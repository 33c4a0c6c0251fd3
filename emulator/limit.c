// SPDX-License-Identifier: Apache-2.0
// Writes per second and object: a chained hash table of the last second's names.
#include "emulator/limit.h"

#include <string.h>

#include "core/clock.h"
#include "core/str.h"

enum { SLOTS = 4096 };

struct entry {
	struct entry *next;
	int64_t at_ns;
	char key[];
};

struct emu_limit {
	struct entry *slots[SLOTS];
};

struct emu_limit *emu_limit_new(void)
{
	return xcalloc(1, sizeof(struct emu_limit));
}

/* Drop the entries of one chain that no longer limit anything. */
static void expire(struct entry **at, int64_t mono_ns)
{
	while (*at) {
		struct entry *e = *at;

		if (mono_ns - e->at_ns < NS_PER_S) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		free(e);
	}
}

void emu_limit_free(struct emu_limit *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		expire(&l->slots[i], INT64_MAX);
	free(l);
}

/* FNV-1a, 32 bit (Fowler, Noll, Vo). */
static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

int emu_limit_take(struct emu_limit *l, enum emu_limit_kind kind, const char *bucket,
		   const char *name, int64_t mono_ns, struct emu_fail *f)
{
	cleanup_free char *key = NULL;
	struct entry **slot, *e;
	size_t n;

	if (!l)
		return 0;
	key = xasprintf("%c%s/%s", kind, bucket, name);
	slot = &l->slots[hash(key) % SLOTS];
	expire(slot, mono_ns);
	for (e = *slot; e; e = e->next)
		if (strcmp(e->key, key) == 0)
			return emu_fail(f, 429, "rateLimitExceeded",
					"The object %s/%s exceeded the rate limit for "
					"object mutation operations (create, update, and "
					"delete). Please reduce your request rate.",
					bucket, name);
	n = strlen(key) + 1;
	e = xcalloc(1, sizeof(*e) + n);
	memcpy(e->key, key, n);
	e->at_ns = mono_ns;
	e->next = *slot;
	*slot = e;
	return 0;
}
