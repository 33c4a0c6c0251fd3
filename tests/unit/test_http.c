// SPDX-License-Identifier: Apache-2.0
// HTTP exchanges against a scripted server: what arrives, what counts as an answer.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "core/clock.h"
#include "core/http.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/tap.h"

static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

static char url[128];
static struct http *http;

static void serve(struct fake *fake)
{
	struct err err = {0};

	fake_start(fake);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", fake->port);
	if (http_new(&http, &err) < 0)
		abort();
}

static void stop(struct fake *fake)
{
	http_free(http);
	fake_stop(fake);
}

static struct http_request get(void)
{
	return (struct http_request){.method = "GET", .url = url};
}

static void test_reply(void)
{
	struct fake fake = {.replies = {"HTTP/1.1 200 OK\r\nX-One:  a \r\nx-one: b\r\n"
					"Content-Length: 5\r\n\r\nhello",
					hello}};
	cleanup_response struct http_response resp = {0};
	struct http_request req;
	char value[16];

	serve(&fake);
	req = get();
	ok(http_do(http, &req, &resp, NULL) == 0 && resp.status == 200 &&
		   strcmp(str_text(&resp.body), "hello") == 0,
	   "status and body");
	ok(http_header(&resp, "X-ONE", value, sizeof(value)) &&
		   strcmp(value, "a, b") == 0,
	   "headers of one name are joined");
	ok(!http_header(&resp, "X-On", value, sizeof(value)) && !value[0],
	   "a shorter name is another header");
	ok(!http_header(&resp, "X-One", value, 4), "a value that does not fit is absent");
	http_do(http, &req, &resp, NULL);
	ok(fake.n_requests == 2 && fake.n_connections == 1,
	   "the second request uses the same connection");
	ok(!http_header(&resp, "X-One", value, sizeof(value)),
	   "headers of the first reply are gone");
	stop(&fake);
}

static void test_body(void)
{
	struct fake fake = {.replies = {hello}};
	cleanup_response struct http_response resp = {0};
	FILE *file = tmpfile();
	struct http_request req;
	const char *sent;

	serve(&fake);
	fputs("0123456789", file);
	fflush(file);
	req = (struct http_request){.method = "POST",
				    .url = url,
				    .headers = {"Content-Type: text/plain"},
				    .parts = {{.data = "<", .n = 1},
					      {.fd = fileno(file), .offset = 3, .n = 4},
					      {.data = ">", .n = 1}}};
	ok(http_do(http, &req, &resp, NULL) == 0 && resp.sent_bytes == 6,
	   "a body of memory, file, memory is sent");
	sent = fake_request(&fake, 0);
	ok(str_starts(sent, "POST /x HTTP/1.1\r\n") && str_ends(sent, "\r\n\r\n<3456>"),
	   "in order, as HTTP/1.1");
	ok(strstr(sent, "Content-Length: 6\r\n") && !strcasestr(sent, "Expect:") &&
		   !strcasestr(sent, "Transfer-Encoding"),
	   "with its length, without Expect");
	fclose(file);
	stop(&fake);
}

static void test_short_file(void)
{
	struct fake fake = {.replies = {hello}};
	cleanup_response struct http_response resp = {0};
	struct http_request req;
	struct err err = {0};
	FILE *file = tmpfile();

	serve(&fake);
	req = (struct http_request){
		.method = "PUT", .url = url, .parts = {{.fd = fileno(file), .n = 10}}};
	ok(http_do(http, &req, &resp, &err) == -EIO && resp.outcome == HTTP_REFUSED,
	   "a file that became shorter is no cause to try again (%s)", err.text);
	fclose(file);
	stop(&fake);
}

static void test_outcomes(void)
{
	static const struct {
		const char *reply;
		enum http_outcome outcome;
		const char *name;
	} cases[] = {
		{FAKE_RESET, HTTP_BROKEN, "reset"},
		{FAKE_CLOSE, HTTP_BROKEN, "closed without a reply"},
		{"~HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", HTTP_BROKEN,
		 "closed within the body"},
		{"~HTTP/1.1 200 OK\r\nContent-Len", HTTP_BROKEN,
		 "closed within the head"},
		{"~HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		 HTTP_BROKEN, "closed before the last chunk"},
		{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", HTTP_ANSWERED, "503"},
		{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: "
		 "0\r\n\r\n",
		 HTTP_ANSWERED, "a redirect, not followed"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake fake = {.replies = {cases[i].reply}};
		cleanup_response struct http_response resp = {0};
		struct http_request req;
		struct err err = {0};

		serve(&fake);
		req = get();
		http_do(http, &req, &resp, &err);
		ok(resp.outcome == cases[i].outcome && fake.n_requests == 1, "%s (%s)",
		   cases[i].name, err.text);
		stop(&fake);
	}
}

/* libcurl would send it again by itself: a create carried out twice answers 412. */
static void test_no_hidden_repeat(void)
{
	struct fake fake = {.replies = {hello, FAKE_CLOSE, hello, hello}};
	cleanup_response struct http_response resp = {0};
	struct http_request req;
	struct err err = {0};
	int r;

	serve(&fake);
	req = get();
	http_do(http, &req, &resp, NULL);
	r = http_do(http, &req, &resp, &err);
	ok(r < 0 && resp.outcome == HTTP_BROKEN,
	   "a kept connection that ends unanswered is reported (%s)", err.text);
	ok(fake.n_requests == 2, "and the request is not repeated behind our back");
	ok(http_do(http, &req, &resp, NULL) == 0, "the next exchange connects anew");
	stop(&fake);
}

static void test_new_connection(void)
{
	struct fake fake = {.replies = {hello, hello}};
	cleanup_response struct http_response resp = {0};
	struct http_request req;

	serve(&fake);
	req = get();
	http_do(http, &req, &resp, NULL);
	req.on_new_connection = true;
	http_do(http, &req, &resp, NULL);
	ok(fake.n_connections == 2, "a new connection on demand");
	stop(&fake);
}

static void test_unreached(void)
{
	cleanup_http struct http *h = NULL;
	cleanup_response struct http_response resp = {0};
	struct http_request req = {.method = "GET", .url = "http://127.0.0.1:1/"};
	struct err err = {0};

	http_new(&h, NULL);
	ok(http_do(h, &req, &resp, &err) == -EAGAIN && resp.outcome == HTTP_UNREACHED,
	   "connection refused (%s)", err.text);
}

static void test_time(void)
{
	struct fake fake = {.replies = {FAKE_STALL, FAKE_STALL,
					"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
					FAKE_STALL}};
	cleanup_response struct http_response resp = {0};
	struct http_request req;
	int64_t start_ns = clock_mono_ns();
	int fds[2];

	serve(&fake);
	req = get();
	req.deadline_ns = start_ns + 50 * NS_PER_MS;
	http_do(http, &req, &resp, NULL);
	ok(resp.outcome == HTTP_LATE && clock_mono_ns() - start_ns >= 50 * NS_PER_MS &&
		   clock_mono_ns() - start_ns < 5LL * NS_PER_S,
	   "the deadline");
	req.deadline_ns = 0;
	req.answer_by_ns = clock_mono_ns() + 50 * NS_PER_MS;
	http_do(http, &req, &resp, NULL);
	ok(resp.outcome == HTTP_LATE, "no first byte in time");
	if (pipe(fds) < 0 || write(fds[1], "x", 1) != 1)
		abort();
	req.answer_by_ns = 0;
	ok(http_do(http, &req, &resp, NULL) == 0, "a connection that is kept");
	req.cancel_fd = &fds[0];
	ok(http_do(http, &req, &resp, NULL) == -ECANCELED &&
		   resp.outcome == HTTP_CANCELLED,
	   "cancelled");
	ok(http_pause(clock_mono_ns() + 60LL * NS_PER_S, fds[0]) == -ECANCELED,
	   "a pause, too");
	close(fds[0]);
	close(fds[1]);
	poll(NULL, 0, 50);
	ok(fake.n_requests == 3, "and was not even begun");
	stop(&fake);
}

static int refuse(const struct http_response *so_far, const void *bytes, size_t n,
		  void *arg, struct err *err)
{
	(void)so_far, (void)bytes, (void)n, (void)arg;
	return err_set(err, -EIO, "refused");
}

/* A connection on which an exchange failed may still bring the failed one's bytes. */
static void test_broken_connection(void)
{
	struct fake fake = {.replies = {hello, FAKE_STALL, hello, hello, hello}};
	cleanup_response struct http_response resp = {0};
	struct http_request req;

	serve(&fake);
	req = get();
	http_do(http, &req, &resp, NULL);
	req.deadline_ns = clock_mono_ns() + 30 * NS_PER_MS;
	http_do(http, &req, &resp, NULL);
	req.deadline_ns = 0;
	ok(http_do(http, &req, &resp, NULL) == 0 && fake.n_connections == 2,
	   "after a deadline a new connection");
	req.on_data = refuse;
	ok(http_do(http, &req, &resp, NULL) == -EIO, "the receiver refuses");
	req.on_data = NULL;
	ok(http_do(http, &req, &resp, NULL) == 0 && fake.n_connections == 3,
	   "... and then, too");
	stop(&fake);
}

static void test_refused(void)
{
	static const char *const urls[] = {
		"http://example.com/",
		"http://10.0.0.1/",
		"http://127.0.0.1.example.com/",
		"http://localhost.example.com/",
		"file:///etc/passwd",
		"ftp://127.0.0.1/",
		"http://user@127.0.0.1/",
		"not a url",
		"http://user:pw@localhost/",
	};
	cleanup_http struct http *h = NULL;

	http_new(&h, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		cleanup_response struct http_response resp = {0};
		struct http_request req = {.method = "GET", .url = urls[i]};

		ok(http_do(h, &req, &resp, NULL) == -EINVAL &&
			   resp.outcome == HTTP_REFUSED,
		   "refused: %s", urls[i]);
	}
}

static void test_loopback(void)
{
	static const struct {
		const char *host;
		bool is_loopback;
	} cases[] = {{"localhost", true},  {"127.0.0.1", true},
		     {"127.1.2.3", true},  {"[::1]", true},
		     {"::1", true},	   {"127.0.0.1.x", false},
		     {"127.0.0", false},   {"127.0.0.256", false},
		     {"128.0.0.1", false}, {"localhost.com", false},
		     {"", false},	   {"127.0.0.1.", false}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(http_is_loopback(cases[i].host) == cases[i].is_loopback,
		   "loopback or not: \"%s\"", cases[i].host);
}

static void test_limits(void)
{
	struct fake fake = {.replies = {hello, hello}};
	cleanup_response struct http_response resp = {0};
	struct http_request req;

	serve(&fake);
	req = get();
	req.max_bytes = 4;
	ok(http_do(http, &req, &resp, NULL) == -EFBIG && resp.outcome == HTTP_REFUSED,
	   "a reply larger than allowed");
	req.max_bytes = 5;
	ok(http_do(http, &req, &resp, NULL) == 0, "one of exactly that size");
	stop(&fake);
}

static void test_retry_after(void)
{
	struct fake fake = {.replies = {"HTTP/1.1 429 No\r\nRetry-After: "
					"7\r\nContent-Length: 0\r\n\r\n"}};
	cleanup_response struct http_response resp = {0};
	struct http_request req;

	serve(&fake);
	req = get();
	http_do(http, &req, &resp, NULL);
	ok(resp.retry_after_ns == 7LL * NS_PER_S, "Retry-After");
	stop(&fake);
}

static void test_certificates(void)
{
	cleanup_http struct http *h = NULL;
	cleanup_response struct http_response resp = {0};
	struct http_request req = {.method = "GET", .url = "https://127.0.0.1:1/"};
	struct err err = {0};

	http_new(&h, NULL);
	setenv("SSL_CERT_FILE", "/nonexistent/bundle.pem", 1);
	ok(http_do(h, &req, &resp, &err) < 0 && resp.outcome == HTTP_REFUSED &&
		   strstr(err.text, "SSL_CERT_FILE"),
	   "https without certificates of authorities (%s)", err.text);
	unsetenv("SSL_CERT_FILE");
}

static void test_public_get(void)
{
	static const char gone[] = "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone";
	struct fake fake = {.replies = {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
					FAKE_RESET, hello, gone, hello}};
	cleanup_str struct str body = STR_INIT(100);
	long status = 0;

	serve(&fake);
	setenv("MUSTER_RETRY_BASE_MS", "1", 1);
	ok(http_get(http, url, 100, &body, &status, NULL) == 0 && status == 200 &&
		   strcmp(str_text(&body), "hello") == 0,
	   "a public document, at the third try");
	ok(http_get(http, url, 100, &body, &status, NULL) == 0 && status == 404,
	   "404 is an answer");
	ok(http_get(http, url, 4, &body, &status, NULL) == -EFBIG,
	   "too large a document");
	ok(!strcasestr(fake_request(&fake, 0), "authorization"), "without a credential");
	stop(&fake);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_reply();
	test_body();
	test_short_file();
	test_outcomes();
	test_no_hidden_repeat();
	test_new_connection();
	test_unreached();
	test_time();
	test_broken_connection();
	test_refused();
	test_loopback();
	test_limits();
	test_retry_after();
	test_certificates();
	test_public_get();
	return done_testing();
}
