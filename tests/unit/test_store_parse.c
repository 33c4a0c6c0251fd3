// SPDX-License-Identifier: Apache-2.0
// URLs, metadata, headers and errors of the Cloud Storage client, taken apart.
#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/store_gcs_impl.h"
#include "tests/unit/tap.h"

static void test_urls(void)
{
	static const struct {
		const char *url, *bucket, *name;
	} cases[] = {
		{"gs://bkt", "bkt", ""},
		{"gs://bkt/", "bkt", ""},
		{"gs://b-k_t.9/a/b c", "b-k_t.9", "a/b c"},
		{"gs://bkt/a/", "bkt", "a/"},
		{"gs://bkt//a", "bkt", "/a"},
		{"gs://bkt/ü", "bkt", "ü"},
		{"gs://", NULL, NULL},
		{"gs://ab/x", NULL, NULL},
		{"gs://Bkt/x", NULL, NULL},
		{"gs://bk%2Ft/x", NULL, NULL},
		{"s3://bkt/x", NULL, NULL},
		{"bkt/x", NULL, NULL},
		{"gs://bkt/a\nb", NULL, NULL},
		{"gs://bkt/\xff", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct store_url url = {.name = "untouched"};
		int r = store_url_parse(cases[i].url, &url, NULL);

		ok(cases[i].bucket ? r == 0 && strcmp(url.bucket, cases[i].bucket) == 0 &&
					     strcmp(url.name, cases[i].name) == 0
				   : r == -EINVAL && strcmp(url.name, "untouched") == 0,
		   "URL %zu", i);
	}
}

static void test_endpoints(void)
{
	static const struct {
		const char *url, *base, *plain;
	} cases[] = {
		{"http://127.0.0.1:9/", "http://127.0.0.1:9", "127.0.0.1"},
		{"http://[::1]:9", "http://[::1]:9", "[::1]"},
		{"http://host/x/", "http://host/x", "host"},
		{"https://host:4443", "https://host:4443", NULL},
		{"host:9", NULL, NULL},
		{"ftp://host", NULL, NULL},
		{"http://", NULL, NULL},
		{"http://:80", NULL, NULL},
		{"http://a@b", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *base = NULL;
		cleanup_free char *plain = NULL;
		int r = gcs_endpoint(cases[i].url, &base, &plain, NULL);

		ok(cases[i].base ? r == 0 && strcmp(base, cases[i].base) == 0 &&
					   !plain == !cases[i].plain &&
					   (!plain || strcmp(plain, cases[i].plain) == 0)
				 : r == -EINVAL,
		   "endpoint %s", cases[i].url);
	}
}

static void test_extra_headers(void)
{
	static const struct {
		const char *text;
		int r;
		const char *first, *second;
	} cases[] = {
		{"", 0, NULL, NULL},
		{"a: b", 0, "a: b", NULL},
		{"a: b\r\n\nx-c: d\n", 0, "a: b", "x-c: d"},
		{"no colon", -EINVAL, NULL, NULL},
		{": x", -EINVAL, NULL, NULL},
		{"a b: c", -EINVAL, NULL, NULL},
		{"a: b\rc: d", -EINVAL, NULL, NULL},
		{"AUTHORIZATION: Bearer x", -EINVAL, NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *ret[GCS_EXTRA_MAX] = {NULL};
		cleanup_free char *text = xstrdup(cases[i].text);
		int r = gcs_extra_headers(text, ret, NULL);

		ok(r == cases[i].r &&
			   (r || (!ret[0] == !cases[i].first &&
				  (!ret[0] || strcmp(ret[0], cases[i].first) == 0) &&
				  !ret[1] == !cases[i].second &&
				  (!ret[1] || strcmp(ret[1], cases[i].second) == 0))),
		   "extra headers %zu", i);
	}
}

static int parse(const char *text, struct obj_meta *ret)
{
	struct str body = {.s = (char *)(uintptr_t)text, .len = strlen(text)};

	return gcs_meta_parse(&body, ret, NULL);
}

static void test_meta(void)
{
	struct obj_meta meta = {0};

	ok(parse("{\"name\":\"a\",\"generation\":\"1795187608967078\",\"metageneration\":"
		 "\"2\","
		 "\"size\":\"12\",\"crc32c\":\"mnG7TA==\",\"updated\":\"2026-11-20T14:05:"
		 "06."
		 "123Z\",\"metadata\":{\"muster-nonce\":\"abc\",\"muster-summary\":\"s\","
		 "\"other\":1},\"kind\":\"x\"}",
		 &meta) == 0 &&
		   meta.generation == 1795187608967078 && meta.metageneration == 2 &&
		   meta.size_bytes == 12 && meta.has_crc32c &&
		   meta.crc32c == 0x9a71bb4c &&
		   meta.updated_ns % NS_PER_S == 123 * NS_PER_MS &&
		   strcmp(meta.nonce, "abc") == 0 && strcmp(meta.summary, "s") == 0,
	   "an object resource");
	ok(parse("{\"name\":\"a\",\"generation\":5}", &meta) == 0 &&
		   meta.size_bytes == 0 && !meta.has_crc32c && meta.generation == 5 &&
		   !meta.nonce[0],
	   "size missing is 0; plain numbers are taken");
	ok(parse("{\"name\":\"a\"}", &meta) == -EBADMSG, "no generation");
	ok(parse("{\"generation\":\"1\"}", &meta) == -EBADMSG, "no name");
	ok(parse("{\"name\":\"a\",\"generation\":\"-1\"}", &meta) == -EBADMSG,
	   "a negative generation");
	ok(parse("[]", &meta) == -EBADMSG && parse("", &meta) < 0, "no object at all");
}

static void test_headers(void)
{
	uint64_t n = 99;
	uint32_t crc = 0;

	ok(gcs_hash_crc32c("crc32c=mnG7TA==,md5=x", &crc) && crc == 0x9a71bb4c &&
		   gcs_hash_crc32c("md5=x, crc32c=mnG7TA==", &crc) &&
		   !gcs_hash_crc32c("md5=xcrc32c=mnG7TA==", &crc) &&
		   !gcs_hash_crc32c("crc32c=mnG", &crc) && !gcs_hash_crc32c("", &crc),
	   "x-goog-hash");
	ok(gcs_content_range("bytes 5-9/10", &n) && n == 5 &&
		   !gcs_content_range("bytes */10", &n) && !gcs_content_range("5-9", &n),
	   "Content-Range");
	ok(gcs_persisted("", &n, NULL) == 0 && n == 0 &&
		   gcs_persisted("bytes=0-262143", &n, NULL) == 0 && n == 262144 &&
		   gcs_persisted("bytes=5-9", &n, NULL) < 0 &&
		   gcs_persisted("0-9", &n, NULL) < 0 &&
		   gcs_persisted("bytes=0-", &n, NULL) < 0,
	   "an upload's Range");
}

static void test_reasons(void)
{
	static const struct {
		const char *body, *reason;
	} cases[] = {
		{"{\"error\":{\"code\":403,\"message\":\"x does not have y\"}}",
		 "x does not have y"},
		{"{\"error\":\"plain\"}", "plain"},
		{"{\"error\":{\"code\":1}}", ""},
		{"No such object\n", "No such object"},
		{"<html>502</html>", ""},
		{"a\x1b[31mb", "a\\x1b[31mb"},
		{"\xff\xfe", ""},
		{"", ""},
	};
	char lengthy[1000];
	struct str text = STR_INIT(2000);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str ret = STR_INIT(1000);

		gcs_reason(cases[i].body, strlen(cases[i].body), &ret);
		ok(strcmp(str_text(&ret), cases[i].reason) == 0, "reason %zu: %s", i,
		   str_text(&ret));
		str_done(&ret);
	}
	memset(lengthy, 'x', sizeof(lengthy));
	gcs_reason(lengthy, sizeof(lengthy), &text);
	ok(text.len < 320 && str_ends(str_text(&text), "…"), "a lengthy reason is cut");
	str_done(&text);
}

int main(void)
{
	test_urls();
	test_endpoints();
	test_extra_headers();
	test_meta();
	test_headers();
	test_reasons();
	return done_testing();
}
