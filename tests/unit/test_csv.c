// SPDX-License-Identifier: Apache-2.0
// CSV: what RFC 4180 allows, line numbers, and what is refused.
#include <errno.h>
#include <string.h>

#include "core/csv.h"
#include "tests/unit/tap.h"

/* The document as "line:cell|cell\n", the header first. */
static void flat(const struct csv *csv, struct str *out)
{
	for (size_t c = 0; c < csv->n_columns; c++)
		str_addf(out, "%s%s", c ? "|" : "", csv->header[c]);
	str_addc(out, '\n');
	for (size_t i = 0; i < csv->n_rows; i++) {
		str_addf(out, "%u:", csv->rows[i].line);
		for (size_t c = 0; c < csv->n_columns; c++)
			str_addf(out, "%s%s", c ? "|" : "", csv->rows[i].cells[c]);
		str_addc(out, '\n');
	}
}

static void test_read(void)
{
	static const struct {
		const char *name, *in, *want;
	} rows[] = {
		{"plain", "a,b\n1,2\n", "a|b\n2:1|2\n"},
		{"no newline at the end", "a,b\n1,2", "a|b\n2:1|2\n"},
		{"CRLF", "a,b\r\n1,2\r\n3,4\r\n", "a|b\n2:1|2\n3:3|4\n"},
		{"byte order mark",
		 "\xef\xbb\xbf"
		 "a,b\n1,2\n",
		 "a|b\n2:1|2\n"},
		{"blank lines", "\n  \na\n\n1\n \t\n\r\n2\n\n", "a\n5:1\n8:2\n"},
		{"header only", "a,b\n", "a|b\n"},
		{"empty cells", "a,b,c\n,,\nx,,\n", "a|b|c\n2:||\n3:x||\n"},
		{"last cell empty at the end", "a,b\n1,", "a|b\n2:1|\n"},
		{"quotes", "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n",
		 "a|b\n2:x,y|say \"hi\"\n"},
		{"an empty quoted cell", "a,b\n\"\",\"\"\n", "a|b\n2:|\n"},
		{"one quoted empty cell is a row", "a\n\"\"\n", "a\n2:\n"},
		{"a quoted line end", "a,b\n\"1\n2\",3\n4,5\n", "a|b\n2:1\n2|3\n4:4|5\n"},
		{"quoted CRLF", "a\r\n\"1\r\n2\"\r\n3\r\n", "a\n2:1\r\n2\n4:3\n"},
		{"quoted at the very end", "a,b\n1,\"2\"", "a|b\n2:1|2\n"},
		{"blanks stay in cells", "a,b\n 1 , 2\n", "a|b\n2: 1 | 2\n"},
		{"blanks around columns do not", " a , b\n1,2\n", "a|b\n2:1|2\n"},
		{"quoted columns", "\"a\",\"b c\"\n1,2\n", "a|b c\n2:1|2\n"},
		{"unicode", "a\nz\xc3\xbcrich\n", "a\n2:z\xc3\xbcrich\n"},
		{"mount arguments", "c,m\nmaster,\"--a --b=-1 --c \"\"x y\"\"\"\n",
		 "c|m\n2:master|--a --b=-1 --c \"x y\"\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_csv struct csv csv = {0};
		cleanup_str struct str out = STR_INIT(65536);
		struct err err = {0};
		int r = csv_parse(rows[i].in, strlen(rows[i].in), "t", &csv, &err);

		if (r == 0)
			flat(&csv, &out);
		ok(r == 0 && strcmp(str_text(&out), rows[i].want) == 0, "%s%s%s",
		   rows[i].name, r ? ": " : "", err.text);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *in;
		size_t n; /* 0: strlen */
		const char *want;
	} rows[] = {
		{"", 0, "t: empty"},
		{"\n \n\r\n", 0, "t: empty"},
		{"\xef\xbb\xbf", 0, "t: empty"},
		{"a,b\n1\n", 0, "t:2: 1 cells"},
		{"a,b\n1,2\n\n1,2,3\n", 0, "t:4: 3 cells"},
		{"a,a\n", 0, "t:1: column \"a\" occurs twice"},
		{"\na, a \n", 0, "t:2: column \"a\" occurs twice"},
		{"a,\n", 0, "t:1: column 2 has no name"},
		{"a\n\"x\n", 0, "t:2: a quote is not closed"},
		{"a\n\"x\"y\n", 0, "t:2: text after a closing quote"},
		{"a\nx\"y\"\n", 0, "t:2: a quote inside"},
		{"a\n1\n\"b\nc\"d\n", 0, "t:4: text after"},
		{"a\n\xff\n", 0, "t:2: not UTF-8"},
		{"a\nb\0c\n", 6, "t:2: not UTF-8"},
		{"a\n\xed\xa0\x80\n", 0, "t:2: not UTF-8"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct csv csv = {0};
		struct err err = {0};
		size_t n = rows[i].n ? rows[i].n : strlen(rows[i].in);
		int r = csv_parse(rows[i].in, n, "t", &csv, &err);

		ok(r == -EINVAL && str_starts(err.text, rows[i].want) && !csv.text,
		   "refused: %s", err.text);
	}
}

static void test_limits(void)
{
	cleanup_str struct str text = STR_INIT(16 << 20);
	struct csv csv = {0};
	struct err err = {0};

	str_add(&text, "a\n");
	for (unsigned i = 0; i < CSV_MAX_ROWS; i++)
		str_add(&text, "1\n");
	ok(csv_parse(text.s, text.len, "t", &csv, &err) == 0 &&
		   csv.n_rows == CSV_MAX_ROWS,
	   "100,000 rows pass");
	csv_done(&csv);
	str_add(&text, "1\n");
	ok(csv_parse(text.s, text.len, "t", &csv, &err) == -EFBIG, "one more: %s",
	   err.text);
	err = (struct err){0};
	while (text.len <= CSV_MAX_BYTES)
		str_add(&text, "                                                 \n");
	ok(csv_parse(text.s, text.len, "t", &csv, &err) == -EFBIG, "8 MiB: %s", err.text);
	str_reset(&text);
	err = (struct err){0};
	for (unsigned i = 0; i <= CSV_MAX_COLUMNS; i++)
		str_addf(&text, "c%u,", i);
	ok(csv_parse(text.s, text.len, "t", &csv, &err) == -EINVAL &&
		   strstr(err.text, "columns"),
	   "too many columns: %s", err.text);
}

static void test_column(void)
{
	cleanup_csv struct csv csv = {0};

	csv_parse("a,b\n", 4, "t", &csv, NULL);
	ok(csv_column(&csv, "b") == 1 && csv_column(&csv, "B") == -1, "columns by name");
}

int main(void)
{
	test_read();
	test_refused();
	test_limits();
	test_column();
	return done_testing();
}
