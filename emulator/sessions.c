// SPDX-License-Identifier: Apache-2.0
// The table of upload sessions.
#include "emulator/sessions.h"

#include <string.h>
#include <sys/random.h>

#include "core/str.h"

enum {
	SLOTS = 4096,
	/* finished sessions are kept too: a client may ask again after a lost reply */
	SESSIONS_MAX = 20000,
};

struct emu_sessions {
	pthread_mutex_t mu;
	size_t n;
	struct emu_session *slots[SLOTS];
	struct emu_session *oldest, *newest;
};

struct emu_sessions *emu_sessions_new(void)
{
	struct emu_sessions *ss = xcalloc(1, sizeof(*ss));

	pthread_mutex_init(&ss->mu, NULL);
	return ss;
}

struct emu_session *emu_session_new(const char *bucket, const char *name, json_t *meta)
{
	struct emu_session *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->bucket = xstrdup(bucket);
	s->name = xstrdup(name);
	s->meta = meta;
	pthread_mutex_init(&s->mu, NULL);
	return s;
}

void emu_session_unref(struct emu_session *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	emu_writer_done(&s->writer);
	emu_blob_unref(s->blob);
	json_decref(s->meta);
	json_decref(s->result);
	pthread_mutex_destroy(&s->mu);
	free(s->bucket);
	free(s->name);
	free(s);
}

/* The id is hexadecimal text of random bytes: its first digits are a hash. */
static struct emu_session **slot_of(struct emu_sessions *ss, const char *id)
{
	uint32_t h = 0;

	for (size_t i = 0; i < 8 && id[i]; i++)
		h = h * 31 + (unsigned char)id[i];
	return &ss->slots[h % SLOTS];
}

static void unlink_locked(struct emu_sessions *ss, struct emu_session *s)
{
	struct emu_session **at = slot_of(ss, s->id);

	while (*at && *at != s)
		at = &(*at)->next_in_slot;
	if (!*at)
		return;
	*at = s->next_in_slot;
	if (s->older)
		s->older->newer = s->newer;
	else
		ss->oldest = s->newer;
	if (s->newer)
		s->newer->older = s->older;
	else
		ss->newest = s->older;
	ss->n--;
	emu_session_unref(s);
}

void emu_sessions_free(struct emu_sessions *ss)
{
	if (!ss)
		return;
	while (ss->oldest)
		unlink_locked(ss, ss->oldest);
	pthread_mutex_destroy(&ss->mu);
	free(ss);
}

static void make_id(char id[EMU_SESSION_ID_CAP])
{
	cleanup_str struct str hex = STR_INIT(EMU_SESSION_ID_CAP);
	unsigned char raw[(EMU_SESSION_ID_CAP - 1) / 2];

	while (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		;
	str_add_hex(&hex, raw, sizeof(raw));
	str_copy(id, EMU_SESSION_ID_CAP, str_text(&hex));
}

void emu_sessions_add(struct emu_sessions *ss, struct emu_session *s)
{
	struct emu_session **slot;

	make_id(s->id);
	pthread_mutex_lock(&ss->mu);
	if (ss->n == SESSIONS_MAX)
		unlink_locked(ss, ss->oldest);
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	slot = slot_of(ss, s->id);
	s->next_in_slot = *slot;
	*slot = s;
	s->older = ss->newest;
	s->newer = NULL;
	if (ss->newest)
		ss->newest->newer = s;
	else
		ss->oldest = s;
	ss->newest = s;
	ss->n++;
	pthread_mutex_unlock(&ss->mu);
}

struct emu_session *emu_sessions_find(struct emu_sessions *ss, const char *id)
{
	struct emu_session *s;

	pthread_mutex_lock(&ss->mu);
	for (s = *slot_of(ss, id); s; s = s->next_in_slot)
		if (strcmp(s->id, id) == 0)
			break;
	if (s)
		__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&ss->mu);
	return s;
}

void emu_sessions_remove(struct emu_sessions *ss, struct emu_session *s)
{
	pthread_mutex_lock(&ss->mu);
	unlink_locked(ss, s);
	pthread_mutex_unlock(&ss->mu);
}

size_t emu_sessions_count(struct emu_sessions *ss)
{
	size_t n;

	pthread_mutex_lock(&ss->mu);
	n = ss->n;
	pthread_mutex_unlock(&ss->mu);
	return n;
}
