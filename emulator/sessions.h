// SPDX-License-Identifier: Apache-2.0
// Resumable upload sessions.
#ifndef EMULATOR_SESSIONS_H
#define EMULATOR_SESSIONS_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emulator/blob.h"
#include "emulator/cond.h"
#include "emulator/meta.h"

enum emu_session_state {
	EMU_SESSION_OPEN,
	EMU_SESSION_COMPLETE,  /* @result answers every later request */
	EMU_SESSION_FAILED,    /* @fail does */
	EMU_SESSION_CANCELLED, /* as if it had never been */
};

enum { EMU_SESSION_ID_CAP = 65 };

/**
 * struct emu_session - one upload.
 *
 * @owner: the request whose body is being written; a newer one takes over, and what the
 *	older one still sends is dropped. Compared, never followed.
 */
struct emu_session {
	unsigned refs; /* changed atomically */
	char id[EMU_SESSION_ID_CAP];
	char *bucket, *name;
	struct emu_cond cond;
	pthread_mutex_t mu; /* guards all that follows; taken before the store's lock */
	enum emu_session_state state;
	json_t *meta;
	struct emu_digests digests;
	bool has_total;
	uint64_t total;
	struct emu_writer writer;
	struct emu_blob *blob; /* complete, but could not be stored yet */
	const void *owner;
	json_t *result;
	struct emu_fail fail;
	struct emu_session *next_in_slot;
	struct emu_session *older, *newer; /* by start */
};

struct emu_sessions;

struct emu_sessions *emu_sessions_new(void);
void emu_sessions_free(struct emu_sessions *ss);

/** emu_session_new() - one reference, not in the table; @meta is taken. */
struct emu_session *emu_session_new(const char *bucket, const char *name, json_t *meta);
void emu_session_unref(struct emu_session *s);

/** emu_sessions_add() - give it an id and keep it; the oldest is dropped when too many.
 */
void emu_sessions_add(struct emu_sessions *ss, struct emu_session *s);
/** emu_sessions_find() - a new reference, or NULL. */
struct emu_session *emu_sessions_find(struct emu_sessions *ss, const char *id);
/** emu_sessions_remove() - forget it. */
void emu_sessions_remove(struct emu_sessions *ss, struct emu_session *s);
/** emu_sessions_count() - how many are kept, finished ones included. */
size_t emu_sessions_count(struct emu_sessions *ss);

#endif
