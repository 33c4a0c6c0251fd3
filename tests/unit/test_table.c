// SPDX-License-Identifier: Apache-2.0
// Text tables and figures for people.
#include <string.h>

#include "coordinator/table.h"
#include "tests/unit/tap.h"

static void is(const struct str *got, const char *want, const char *name)
{
	if (!ok(strcmp(str_text(got), want) == 0, "%s", name))
		printf("# got:\n%s# wanted:\n%s", str_text(got), want);
}

static void test_aligned(void)
{
	static const char *const headers[] = {"name", ">n", "note", NULL};
	cleanup_str struct str text = STR_INIT(4096);
	cleanup_table struct table t;

	table_init(&t, headers);
	table_row(&t);
	table_set(&t, 0, "%s", "größe");
	table_set(&t, 1, "%d", 5);
	table_set(&t, 2, "x");
	table_row(&t);
	table_set(&t, 0, "a");
	table_set(&t, 1, "%d", 12345);
	table_text(&t, &text);
	is(&text,
	   "name       n  note\n"
	   "größe      5  x\n"
	   "a      12345\n",
	   "numbers right, text left, no trailing blanks");
}

static void test_wide(void)
{
	static const char *const headers[] = {"a", "b", NULL};
	static const char *const words[] = {"日本", "e\xcc\x81", "≥17", "1234"};
	cleanup_str struct str text = STR_INIT(4096);
	cleanup_table struct table t;

	table_init(&t, headers);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		table_row(&t);
		table_set(&t, 0, "%s", words[i]);
		table_set(&t, 1, "|");
	}
	table_text(&t, &text);
	is(&text,
	   "a     b\n"
	   "日本  |\n"
	   "e\xcc\x81     |\n"
	   "≥17   |\n"
	   "1234  |\n",
	   "wide and combining characters");
}

static void test_escaped(void)
{
	static const char *const headers[] = {"a\x1b[1m", "b", NULL};
	cleanup_str struct str text = STR_INIT(4096);
	cleanup_table struct table t;

	table_init(&t, headers);
	table_row(&t);
	table_set(&t, 0, "%s", "x\x1b[31m\n\t\x7f\xff\xc2\x9b");
	table_text(&t, &text);
	is(&text,
	   "a\\x1b[1m                           b\n"
	   "x\\x1b[31m\\x0a\\x09\\x7f\\xff\\xc2\\x9b\n",
	   "control characters, C1 and broken UTF-8");
}

static void test_markdown(void)
{
	static const char *const headers[] = {"a|b", ">n", NULL};
	cleanup_str struct str text = STR_INIT(4096);
	cleanup_table struct table t;

	table_init(&t, headers);
	table_row(&t);
	table_set(&t, 0, "%s", "x|y<script>`*_[l](u)\n");
	table_set(&t, 1, "%d", 1);
	table_markdown(&t, &text);
	is(&text,
	   "| a&#124;b | n |\n"
	   "|---|---:|\n"
	   "| x&#124;y&#60;script&#62;&#96;&#42;&#95;&#91;l&#93;(u)&#92;x0a | 1 |\n",
	   "nothing in a cell is markup");
}

static void test_many_rows(void)
{
	static const char *const headers[] = {">n", NULL};
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_table struct table t;

	table_init(&t, headers);
	table_text(&t, &text);
	is(&text, "n\n", "no rows");
	for (unsigned i = 0; i < 1000; i++) {
		table_row(&t);
		table_set(&t, 0, "%u", i);
	}
	str_reset(&text);
	table_text(&t, &text);
	ok(text.len == 1001 * 4 &&
		   strcmp(str_text(&text) + text.len - 8, "998\n999\n") == 0,
	   "a thousand rows");
}

static void test_figures(void)
{
	static const struct {
		double ns;
		const char *text;
	} times[] = {{0, "0 ns"},
		     {999, "999 ns"},
		     {1000, "1.00 us"},
		     {1640000, "1.64 ms"},
		     {99960000, "100 ms"},
		     {12.3e9, "12.3 s"},
		     {17112760320, "17.1 s"}};
	static const struct {
		double rate;
		const char *text;
	} rates[] = {{0, "0.00 kB/s"},
		     {999.4e3, "999 kB/s"},
		     {1e6, "1.00 MB/s"},
		     {12345.6e6, "12346 MB/s"}};
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {{0, "0 B"},
		     {1023, "1023 B"},
		     {1024, "1.00 KiB"},
		     {1536ULL << 20, "1.50 GiB"},
		     {UINT64_MAX, "16384 PiB"}};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		cleanup_str struct str s = STR_INIT(64);

		text_ns(times[i].ns, &s);
		is(&s, times[i].text, times[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		cleanup_str struct str s = STR_INIT(64);

		text_rate(rates[i].rate, &s);
		is(&s, rates[i].text, rates[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		cleanup_str struct str s = STR_INIT(64);

		text_bytes(sizes[i].bytes, &s);
		is(&s, sizes[i].text, sizes[i].text);
	}
}

int main(void)
{
	test_aligned();
	test_wide();
	test_escaped();
	test_markdown();
	test_many_rows();
	test_figures();
	return done_testing();
}
