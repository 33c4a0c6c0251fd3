// SPDX-License-Identifier: Apache-2.0
// A store over a scripted server, for the tests of the Cloud Storage client.
#ifndef TESTS_UNIT_FAKE_STORE_H
#define TESTS_UNIT_FAKE_STORE_H

#include "core/store_gcs_impl.h"
#include "tests/unit/fake_http.h"

#define REPLY(status, head, length, body)                                                \
	"HTTP/1.1 " status "\r\nDate: Fri, 20 Nov 2026 14:05:06 GMT\r\n" head            \
	"Content-Length: " length "\r\n\r\n" body
#define BUSY REPLY("503 Busy", "", "0", "")
#define NO_MATCH REPLY("412 No", "", "0", "")
#define GONE REPLY("404 No", "", "0", "")
#define OUT_OF_RANGE REPLY("416 No", "", "0", "")
#define META                                                                             \
	REPLY("200 OK", "", "*",                                                         \
	      "{\"name\":\"n\",\"generation\":\"7\",\"size\":\"5\"          }")
/* crc32c of "hello" is 9a71bb4c */
#define HEAD                                                                             \
	"x-goog-generation: 7\r\nx-goog-hash: crc32c=mnG7TA==\r\nx-goog-hash: md5=x\r\n"

static struct store *store;

__attribute__((unused)) static void serve(struct fake *fake)
{
	struct store_opts opts = {.bucket = "bkt"};
	char endpoint[64];

	fake_start(fake);
	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u/", fake->port);
	opts.endpoint = endpoint;
	if (store_gcs_open(&opts, &store, NULL) < 0)
		abort();
}

__attribute__((unused)) static void stop(struct fake *fake)
{
	store_close(store);
	fake_stop(fake);
}

/* First line of the i-th request. */
__attribute__((unused)) static bool asked(const struct fake *fake, size_t i,
					  const char *line)
{
	return str_starts(fake_request(fake, i), line);
}

__attribute__((unused)) static struct put_req small(enum put_precondition precondition)
{
	return (struct put_req){.data = "hello",
				.n = 5,
				.precondition = precondition,
				.if_generation = 6,
				.content_type = "text/plain"};
}

/* The header's value in the i-th request. */
__attribute__((unused)) static void header_of(const struct fake *fake, size_t i,
					      const char *name, char out[64])
{
	const char *at = strcasestr(fake_request(fake, i), name);
	cleanup_free char *value = NULL;

	out[0] = '\0';
	if (!at)
		return;
	at += strlen(name);
	value = xstrndup(at, strcspn(at, "\r\n"));
	str_copy(out, 64, value);
}

#endif
