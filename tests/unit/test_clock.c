// SPDX-License-Identifier: Apache-2.0
// Clocks: text forms both ways, bad texts, sleeping.
#include "core/clock.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "core/cleanup.h"
#include "tests/unit/tap.h"

#define S INT64_C(1000000000)

static void test_format(void)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{999999, "1970-01-01T00:00:00.000Z"},
		{1000000, "1970-01-01T00:00:00.001Z"},
		{S - 1, "1970-01-01T00:00:00.999Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{-S, "1969-12-31T23:59:59.000Z"},
		{951782400 * S, "2000-02-29T00:00:00.000Z"},
		{1795183506 * S + 123456789, "2026-11-20T14:05:06.123Z"},
		{INT64_MAX, "2262-04-11T23:47:16.854Z"},
		{INT64_MIN, "1677-09-21T00:12:43.145Z"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[RFC3339_CAP];

		clock_format(cases[i].ns, text);
		ok(strcmp(text, cases[i].text) == 0, "format %lld: %s",
		   (long long)cases[i].ns, text);
	}
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-20T14:05:06Z", 1795183506 * S},
		{"2026-11-20T14:05:06+00:00", 1795183506 * S},
		{"2026-11-20T14:05:06.1Z", 1795183506 * S + 100000000},
		{"2026-11-20T14:05:06.123Z", 1795183506 * S + 123000000},
		{"2026-11-20T14:05:06.123456789Z", 1795183506 * S + 123456789},
		{"2026-11-20T14:05:06.1234567899999Z", 1795183506 * S + 123456789},
		{"2026-11-20T14:05:06.000000001+00:00", 1795183506 * S + 1},
		{"2000-02-29T00:00:00Z", 951782400 * S},
		{"2016-12-31T23:59:60Z", 1483228800 * S},
		{"1969-12-31T23:59:59.5Z", -S / 2},
		{"2262-04-11T23:47:16.854775807Z", INT64_MAX},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ns = -77;

		ok(clock_parse(cases[i].text, &ns, NULL) == 0 && ns == cases[i].ns,
		   "parse %s: %lld", cases[i].text, (long long)ns);
	}
}

static void test_parse_bad(void)
{
	static const char *const bad[] = {
		"",
		"Z",
		"2026-11-20",
		"2026-11-20T14:05:06",
		"2026-11-20 14:05:06Z",
		" 2026-11-20T14:05:06Z",
		"2026-11-20T14:05:06Z ",
		"2026-11-20T14:05:06+01:00",
		"2026-11-20T14:05:06-00:00",
		"2026-11-20T14:05:06.Z",
		"2026-11-20T14:05:06.1",
		"2026-11-20T14:05:06,1Z",
		"2026-11-20T14:05:06.1.2Z",
		"2026-11-20T14:05Z",
		"2026-1-2T14:05:06Z",
		"26-11-20T14:05:06Z",
		"+2026-11-20T14:05:06Z",
		"12026-11-20T14:05:06Z",
		"2026-00-20T14:05:06Z",
		"2026-13-20T14:05:06Z",
		"2026-11-00T14:05:06Z",
		"2026-11-31T14:05:06Z",
		"2026-02-29T14:05:06Z",
		"1900-02-29T14:05:06Z",
		"2026-11-20T24:00:00Z",
		"2026-11-20T14:60:06Z",
		"2026-11-20T14:05:61Z",
		"2262-04-11T23:47:16.854775808Z",
		"9999-12-31T23:59:59Z",
		"0001-01-01T00:00:00Z",
		"now",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		int64_t ns = -77;
		int r = clock_parse(bad[i], &ns, &err);

		ok(r == -EINVAL && err.code == r && ns == -77, "refused: \"%s\"", bad[i]);
	}
}

static void test_round_trip(void)
{
	unsigned bad = 0;

	for (int64_t day = 0; day < 90000; day++) {
		char text[RFC3339_CAP];
		int64_t ns = day * 86400 * S + day % 86400 * S + day % 1000 * NS_PER_MS;
		int64_t back = -1;

		clock_format(ns, text);
		bad += clock_parse(text, &back, NULL) < 0 || back != ns;
	}
	ok(bad == 0, "every day until 2216 survives format and parse");
}

static void test_parse_http(void)
{
	static const struct {
		const char *text;
		int64_t s;
	} cases[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
		{"Fri, 20 Nov 2026 14:05:06 GMT", 1795183506},
		{"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
		{"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
	};
	static const char *const bad[] = {
		"",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 ebM 1994 08:49:37 GMT",
		"Sun,  6 Nov 1994 08:49:37 GMT",
		"Sun, :6 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 8:49:37  GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 9999 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ns = -77;

		ok(clock_parse_http(cases[i].text, &ns, NULL) == 0 &&
			   ns == cases[i].s * S,
		   "http: %s", cases[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		int64_t ns = -77;
		int r = clock_parse_http(bad[i], &ns, &err);

		ok(r == -EINVAL && err.code == r && ns == -77, "http, refused: \"%s\"",
		   bad[i]);
	}
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void test_sleep(void)
{
	struct sigaction act = {.sa_handler = on_alarm};
	struct itimerval soon = {.it_value = {.tv_usec = 20000}};
	int64_t start = clock_mono_ns(), end = start + 30 * NS_PER_MS;

	ok(clock_sleep_until(end) == 0 && clock_mono_ns() >= end, "sleeps until then");
	start = clock_mono_ns();
	ok(clock_sleep_until(start - S) == 0, "the past is no wait");
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ok(clock_sleep_until(clock_mono_ns() + 20 * S) == -EINTR, "a signal ends it");
	ok(clock_mono_ns() - start < 10 * S, "at once");
}

static void test_real(void)
{
	struct timeval tv;
	int64_t now = clock_real_ns();

	gettimeofday(&tv, NULL);
	now -= tv.tv_sec * S;
	ok(now > -10 * S && now < 10 * S, "the real clock counts from the epoch");
}

int main(void)
{
	test_format();
	test_parse();
	test_parse_bad();
	test_round_trip();
	test_parse_http();
	test_sleep();
	test_real();
	return done_testing();
}
