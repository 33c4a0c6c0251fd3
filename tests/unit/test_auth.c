// SPDX-License-Identifier: Apache-2.0
// The token: its life, one fetch for all threads, where it may go; the metadata server.
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "core/auth_impl.h"
#include "core/clock.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/tap.h"

#define FLAVOR "HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\n"
#define TOKEN(body, length)                                                              \
	FLAVOR "Content-Type: application/json\r\nContent-Length: " length "\r\n\r"      \
	       "\n" body

static const char token_a[] = TOKEN(
	"{\"access_token\":\"ya29.aaaa\",\"expires_in\":3599,\"token_type\":\"Bearer\"}",
	"*");
static const char token_b[] = TOKEN(
	"{\"access_token\":\"ya29.bbbb\",\"expires_in\":3599,\"token_type\":\"Bearer\"}",
	"*");
static const char token_short[] = TOKEN(
	"{\"access_token\":\"ya29.cccc\",\"expires_in\":200,\"token_type\":\"Bearer\"}",
	"*");
static const char not_found[] =
	"HTTP/1.1 404 No\r\nMetadata-Flavor: Google\r\nContent-Length: 0\r\n\r\n";

static struct http *http;

static void serve(struct fake *fake)
{
	char host[64];

	fake_start(fake);
	snprintf(host, sizeof(host), "127.0.0.1:%u", fake->port);
	setenv("GCE_METADATA_HOST", host, 1);
	if (http_new(&http, NULL) < 0)
		abort();
}

static void stop(struct fake *fake)
{
	http_free(http);
	fake_stop(fake);
}

static int64_t soon(void)
{
	return clock_mono_ns() + NS_PER_S / 2;
}

/* Is the process's header now "Authorization: Bearer <text>"? */
static bool token_is(const char *text)
{
	cleanup_secret struct str header = STR_INIT(4096);
	struct err err = {0};

	return auth_token(http, soon(), -1, &header, &err) == 0 &&
	       str_starts(str_text(&header), "Authorization: Bearer ") &&
	       strcmp(str_text(&header) + 22, text) == 0;
}

static void test_token_life(void)
{
	struct fake fake = {
		.replies = {token_a, token_b, token_short, token_short, not_found}};

	serve(&fake);
	ok(token_is("ya29.aaaa"), "the service account's token");
	ok(str_starts(fake_request(&fake, 0), "GET /computeMetadata/v1/instance/"
					      "service-accounts/default/token HTTP") &&
		   strstr(fake_request(&fake, 0), "Metadata-Flavor: Google\r\n"),
	   "asked for as the metadata server wants it");
	ok(token_is("ya29.aaaa") && fake.n_requests == 1, "kept, not asked for again");
	auth_forget("Authorization: Bearer ya29.other");
	ok(token_is("ya29.aaaa") && fake.n_requests == 1,
	   "another's 401 changes nothing");
	auth_forget("Authorization: Bearer ya29.aaaa");
	ok(token_is("ya29.bbbb"), "after its own 401 a new one");
	auth_forget("Authorization: Bearer ya29.bbbb");
	ok(token_is("ya29.cccc") && token_is("ya29.cccc") && fake.n_requests == 4,
	   "with less than 3 min 45 s left it is renewed");
	ok(token_is("ya29.cccc"), "and still used when that fails");
	auth_forget("Authorization: Bearer ya29.cccc");
	stop(&fake);
}

static void test_bad_replies(void)
{
	static const struct {
		const char *reply, *name;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: *\r\n\r\n{}", "another web server"},
		{FLAVOR "Content-Length: *\r\n\r\n{}", "no token"},
		{FLAVOR "Content-Length: *\r\n\r\nnot me!", "not JSON"},
		{TOKEN("{\"access_token\":\"a\\r\\nHost: x\",\"expires_in\":3599}", "*"),
		 "a token with a line break"},
		{not_found, "no service account"},
		{"HTTP/1.1 302 Found\r\nMetadata-Flavor: Google\r\nLocation: /y\r\n"
		 "Content-Length: 0\r\n\r\n",
		 "a redirect"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake fake = {.replies = {cases[i].reply}};
		cleanup_secret struct str header = STR_INIT(4096);
		struct err err = {0};

		serve(&fake);
		ok(auth_token(http, soon(), -1, &header, &err) < 0 && header.len == 0 &&
			   !strstr(err.text, "Bearer"),
		   "%s (%s)", cases[i].name, err.text);
		stop(&fake);
	}
}

static void test_metadata(void)
{
	struct fake fake = {.replies = {"HTTP/1.1 503 Wait\r\nMetadata-Flavor: Google\r\n"
					"Content-Length: 0\r\n\r\n",
					FLAVOR "Content-Length: 4\r\n\r\nvm-1",
					not_found}};
	cleanup_str struct str text = STR_INIT(100);

	serve(&fake);
	ok(metadata_get(http, "instance/name", 100, 0, -1, &text, NULL) == 0 &&
		   strcmp(str_text(&text), "vm-1") == 0,
	   "a value, after the server was not ready");
	ok(metadata_get(http, "instance/attributes/x", 100, 0, -1, &text, NULL) ==
		   -ENOENT,
	   "an attribute that is not set");
	stop(&fake);
}

static void test_where(void)
{
	static const struct {
		const char *url;
		bool may;
	} cases[] = {
		{"https://storage.googleapis.com/storage/v1/b/x/o", true},
		{"https://storage.googleapis.com/upload/storage/v1/b/x/o", true},
		{"http://storage.googleapis.com/storage/v1/b/x/o", false},
		{"https://storage.googleapis.com.evil.org/", false},
		{"https://storage.googleapis.com@evil.org/", false},
		{"https://storage.googleapis.com:444/", false},
		{"https://www.googleapis.com/", false},
		{"http://127.0.0.1:4443/", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(auth_may_send(cases[i].url) == cases[i].may, "a token %s to %s",
		   cases[i].may ? "goes" : "never goes", cases[i].url);
}

static void test_age(void)
{
	static const int64_t s = NS_PER_S, now = 1000LL * NS_PER_S;
	static const struct {
		int64_t expires_ns;
		enum auth_age age;
	} cases[] = {
		{0, AUTH_ENDED},
		{now - 1, AUTH_ENDED},
		{now, AUTH_ENDED},
		{now + 1, AUTH_STALE},
		{now + 224 * s, AUTH_STALE},
		{now + 225 * s - 1, AUTH_STALE},
		{now + 225 * s, AUTH_FRESH},
		{now + 3599 * s, AUTH_FRESH},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(auth_age(cases[i].expires_ns, now) == cases[i].age,
		   "age of a token with %" PRId64 " ns left", cases[i].expires_ns - now);
}

/* A thread that wants a token. */
struct taker {
	pthread_t thread;
	pthread_barrier_t *start;
	int64_t limit_ns, took_ns;
	int cancel_fd, r;
	char header[AUTH_HEADER_CAP];
};

static void *take(void *arg)
{
	struct taker *t = arg;
	cleanup_secret struct str header = STR_INIT(sizeof(t->header));
	struct http *own = NULL;
	int64_t start_ns;

	if (http_new(&own, NULL) < 0)
		abort();
	if (t->start)
		pthread_barrier_wait(t->start);
	start_ns = clock_mono_ns();
	t->r = auth_token(own, start_ns + t->limit_ns, t->cancel_fd, &header, NULL);
	t->took_ns = clock_mono_ns() - start_ns;
	str_copy(t->header, sizeof(t->header), str_text(&header));
	http_free(own);
	return NULL;
}

static void launch(struct taker *t, int64_t limit_ns)
{
	t->limit_ns = limit_ns;
	t->cancel_fd = -1;
	if (pthread_create(&t->thread, NULL, take, t) != 0)
		abort();
}

/* Until the fake has got its @n-th request. */
static void wait_for(const struct fake *fake, unsigned n)
{
	while (fake->n_requests < n)
		usleep(1000);
}

enum { TAKERS = 12 };

static unsigned n_with(const struct taker *takers, const char *token)
{
	unsigned n = 0;

	for (size_t i = 0; i < TAKERS; i++)
		n += takers[i].r == 0 && strcmp(takers[i].header + 22, token) == 0;
	return n;
}

static void test_single_flight(void)
{
	struct fake fake = {.replies = {token_a, token_b, token_b, token_b}};
	struct taker takers[TAKERS] = {0};
	pthread_barrier_t start;

	serve(&fake);
	pthread_barrier_init(&start, NULL, TAKERS);
	for (size_t i = 0; i < TAKERS; i++) {
		takers[i].start = &start;
		launch(&takers[i], 5LL * NS_PER_S);
	}
	for (size_t i = 0; i < TAKERS; i++)
		pthread_join(takers[i].thread, NULL);
	ok(n_with(takers, "ya29.aaaa") == TAKERS && fake.n_requests == 1,
	   "%d threads, %u request for a token", TAKERS, fake.n_requests);
	auth_forget("Authorization: Bearer ya29.aaaa");
	pthread_barrier_destroy(&start);
	stop(&fake);
}

/* One thread renews and gets no answer: the others have a good token meanwhile. */
static void test_old_meanwhile(void)
{
	struct fake fake = {.replies = {token_short, FAKE_STALL, token_a}};
	struct taker slow = {0}, quick = {0};

	serve(&fake);
	ok(token_is("ya29.cccc"), "a token with 200 s left");
	launch(&slow, NS_PER_S);
	wait_for(&fake, 2);
	launch(&quick, 5LL * NS_PER_S);
	pthread_join(quick.thread, NULL);
	ok(quick.r == 0 && strstr(quick.header, "cccc") &&
		   quick.took_ns < 800LL * NS_PER_MS && fake.n_requests == 2,
	   "used by the others while one thread waits for the next");
	pthread_join(slow.thread, NULL);
	ok(slow.r == 0 && strstr(slow.header, "cccc") && fake.n_requests == 2,
	   "and by that thread when it gives up");
	ok(token_is("ya29.cccc") && fake.n_requests == 2,
	   "no other try follows on its heels");
	auth_forget("Authorization: Bearer ya29.cccc");
	ok(token_is("ya29.aaaa") && fake.n_requests == 3, "unless the token is refused");
	auth_forget("Authorization: Bearer ya29.aaaa");
	stop(&fake);
}

/* There is none: who waits for another's fetch can give up, or take over. */
static void test_waiting(void)
{
	struct fake fake = {.replies = {FAKE_STALL, token_a, token_b}};
	struct taker first = {0}, late = {0}, cancelled = {0}, second = {0};
	int cancel[2];

	serve(&fake);
	if (pipe(cancel) < 0)
		abort();
	close(cancel[1]);
	launch(&first, NS_PER_S);
	wait_for(&fake, 1);
	launch(&second, 5LL * NS_PER_S);
	launch(&late, NS_PER_S / 10);
	pthread_join(late.thread, NULL);
	ok(late.r == -EAGAIN && fake.n_requests == 1, "a waiting thread has a deadline");
	cancelled.cancel_fd = cancel[0];
	cancelled.limit_ns = 5LL * NS_PER_S;
	take(&cancelled);
	ok(cancelled.r == -ECANCELED && cancelled.took_ns < 800LL * NS_PER_MS &&
		   fake.n_requests == 1,
	   "and can be cancelled");
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	ok(first.r < 0 && second.r == 0 && strstr(second.header, "aaaa") &&
		   fake.n_requests == 2,
	   "when the fetch fails one of those that waited takes over");
	auth_forget("Authorization: Bearer ya29.aaaa");
	close(cancel[0]);
	stop(&fake);
}

/* What will not do for one will not do for those that waited for it. */
static void test_shared_failure(void)
{
	struct fake fake = {.replies = {FAKE_CLOSE, not_found, token_a}};
	struct taker first = {0}, second = {0};

	/* the first try fails and is repeated a second later: time to line up */
	setenv("MUSTER_RETRY_BASE_MS", "1000", 1);
	serve(&fake);
	launch(&first, 5LL * NS_PER_S);
	wait_for(&fake, 1);
	launch(&second, 5LL * NS_PER_S);
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	ok(first.r == -EACCES && (second.r == -EACCES || fake.n_requests == 3),
	   "no service account, for all who waited");
	setenv("MUSTER_RETRY_BASE_MS", "10", 1);
	auth_forget("Authorization: Bearer ya29.aaaa");
	stop(&fake);
}

/* It starts late when a machine boots. */
static void test_retries(void)
{
#define LATER(status) "HTTP/1.1 " status " x\r\nContent-Length: 0\r\n\r\n"
	struct fake fake = {.replies = {LATER("408"), LATER("429"), LATER("500"),
					LATER("503"), FAKE_RESET, token_a}};
	cleanup_secret struct str header = STR_INIT(4096);

	serve(&fake);
	ok(auth_token(http, clock_mono_ns() + 5LL * NS_PER_S, -1, &header, NULL) == 0 &&
		   fake.n_requests == 6,
	   "408, 429, 500, 503, a reset: asked again");
	auth_forget("Authorization: Bearer ya29.aaaa");
	stop(&fake);
}

/* An address that is never reached, but through a proxy it would be. */
static void test_no_proxy(void)
{
	struct fake fake = {.replies = {token_a, token_b}};
	cleanup_free char *proxy = NULL;
	cleanup_response struct http_response resp = {0};
	cleanup_str struct str text = STR_INIT(4096);
	struct http_request req = {
		.method = "GET", .url = "http://192.0.2.1/", .plain_host = "192.0.2.1"};

	serve(&fake);
	proxy = xasprintf("http://127.0.0.1:%u", fake.port);
	setenv("http_proxy", proxy, 1);
	setenv("GCE_METADATA_HOST", "192.0.2.1", 1);
	ok(metadata_get(http, "instance/name", 100, clock_mono_ns() + NS_PER_S / 5, -1,
			&text, NULL) < 0 &&
		   fake.n_connections == 0,
	   "the metadata server is never asked through a proxy");
	req.deadline_ns = soon();
	ok(http_do(http, &req, &resp, NULL) == 0 && fake.n_connections == 1,
	   "which others are");
	unsetenv("http_proxy");
	stop(&fake);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "10", 1);
	setenv("CLOUDSDK_CONFIG", "/nonexistent", 1);
	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	test_age();
	test_token_life();
	test_bad_replies();
	test_metadata();
	test_where();
	test_single_flight();
	test_old_meanwhile();
	test_waiting();
	test_shared_failure();
	test_retries();
	test_no_proxy();
	return done_testing();
}
