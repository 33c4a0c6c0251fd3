// SPDX-License-Identifier: Apache-2.0
// Strict parsing of small texts: numbers, sizes, durations, names, UTF-8, escaping.
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "core/str.h"
#include "tests/unit/tap.h"

#define K UINT64_C(1024)

/* r is 0 or the errno wanted; the output must stay untouched on an error. */
struct number_case {
	const char *text;
	int r;
	uint64_t value;
};

static void check_numbers(const char *what,
			  int (*parse)(const char *, uint64_t *, struct err *),
			  const struct number_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct number_case *c = &cases[i];
		struct err err = {0};
		uint64_t v = 77;
		int r = parse(c->text, &v, &err);

		ok(r == c->r && err.code == r && v == (r ? 77 : c->value) &&
			   !r == !err.text[0],
		   "%s \"%s\": %d %llu", what, c->text, r, (unsigned long long)v);
	}
}

static void test_u64(void)
{
	static const struct number_case cases[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"18446744073709551620", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
		{"", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{"1.0", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{"1e3", -EINVAL, 0},
		{"1\n", -EINVAL, 0},
		{"٣", -EINVAL, 0},
	};

	check_numbers("u64", parse_u64, cases, ARRAY_SIZE(cases));
}

static void test_u64_range(void)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{"4", -ERANGE}, {"5", 0}, {"10", 0}, {"11", -ERANGE}, {"x", -EINVAL},
	};
	struct err err = {0};
	uint64_t v = 77;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		v = 77;
		ok(parse_u64_range("n", cases[i].text, 5, 10, &v, NULL) == cases[i].r &&
			   (v == 77) == (cases[i].r < 0),
		   "5 <= %s <= 10", cases[i].text);
	}
	parse_u64_range("--workers", "11", 5, 10, &v, &err);
	ok(strcmp(err.text, "--workers: 11 is not between 5 and 10") == 0, "%s",
	   err.text);
	ok(parse_u64_range("n", "18446744073709551615", 0, UINT64_MAX, &v, NULL) == 0,
	   "the whole range");
}

/* What fio 3.33 takes each for, except where it is careless (-EINVAL here). */
static void test_size(void)
{
	static const struct number_case cases[] = {
		{"0", 0, 0},
		{"4096", 0, 4096},
		{"4b", 0, 4},
		{"4B", 0, 4},
		{"4k", 0, 4 * K},
		{"4K", 0, 4 * K},
		{"4kb", 0, 4 * K},
		{"4kB", 0, 4 * K},
		{"4Ki", 0, 4 * K},
		{"4KiB", 0, 4000},
		{"4kib", 0, 4000},
		{"1m", 0, K * K},
		{"1MiB", 0, 1000000},
		{"10g", 0, 10 * K * K * K},
		{"3gb", 0, 3 * K * K * K},
		{"1GiB", 0, 1000000000},
		{"1t", 0, K * K * K * K},
		{"1p", 0, K * K * K * K * K},
		{"1PiB", 0, UINT64_C(1000000000000000)},
		{"0x10", 0, 16},
		{"0X1F", 0, 31},
		{"0x1b", 0, 27},
		{"18446744073709551615", 0, UINT64_MAX},
		{"0xffffffffffffffff", 0, UINT64_MAX},
		{"16383p", 0, 16383 * K * K * K * K * K},
		{"18446PiB", 0, UINT64_C(18446000000000000000)},
		{"16384p", -ERANGE, 0},
		{"18447PiB", -ERANGE, 0},
		{"18014398509481984k", -ERANGE, 0},
		{"18446744073709551616", -ERANGE, 0},
		{"0x10000000000000000", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"k", -EINVAL, 0},
		{"0x", -EINVAL, 0},
		{"0xg", -EINVAL, 0},
		{"0x10k", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1k", -EINVAL, 0},
		{" 1k", -EINVAL, 0},
		{"1k ", -EINVAL, 0},
		{"1 k", -EINVAL, 0},
		{"1.5k", -EINVAL, 0},
		{"1kk", -EINVAL, 0},
		{"1bb", -EINVAL, 0},
		{"1ib", -EINVAL, 0},
		{"1kbi", -EINVAL, 0},
		{"1e", -EINVAL, 0},
		{"1%", -EINVAL, 0},
	};

	check_numbers("size", parse_size, cases, ARRAY_SIZE(cases));
}

static void test_duration(void)
{
	static const struct {
		const char *text;
		int r;
		int64_t ns;
	} cases[] = {
		{"0", 0, 0},
		{"90", 0, 90000000000},
		{"90s", 0, 90000000000},
		{"500ms", 0, 500000000},
		{"30m", 0, 1800000000000},
		{"2h", 0, 7200000000000},
		{"1d", 0, 86400000000000},
		{"9223372036s", 0, 9223372036000000000},
		{"9223372037s", -ERANGE, 0},
		{"106751d", 0, INT64_C(106751) * 86400 * 1000000000},
		{"106752d", -ERANGE, 0},
		{"18446744073709551615", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"1S", -EINVAL, 0},
		{"1w", -EINVAL, 0},
		{"1us", -EINVAL, 0},
		{"1.5s", -EINVAL, 0},
		{"-1s", -EINVAL, 0},
		{"1 s", -EINVAL, 0},
		{"1s ", -EINVAL, 0},
		{"1h30m", -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = {0};
		int64_t ns = 77;
		int r = parse_duration(cases[i].text, &ns, &err);

		ok(r == cases[i].r && err.code == r && ns == (r ? 77 : cases[i].ns),
		   "duration \"%s\": %d %lld", cases[i].text, r, (long long)ns);
	}
}

static void check_f64(void)
{
	static const struct {
		const char *text;
		double v;
	} good[] = {
		{"0", 0},      {"1.5", 1.5}, {"-2", -2},       {"+3", 3},
		{".5", 0.5},   {"5.", 5},    {"1e3", 1000},    {"1E-3", 1e-3},
		{"1e-400", 0}, {"0.1", 0.1}, {"1e308", 1e308},
	};
	static const char *const bad[] = {
		"",   "inf", "nan", "-inf", "infinity", "0x10", "1e400", "-1e400", "1,5",
		"1 ", " 1",  "1e",  "--1",  "1.2.3",	".",	"-",	 "e5",	   "1f",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		double v = 77;

		ok(parse_f64(good[i].text, &v, NULL) == 0 && v >= good[i].v &&
			   v <= good[i].v,
		   "number %s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		double v = 77;

		ok(parse_f64(bad[i], &v, &err) == -EINVAL && err.code == -EINVAL &&
			   v > 76,
		   "refused: \"%s\"", bad[i]);
	}
}

/* Some locale with a decimal comma, if the machine has one. */
static void test_f64(void)
{
	static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE",
					     "fr_FR"};

	check_f64();
	for (size_t i = 0; i < ARRAY_SIZE(commas); i++) {
		if (!setlocale(LC_ALL, commas[i]))
			continue;
		check_f64();
		setlocale(LC_ALL, "C");
		break;
	}
}

static void test_utf8(void)
{
	static const struct {
		const char *bytes;
		bool good;
	} cases[] = {
		{"", true},
		{"plain", true},
		{"é€😀", true},
		{"\x7f", true},
		{"\xc2\x80", true},
		{"\xdf\xbf", true},
		{"\xe0\xa0\x80", true},
		{"\xed\x9f\xbf", true},
		{"\xee\x80\x80", true},
		{"\xef\xbf\xbf", true},
		{"\xf0\x90\x80\x80", true},
		{"\xf4\x8f\xbf\xbf", true},
		{"\x80", false},
		{"\xbf", false},
		{"\xc0\x80", false},	     /* overlong NUL */
		{"\xc1\xbf", false},	     /* overlong */
		{"\xe0\x9f\xbf", false},     /* overlong */
		{"\xf0\x8f\xbf\xbf", false}, /* overlong */
		{"\xed\xa0\x80", false},     /* surrogate */
		{"\xed\xbf\xbf", false},     /* surrogate */
		{"\xf4\x90\x80\x80", false}, /* past U+10FFFF */
		{"\xf5\x80\x80\x80", false},
		{"\xff", false},
		{"\xc3", false},
		{"\xe2\x82", false},
		{"\xf0\x9f\x98", false},
		{"a\xc3(", false},
		{"\xe2(\xa1", false},
		{"ok\xc3\xa9\xa9", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(str_is_utf8(cases[i].bytes, strlen(cases[i].bytes)) == cases[i].good,
		   "utf8 case %zu", i);
	ok(!str_is_utf8("a\0b", 3), "a NUL is not text");
	ok(!str_is_utf8("€", 2), "the length given is what counts");
}

static void test_names(void)
{
	char longest[65];
	static const char *const labels[] = {"a", "A9", "grpc+http=1.0_x-y",
					     "9", "+",	"a."};
	static const char *const no_labels[] = {"",    ".",   "..", "-a", ".a", "a/b",
						"a b", "a\n", "é",  "a:", "a*"};
	static const char *const names[] = {"a", "w-1", "a0", "a-0-b"};
	static const char *const no_names[] = {"",    "1w",  "-w",  "w-", "W",
					       "w_1", "w.1", "w/1", "é"};

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		ok(str_is_label(labels[i]), "label: %s", labels[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no_labels); i++)
		ok(!str_is_label(no_labels[i]), "no label: case %zu", i);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ok(str_is_rfc1035(names[i]), "name: %s", names[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no_names); i++)
		ok(!str_is_rfc1035(no_names[i]), "no name: %s", no_names[i]);
	memset(longest, 'a', 64);
	longest[64] = '\0';
	ok(!str_is_label(longest) && !str_is_rfc1035(longest),
	   "64 characters are too many");
	longest[63] = '\0';
	ok(str_is_label(longest) && str_is_rfc1035(longest), "63 are not");
}

static void test_is_hex(void)
{
	ok(str_is_hex("0123456789abcdef", 16) && str_is_hex("", 0), "hex");
	ok(!str_is_hex("0123", 3) && !str_is_hex("0123", 5), "of exactly that length");
	ok(!str_is_hex("ABCD", 4) && !str_is_hex("012g", 4) && !str_is_hex("0x12", 4),
	   "lower-case digits only");
}

static void test_escaped(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"plain é€😀", "plain é€😀"},
		{"\033[2J", "\\x1b[2J"},
		{"a\tb\r\n\x7f", "a\\x09b\\x0d\\x0a\\x7f"},
		{"\xc2\x9b[2J", "\\xc2\\x9b[2J"}, /* C1 in UTF-8 */
		{"\x9b[2J", "\\x9b[2J"},	  /* C1 as a terminal's single byte */
		{"\xc2\xa0", "\xc2\xa0"},	  /* the first after C1 */
		{"\xe2\x82", "\\xe2\\x82"},	  /* cut off */
		{"\xe2\x82(", "\\xe2\\x82("},	  /* broken */
		{"\xff\xfe", "\\xff\\xfe"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogate */
	};
	cleanup_str struct str nul = STR_INIT(100);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_str struct str s = STR_INIT(100);

		str_add_escaped(&s, cases[i].text, strlen(cases[i].text));
		ok(strcmp(str_text(&s), cases[i].want) == 0, "escaped: %s", str_text(&s));
	}
	str_add_escaped(&nul, "a\0€", 3);
	ok(strcmp(str_text(&nul), "a\\x00\\xe2") == 0, "a NUL, and the length given: %s",
	   str_text(&nul));
}

static void test_nearest(void)
{
	static const char *const names[] = {"split", "status",	"stop",
					    "store", "collect", NULL};
	static const char *const none[] = {NULL};
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"splt", "split"},     {"statsu", "status"}, {"stpo", "stop"},
		{"colect", "collect"}, {"store", "store"},   {"frobnicate", NULL},
		{"zzzz", NULL},
	};
	char longest[70];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got = str_nearest(cases[i].text, names);

		ok(cases[i].want ? got && strcmp(got, cases[i].want) == 0 : !got,
		   "nearest to %s: %s", cases[i].text, got ? got : "none");
	}
	memset(longest, 'x', sizeof(longest));
	longest[69] = '\0';
	ok(!str_nearest(longest, names), "a long word is near nothing");
	ok(!str_nearest("x", none), "no names, none near");
}

int main(void)
{
	test_u64();
	test_u64_range();
	test_size();
	test_duration();
	test_f64();
	test_utf8();
	test_names();
	test_is_hex();
	test_escaped();
	test_nearest();
	return done_testing();
}
