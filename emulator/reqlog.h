// SPDX-License-Identifier: Apache-2.0
// The last requests served, for tests that look at what a client sent.
#ifndef EMULATOR_REQLOG_H
#define EMULATOR_REQLOG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { EMU_REQLOG_MAX = 100000 };

struct emu_req;
struct emu_reqlog;

struct emu_reqlog *emu_reqlog_new(void);
void emu_reqlog_free(struct emu_reqlog *l);

/**
 * emu_reqlog_add() - record a request as its reply is sent (@status 0: none is sent).
 *
 * The bearer token is kept: this log is how a test learns which secrets to look for.
 */
void emu_reqlog_add(struct emu_reqlog *l, const struct emu_req *req, int status);

/**
 * emu_reqlog_json() - {"total","dropped","requests":[…]}, oldest first.
 *
 * @since: only requests numbered @since or higher (the first is 0)
 * @limit: at most the last @limit of them
 */
json_t *emu_reqlog_json(struct emu_reqlog *l, uint64_t since, size_t limit);
void emu_reqlog_clear(struct emu_reqlog *l);

#endif
