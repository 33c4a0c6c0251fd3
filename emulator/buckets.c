// SPDX-License-Identifier: Apache-2.0
// Creating, finding and deleting buckets.
#include <string.h>

#include "core/clock.h"
#include "core/str.h"
#include "emulator/disk.h"
#include "emulator/index.h"
#include "emulator/store.h"

int emu_bucket_name_check(const char *name, struct emu_fail *f)
{
	static const char ends[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t n = strlen(name);

	if (n < 3 || n > 63 || strspn(name, plain) != n || !strchr(ends, name[0]) ||
	    !strchr(ends, name[n - 1]) || strstr(name, ".."))
		return emu_fail(f, 400, "invalid", "Invalid bucket name: '%.100s'", name);
	return 0;
}

static int create_locked(struct emu_store *s, const char *name, struct emu_fail *f)
{
	int64_t now_ns = clock_real_ns();
	struct err err = {0};

	if (emu_index_bucket(s, name))
		return emu_fail(f, 409, "conflict",
				"Your previous request to create the named bucket "
				"succeeded and you already own it.");
	if (emu_disk_add_bucket(s->disk, name, now_ns, &err) < 0)
		return emu_fail(f, 500, "backendError", "%s", err.text);
	emu_index_add_bucket(s, name, now_ns);
	return 0;
}

int emu_bucket_create(struct emu_store *s, const char *name, struct emu_fail *f)
{
	int status = emu_bucket_name_check(name, f);

	if (status)
		return status;
	pthread_mutex_lock(&s->mu);
	status = create_locked(s, name, f);
	pthread_mutex_unlock(&s->mu);
	return status;
}

int emu_bucket_get(struct emu_store *s, const char *name, int64_t *ret_created_ns,
		   struct emu_fail *f)
{
	struct emu_bucket *b;
	int status;

	pthread_mutex_lock(&s->mu);
	status = emu_find_bucket(s, name, &b, f);
	if (!status && ret_created_ns)
		*ret_created_ns = b->created_ns;
	pthread_mutex_unlock(&s->mu);
	return status;
}

int emu_bucket_delete(struct emu_store *s, const char *name, struct emu_fail *f)
{
	struct emu_bucket *b;
	int status;

	pthread_mutex_lock(&s->mu);
	status = emu_find_bucket(s, name, &b, f);
	if (!status && b->n)
		status = emu_fail(f, 409, "conflict",
				  "The bucket you tried to delete is not empty.");
	if (!status) {
		emu_disk_drop_bucket(s->disk, name);
		emu_index_drop_bucket(s, b);
	}
	pthread_mutex_unlock(&s->mu);
	return status;
}

char **emu_bucket_names(struct emu_store *s, size_t *ret_n)
{
	char **names;

	pthread_mutex_lock(&s->mu);
	names = xcalloc(s->n, sizeof(*names));
	for (size_t i = 0; i < s->n; i++)
		names[i] = xstrdup(s->buckets[i]->name);
	*ret_n = s->n;
	pthread_mutex_unlock(&s->mu);
	return names;
}
