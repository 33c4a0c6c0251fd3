// SPDX-License-Identifier: Apache-2.0
// Large uploads: the checksum is made on the way and goes with the last bytes.
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "core/rng.h"
#include "core/store_gcs_impl.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/tap.h"

enum { UNIT = 256 * 1024, UNITS = 36 * UNIT, TOTAL = UNITS + 12345 };

/* "%C" and "%P" in a reply become the right checksum and the server's port */
#define EMPTY(status, head) "HTTP/1.1 " status "\r\n" head "Content-Length: 0\r\n\r\n"
#define SESSION EMPTY("200 OK", "Location: http://127.0.0.1:%P/session?upload_id=s\r\n")
#define BUSY EMPTY("503 Busy", "")
#define KEPT(last) EMPTY("308 Go on", "Range: bytes=0-" last "\r\n")
#define META(size, sum)                                                                  \
	"HTTP/1.1 200 OK\r\nContent-Length: *\r\n\r\n{\"name\":\"n\","                   \
	"\"generation\":\"7\",\"size\":\"" size "\",\"crc32c\":\"" sum "\"}"
#define DONE META("9449529", "%C")

static const struct {
	const char *name, *replies[8];
	int r;
	unsigned n;
	/* of each request: the first words, then Content-Range; '#': with the checksum */
	const char *asked[8];
} cases[] = {
	{"in two pieces",
	 {SESSION, KEPT("9437183"), DONE},
	 0,
	 3,
	 {"POST", "PUT 0-9437183/9449529", "#PUT 9437184-9449528/9449529"}},
	{"broken: what is sent again is summed once",
	 {SESSION, FAKE_RESET, KEPT("262143"), BUSY, KEPT("5242879"), KEPT("9437183"),
	  DONE},
	 0,
	 7,
	 {"POST", "PUT 0-9437183/9449529", "PUT */9449529", "PUT 262144-9437183/9449529",
	  "PUT */9449529", "PUT 5242880-9437183/9449529",
	  "#PUT 9437184-9449528/9449529"}},
	{"the last piece broken",
	 {SESSION, KEPT("9437183"), FAKE_RESET, KEPT("9437183"), DONE},
	 0,
	 5,
	 {"POST", "PUT 0-9437183/9449529", "#PUT 9437184-9449528/9449529",
	  "PUT */9449529", "#PUT 9437184-9449528/9449529"}},
	{"all kept, not yet an object",
	 {SESSION, KEPT("9437183"), BUSY, KEPT("9449528"), DONE},
	 0,
	 5,
	 {"POST", "PUT 0-9437183/9449529", "#PUT 9437184-9449528/9449529",
	  "PUT */9449529", "#PUT */9449529"}},
	{"the session is lost at the end: the checksum is known by then",
	 {SESSION, KEPT("9437183"), EMPTY("410 Gone", ""), SESSION, DONE},
	 0,
	 5,
	 {"POST", "PUT 0-9437183/9449529", "#PUT 9437184-9449528/9449529", "#POST",
	  "PUT 0-9449528/9449529"}},
	{"more kept than was sent",
	 {SESSION, KEPT("9449528")},
	 -EIO,
	 2,
	 {"POST", "PUT 0-9437183/9449529"}},
	{"refused for its checksum",
	 {SESSION, KEPT("9437183"), EMPTY("400 Bad", "")},
	 -EINVAL,
	 3,
	 {"POST", "PUT 0-9437183/9449529", "#PUT 9437184-9449528/9449529"}},
	{"damaged, and the server did not look: taken away",
	 {SESSION, KEPT("9437183"), META("9449529", "AAAAAQ=="), EMPTY("204 Done", "")},
	 -EBADMSG,
	 4,
	 {"POST", "PUT 0-9437183/9449529", "#PUT 9437184-9449528/9449529",
	  "DELETE /storage/v1/b/bkt/o/n?ifGenerationMatch=7 "}},
	{"cut, and the server did not look: taken away",
	 {SESSION, KEPT("9437183"), META("9437184", "%C"), EMPTY("204 Done", "")},
	 -EBADMSG,
	 4,
	 {"POST", "PUT 0-9437183/9449529", "#PUT 9437184-9449528/9449529",
	  "DELETE /storage/v1/b/bkt/o/n?ifGenerationMatch=7 "}},
};

static char checksum[CRC32C_B64_CAP];

/* The n-th request's head as the cases write it. */
static void summarise(const struct fake *fake, size_t i, char *out, size_t cap)
{
	const char *text = fake_request(fake, i), *range, *hash;
	char declared[40];

	if (str_starts(text, "DELETE")) {
		snprintf(out, cap, "%.*s", (int)strcspn(text, "H"), text);
		return;
	}
	snprintf(declared, sizeof(declared), "\"crc32c\":\"%s\"", checksum);
	range = strcasestr(text, "\r\nContent-Range: bytes ");
	hash = strcasestr(text, "\r\nx-goog-hash: crc32c=");
	if (hash)
		hash = str_starts(hash + 22, checksum) ? hash : NULL;
	else
		hash = strstr(text, declared);
	snprintf(out, cap, "%s%.*s%.*s", hash ? "#" : "",
		 (int)strcspn(text, " ") + (range != NULL), text,
		 range ? (int)strcspn(range + 23, "\r") : 0, range ? range + 23 : "");
}

/* What comes for "%C" and "%P" in a reply. */
static char *fill(const char *reply, unsigned port)
{
	struct str text = STR_INIT(1024);

	for (; *reply; reply++) {
		if (str_starts(reply, "%C"))
			str_add(&text, checksum);
		else if (str_starts(reply, "%P"))
			str_addf(&text, "%u", port);
		else
			str_addc(&text, *reply);
		reply += *reply == '%';
	}
	return str_steal(&text);
}

static int64_t bulk_limit_ns; /* 0 = the usual */

static int upload(struct fake *fake, const struct put_req *req, struct err *err)
{
	cleanup_store struct store *store = NULL;
	struct store_opts opts = {.bucket = "bkt"};
	char endpoint[64];

	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u", fake->port);
	opts.endpoint = endpoint;
	if (store_gcs_open(&opts, &store, NULL) < 0)
		abort();
	((struct gcs *)store)->bulk_limit_ns = bulk_limit_ns;
	return store->ops->put(store, "n", req, NULL, err);
}

static void test_case(size_t i, const struct put_req *req, const char *of)
{
	struct fake fake = {0};
	struct err err = {0};
	char *replies[8] = {NULL};
	bool good = true;
	int r;

	fake_start(&fake);
	for (size_t k = 0; k < 8 && cases[i].replies[k]; k++)
		fake.replies[k] = replies[k] = fill(cases[i].replies[k], fake.port);
	r = upload(&fake, req, &err);
	ok(r == cases[i].r && fake.n_requests == cases[i].n, "%s, %s (%d, %u, %s)",
	   cases[i].name, of, r, fake.n_requests, err.text);
	for (size_t k = 0; k < 8 && cases[i].asked[k]; k++) {
		char text[128];

		summarise(&fake, k, text, sizeof(text));
		good = good && strcmp(text, cases[i].asked[k]) == 0;
		if (strcmp(text, cases[i].asked[k]) != 0)
			printf("# request %zu: %s, not %s\n", k, text, cases[i].asked[k]);
	}
	ok(good, "%s, %s: the requests", cases[i].name, of);
	fake_stop(&fake);
	for (size_t k = 0; k < 8; k++)
		free(replies[k]);
}

/* What was sent is progress, also of a request that breaks later than the limit. */
static void test_slow(const struct put_req *req)
{
	struct fake fake = {0};
	struct err err = {0};
	char *session, *done;

	fake_start(&fake);
	session = fill(SESSION, fake.port);
	done = fill(DONE, fake.port);
	fake.replies[0] = session;
	fake.replies[1] = "+" FAKE_RESET;
	fake.replies[2] = KEPT("9437183");
	fake.replies[3] = done;
	bulk_limit_ns = NS_PER_S / 5;
	ok(upload(&fake, req, &err) == 0 && fake.n_requests == 4,
	   "broken after the limit, with bytes sent: it goes on (%s)", err.text);
	bulk_limit_ns = 0;
	fake_stop(&fake);
	free(session);
	free(done);
}

/* A file that is cut while it goes out. */
static void test_shorter(int fd)
{
	struct fake fake = {0};
	struct put_req req = {.fd = fd, .file_bytes = TOTAL, .precondition = PUT_CREATE};
	struct err err = {0};
	char *session;

	fake_start(&fake);
	session = fill(SESSION, fake.port);
	fake.replies[0] = session;
	fake.replies[1] = KEPT("9437183");
	if (ftruncate(fd, UNITS) < 0)
		abort();
	ok(upload(&fake, &req, &err) == -EIO && fake.n_requests == 2 &&
		   strstr(err.text, "became shorter"),
	   "a file that became shorter: %s", err.text);
	fake_stop(&fake);
	free(session);
}

static void test_end(void)
{
	static const struct {
		uint64_t persisted, total;
		bool is_summed;
		uint64_t want;
	} ends[] = {
		{0, 0, true, 0},
		{0, 0, false, 0},
		{0, 1, false, 0},
		{0, 1, true, 1},
		{0, UNIT, false, 0},
		{0, UNIT + 1, false, UNIT},
		{UNIT, UNIT + 1, false, UNIT},
		{UNIT, UNIT + 1, true, UNIT + 1},
		{5, UNIT + 1, false, UNIT},
		{UNIT + 1, 2 * UNIT, false, UNIT + 1},
		{UNIT, 3 * UNIT, false, 2 * UNIT},
		{0, 3 * UNIT + 7, false, 3 * UNIT},
		{0, (uint64_t)5 << 40, false, ((uint64_t)5 << 40) - UNIT},
		{7, (uint64_t)5 << 40, true, (uint64_t)5 << 40},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		ok(gcs_upload_end(ends[i].persisted, ends[i].total, ends[i].is_summed) ==
			   ends[i].want,
		   "%" PRIu64 " of %" PRIu64 ": until %" PRIu64, ends[i].persisted,
		   ends[i].total, ends[i].want);
}

int main(void)
{
	cleanup_free unsigned char *data = xcalloc(1, TOTAL);
	cleanup_file FILE *file = tmpfile();
	struct put_req in_memory = {.data = data, .n = TOTAL, .precondition = PUT_CREATE};
	struct put_req in_file = {.file_bytes = TOTAL, .precondition = PUT_CREATE};
	struct rng rng;

	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "1", 1);
	rng_init(&rng, 20);
	for (size_t i = 0; i < TOTAL; i++)
		data[i] = (unsigned char)rng_next(&rng);
	crc32c_base64(crc32c_update_table(0, data, TOTAL), checksum);
	if (!file || fwrite(data, 1, TOTAL, file) != TOTAL || fflush(file) != 0)
		abort();
	in_file.fd = fileno(file);
	test_end();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		test_case(i, &in_file, "a file");
		test_case(i, &in_memory, "memory");
	}
	test_slow(&in_file);
	test_shorter(fileno(file));
	return done_testing();
}
