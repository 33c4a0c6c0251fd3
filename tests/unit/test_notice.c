// SPDX-License-Identifier: Apache-2.0
// The notice of a preemption: what is asked, what follows, and that nothing else does.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/auth.h"
#include "core/clock.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/tap.h"
#include "worker/notice.h"

#define REPLY(status, etag, body)                                                        \
	"HTTP/1.1 " status "\r\nMetadata-Flavor: Google\r\nETag: " etag                  \
	"\r\nContent-Length: *\r\n\r\n" body

static struct stop stop;

static void test_read(void)
{
	static const struct {
		const char *text;
		enum notice_word word;
	} cases[] = {
		{"TRUE", NOTICE_TRUE},	   {"FALSE", NOTICE_FALSE},
		{"TRUE\n", NOTICE_TRUE},   {"true", NOTICE_TRUE},
		{"", NOTICE_UNCLEAR},	   {"TRUEST", NOTICE_UNCLEAR},
		{"TRU", NOTICE_UNCLEAR},   {"FALSETRUE", NOTICE_UNCLEAR},
		{"NONE", NOTICE_UNCLEAR},  {"<html>TRUE", NOTICE_UNCLEAR},
		{" TRUE", NOTICE_UNCLEAR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(notice_read(cases[i].text) == cases[i].word, "\"%.*s\" is read right",
		   (int)strcspn(cases[i].text, "\n"), cases[i].text);
}

static void test_pause(void)
{
	static const int64_t s = NS_PER_S;
	static const struct {
		const char *name;
		struct notice_look look;
		int64_t least_ns, most_ns; /* for share 0 and 1 */
	} cases[] = {
		{"the first look", {0, false, true, 5, s}, 0, 0},
		{"a wait that was one", {0, true, true, 25 * s, s}, 0, 0},
		{"an answer at once instead of a wait",
		 {0, true, true, s / 4, s},
		 s - s / 4,
		 s - s / 4},
		{"no ETag to wait with", {0, false, false, 25 * s, s}, s, s},
		{"one failure", {1, true, false, 0, s}, s / 2, s},
		{"three", {3, true, false, 0, s}, 2 * s, 4 * s},
		{"four", {4, false, false, 0, s}, 4 * s, 8 * s},
		{"as many as can be", {4000000000U, true, true, 9 * s, s}, 4 * s, 8 * s},
		{"a failure with another base",
		 {2, true, true, 9 * s, s / 50},
		 s / 50,
		 s / 25},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(notice_pause_ns(&cases[i].look, 0) == cases[i].least_ns &&
			   notice_pause_ns(&cases[i].look, 1) == cases[i].most_ns,
		   "%s", cases[i].name);
}

static void begin(struct fake *fake, struct notice *n)
{
	char host[64];

	fake_start(fake);
	snprintf(host, sizeof(host), "127.0.0.1:%u", fake->port);
	setenv("GCE_METADATA_HOST", host, 1);
	notice_start(n, &stop);
}

static bool wait_requests(const struct fake *fake, unsigned n)
{
	for (int i = 0; i < 1000 && fake->n_requests < n; i++)
		http_pause(clock_mono_ns() + 5 * NS_PER_MS, -1);
	return fake->n_requests >= n;
}

static bool wait_stop(void)
{
	return stop_pause(&stop, 5LL * NS_PER_S) < 0;
}

static void test_failures(void)
{
	struct fake fake = {
		.replies = {FAKE_CLOSE, FAKE_RESET, REPLY("503 No", "a", "TRUE"),
			    "HTTP/1.1 200 OK\r\nContent-Length: *\r\n\r\nTRUE",
			    REPLY("200 OK", "a", "<b>TRUE</b>"),
			    REPLY("404 No", "a", "TRUE"), REPLY("302 Found", "a", "TRUE"),
			    "~HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\nContent-"
			    "Length: 9\r\n\r\nTRUE"}};
	struct notice n;
	int64_t start_ns;

	begin(&fake, &n);
	ok(wait_requests(&fake, 12), "a broken server is asked again");
	start_ns = clock_mono_ns();
	notice_finish(&n);
	ok(clock_mono_ns() - start_ns < 100 * NS_PER_MS, "the pause ends at once");
	ok(stop_why(&stop) == STOP_NONE, "and nothing it says is taken for a notice");
	fake_stop(&fake);
}

static void test_hang(void)
{
	struct fake fake = {.replies = {REPLY("200 OK", "f00d", "FALSE"), FAKE_STALL}};
	const char *wanted = "GET /computeMetadata/v1/instance/preempted"
			     "?wait_for_change=true&last_etag=f00d&timeout_sec=";
	struct notice n;
	int64_t start_ns;

	begin(&fake, &n);
	ok(wait_requests(&fake, 2), "after the value, its changes are waited for");
	start_ns = clock_mono_ns();
	notice_finish(&n);
	ok(clock_mono_ns() - start_ns < 100 * NS_PER_MS, "the wait ends at once");
	ok(str_starts(fake_request(&fake, 0),
		      "GET /computeMetadata/v1/instance/preempted "),
	   "the first look waits for nothing");
	ok(str_starts(fake_request(&fake, 1), wanted) &&
		   strstr(fake_request(&fake, 1), "Metadata-Flavor: Google\r\n"),
	   "the second names the ETag");
	ok(!strstr(fake_request(&fake, 1), "Authorization"), "no token is shown");
	ok(stop_why(&stop) == STOP_NONE, "FALSE is no reason to stop");
	fake_stop(&fake);
}

static void test_bad_etag(void)
{
	struct fake fake = {.replies = {REPLY("200 OK", "a&b=c d", "FALSE"), FAKE_STALL}};
	struct notice n;

	begin(&fake, &n);
	wait_requests(&fake, 2);
	notice_finish(&n);
	ok(fake.n_requests == 2 && !strchr(fake_request(&fake, 1), '?'),
	   "an ETag that would change the URL is not used");
	fake_stop(&fake);
}

static void test_signal_first(void)
{
	ok(strcmp(stop_text(&stop), "stopped by a signal") == 0,
	   "a signal alone is called one");
}

static void test_change(void)
{
	struct fake fake = {.replies = {FAKE_CLOSE, REPLY("200 OK", "f00d", "FALSE"),
					REPLY("200 OK", "beef", "TRUE")}};
	struct notice n;

	begin(&fake, &n);
	ok(wait_stop() && stop_why(&stop) == STOP_SIGNAL && stop_since_ns(&stop) > 0,
	   "TRUE is as a signal");
	ok(str_starts(stop_text(&stop), "preempted"), "called %s", stop_text(&stop));
	notice_finish(&n);
	ok(fake.n_requests == 3, "and then there is nothing more to ask");
	fake_stop(&fake);
}

static void test_first_look(void)
{
	struct fake fake = {.replies = {REPLY("200 OK", "f00d", "TRUE")}};
	int64_t since_ns = stop_since_ns(&stop);
	struct notice n;

	begin(&fake, &n);
	wait_requests(&fake, 1);
	http_pause(clock_mono_ns() + 200 * NS_PER_MS, -1);
	notice_finish(&n);
	ok(fake.n_requests == 1, "TRUE at the first look ends the watch as well");
	ok(stop_since_ns(&stop) == since_ns, "the first reason sets the clock");
	fake_stop(&fake);
}

static void test_none(void)
{
	struct notice n = {0};

	notice_finish(&n);
	setenv("MUSTER_RETRY_BASE_MS", "soon", 1);
	notice_start(&n, &stop);
	ok(!n.is_running, "what cannot be started is no error");
	notice_finish(&n);
}

int main(void)
{
	struct err err = {0};

	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "20", 1);
	if (stop_init(&stop, &err) < 0)
		return 1;
	test_read();
	test_pause();
	test_failures();
	test_hang();
	test_bad_etag();
	test_signal_first();
	test_change();
	test_first_look();
	test_none();
	return done_testing();
}
