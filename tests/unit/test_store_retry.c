// SPDX-License-Identifier: Apache-2.0
// The Cloud Storage client against scripted replies: resumable uploads, composing,
// patience.
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "core/log.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/tap.h"

#define GAP                                                                              \
	REPLY("503 Busy", "Content-Type: text/plain; charset=utf-8\r\n", "*",            \
	      "Invalid request.  According to the Content-Range header, the upload "     \
	      "offset is 3 byte(s), which exceeds already uploaded size of 0 byte(s).")
#define SESSION(port) "Location: http://127.0.0.1:" port "/session?upload_id=secret\r\n"

static const struct {
	const char *name, *replies[6];
	int r;
	unsigned n;
	const char *ranges[6]; /* of each request after the first */
} upload_cases[] = {
	{"at once", {META}, 0, 2, {"bytes 0-4/5"}},
	{"reset, nothing kept",
	 {FAKE_RESET, REPLY("308 Go on", "", "0", ""), META},
	 0,
	 4,
	 {"bytes 0-4/5", "bytes */5", "bytes 0-4/5"}},
	{"503, two bytes kept",
	 {BUSY, REPLY("308 Go on", "Range: bytes=0-1\r\n", "0", ""), META},
	 0,
	 4,
	 {"bytes 0-4/5", "bytes */5", "bytes 2-4/5"}},
	{"only a part is taken",
	 {REPLY("308 Go on", "Range: bytes=0-2\r\n", "0", ""), META},
	 0,
	 3,
	 {"bytes 0-4/5", "bytes 3-4/5"}},
	{"the final reply is lost",
	 {FAKE_RESET, META},
	 0,
	 3,
	 {"bytes 0-4/5", "bytes */5"}},
	{"the server goes backwards",
	 {REPLY("308 Go on", "Range: bytes=0-2\r\n", "0", ""), BUSY,
	  REPLY("308 Go on", "Range: bytes=0-1\r\n", "0", "")},
	 -EIO,
	 4,
	 {"bytes 0-4/5", "bytes 3-4/5", "bytes */5"}},
	{"more kept than sent",
	 {REPLY("308 Go on", "Range: bytes=0-5\r\n", "0", "")},
	 -EIO,
	 2,
	 {"bytes 0-4/5"}},
	{"the final reply is cut",
	 {"~" REPLY("200 OK", "", "50", "{\"na"), META},
	 0,
	 3,
	 {"bytes 0-4/5", "bytes */5"}},
	{"an offset past what is kept: asked, then continued",
	 {GAP, REPLY("308 Go on", "Range: bytes=0-2\r\n", "0", ""), META},
	 0,
	 4,
	 {"bytes 0-4/5", "bytes */5", "bytes 3-4/5"}},
	{"an offset past what is kept: bytes were lost",
	 {REPLY("308 Go on", "Range: bytes=0-2\r\n", "0", ""), GAP,
	  REPLY("308 Go on", "", "0", "")},
	 -EIO,
	 4,
	 {"bytes 0-4/5", "bytes 3-4/5", "bytes */5"}},
	{"308 without Range after some were kept",
	 {REPLY("308 Go on", "Range: bytes=0-2\r\n", "0", ""),
	  REPLY("308 Go on", "", "0", "")},
	 -EIO,
	 3,
	 {"bytes 0-4/5", "bytes 3-4/5"}},
	{"all is kept, but it is not an object yet",
	 {REPLY("308 Go on", "Range: bytes=0-4\r\n", "0", ""), META},
	 0,
	 3,
	 {"bytes 0-4/5", "bytes */5"}},
	{"408, then 429",
	 {REPLY("408 Late", "", "0", ""), REPLY("429 Slow", "", "0", ""),
	  REPLY("308 Go on", "Range: bytes=0-3\r\n", "0", ""), META},
	 0,
	 5,
	 {"bytes 0-4/5", "bytes */5", "bytes */5", "bytes 4-4/5"}},
	{"nothing is ever kept",
	 {REPLY("308 Go on", "", "0", ""), REPLY("308 Go on", "", "0", ""),
	  REPLY("308 Go on", "", "0", ""), REPLY("308 Go on", "", "0", "")},
	 -EIO,
	 5,
	 {"bytes 0-4/5", "bytes 0-4/5", "bytes 0-4/5", "bytes 0-4/5"}},
	{"another size is stored",
	 {REPLY("200 OK", "", "*", "{\"generation\":\"7\",\"size\":\"4\"}")},
	 -EBADMSG,
	 2,
	 {"bytes 0-4/5"}},
	{"412 at the end", {NO_MATCH}, -EEXIST, 2, {"bytes 0-4/5"}},
	{"403 at the end", {REPLY("403 No", "", "0", "")}, -EACCES, 2, {"bytes 0-4/5"}},
	{"412 after a reset, another's nonce",
	 {FAKE_RESET, NO_MATCH, META},
	 -EEXIST,
	 4,
	 {"bytes 0-4/5", "bytes */5"}},
};

/* A resumable upload of "hello"; the session's URL needs the port, so it is patched in.
 */
static void test_resumable(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(upload_cases); i++) {
		struct fake fake = {0};
		struct put_req req = small(PUT_CREATE);
		struct err err = {0};
		char start[256];
		bool good = true;
		int r;

		req.is_resumable = true;
		memcpy(fake.replies + 1, upload_cases[i].replies,
		       sizeof(upload_cases[i].replies));
		fake.replies[0] = start;
		serve(&fake);
		snprintf(start, sizeof(start), REPLY("200 OK", SESSION("%u"), "0", ""),
			 fake.port);
		r = store->ops->put(store, "n", &req, NULL, &err);
		for (size_t k = 0; k < ARRAY_SIZE(upload_cases[i].ranges); k++) {
			char range[64];

			if (!upload_cases[i].ranges[k])
				break;
			header_of(&fake, k + 1, "Content-Range: ", range);
			good = good && strcmp(range, upload_cases[i].ranges[k]) == 0 &&
			       asked(&fake, k + 1, "PUT /session?upload_id=secret ");
		}
		ok(r == upload_cases[i].r && fake.n_requests == upload_cases[i].n && good,
		   "resumable: %s (%d, %u requests, %s)", upload_cases[i].name, r,
		   fake.n_requests, err.text);
		ok(!strstr(err.text, "secret"), "resumable: %s: no session in the text",
		   upload_cases[i].name);
		stop(&fake);
	}
}

/* The connection breaks early, and then the server claims to have nearly all. */
static void test_more_than_sent(void)
{
	enum { BYTES = 64 * 1024 * 1024 };
	char start[256];
	struct fake fake = {
		.replies = {start, "<" BUSY,
			    REPLY("308 Go on", "Range: bytes=0-67108861\r\n", "0", "")}};
	cleanup_free void *data = xcalloc(1, BYTES);
	struct put_req req = {.data = data, .n = BYTES, .precondition = PUT_CREATE};
	struct err err = {0};
	char range[64];

	serve(&fake);
	snprintf(start, sizeof(start), REPLY("200 OK", SESSION("%u"), "0", ""),
		 fake.port);
	store->deadline_ns = clock_mono_ns() + 10LL * NS_PER_S;
	ok(store->ops->put(store, "n", &req, NULL, &err) == -EIO && fake.n_requests == 3,
	   "more is kept than was sent: %s", err.text);
	header_of(&fake, 2, "Content-Range: ", range);
	ok(strcmp(range, "bytes */67108864") == 0, "... after it was asked");
	stop(&fake);
}

static void test_lost_session(void)
{
	char start[256];
	struct fake fake = {
		.replies = {start, REPLY("410 Gone", "", "0", ""), start, META}};
	struct put_req req = small(PUT_CREATE);

	req.is_resumable = true;
	serve(&fake);
	snprintf(start, sizeof(start), REPLY("200 OK", SESSION("%u"), "0", ""),
		 fake.port);
	ok(store->ops->put(store, "n", &req, NULL, NULL) == 0 && fake.n_requests == 4 &&
		   asked(&fake, 2,
			 "POST /upload/storage/v1/b/bkt/o?uploadType=resumable"),
	   "an upload whose session is gone begins anew");
	stop(&fake);
}

/* What becomes of a session that is gone after a reset. */
static void test_lost_session_ambiguous(void)
{
	static const struct {
		enum put_precondition precondition;
		int r;
		unsigned n;
	} cases[] = {{PUT_CREATE, 0, 5}, {PUT_ANY, -ENOENT, 3}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char start[256];
		struct fake fake = {.replies = {start, FAKE_RESET, GONE, start, META}};
		struct put_req req = small(cases[i].precondition);

		req.is_resumable = true;
		serve(&fake);
		snprintf(start, sizeof(start), REPLY("200 OK", SESSION("%u"), "0", ""),
			 fake.port);
		ok(store->ops->put(store, "n", &req, NULL, NULL) == cases[i].r &&
			   fake.n_requests == cases[i].n,
		   "404 after a reset: %s",
		   cases[i].r ? "without a precondition it is not begun anew"
			      : "begun anew");
		stop(&fake);
	}
}

static void test_compose(void)
{
	const char *sources[33];
	struct fake fake = {
		.replies = {BUSY, META, META, BUSY, FAKE_RESET, NO_MATCH, META}};
	struct put_req req = {.precondition = PUT_CREATE},
		       any = {.precondition = PUT_ANY};
	const char *text;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		sources[i] = "a/b";
	serve(&fake);
	ok(store->ops->compose(store, "d/e", sources, 0, &req, NULL, NULL) == -EINVAL &&
		   store->ops->compose(store, "d/e", sources, 33, &req, NULL, NULL) ==
			   -EINVAL &&
		   fake.n_requests == 0,
	   "compose: not of none, not of 33");
	ok(store->ops->compose(store, "d/e", sources, 32, &req, NULL, NULL) == 0 &&
		   fake.n_requests == 2,
	   "compose: of 32, tried again after 503");
	text = fake_request(&fake, 0);
	ok(str_starts(text,
		      "POST /storage/v1/b/bkt/o/d%2Fe/compose?ifGenerationMatch=0 ") &&
		   strstr(text, "{\"name\":\"a/b\"}") &&
		   strstr(text, "\"muster-nonce\":\""),
	   "with precondition, sources and nonce");
	ok(store->ops->compose(store, "d/e", sources, 1, &any, NULL, NULL) == 0 &&
		   !strstr(fake_request(&fake, 2), "ifGenerationMatch"),
	   "compose: of one, without a precondition");
	ok(store->ops->compose(store, "d/e", sources, 1, &any, NULL, NULL) == -EAGAIN &&
		   fake.n_requests == 4,
	   "... is sent once");
	ok(store->ops->compose(store, "d/e", sources, 1, &req, NULL, NULL) == -EEXIST &&
		   fake.n_requests == 7 &&
		   asked(&fake, 6, "GET /storage/v1/b/bkt/o/d%2Fe?"),
	   "412 after a reset: the nonce is another's");
	stop(&fake);
}

/* The server's wish is waited for; the backoff alone would be 1 ms. */
static void test_retry_after(void)
{
	struct fake fake = {
		.replies = {REPLY("503 Busy", "Retry-After: 1\r\n", "0", ""), META}};
	int64_t start_ns = clock_mono_ns();
	struct obj_meta meta;

	serve(&fake);
	ok(store->ops->stat(store, "n", &meta, NULL) == 0 &&
		   clock_mono_ns() - start_ns >= NS_PER_S,
	   "Retry-After is honoured");
	stop(&fake);
}

static uint64_t longest_ms;

/* "…; again in N ms": how long a retry waits. */
static void on_line(enum log_level level, const char *line, void *arg)
{
	static const char before[] = "again in ";
	const char *at = strstr(line, before);
	cleanup_free char *digits = NULL;
	uint64_t ms = 0;

	(void)level, (void)arg;
	if (!at)
		return;
	at += strlen(before);
	digits = xstrndup(at, strcspn(at, " "));
	if (parse_u64(digits, &ms, NULL) < 0 || ms > longest_ms)
		longest_ms = ms;
}

/* A download that loses its connection after each byte never has to wait longer. */
static void test_progress(void)
{
	static const char hello[] = "hello hello h";
	char replies[sizeof(hello)][512];
	struct fake fake = {0};
	struct str text = STR_INIT(100);
	struct err err = {0};
	size_t n = sizeof(hello) - 1;

	for (size_t i = 0; i < n; i++) {
		snprintf(replies[i], sizeof(replies[i]),
			 "%sHTTP/1.1 206 Part\r\nx-goog-generation: 7\r\nx-goog-hash: "
			 "crc32c=%s\r\nContent-Range: bytes %zu-%zu/%zu\r\n"
			 "Content-Length: %zu\r\n\r\n%c",
			 i + 1 < n ? "~" : "", "@@@@@@@@", i, n - 1, n, n - i, hello[i]);
		fake.replies[i] = replies[i];
	}
	for (size_t i = 0; i < n; i++) {
		char crc[CRC32C_B64_CAP];

		crc32c_base64(crc32c_update(0, hello, n), crc);
		memcpy(strstr(replies[i], "@@@@@@@@"), crc, strlen(crc));
	}
	serve(&fake);
	((struct gcs *)store)->base_ns = 8 * NS_PER_MS;
	log_set_sink(on_line, NULL, LOG_DEBUG);
	ok(store->ops->get(store, "n", 100, &text, NULL, &err) == 0 &&
		   strcmp(str_text(&text), hello) == 0 && store->retries == n - 1,
	   "a byte a connection: %s %s", str_text(&text), err.text);
	ok(longest_ms && longest_ms <= 8,
	   "each byte begins the backoff anew (%" PRIu64 " ms)", longest_ms);
	log_set_sink(NULL, NULL, LOG_INFO);
	stop(&fake);
	str_done(&text);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "1", 1);
	test_resumable();
	test_more_than_sent();
	test_lost_session();
	test_lost_session_ambiguous();
	test_compose();
	test_retry_after();
	test_progress();
	return done_testing();
}
