// SPDX-License-Identifier: Apache-2.0
// Clocks and their text forms.
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
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

int64_t clock_real_ns(void)
{
	return clock_read_ns(CLOCK_REALTIME);
}

void clock_format(int64_t real_ns, char out[RFC3339_CAP])
{
	time_t s = (time_t)(real_ns / NS_PER_S);
	unsigned ms = (unsigned)(real_ns / NS_PER_MS % 1000);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(out, RFC3339_CAP, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, RFC3339_CAP - n, ".%03uZ", ms % 1000u);
}

int clock_parse(const char *text, int64_t *ret_real_ns, struct err *err)
{
	struct tm tm = {0};
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t frac = 0, unit = NS_PER_S / 10;

	if (p && *p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
			frac += (*p - '0') * unit;
	}
	if (!p || (strcmp(p, "Z") != 0 && strcmp(p, "+00:00") != 0))
		return err_set(err, -EINVAL, "\"%.40s\" is not an RFC 3339 time in UTC",
			       text);
	*ret_real_ns = (int64_t)timegm(&tm) * NS_PER_S + frac;
	return 0;
}

int clock_parse_http(const char *text, int64_t *ret_real_ns, struct err *err)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = {0};
	char month[4] = "";
	const char *at, *p;

	/* "Sun, 06 Nov 1994 08:49:37 GMT": by hand, since %a and %b follow the locale */
	if (strlen(text) != 29 || strcmp(text + 25, " GMT") != 0)
		return err_set(err, -EINVAL, "\"%.40s\" is not an HTTP date", text);
	memcpy(month, text + 8, 3);
	at = strstr(months, month);
	p = strptime(text + 12, "%Y %H:%M:%S", &tm);
	if (!at || !p || (at - months) % 3 || text[5] < '0' || text[6] < '0')
		return err_set(err, -EINVAL, "\"%.40s\" is not an HTTP date", text);
	tm.tm_mon = (int)(at - months) / 3;
	tm.tm_mday = (text[5] - '0') * 10 + (text[6] - '0');
	*ret_real_ns = (int64_t)timegm(&tm) * NS_PER_S;
	return 0;
}

int clock_sleep_until(int64_t mono_ns)
{
	struct timespec ts = {.tv_sec = mono_ns / NS_PER_S,
			      .tv_nsec = mono_ns % NS_PER_S};

	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}
