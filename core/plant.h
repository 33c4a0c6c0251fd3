// SPDX-License-Identifier: Apache-2.0
// For the chaos runs, in programs built with TESTING=1 only: waits made short, and bugs
// planted on purpose, which the checks of tests/chaos must find.
#ifndef CORE_PLANT_H
#define CORE_PLANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef MUSTER_TESTING
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/str.h"

/** plant_is() - is MUSTER_PLANT=@name in the environment? */
static inline bool plant_is(const char *name)
{
	const char *planted = getenv("MUSTER_PLANT");

	return planted && strcmp(planted, name) == 0;
}

/** plant_text() - an environment variable; NULL without TESTING. */
static inline const char *plant_text(const char *name)
{
	return getenv(name);
}

/** plant_ns() - milliseconds of the environment variable @name, else @usual_ns. */
static inline int64_t plant_ns(const char *name, int64_t usual_ns)
{
	const char *text = getenv(name);
	uint64_t ms = 0;

	if (!text || parse_u64_range(name, text, 1, 3600000, &ms, NULL) < 0)
		return usual_ns;
	return (int64_t)ms * NS_PER_MS;
}

/** plant_bytes() - the environment variable @name, else @usual. */
static inline uint64_t plant_bytes(const char *name, uint64_t usual)
{
	const char *text = getenv(name);
	uint64_t n = 0;

	return text && parse_u64(text, &n, NULL) == 0 ? n : usual;
}
#else
static inline bool plant_is(const char *name)
{
	(void)name;
	return false;
}

static inline const char *plant_text(const char *name)
{
	(void)name;
	return NULL;
}

static inline int64_t plant_ns(const char *name, int64_t usual_ns)
{
	(void)name;
	return usual_ns;
}

static inline uint64_t plant_bytes(const char *name, uint64_t usual)
{
	(void)name;
	return usual;
}
#endif

#endif
