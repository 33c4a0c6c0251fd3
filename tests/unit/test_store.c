// SPDX-License-Identifier: Apache-2.0
// The Cloud Storage client against scripted replies: requests, retries, settling.
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/tap.h"

/* What the server says of a status, and that it is no cause to ask again. */
static void test_errnos(void)
{
	static const struct {
		const char *reply;
		int r;
	} cases[] = {
		{REPLY("400 Bad", "", "0", ""), -EINVAL},
		{REPLY("401 No", "", "0", ""), -EACCES},
		{REPLY("403 No", "", "0", ""), -EACCES},
		{GONE, -ENOENT},
		{REPLY("409 No", "", "0", ""), -EINVAL},
		{NO_MATCH, -EEXIST},
		{REPLY("302 Away", "Location: http://127.0.0.1:1/\r\n", "0", ""),
		 -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake fake = {.replies = {cases[i].reply}};
		struct obj_meta meta;
		struct err err = {0};

		serve(&fake);
		ok(store->ops->stat(store, "a/b c", &meta, &err) == cases[i].r &&
			   fake.n_requests == 1 && strstr(err.text, "gs://bkt/a/b c"),
		   "%s", err.text);
		stop(&fake);
	}
}

static void test_put_request(void)
{
	struct fake fake = {.replies = {META}};
	struct put_req req = small(PUT_REPLACE);
	struct obj_meta meta;
	const char *text;

	setenv("MUSTER_EXTRA_HEADERS", "x-retry-test-id: 42", 1);
	serve(&fake);
	unsetenv("MUSTER_EXTRA_HEADERS");
	req.summary = "sum";
	ok(store->ops->put(store, "a/ü", &req, &meta, NULL) == 0 && meta.generation == 7,
	   "a small object is written in one request");
	text = fake_request(&fake, 0);
	ok(str_starts(text, "POST /upload/storage/v1/b/bkt/o?uploadType=multipart&name="
			    "a%2F%C3%BC&ifGenerationMatch=6&"),
	   "with name and precondition");
	ok(strstr(text, "\"crc32c\":\"mnG7TA==\"") &&
		   strstr(text, "\"muster-nonce\":\"") &&
		   strstr(text, "\"muster-summary\":\"sum\"") &&
		   strstr(text, "\"cacheControl\":\"no-store\""),
	   "checksum, nonce, summary, no-store");
	ok(strstr(text, "\r\nContent-Type: text/plain\r\n\r\nhello\r\n--") &&
		   str_ends(text, "--\r\n"),
	   "the bytes stand as they are between CRLF");
	ok(strstr(text, "x-retry-test-id: 42\r\n") &&
		   strstr(text, "x-goog-gcs-idempotency-token: ") &&
		   !strcasestr(text, "authorization"),
	   "extra headers and the idempotency token, no credential");
	stop(&fake);
}

static void test_put_retries(void)
{
	struct fake fake = {.replies = {BUSY, FAKE_RESET, META}};
	struct put_req req = small(PUT_CREATE);
	char first[64], last[64];

	serve(&fake);
	ok(store->ops->put(store, "n", &req, NULL, NULL) == 0 && fake.n_requests == 3,
	   "503 and a reset are tried again");
	header_of(&fake, 0, "x-goog-gcs-idempotency-token: ", first);
	header_of(&fake, 2, "x-goog-gcs-idempotency-token: ", last);
	ok(first[0] && strcmp(first, last) == 0, "under one idempotency token");
	ok(fake.n_connections >= 2, "after a reset on a new connection");
	ok(store->requests == 3 && store->retries == 2, "and counted");
	stop(&fake);
}

static void test_put_without_precondition(void)
{
	static const char *const replies[] = {BUSY, FAKE_RESET, FAKE_CLOSE};

	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		struct fake fake = {.replies = {replies[i], META}};
		struct put_req req = small(PUT_ANY);
		struct err err = {0};

		serve(&fake);
		ok(store->ops->put(store, "n", &req, NULL, &err) == -EAGAIN &&
			   fake.n_requests == 1,
		   "not tried again: %s", err.text);
		ok(!strstr(fake_request(&fake, 0), "ifGenerationMatch"),
		   "no precondition is made up");
		stop(&fake);
	}
}

/* 412 after an ambiguous try: the nonce decides, and only then is it asked for. */
static void test_settle(void)
{
	static const struct {
		const char *name, *replies[5];
		int r;
		unsigned n;
	} cases[] = {
		{"412 at once: lost", {NO_MATCH}, -EEXIST, 1},
		{"412 after 503, another's nonce", {BUSY, NO_MATCH, META}, -EEXIST, 3},
		{"412 after a reset, another's nonce",
		 {FAKE_RESET, NO_MATCH, META},
		 -EEXIST,
		 3},
		{"412 after 429, object gone",
		 {REPLY("429 Slow", "", "0", ""), NO_MATCH, GONE},
		 -EEXIST,
		 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake fake = {0};
		struct put_req req = small(PUT_CREATE);

		memcpy(fake.replies, cases[i].replies, sizeof(cases[i].replies));
		serve(&fake);
		ok(store->ops->put(store, "n", &req, NULL, NULL) == cases[i].r &&
			   fake.n_requests == cases[i].n,
		   "%s", cases[i].name);
		stop(&fake);
	}
}

static void test_delete(void)
{
	struct fake fake = {.replies = {FAKE_RESET, GONE, GONE, BUSY, NO_MATCH, BUSY}};

	serve(&fake);
	ok(store->ops->del(store, "n", 7, NULL) == 0,
	   "404 after a lost reply: it was our own delete");
	ok(asked(&fake, 0, "DELETE /storage/v1/b/bkt/o/n?ifGenerationMatch=7 "),
	   "with the generation");
	ok(store->ops->del(store, "n", 7, NULL) == -ENOENT, "404 at once");
	ok(store->ops->del(store, "n", 7, NULL) == -EEXIST,
	   "412 after 503: another generation");
	ok(store->ops->del(store, "n", 0, NULL) == -EAGAIN && fake.n_requests == 6,
	   "without a generation: once");
	stop(&fake);
}

static const struct {
	const char *name, *replies[5], *second; /* request line */
	int r;
	unsigned n;
} get_cases[] = {
	{"whole", {REPLY("200 OK", HEAD, "5", "hello")}, NULL, 0, 1},
	{"damaged", {REPLY("200 OK", HEAD, "5", "hellO")}, NULL, -EBADMSG, 1},
	{"no checksum", {REPLY("200 OK", "", "5", "hello")}, NULL, -EBADMSG, 1},
	{"continued with 206",
	 {"~" REPLY("200 OK", HEAD, "5", "hel"),
	  REPLY("206 Part", HEAD "Content-Range: bytes 3-4/5\r\n", "2", "lo")},
	 "GET /storage/v1/b/bkt/o/n?alt=media&generation=7 ",
	 0,
	 2},
	{"continued with 200 and Content-Range",
	 {"~" REPLY("200 OK", HEAD, "5", "hel"),
	  REPLY("200 OK", HEAD "Content-Range: bytes 3-4/5\r\n", "2", "lo")},
	 NULL,
	 0,
	 2},
	{"begun anew with 200",
	 {"~" REPLY("200 OK", HEAD, "5", "hel"), REPLY("200 OK", HEAD, "5", "hello")},
	 NULL,
	 0,
	 2},
	{"broken twice",
	 {"~" REPLY("200 OK", HEAD, "5", "h"),
	  "~" REPLY("206 Part", HEAD "Content-Range: bytes 1-4/5\r\n", "4", "el"),
	  REPLY("206 Part", HEAD "Content-Range: bytes 3-4/5\r\n", "2", "lo")},
	 NULL,
	 0,
	 3},
	{"a part of elsewhere",
	 {"~" REPLY("200 OK", HEAD, "5", "hel"),
	  REPLY("206 Part", HEAD "Content-Range: bytes 4-4/5\r\n", "1", "o")},
	 NULL,
	 -EBADMSG,
	 2},
	{"replaced in the middle",
	 {"~" REPLY("200 OK", "x-goog-generation: 6\r\n", "5", "old"), GONE,
	  REPLY("200 OK", HEAD, "5", "hello")},
	 "GET /storage/v1/b/bkt/o/n?alt=media&generation=6 ",
	 0,
	 3},
	{"larger than allowed",
	 {REPLY("200 OK", HEAD, "11", "hello hello")},
	 NULL,
	 -EFBIG,
	 1},
	{"not there", {GONE}, NULL, -ENOENT, 1},
	{"nothing is left where it broke off: 416",
	 {"~HTTP/1.1 200 OK\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	  OUT_OF_RANGE},
	 NULL,
	 0,
	 2},
	{"416, but bytes are missing",
	 {"~HTTP/1.1 200 OK\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
	  OUT_OF_RANGE},
	 NULL,
	 -EBADMSG,
	 2},
	{"416, smaller than was said",
	 {"~" REPLY("200 OK", HEAD, "6", "hello"), OUT_OF_RANGE},
	 NULL,
	 -EBADMSG,
	 2},
	{"another generation goes on",
	 {"~" REPLY("200 OK", HEAD, "5", "hel"),
	  REPLY("206 Part", "x-goog-generation: 8\r\nContent-Range: bytes 3-4/5\r\n", "2",
		"lo")},
	 NULL,
	 -EBADMSG,
	 2},
	{"put together wrongly",
	 {"~" REPLY("200 OK", HEAD, "5", "hel"),
	  REPLY("206 Part", HEAD "Content-Range: bytes 3-4/5\r\n", "2", "LO")},
	 NULL,
	 -EBADMSG,
	 2},
	{"206 without Content-Range",
	 {"~" REPLY("200 OK", HEAD, "5", "hel"), REPLY("206 Part", HEAD, "2", "lo")},
	 NULL,
	 -EBADMSG,
	 2},
	{"shorter than stored",
	 {REPLY("200 OK", HEAD "x-goog-stored-content-length: 6\r\n", "5", "hello")},
	 NULL,
	 -EBADMSG,
	 1},
};

static void test_get(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(get_cases); i++) {
		struct fake fake = {0};
		struct str text = STR_INIT(100);
		struct obj_meta meta = {0};
		struct err err = {0};
		int r;

		memcpy(fake.replies, get_cases[i].replies, sizeof(get_cases[i].replies));
		serve(&fake);
		str_add(&text, ">");
		r = store->ops->get(store, "n", 10, &text, &meta, &err);
		ok(r == get_cases[i].r && fake.n_requests == get_cases[i].n &&
			   (r || (strcmp(str_text(&text), ">hello") == 0 &&
				  meta.generation == 7 && meta.size_bytes == 5)),
		   "get: %s (%d, %s, %s)", get_cases[i].name, r, str_text(&text),
		   err.text);
		if (get_cases[i].second)
			ok(asked(&fake, 1, get_cases[i].second) &&
				   strstr(fake_request(&fake, 1),
					  "\r\nRange: bytes=3-\r\n"),
			   "get: %s: only the rest, of that generation",
			   get_cases[i].name);
		stop(&fake);
		str_done(&text);
	}
}

struct seen {
	char text[256];
	int stop_after;
};

static int on_object(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct seen *seen = arg;
	size_t n = strlen(seen->text);

	(void)err;
	snprintf(seen->text + n, sizeof(seen->text) - n, "%s;", meta->name);
	return --seen->stop_after == 0 ? 5 : 0;
}

static int on_prefix(const char *prefix, void *arg, struct err *err)
{
	struct seen *seen = arg;
	size_t n = strlen(seen->text);

	(void)err;
	snprintf(seen->text + n, sizeof(seen->text) - n, "[%s];", prefix);
	return 0;
}

#define PAGE_1                                                                           \
	REPLY("200 OK", "", "*",                                                         \
	      "{\"items\":[{\"name\":\"p/a\",\"generation\":\"1\"}],"                    \
	      "\"prefixes\":[\"p/b/\"],\"nextPageToken\":\"t&1\"}")
#define PAGE_2 REPLY("200 OK", "", "*", "{\"nextPageToken\":\"t2\"} ")
#define PAGE_3                                                                           \
	REPLY("200 OK", "", "*",                                                         \
	      "{\"items\":[{\"name\":\"p/c\",\"generation\":\"1\"}]}     ")

static void test_list(void)
{
	struct fake fake = {.replies = {PAGE_1, BUSY, PAGE_2, PAGE_3}};
	struct seen seen = {0};
	struct list_req req = {.prefix = "p/",
			       .start_offset = "p/a",
			       .one_level = true,
			       .on_object = on_object,
			       .on_prefix = on_prefix,
			       .arg = &seen};
	struct err err = {0};
	int64_t date_ns = 0;

	serve(&fake);
	ok(store->ops->list(store, &req, &date_ns, &err) == 0 &&
		   strcmp(seen.text, "p/a;[p/b/];p/c;") == 0,
	   "all pages, an empty one too, in order (%s %s)", seen.text, err.text);
	ok(date_ns == 1795183506LL * NS_PER_S, "and the server's date");
	ok(strstr(fake_request(&fake, 0),
		  "&prefix=p%2F&delimiter=%2F&startOffset=p%2Fa ") &&
		   strstr(fake_request(&fake, 1), "&pageToken=t%261 "),
	   "with prefix, delimiter, offset, token");
	stop(&fake);
}

static void test_list_brief(void)
{
	struct fake fake = {.replies = {PAGE_3, PAGE_3}};
	struct seen seen = {0};
	struct list_req req = {.prefix = "", .on_object = on_object, .arg = &seen};

	serve(&fake);
	store->ops->list(store, &req, NULL, NULL);
	req.is_brief = true;
	ok(store->ops->list(store, &req, NULL, NULL) == 0 &&
		   strcmp(seen.text, "p/c;p/c;") == 0 &&
		   strstr(fake_request(&fake, 0), "metadata") &&
		   !strstr(fake_request(&fake, 1), "metadata") &&
		   strstr(fake_request(&fake, 1), "size,crc32c"),
	   "a brief listing asks for no custom metadata");
	stop(&fake);
}

static void test_list_stops(void)
{
	struct fake fake = {.replies = {PAGE_1, PAGE_2, PAGE_2}};
	struct seen seen = {.stop_after = 1};
	struct list_req req = {.prefix = "", .on_object = on_object, .arg = &seen};

	serve(&fake);
	ok(store->ops->list(store, &req, NULL, NULL) == 5 && fake.n_requests == 1,
	   "the callback ends the listing");
	ok(store->ops->list(store, &req, NULL, NULL) == -EBADMSG,
	   "the same token again and again does not loop");
	stop(&fake);
}

/* Its patience with a server that was never heard of begins anew with each call; and one
 * that takes a body is heard of. */
static void test_second_contact(void)
{
	static const char put_reply[] = "+HTTP/1.1 200 OK\r\nContent-Length: *\r\n\r\n"
					"{\"name\":\"n\",\"generation\":\"7\"}";
	struct fake fake = {.replies = {FAKE_STALL, PAGE_3, put_reply}};
	struct put_req req = {.precondition = PUT_CREATE, .data = "x", .n = 1};
	struct err err = {0};
	struct gcs *gcs;

	serve(&fake);
	gcs = (struct gcs *)store;
	gcs->first_contact_ns = NS_PER_S / 5;
	ok(store->ops->probe(store, NULL) == -EAGAIN, "a server that does not answer");
	usleep(250000);
	ok(store->ops->probe(store, &err) == 0, "and later does: %s", err.text);
	gcs->has_contact = false;
	err = (struct err){0};
	ok(store->ops->put(store, "n", &req, NULL, &err) == 0 && fake.n_requests == 3,
	   "it has taken the body and thinks about it: waited for (%s)", err.text);
	stop(&fake);
}

static void test_first_contact(void)
{
	struct store_opts opts = {.bucket = "bkt",
				  .endpoint = "http://127.0.0.1:1",
				  .first_contact_ns = NS_PER_S / 10};
	struct fake fake = {.replies = {FAKE_STALL}};
	struct store *s = NULL;
	struct err err = {0};
	int64_t start_ns = clock_mono_ns();
	int fds[2];

	store_gcs_open(&opts, &s, NULL);
	ok(s->ops->probe(s, &err) == -EAGAIN &&
		   clock_mono_ns() - start_ns < 5LL * NS_PER_S,
	   "a server that is not there: %s", err.text);
	store_close(s);
	test_second_contact();
	serve(&fake);
	store->deadline_ns = clock_mono_ns() + NS_PER_S / 10;
	ok(store->ops->probe(store, NULL) == -EAGAIN, "the caller's deadline");
	if (pipe(fds) < 0 || write(fds[1], "x", 1) != 1)
		abort();
	store->deadline_ns = 0;
	store->cancel_fd = fds[0];
	ok(store->ops->probe(store, NULL) == -ECANCELED, "cancelled");
	close(fds[0]);
	close(fds[1]);
	stop(&fake);
}

/* Google's endpoint and a token: proven without a network by refusing at the door. */
static void test_open(void)
{
	struct store_opts opts = {.bucket = "bkt"};
	struct store *s = NULL;
	struct err err = {0};

	setenv("GOOGLE_APPLICATION_CREDENTIALS", "/tmp/key.json", 1);
	ok(store_gcs_open(&opts, &s, &err) == -EACCES && !s, "%s", err.text);
	opts.endpoint = "http://127.0.0.1:1";
	ok(store_gcs_open(&opts, &s, NULL) == 0, "an endpoint needs no credentials");
	store_close(s);
	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	setenv("MUSTER_EXTRA_HEADERS", "broken", 1);
	s = NULL;
	ok(store_gcs_open(&opts, &s, NULL) == -EINVAL && !s, "broken extra headers");
	unsetenv("MUSTER_EXTRA_HEADERS");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "1", 1);
	test_errnos();
	test_put_request();
	test_put_retries();
	test_put_without_precondition();
	test_settle();
	test_delete();
	test_get();
	test_list();
	test_list_brief();
	test_list_stops();
	test_first_contact();
	test_open();
	return done_testing();
}
