// SPDX-License-Identifier: Apache-2.0
// The service's limit of one write and one metadata update a second per object name.
#ifndef EMULATOR_LIMIT_H
#define EMULATOR_LIMIT_H

#include <stdint.h>

#include "emulator/fail.h"

struct emu_limit;

struct emu_limit *emu_limit_new(void);
void emu_limit_free(struct emu_limit *l);

enum emu_limit_kind { EMU_LIMIT_WRITE = 'w', EMU_LIMIT_UPDATE = 'u' };

/**
 * emu_limit_take() - 0, or 429 when that name had its write less than a second ago.
 *
 * @l: NULL allows everything. Not thread-safe: the caller holds the store's lock.
 */
int emu_limit_take(struct emu_limit *l, enum emu_limit_kind kind, const char *bucket,
		   const char *name, int64_t mono_ns, struct emu_fail *f);

#endif
