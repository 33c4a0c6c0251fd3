// SPDX-License-Identifier: Apache-2.0
// Credentials all the way: to Google's names over TLS, and to nobody else.
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/auth_impl.h"
#include "core/clock.h"
#include "core/store.h"
#include "tests/unit/fake_google.h"
#include "tests/unit/tap.h"

#define CLIENT_SECRET "GOCSPX-s3cr3t/client+secret"
#define REFRESH "1//0s3cr3t-refresh&token=x"
#define ACCESS "ya29.s3cr3t-access-token-"

#define REPLY(status, body)                                                              \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"                      \
	"Content-Length: *\r\n\r\n" body
#define TOKEN(name)                                                                      \
	REPLY("200 OK", "{\"access_token\":\"" ACCESS name                               \
			"\",\"expires_in\":3599,\"token_type\":\"Bearer\"}")
#define REFUSED(why)                                                                     \
	REPLY("400 Bad Request",                                                         \
	      "{\"error\":\"" why "\",\"error_description\":\"" REFRESH "\"}")
#define OBJECT REPLY("200 OK", "{\"name\":\"o\",\"generation\":\"7\",\"size\":\"1\"}")
#define REDIRECT REPLY("307 x\r\nLocation: https://oauth2.googleapis.com/x", "")
#define UNAUTHORIZED REPLY("401 Unauthorized", "{\"error\":{\"message\":\"no\"}}")

static char folder[] = "/tmp/muster-auth-XXXXXX";
static char *cert_path, *cred_path, *pem;

static struct store *open_store(const char *endpoint, struct err *err)
{
	struct store_opts opts = {.bucket = "bkt", .endpoint = endpoint};
	struct store *store = NULL;

	store_gcs_open(&opts, &store, err);
	if (store)
		store->deadline_ns = clock_mono_ns() + 5LL * NS_PER_S;
	return store;
}

/* One look at gs://bkt/o by a store of its own. */
static int look(const char *endpoint, struct err *err)
{
	cleanup_store struct store *store = open_store(endpoint, err);
	struct obj_meta meta;
	int r = store ? store->ops->stat(store, "o", &meta, err) : err->code;

	spill(err->text);
	return r;
}

/* The token of an earlier test must not serve this one. */
static void forget(void)
{
	cleanup_secret struct str header = STR_INIT(8192);
	struct http *http = NULL;

	if (http_new(&http, NULL) == 0 &&
	    auth_token(http, clock_mono_ns() + NS_PER_S, -1, &header, NULL) == 0)
		auth_forget(str_text(&header));
	http_free(http);
}

static void test_user(void)
{
	struct google g = {.tokens = {.replies = {REPLY("503 x", ""), TOKEN("a")}},
			   .store = {.replies = {OBJECT}}};
	struct err err = {0};

	google_start(&g, cert_path);
	ok(look(NULL, &err) == 0, "a person's login (%s)", err.text);
	ok(google_count(&g, "POST /token HTTP/1.1\r\nHost: oauth2.googleapis.com\r\n",
			"\r\nContent-Type: application/x-www-form-urlencoded\r\n") == 2 &&
		   google_count(
			   &g, "POST ",
			   "\r\n\r\ngrant_type=refresh_token&client_id=id.apps"
			   "&client_secret=GOCSPX-s3cr3t%2Fclient%2Bsecret&refresh_token="
			   "1%2F%2F0s3cr3t-refresh%26token%3Dx") == 2,
	   "asks Google for a token, again after a 503");
	ok(google_count(&g, "POST ", "Authorization") == 0, "with no other credential");
	ok(google_count(&g, "GET /storage/v1/b/bkt/o/o?",
			"\r\nAuthorization: Bearer " ACCESS "a\r\n") == 1,
	   "and sends it to Cloud Storage");
	ok(google_count(&g, "CONNECT ", "") >= 2 &&
		   google_count(&g, "CONNECT ", "Authorization") == 0 &&
		   google_count(&g, "CONNECT ", "Bearer") == 0,
	   "the proxy does not see it");
	ok(look(NULL, &err) == 0 && google_count(&g, "POST ", "") == 2,
	   "another store has the same token");
	forget();
	google_stop(&g);
}

static void test_unauthorized(void)
{
	struct google g = {.tokens = {.replies = {TOKEN("a"), TOKEN("b"), TOKEN("c")}},
			   .store = {.replies = {UNAUTHORIZED, OBJECT, UNAUTHORIZED}}};
	struct err err = {0};

	google_start(&g, cert_path);
	ok(look(NULL, &err) == 0 && google_count(&g, "POST ", "") == 2 &&
		   google_count(&g, "GET ", ACCESS "a") == 1 &&
		   google_count(&g, "GET ", ACCESS "b") == 1,
	   "401: a new token, and once more (%s)", err.text);
	ok(look(NULL, &err) == -EACCES && google_count(&g, "POST ", "") == 3 &&
		   google_count(&g, "GET ", "") == 4,
	   "only once (%s)", err.text);
	forget();
	google_stop(&g);
}

static void test_revoked(void)
{
	static const struct {
		const char *reply, *want;
	} cases[] = {
		{REFUSED("invalid_grant"), "log in again"},
		{REFUSED("invalid_client"), "HTTP 400: invalid_client"},
		{REFUSED(REFRESH), "HTTP 400: no reason given"},
		{REPLY("403 x", "{\"error\":{\"message\":\"" REFRESH "\"}}"),
		 "HTTP 403: no reason given"},
		{REPLY("302 x\r\nLocation: https://storage.googleapis.com/token", ""),
		 "HTTP 302: no reason given"},
		{REPLY("200 OK", ACCESS), "the reply is not JSON"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct google g = {.tokens = {.replies = {cases[i].reply}},
				   .store = {.replies = {OBJECT}}};
		struct err err = {0};
		int r;

		google_start(&g, cert_path);
		r = look(NULL, &err);
		ok((r == -EACCES || r == -EBADMSG) && strstr(err.text, cases[i].want) &&
			   google_count(&g, "POST ", "") == 1 &&
			   google_count(&g, "GET ", "") == 0,
		   "not asked again: %s", err.text);
		google_stop(&g);
	}
}

/* A key needs no token endpoint. */
static void test_key(void)
{
	struct google g = {.tokens = {.replies = {REFUSED("x")}},
			   .store = {.replies = {OBJECT}}};
	cleanup_free char *json = key_json(pem);
	struct err err = {0};

	write_file(cred_path, json, 0600);
	google_start(&g, cert_path);
	ok(look(NULL, &err) == 0 && google_count(&g, "POST ", "") == 0 &&
		   google_count(&g, "GET /storage/v1/b/bkt/o/o?",
				"\r\nAuthorization: Bearer eyJhbGciOiJSUzI1NiIsInR5") ==
			   1,
	   "a key's own token goes to Cloud Storage (%s)", err.text);
	google_stop(&g);
}

/* With a token at hand: an emulator, another host, a redirect. */
static void test_other_hosts(void)
{
	static const char object[] =
		"HTTP/1.1 200 OK\r\nContent-Length: *\r\n\r\n"
		"{\"name\":\"o\",\"generation\":\"7\",\"size\":\"1\"}";
	static const char no[] = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";
	struct fake fake = {.replies = {object, no}};
	cleanup_free char *plain = NULL;
	struct google g = {.store = {.replies = {REDIRECT, OBJECT}}};
	struct err err = {0};

	fake_start(&fake);
	plain = xasprintf("http://127.0.0.1:%u", fake.port);
	google_start(&g, cert_path);
	ok(look(plain, &err) == 0 && fake.n_requests == 1 &&
		   !strcasestr(fake_request(&fake, 0), "authorization") &&
		   !strcasestr(fake_request(&fake, 0), "bearer"),
	   "nothing to an endpoint by http (%s)", err.text);
	ok(look(plain, &err) == -EACCES && fake.n_requests == 2,
	   "whose 401 is final (%s)", err.text);
	err_clear(&err);
	ok(look(NULL, &err) < 0 && google_count(&g, "GET ", "") == 1 &&
		   google_count(&g, "CONNECT oauth2", "") == 0,
	   "a redirect is not followed (%s)", err.text);
	err_clear(&err);
	/* the same server under its other name, which is not Cloud Storage's */
	ok(look("https://oauth2.googleapis.com", &err) == 0 &&
		   google_count(&g, "GET ", "\r\nHost: oauth2.googleapis.com\r\n") == 1 &&
		   google_count(&g, "GET ", "\r\nAuthorization: ") == 1,
	   "nothing to an endpoint by https (%s)", err.text);
	err_clear(&err);
	ok(look("https://evil.example", &err) < 0, "a wrong certificate: %s", err.text);
	google_stop(&g);
	fake_stop(&fake);
}

enum { LOOKERS = 8 };

static void *look_in_thread(void *arg)
{
	struct err err = {0};

	pthread_barrier_wait(arg);
	return look(NULL, &err) == 0 ? arg : NULL;
}

/* Stores of several threads, as the coordinator's pool has them. */
static void test_threads(void)
{
	struct google g = {.tokens = {.replies = {TOKEN("a"), TOKEN("b")}},
			   .store = {.replies = {OBJECT}}};
	pthread_t threads[LOOKERS];
	pthread_barrier_t start;
	unsigned good = 0;

	google_start(&g, cert_path);
	pthread_barrier_init(&start, NULL, LOOKERS);
	for (size_t i = 0; i < LOOKERS; i++)
		if (pthread_create(&threads[i], NULL, look_in_thread, &start) != 0)
			abort();
	for (size_t i = 0; i < LOOKERS; i++) {
		void *done = NULL;

		pthread_join(threads[i], &done);
		good += done != NULL;
	}
	ok(good == LOOKERS && google_count(&g, "POST ", "") == 1 &&
		   google_count(&g, "GET ", ACCESS "a") == LOOKERS,
	   "%d stores, one token", LOOKERS);
	pthread_barrier_destroy(&start);
	forget();
	google_stop(&g);
}

/* What a real program prints; also spilt. */
static int run_muster(struct str *said)
{
	const char *build = getenv("BUILD");
	cleanup_free char *path =
		xasprintf("%s/muster", build && *build ? build : "build");
	char buf[4096];
	int out[2], status = -1;
	ssize_t n;
	pid_t pid;

	if (pipe(out) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		execl(path, path, "store", "stat", "gs://bkt/o", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	while ((n = read(out[0], buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		str_add(said, buf);
	}
	close(out[0]);
	spill(str_text(said));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_program(void)
{
	struct google g = {.tokens = {.replies = {TOKEN("a"), REFUSED("invalid_grant")}},
			   .store = {.replies = {OBJECT}}};
	cleanup_str struct str good = STR_INIT(65536);
	cleanup_str struct str bad = STR_INIT(65536);

	google_start(&g, cert_path);
	chmod(cred_path, 0644);
	ok(run_muster(&good) == 0 && strstr(str_text(&good), "chmod 600") &&
		   strstr(str_text(&good), "generation"),
	   "muster with a login that others can read");
	ok(run_muster(&bad) == 2 && strstr(str_text(&bad), "log in again"),
	   "muster with a login that was revoked");
	google_stop(&g);
}

static void test_spilt(void)
{
	static const char *const secrets[] = {CLIENT_SECRET,
					      REFRESH,
					      ACCESS,
					      "eyJhbGciOiJSUzI1NiIs",
					      "GOCSPX-s3cr3t%2Fclient",
					      "1%2F%2F0s3cr3t"};

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		ok(!is_spilt(secrets[i]), "secret %zu is in no error, log or output", i);
	ok(!is_spilt(pem), "nor is the key");
	spill(ACCESS "x");
	ok(is_spilt(ACCESS), "it would have been found");
}

int main(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);

	if (!mkdtemp(folder))
		abort();
	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "10", 1);
	unsetenv("STORAGE_EMULATOR_HOST");
	unsetenv("no_proxy");
	pem = key_pem(key, NULL);
	cert_path = xasprintf("%s/cert.pem", folder);
	cred_path = xasprintf("%s/cred.json", folder);
	setenv("GOOGLE_APPLICATION_CREDENTIALS", cred_path, 1);
	log_set_sink(spill_line, NULL, LOG_DEBUG);
	write_file(cred_path, USER_JSON(CLIENT_SECRET, REFRESH), 0600);
	test_user();
	test_unauthorized();
	test_revoked();
	test_threads();
	test_program();
	test_key();
	test_other_hosts();
	test_spilt();
	unlink(cert_path);
	unlink(cred_path);
	rmdir(folder);
	free(cert_path);
	free(cred_path);
	free(pem);
	EVP_PKEY_free(key);
	str_done(&spilt);
	return done_testing();
}
