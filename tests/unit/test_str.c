// SPDX-License-Identifier: Apache-2.0
// Bounded strings: growth, limits, stealing, encodings.
#include "core/str.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/tap.h"

static void test_empty(void)
{
	cleanup_str struct str s = STR_INIT(10);
	cleanup_free char *stolen = NULL;

	ok(strcmp(str_text(&s), "") == 0 && s.len == 0,
	   "nothing added is the empty text");
	ok(str_check(&s, "x", NULL) == 0, "nothing added is no failure");
	str_addn(&s, "", 0);
	ok(s.len == 0 && !s.failed, "adding nothing adds nothing");
	stolen = str_steal(&s);
	ok(strcmp(stolen, "") == 0, "stealing nothing gives an empty text");
}

/* Every way of appending must agree on where the limit is. */
static void test_limit(void)
{
	for (size_t max = 0; max <= 130; max++) {
		cleanup_str struct str bytes = STR_INIT(max), text = STR_INIT(max);
		cleanup_str struct str format = STR_INIT(max), chars = STR_INIT(max);
		char full[132] = "", over[132] = "";
		bool fits, refused;

		memset(full, 'x', max);
		memset(over, 'x', max + 1);
		str_addn(&bytes, full, max);
		str_add(&text, full);
		str_addf(&format, "%s", full);
		for (size_t i = 0; i < max; i++)
			str_addc(&chars, 'x');
		fits = !bytes.failed && !text.failed && !format.failed && !chars.failed &&
		       strcmp(str_text(&bytes), full) == 0 &&
		       strcmp(str_text(&text), full) == 0 &&
		       strcmp(str_text(&format), full) == 0 &&
		       strcmp(str_text(&chars), full) == 0;
		str_addn(&bytes, "x", 1);
		str_addc(&chars, 'x');
		str_reset(&text);
		str_add(&text, over);
		str_reset(&format);
		str_addf(&format, "%s", over);
		refused = bytes.failed && text.failed && format.failed && chars.failed &&
			  strcmp(str_text(&bytes), full) == 0 && text.len == 0 &&
			  format.len == 0 && chars.len == max;
		ok(fits && refused, "limit %zu: it fits exactly, one more does not", max);
	}
}

static void test_failed_sticks(void)
{
	cleanup_str struct str s = STR_INIT(4);
	struct err err = {0};

	str_add(&s, "abc");
	str_add(&s, "too long");
	str_add(&s, "d");
	ok(s.failed && strcmp(str_text(&s), "abc") == 0,
	   "after a failure nothing is added");
	ok(str_check(&s, "the list", &err) == -EFBIG &&
		   strcmp(err.text, "the list is larger than 4 bytes") == 0,
	   "%s", err.text);
	str_reset(&s);
	str_add(&s, "wxyz");
	ok(!s.failed && strcmp(str_text(&s), "wxyz") == 0, "reset makes it usable again");
	str_done(&s);
	ok(s.max == 4 && !s.s && !s.len, "done keeps only the limit");
}

static void test_absurd_sizes(void)
{
	cleanup_str struct str s = STR_INIT(SIZE_MAX);

	str_addn(&s, "x", SIZE_MAX);
	ok(s.failed && s.len == 0, "SIZE_MAX bytes are refused");
	str_reset(&s);
	str_add(&s, "x");
	str_addn(&s, "x", SIZE_MAX - 1);
	ok(s.failed && s.len == 1, "a sum past SIZE_MAX is refused");
}

static void test_reserve(void)
{
	cleanup_str struct str s = STR_INIT(100);

	ok(str_reserve(&s, 30) >= 30 && s.len == 0, "room without text");
	memset(s.s, 'a', 30);
	s.len = 30;
	ok(str_reserve(&s, 1000) == 70, "no more than the limit leaves");
	memset(s.s + 30, 'b', 70);
	s.len = 100;
	ok(str_reserve(&s, 1) == 0 && !s.failed, "none is left, and nothing failed");
	str_addc(&s, 'c');
	ok(s.failed && s.len == 100 && str_reserve(&s, 0) == 0,
	   "after a failure there is none");
}

static void test_bytes(void)
{
	cleanup_str struct str s = STR_INIT(1 << 20);
	cleanup_free char *stolen = NULL;

	str_addn(&s, "a\0b", 3);
	str_addf(&s, "%d%%%s", -7, "é");
	ok(s.len == 8 && memcmp(str_text(&s), "a\0b-7%é", 9) == 0, "bytes and formats");
	for (int i = 0; i < 100000; i++)
		str_addc(&s, 'z');
	ok(s.len == 100008 && strlen(str_text(&s) + 8) == 100000, "100000 more");
	stolen = str_steal(&s);
	ok(stolen[2] == 'b' && s.len == 0 && !s.s && strcmp(str_text(&s), "") == 0,
	   "stealing leaves it empty");
	str_add(&s, "again");
	ok(strcmp(str_text(&s), "again") == 0, "and usable");
}

static void test_starts_ends(void)
{
	ok(str_starts("gs://b", "gs://") && str_starts("a", "") && str_starts("a", "a"),
	   "starts");
	ok(!str_starts("gs:/", "gs://") && !str_starts("", "a"), "does not start");
	ok(str_ends("a.json", ".json") && str_ends("a", "") && str_ends("", ""), "ends");
	ok(!str_ends("json", ".json") && !str_ends("a.jsonx", ".json"), "does not end");
}

static void test_copy(void)
{
	char out[4] = "zzz";

	ok(str_copy(out, sizeof(out), "abc") && strcmp(out, "abc") == 0, "copy fits");
	ok(!str_copy(out, sizeof(out), "abcd") && out[0] == '\0', "copy one too long");
	ok(str_copy(out, 1, "") && out[0] == '\0', "copy of nothing");
}

static void test_hex(void)
{
	cleanup_str struct str s = STR_INIT(64);

	str_add_hex(&s, "\x00\x0f\xf0\xff\x80", 5);
	ok(strcmp(str_text(&s), "000ff0ff80") == 0, "hex: %s", str_text(&s));
}

static void test_percent(void)
{
	static const struct {
		const char *text, *keep, *want;
	} cases[] = {
		{"", "", ""},
		{"AZaz09-._~", "", "AZaz09-._~"},
		{"a/b c", "", "a%2Fb%20c"},
		{"a/b c", "/", "a/b%20c"},
		{"100%", "", "100%25"},
		{"é\xff\x01", "", "%C3%A9%FF%01"},
		{"+&=?#", "", "%2B%26%3D%3F%23"},
		{"+&=?#", "=&", "%2B&=%3F%23"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_str struct str s = STR_INIT(100);
		cleanup_free char *back = NULL;

		str_add_percent(&s, cases[i].text, cases[i].keep);
		ok(strcmp(str_text(&s), cases[i].want) == 0, "encoded: %s", str_text(&s));
		back = str_steal(&s);
		ok(str_percent_decode(back, NULL) == 0 &&
			   strcmp(back, cases[i].text) == 0,
		   "and back");
	}
}

static void test_percent_decode_bad(void)
{
	static const char *const bad[] = {"%",	 "%0",	  "a%2", "%g0", "%0g",
					  "%00", "x%%20", "% 1", "%+1", "%-1"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_free char *text = xstrdup(bad[i]);
		struct err err = {0};

		ok(str_percent_decode(text, &err) == -EINVAL && err.code == -EINVAL,
		   "refused: %s", bad[i]);
	}
}

static void test_alloc(void)
{
	cleanup_free char *part = xstrndup("abcdef", 3);
	cleanup_free char *whole = xstrndup("ab", 99);
	cleanup_free char *text = xasprintf("%s-%d", "x", 5);
	cleanup_free unsigned *zeros = xcalloc(10, sizeof(*zeros));
	cleanup_free void *nothing = xcalloc(0, 0);

	ok(strcmp(part, "abc") == 0 && strcmp(whole, "ab") == 0, "strndup");
	ok(strcmp(text, "x-5") == 0, "asprintf");
	ok(zeros[0] == 0 && zeros[9] == 0 && nothing, "calloc");
	zeros = xrealloc(zeros, 20, sizeof(*zeros));
	ok(zeros[9] == 0, "realloc keeps");
}

int main(void)
{
	test_empty();
	test_limit();
	test_failed_sticks();
	test_absurd_sizes();
	test_reserve();
	test_bytes();
	test_starts_ends();
	test_copy();
	test_hex();
	test_percent();
	test_percent_decode_bad();
	test_alloc();
	return done_testing();
}
