// SPDX-License-Identifier: Apache-2.0
// Preconditions on generation and metageneration.
#ifndef EMULATOR_COND_H
#define EMULATOR_COND_H

#include <stdbool.h>
#include <stdint.h>

#include "emulator/fail.h"

enum emu_cond_kind {
	EMU_IF_GENERATION_MATCH,
	EMU_IF_GENERATION_NOT_MATCH,
	EMU_IF_METAGENERATION_MATCH,
	EMU_IF_METAGENERATION_NOT_MATCH,
	EMU_COND_KINDS,
};

/** struct emu_cond - `{0}` holds always. */
struct emu_cond {
	bool has[EMU_COND_KINDS];
	uint64_t value[EMU_COND_KINDS];
};

/**
 * emu_cond_name() - query parameter of a precondition.
 *
 * @is_source: the ifSource… spelling of copy, rewrite and moveTo
 */
const char *emu_cond_name(enum emu_cond_kind kind, bool is_source);

/**
 * emu_cond_check() - 0, 412, or 304 when a …NotMatch precondition is violated.
 *
 * @generation, @metageneration: of the live object, both 0 when there is none; then
 * only ifGenerationMatch=0 can hold. A violated …NotMatch is 304 on mutations too, but
 * 412 when there is no object.
 */
int emu_cond_check(const struct emu_cond *c, uint64_t generation, uint64_t metageneration,
		   struct emu_fail *f);

#endif
