// SPDX-License-Identifier: Apache-2.0
// Multipart bodies, cut into pieces at every place.
#include <string.h>

#include "core/str.h"
#include "emulator/multipart.h"
#include "tests/unit/tap.h"

static int collect(void *arg, const void *data, size_t n, struct err *err)
{
	(void)err;
	str_addn(arg, data, n);
	return 0;
}

/* Parse @body in pieces of @step bytes (the last one shorter). */
static int parse(const char *type, const char *body, size_t n, size_t step,
		 struct str *data, char **ret_json, char **ret_type)
{
	struct emu_multipart m;
	struct err err = {0};
	int r = emu_multipart_init(&m, type, 4096, collect, data, &err);

	for (size_t at = 0; r == 0 && at < n; at += step)
		r = emu_multipart_add(&m, body + at, n - at < step ? n - at : step, &err);
	if (r == 0)
		r = emu_multipart_end(&m, &err);
	if (r == 0) {
		*ret_json = xstrdup(m.json);
		*ret_type = xstrdup(m.content_type ? m.content_type : "");
	}
	emu_multipart_done(&m);
	return r;
}

#define HEAD "--B\r\nContent-Type: application/json\r\n\r\n{\"name\":\"n\"}\r\n--B\r\n"

static const struct {
	const char *what, *body;
	size_t n; /* 0 = strlen */
	const char *data, *type;
	size_t data_n;
} good[] = {
	{"CRLF", HEAD "Content-Type: text/plain\r\n\r\nhello\r\n--B--\r\n", 0, "hello",
	 "text/plain", 0},
	{"no line end after the last boundary", HEAD "\r\nhello\r\n--B--", 0, "hello", "",
	 0},
	{"an empty data part", HEAD "A: b\r\n\r\n\r\n--B--\r\n", 0, "", "", 0},
	{"a preamble and an epilogue",
	 "preamble\r\n" HEAD "\r\nhello\r\n--B--\r\nepilogue\r\n--B\r\n", 0, "hello", "",
	 0},
	{"data that look like a boundary", HEAD "\r\nx\r\n--\r\n-B\r\n--A--\r\r\n--B--",
	 0, "x\r\n--\r\n-B\r\n--A--\r", "", 0},
	{"data with zero bytes", HEAD "\r\na\0b\r\n\0\r\n--B--", sizeof(HEAD) - 1 + 15,
	 "a\0b\r\n\0", "", 6},
};

static void test_good(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		size_t n = good[i].n ? good[i].n : strlen(good[i].body);
		size_t data_n = good[i].data_n ? good[i].data_n : strlen(good[i].data);
		bool is_good = true;

		for (size_t step = 1; step <= n; step++) {
			cleanup_str struct str data = STR_INIT(4096);
			cleanup_free char *json = NULL, *type = NULL;
			int r = parse("multipart/related; boundary=B", good[i].body, n,
				      step, &data, &json, &type);

			is_good = is_good && r == 0 && data.len == data_n &&
				  memcmp(str_text(&data), good[i].data, data_n) == 0 &&
				  strcmp(json, "{\"name\":\"n\"}") == 0 &&
				  strcmp(type, good[i].type) == 0;
		}
		ok(is_good, "%s, in pieces of every size", good[i].what);
	}
}

static void test_line_feeds(void)
{
	static const char body[] = "--B\nContent-Type: application/json\n\n{}\n--B\n"
				   "content-type:x/y\n\nhe\r\r\n--B--\n";
	bool is_good = true;

	for (size_t step = 1; step < sizeof(body); step++) {
		cleanup_str struct str data = STR_INIT(4096);
		cleanup_free char *json = NULL, *type = NULL;
		int r = parse("multipart/related; boundary=\"B\"", body, strlen(body),
			      step, &data, &json, &type);

		is_good = is_good && r == 0 && strcmp(str_text(&data), "he\r\r") == 0 &&
			  strcmp(type, "x/y") == 0;
	}
	ok(is_good, "bare line feeds as line ends, in pieces of every size");
}

static void test_bad(void)
{
	static const struct {
		const char *what, *type, *body;
	} bad[] = {
		{"no boundary in the header", "multipart/related", HEAD "\r\nx\r\n--B--"},
		{"an empty boundary", "multipart/related; boundary=", "x"},
		{"no closing boundary", "multipart/related; boundary=B",
		 HEAD "\r\nhello"},
		{"one part only", "multipart/related; boundary=B",
		 "--B\r\n\r\n{}\r\n--B--\r\n"},
		{"three parts", "multipart/related; boundary=B",
		 HEAD "\r\nhello\r\n--B\r\n\r\nx\r\n--B--"},
		{"nothing", "multipart/related; boundary=B", ""},
		{"another boundary", "multipart/related; boundary=C",
		 HEAD "\r\nx\r\n--B--"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bool is_refused = true;

		for (size_t step = 1; step <= strlen(bad[i].body) + 1; step++) {
			cleanup_str struct str data = STR_INIT(4096);
			cleanup_free char *json = NULL, *type = NULL;

			is_refused = is_refused &&
				     parse(bad[i].type, bad[i].body, strlen(bad[i].body),
					   step, &data, &json, &type) < 0;
		}
		ok(is_refused, "refused: %s", bad[i].what);
	}
}

static void test_large_head(void)
{
	cleanup_str struct str body = STR_INIT(65536), data = STR_INIT(65536);
	cleanup_free char *json = NULL, *type = NULL;

	str_add(&body, "--B\r\n\r\n");
	for (int i = 0; i < 8000; i++)
		str_addc(&body, ' ');
	str_add(&body, "{}\r\n--B\r\n\r\nx\r\n--B--");
	ok(parse("multipart/related; boundary=B", body.s, body.len, 1000, &data, &json,
		 &type) < 0,
	   "refused: a first part larger than the limit");
}

int main(void)
{
	test_good();
	test_line_feeds();
	test_bad();
	test_large_head();
	return done_testing();
}
