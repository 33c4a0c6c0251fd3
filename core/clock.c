// SPDX-License-Identifier: Apache-2.0
// Clocks and their text forms.
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/str.h"

static int64_t clock_read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_mono_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

int64_t clock_processor_ns(void)
{
	return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

#ifdef MUSTER_TESTING
/* A machine whose wall clock is wrong: nothing may depend on it. */
static int64_t clock_skew_ns(void)
{
	const char *text = getenv("MUSTER_CLOCK_SKEW_MS");
	uint64_t ms = 0;

	if (!text || parse_u64(text + (*text == '-'), &ms, NULL) < 0 || ms > INT32_MAX)
		return 0;
	return (*text == '-' ? -1 : 1) * (int64_t)ms * NS_PER_MS;
}
#else
static int64_t clock_skew_ns(void)
{
	return 0;
}
#endif

int64_t clock_real_ns(void)
{
	return clock_read_ns(CLOCK_REALTIME) + clock_skew_ns();
}

void clock_format(int64_t real_ns, char out[RFC3339_CAP])
{
	int64_t ns = real_ns % NS_PER_S, s = real_ns / NS_PER_S;
	struct tm tm;
	time_t t;
	size_t n;

	if (ns < 0) {
		ns += NS_PER_S;
		s--;
	}
	t = (time_t)s;
	gmtime_r(&t, &tm);
	n = strftime(out, RFC3339_CAP, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, RFC3339_CAP - n, ".%03uZ", (unsigned)(ns / NS_PER_MS) % 1000u);
}

/*
 * Reads @text as far as @shape goes: a letter of "Y m d H M S" stands for one digit of
 * that field, anything else for itself. Returns what follows, or NULL. (strptime() takes
 * blanks, signs and short fields.)
 */
static const char *read_shape(const char *text, const char *shape, struct tm *tm)
{
	for (; *shape; shape++, text++) {
		int *field = *shape == 'Y'   ? &tm->tm_year
			     : *shape == 'm' ? &tm->tm_mon
			     : *shape == 'd' ? &tm->tm_mday
			     : *shape == 'H' ? &tm->tm_hour
			     : *shape == 'M' ? &tm->tm_min
			     : *shape == 'S' ? &tm->tm_sec
					     : NULL;

		if (field ? *text < '0' || *text > '9' : *text != *shape)
			return NULL;
		if (field)
			*field = *field * 10 + (*text - '0');
	}
	return text;
}

/* From a year and a month as written (2026, 11) and a fraction; -EINVAL when there is no
 * such time, or none that fits. */
static int tm_to_ns(const struct tm *written, int64_t frac_ns, int64_t *ret_real_ns)
{
	struct tm tm = *written;
	int64_t ns;

	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -EINVAL;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	/* timegm() turns February 30 into March 2 */
	ns = (int64_t)timegm(&tm);
	if (tm.tm_mday != written->tm_mday || tm.tm_mon != written->tm_mon - 1)
		return -EINVAL;
	ns += written->tm_hour * 3600 + written->tm_min * 60 + written->tm_sec;
	if (__builtin_mul_overflow(ns, (int64_t)NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, frac_ns, &ns))
		return -EINVAL;
	*ret_real_ns = ns;
	return 0;
}

int clock_parse(const char *text, int64_t *ret_real_ns, struct err *err)
{
	int64_t frac_ns = 0, unit = NS_PER_S / 10;
	struct tm tm = {0};
	const char *p = read_shape(text, "YYYY-mm-ddTHH:MM:SS", &tm);

	if (p && p[0] == '.' && p[1] >= '0' && p[1] <= '9') {
		for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
			frac_ns += (*p - '0') * unit;
	}
	if (!p || (strcmp(p, "Z") != 0 && strcmp(p, "+00:00") != 0) ||
	    tm_to_ns(&tm, frac_ns, ret_real_ns) < 0)
		return err_set(err, -EINVAL, "\"%.40s\" is not an RFC 3339 time in UTC",
			       text);
	return 0;
}

int clock_parse_http(const char *text, int64_t *ret_real_ns, struct err *err)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = {0};
	char month[4] = "";
	const char *at;

	/* "Sun, 06 Nov 1994 08:49:37 GMT" */
	if (strlen(text) != 29 || strcmp(text + 25, " GMT") != 0 ||
	    !read_shape(text + 3, ", dd ", &tm) ||
	    !read_shape(text + 11, " YYYY HH:MM:SS", &tm))
		return err_set(err, -EINVAL, "\"%.40s\" is not an HTTP date", text);
	memcpy(month, text + 8, 3);
	at = strstr(months, month);
	tm.tm_mon = at && (at - months) % 3 == 0 ? (int)(at - months) / 3 + 1 : 0;
	if (!tm.tm_mon || tm_to_ns(&tm, 0, ret_real_ns) < 0)
		return err_set(err, -EINVAL, "\"%.40s\" is not an HTTP date", text);
	return 0;
}

int clock_sleep_until(int64_t mono_ns)
{
	struct timespec ts = {.tv_sec = mono_ns / NS_PER_S,
			      .tv_nsec = mono_ns % NS_PER_S};

	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}
