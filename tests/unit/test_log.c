// SPDX-License-Identifier: Apache-2.0
// Log lines: what the sink gets, redaction, escaping.
#include "core/log.h"

#include <string.h>

#include "core/str.h"
#include "tests/unit/tap.h"

static struct {
	unsigned lines;
	enum log_level level;
	char text[40000];
} got;

static void sink(enum log_level level, const char *line, void *arg)
{
	got.lines++;
	got.level = level;
	str_copy(got.text, sizeof(got.text), line);
	ok(arg == &got, "the sink gets its argument");
}

static void test_redact(void)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"Authorization: Bearer ya29.a0-_~+/=x end",
		 "Authorization: Bearer ************** end"},
		{"authorization: bearer abc", "authorization: bearer ***"},
		{"Bearer a, Bearer bb", "Bearer *, Bearer **"},
		{"Bearer ", "Bearer "},
		{"PUT /o?upload_id=AbC-1&x=1", "PUT /o?upload_id=*****&x=1"},
		{"?X-Goog-Signature=0a0b&y", "?X-Goog-Signature=****&y"},
		{"access_token=abc;d", "access_token=***;d"},
		{"{\"access_token\":\"ya29\",\"n\":1}",
		 "{\"access_token\":\"****\",\"n\":1}"},
		{"{\"access_token\" :\n \"ya29\"}", "{\"access_token\" :\n \"****\"}"},
		{"{\\\"access_token\\\": \\\"ya29\\\"}",
		 "{\\\"access_token\\\": \\\"*******"},
		{"\"refresh_token\":\"1//x\"", "\"refresh_token\":\"****\""},
		{"\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMII, x;}&\\n\"",
		 "\"private_key\": \"****************************************\""},
		{"\"id_token\":\"a\\\"b\",", "\"id_token\":\"****\","},
		{"\"access_token\":\"cut off", "\"access_token\":\"*******"},
		{"\"access_token\":\"ends in\\", "\"access_token\":\"********"},
		{"the access_token is gone", "the access_token is gone"},
		{"\"access_token\":null", "\"access_token\":null"},
		{"nothing secret", "nothing secret"},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *text = xstrdup(cases[i].in);

		log_redact(text);
		ok(strcmp(text, cases[i].want) == 0, "redact %zu: %s", i, text);
	}
}

static void test_levels(void)
{
	log_set_sink(NULL, NULL, LOG_DEBUG);
	log_line(LOG_ERROR, "dropped");
	ok(got.lines == 0, "no sink: dropped");
	log_set_sink(sink, &got, LOG_WARN);
	log_line(LOG_INFO, "too quiet");
	ok(got.lines == 0, "below the least level: dropped");
	log_line(LOG_WARN, "n=%d", 5);
	ok(got.lines == 1 && got.level == LOG_WARN && strcmp(got.text, "n=5") == 0,
	   "at the least level: %s", got.text);
}

static void test_escape(void)
{
	log_line(LOG_ERROR, "a\033[31mred\nnext\rline\ttab");
	ok(strcmp(got.text, "a\\x1b[31mred\\x0anext\\x0dline\\x09tab") == 0,
	   "control characters: %s", got.text);
	log_line(LOG_ERROR, "Bearer %s", "s3cret\nBearer two");
	ok(!strstr(got.text, "s3cret") && !strstr(got.text, "two"),
	   "redacted before escaping: %s", got.text);
	log_line(LOG_ERROR, "%s", "");
	ok(got.text[0] == '\0', "an empty line is a line");
}

static void test_long(void)
{
	cleanup_free char *text = xcalloc(1, 9001);

	memset(text, '\001', 8192);
	log_line(LOG_ERROR, "%s", text);
	ok(strlen(got.text) == (size_t)4 * 8192, "8192 bytes pass, escaped: %zu",
	   strlen(got.text));
	memset(text, 'x', 9000);
	log_line(LOG_ERROR, "%s", text);
	ok(strstr(got.text, "too long") != NULL, "a longer line says so: %.60s",
	   got.text);
}

int main(void)
{
	test_redact();
	test_levels();
	test_escape();
	test_long();
	return done_testing();
}
