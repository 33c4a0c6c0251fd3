// SPDX-License-Identifier: Apache-2.0
// JSON documents: what is refused, writing, building values.
#include "core/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "tests/unit/tap.h"

/* A new reference, or NULL after a failed test. */
static json_t *load(const char *text)
{
	struct err err = {0};
	json_t *doc = NULL;

	if (json_load(text, strlen(text), 1 << 20, "doc", &doc, &err) < 0)
		ok(false, "the test's own document: %s", err.text);
	return doc;
}

static void test_load(void)
{
	static const struct {
		const char *text;
		int r;
		const char *why;
	} cases[] = {
		{"{}", 0, ""},
		{"[]", 0, ""},
		{" \n{\"a\":[1,-2.5e3,true,null,\"\\u00e9\\ud83d\\ude00\"]}\n", 0, ""},
		{"{\"a\":{\"b\":1},\"b\":{\"b\":1}}", 0, ""},
		{"", -EINVAL, "doc:"},
		{"   ", -EINVAL, "doc:"},
		{"1", -EINVAL, "doc:1:"},
		{"null", -EINVAL, "doc:1:"},
		{"{} {}", -EINVAL, "doc:1:"},
		{"{}x", -EINVAL, "doc:1:"},
		{"{\"a\":1,\"a\":1}", -EINVAL, "duplicate"},
		{"{\n\n\"a\":{\"b\":1,\"\\u0062\":2}}", -EINVAL, "doc:3: duplicate"},
		{"{\"a\":1,}", -EINVAL, "doc:1:"},
		{"{a:1}", -EINVAL, "doc:1:"},
		{"{'a':1}", -EINVAL, "doc:1:"},
		{"{\"a\":01}", -EINVAL, "doc:1:"},
		{"{\"a\":NaN}", -EINVAL, "doc:1:"},
		{"{\"a\":9223372036854775808}", -EINVAL, "doc:1:"},
		{"{\"a\":1e999}", -EINVAL, "doc:1:"},
		{"{\"a\":\"\\u0000\"}", -EINVAL, "doc:1:"},
		{"{\"a\\u0000b\":1}", -EINVAL, "doc:1:"},
		{"{\"a\":\"\\ud800\"}", -EINVAL, "doc:1:"},
		{"{\"a\":\"\xff\"}", -EINVAL, "doc:"},
		{"{\"a\":\"\xc0\x80\"}", -EINVAL, "doc:"},
		{"{\"a\":\"tab\there\"}", -EINVAL, "control character"},
		{"{\"a\":\033[2J}", -EINVAL, "\\x1b"},
		{"{\"a\":\"unfinished", -EINVAL, "doc:1:"},
		{"{\"a\":\"unfinished\\", -EINVAL, "doc:1:"},
		{"{\"a\":1", -EINVAL, "doc:1:"},
		{"]]]][[[[", -EINVAL, "doc:1:"},
		{"// no\n{}", -EINVAL, "doc:1:"},
		{"\xef\xbb\xbf{}", -EINVAL, "doc:1:"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = {0};
		json_t *doc = NULL;
		int r = json_load(cases[i].text, strlen(cases[i].text), 1000, "doc", &doc,
				  &err);

		ok(r == cases[i].r && err.code == r && !r == !!doc &&
			   strstr(err.text, cases[i].why),
		   "load %zu: %s", i, err.text);
		json_decref(doc);
	}
}

static void test_load_size(void)
{
	struct err err = {0};
	json_t *doc = NULL;

	ok(json_load("[1,2]", 5, 5, "doc", &doc, &err) == 0, "exactly the size allowed");
	json_decref(doc);
	doc = NULL;
	ok(json_load("[1,2]", 5, 4, "doc", &doc, &err) == -EFBIG && !doc &&
		   strcmp(err.text, "doc: larger than 4 bytes") == 0,
	   "%s", err.text);
	ok(json_load("[1,2]", 4, 5, "doc", &doc, NULL) == -EINVAL,
	   "the length given counts");
	ok(json_load("[\0]", 3, 5, "doc", &doc, NULL) == -EINVAL, "a NUL is no JSON");
}

static int load_nested(int depth, const char *open, const char *close)
{
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_json json_t *doc = NULL;

	for (int i = 0; i < depth; i++)
		str_add(&text, open);
	str_add(&text, depth % 2 ? "{}" : "[]");
	for (int i = 0; i < depth; i++)
		str_add(&text, close);
	return json_load(text.s, text.len, 1 << 20, "doc", &doc, NULL);
}

static void test_depth(void)
{
	cleanup_json json_t *doc = NULL;
	const char *brackets =
		"{\"[[[[[[[[[[[[[[[[[[[[{{{{{{{{{{{{{{{{{{\":\"\\\"[[[[[[[[\"}";
	struct err err = {0};

	ok(load_nested(JSON_DEPTH_MAX - 1, "[", "]") == 0, "arrays, just deep enough");
	ok(load_nested(JSON_DEPTH_MAX, "[", "]") == -EINVAL, "arrays, one too deep");
	ok(load_nested(JSON_DEPTH_MAX - 1, "{\"a\":", "}") == 0, "objects, deep enough");
	ok(load_nested(JSON_DEPTH_MAX, "{\"a\":", "}") == -EINVAL,
	   "objects, one too deep");
	ok(load_nested(100000, "[", "]") == -EINVAL, "100000 deep is no crash");
	ok(json_load(brackets, strlen(brackets), 1000, "doc", &doc, &err) == 0,
	   "brackets in strings do not count %s", err.text);
}

static void test_dump(void)
{
	const char *text = "{\"z\":1,\"a\":[true,null,\"é\\n\"],\"m\":{}}";
	cleanup_json json_t *doc = load(text);
	cleanup_str struct str out = STR_INIT(1000), small = STR_INIT(20);
	cleanup_str struct str pretty = STR_INIT(1000);
	struct err err = {0};

	ok(json_dump(doc, &out, NULL) == 0 && str_starts(str_text(&out), text) &&
		   strcmp(str_text(&out) + strlen(text), "\n") == 0,
	   "compact, in order, one newline: %s", str_text(&out));
	ok(json_dump_pretty(doc, &pretty, NULL) == 0 &&
		   str_starts(str_text(&pretty), "{\n  \"z\": 1,\n  \"a\": [\n") &&
		   str_ends(str_text(&pretty), "}\n"),
	   "pretty");
	ok(json_dump(doc, &small, &err) == -EFBIG && err.code == -EFBIG, "%s", err.text);
	ok(json_dump(NULL, &out, NULL) < 0, "nothing cannot be written");
}

/* Sizes around the room that is tried first, and limits around the size. */
static void test_dump_sizes(void)
{
	for (size_t n = 4080; n < 4110; n += 1) {
		cleanup_free char *text = xcalloc(n + 1, 1);
		cleanup_json json_t *doc = NULL;
		bool fits = true, is_refused = true;

		memset(text, 'x', n);
		doc = json_pack("[s]", text);
		/* two brackets, two quotes, the newline */
		for (size_t max = n; max < n + 12; max++) {
			cleanup_str struct str out = STR_INIT(max);
			int r = json_dump(doc, &out, NULL);

			if (max < n + 5)
				is_refused &=
					r == -EFBIG && strlen(str_text(&out)) <= max;
			else
				fits &= r == 0 && out.len == n + 5 &&
					memcmp(out.s + 2, text, n) == 0 &&
					strcmp(out.s + n + 2, "\"]\n") == 0;
		}
		ok(fits && is_refused, "%zu characters, limits below and above", n);
	}
}

/* A real survives writing and reading bit for bit. */
static void test_reals(void)
{
	static const double values[] = {
		0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 123456789.123456789};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		cleanup_str struct str out = STR_INIT(100);
		cleanup_json json_t *doc = json_pack("[o]", json_f64(values[i]));
		cleanup_json json_t *back = NULL;
		double v = 0;

		json_dump(doc, &out, NULL);
		json_load(out.s, out.len, 100, "doc", &back, NULL);
		v = json_real_value(json_array_get(back, 0));
		ok(memcmp(&v, &values[i], sizeof(v)) == 0, "real %s", str_text(&out));
	}
}

static void test_text(void)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"", ""},
		{"é€😀", "é€😀"},
		{"\xff", "\xef\xbf\xbd"},
		{"a\xff\xfe"
		 "b",
		 "a\xef\xbf\xbd\xef\xbf\xbd"
		 "b"},
		{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe2\x82\xac\xe2", "€\xef\xbf\xbd"},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf0\x9f\x98(", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd("},
		{"é\xc3", "é\xef\xbf\xbd"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_json json_t *v = json_text(cases[i].in);

		ok(v && strcmp(json_string_value(v), cases[i].want) == 0, "text %zu: %s",
		   i, json_string_value(v));
	}
}

static void test_builders(void)
{
	cleanup_json json_t *none = json_text_or_null(NULL),
			    *some = json_text_or_null("x");
	cleanup_json json_t *most = json_u64(INT64_MAX), *past = json_u64(UINT64_MAX);
	cleanup_json json_t *real = json_f64(0.5), *nan = json_f64(NAN);
	cleanup_json json_t *inf = json_f64(-INFINITY);

	ok(json_is_null(none) && json_is_string(some), "text or null");
	ok(json_integer_value(most) == INT64_MAX && json_is_null(past), "u64");
	ok(json_is_real(real) && json_is_null(nan) && json_is_null(inf), "f64");
}

int main(void)
{
	test_load();
	test_load_size();
	test_depth();
	test_dump();
	test_dump_sizes();
	test_reals();
	test_text();
	test_builders();
	return done_testing();
}
