// SPDX-License-Identifier: Apache-2.0
// JSON documents that live for a moment: memory that is not managed piece by piece.
#ifndef CORE_JSON_SCRATCH_H
#define CORE_JSON_SCRATCH_H

#include "core/cleanup.h"

/** json_scratch_init() - once, before there are threads that use JSON; without it begin
 * and end do nothing. */
void json_scratch_init(void);

/**
 * json_scratch_begin() - from here to json_scratch_end() what this thread adds to JSON
 * documents lies in one block of its own, as far as that suffices, and is gone at the
 * end.
 *
 * A document of hundreds of small values costs more to allocate and free than to read.
 * Everything made or enlarged in between must be released in between, by this thread;
 * what was made before may be used and released. Not nested.
 */
void json_scratch_begin(void);
void json_scratch_end(void);

static inline void json_scratch_end_fn(const int *unused)
{
	(void)unused;
	json_scratch_end();
}
/** JSON_SCRATCH - for the rest of the block; declare it first, so that it ends last. */
#define JSON_SCRATCH                                                                     \
	cleanup(json_scratch_end_fn) int json_scratch_scope = (json_scratch_begin(), 0); \
	(void)json_scratch_scope

#endif
