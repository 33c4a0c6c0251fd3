// SPDX-License-Identifier: Apache-2.0
// A block per thread for short-lived JSON documents.
#include "core/json_scratch.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __has_feature
#define HAS_SANITIZER __has_feature(address_sanitizer)
#else
#define HAS_SANITIZER 0
#endif

/* A record of a hundred bins takes 40 KiB. Untouched pages of it cost nothing. */
enum { SCRATCH_BYTES = 256 << 10, ALIGN = 16 };

static _Thread_local struct {
	_Alignas(ALIGN) char bytes[SCRATCH_BYTES];
	size_t used;
	bool is_on;
} scratch;

static bool is_scratch(const void *p)
{
	return (uintptr_t)p - (uintptr_t)scratch.bytes < SCRATCH_BYTES;
}

static void *scratch_malloc(size_t n)
{
	void *p = scratch.bytes + scratch.used;

	if (!scratch.is_on || n > SCRATCH_BYTES - scratch.used)
		return malloc(n);
	/* SCRATCH_BYTES is a multiple of ALIGN: rounding up stays within */
	scratch.used += (n + ALIGN - 1) / ALIGN * ALIGN;
	return p;
}

static void scratch_free(void *p)
{
	if (!is_scratch(p))
		free(p);
}

void json_scratch_init(void)
{
/* under a sanitizer every piece is to be watched */
#if !defined(__SANITIZE_ADDRESS__) && !HAS_SANITIZER
	json_set_alloc_funcs(scratch_malloc, scratch_free);
#endif
	(void)scratch_malloc;
	(void)scratch_free;
}

void json_scratch_begin(void)
{
	scratch.used = 0;
	scratch.is_on = true;
}

void json_scratch_end(void)
{
	scratch.is_on = false;
}
