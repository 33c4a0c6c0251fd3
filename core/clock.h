// SPDX-License-Identifier: Apache-2.0
// Clocks: monotonic for durations and deadlines, RFC 3339 for people.
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

#include "core/err.h"

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

/** clock_mono_ns() - CLOCK_MONOTONIC; never steps. */
int64_t clock_mono_ns(void);
/** clock_processor_ns() - processor time of the whole process. */
int64_t clock_processor_ns(void);

/** clock_real_ns() - CLOCK_REALTIME since the epoch; informative only. In builds for
 * tests MUSTER_CLOCK_SKEW_MS is added to it. */
int64_t clock_real_ns(void);

enum { RFC3339_CAP = 32 };

/** clock_format() - RFC 3339 UTC with milliseconds: 2026-11-20T14:05:06.123Z. */
void clock_format(int64_t real_ns, char out[RFC3339_CAP]);

/** clock_parse() - RFC 3339 in UTC ("Z" or +00:00), any number of fraction digits. */
int clock_parse(const char *text, int64_t *ret_real_ns, struct err *err);

/** clock_parse_http() - RFC 9110 IMF-fixdate ("Date:" header), seconds resolution. */
int clock_parse_http(const char *text, int64_t *ret_real_ns, struct err *err);

/** clock_sleep_until() - sleep to @mono_ns; returns early (-EINTR) on a signal. */
int clock_sleep_until(int64_t mono_ns);

#endif
