// SPDX-License-Identifier: Apache-2.0
// Credentials: their order, the token's life, where it may go.
#include <errno.h>
#include <signal.h>

#include "core/auth.h"
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

static void test_order(void)
{
	enum auth_source source = AUTH_ANONYMOUS;
	struct err err = {0};

	setenv("CLOUDSDK_CONFIG", "/nonexistent", 1);
	setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
	ok(auth_find(&source, NULL) == 0 && source == AUTH_METADATA,
	   "the metadata server, when nothing else is there");
	setenv("GOOGLE_APPLICATION_CREDENTIALS", "/tmp/key.json", 1);
	ok(auth_find(&source, &err) == -EACCES && strstr(err.text, "/tmp/key.json") &&
		   strstr(err.text, "supported are"),
	   "a key file is named, not passed over (%s)", err.text);
	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "10", 1);
	test_token_life();
	test_bad_replies();
	test_metadata();
	test_where();
	test_order();
	return done_testing();
}
