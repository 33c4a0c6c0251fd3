// SPDX-License-Identifier: Apache-2.0
// CSV in: one pass over a copy of the text, cells unquoted where they stand.
#include "core/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *what;
	char *p;       /* next byte; the text ends in NUL */
	unsigned line; /* where @p is */
	char **cells;  /* of the record being read */
	size_t n, cap; /* … */
	struct err *err;
};

__attribute__((format(printf, 3, 4))) static int fail(const struct reader *in,
						      unsigned line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(in->err, -EINVAL, "%s:%u: %s", in->what, line, text);
}

static bool at_line_end(const char *p)
{
	return *p == '\0' || *p == '\n' || (p[0] == '\r' && p[1] == '\n');
}

/* Skip a line end, if there is one. */
static void skip_line_end(struct reader *in)
{
	if (*in->p == '\r' && in->p[1] == '\n')
		in->p++;
	if (*in->p != '\n')
		return;
	in->p++;
	in->line++;
}

/* Skip lines of blanks alone; false at the end of the text. */
static bool skip_blank_lines(struct reader *in)
{
	for (;;) {
		char *p = in->p + strspn(in->p, " \t");

		if (!at_line_end(p))
			return true;
		in->p = p;
		if (!*p)
			return false;
		skip_line_end(in);
	}
}

/* The cell behind an opening quote, unquoted in place. */
static int read_quoted(struct reader *in)
{
	unsigned first = in->line;
	char *out = in->p;

	for (;;) {
		if (!*in->p)
			return fail(in, first, "a quote is not closed");
		if (*in->p == '"') {
			in->p++;
			if (*in->p != '"')
				break;
		}
		if (*in->p == '\n')
			in->line++;
		*out++ = *in->p++;
	}
	if (*in->p != ',' && !at_line_end(in->p))
		return fail(in, in->line, "text after a closing quote");
	/* what follows must be looked at before its byte is overwritten */
	if (out < in->p)
		memset(out, 0, (size_t)(in->p - out));
	return 0;
}

static int read_plain(struct reader *in)
{
	for (; *in->p != ',' && !at_line_end(in->p); in->p++)
		if (*in->p == '"')
			return fail(in, in->line, "a quote inside an unquoted cell");
	return 0;
}

static int add_cell(struct reader *in, char *cell)
{
	if (in->n == CSV_MAX_COLUMNS)
		return fail(in, in->line, "more than %d columns", CSV_MAX_COLUMNS);
	if (in->n == in->cap) {
		in->cap = in->cap ? 2 * in->cap : 16;
		in->cells = xrealloc(in->cells, in->cap, sizeof(*in->cells));
	}
	in->cells[in->n++] = cell;
	return 0;
}

/* One record into in->cells; its line end becomes the last cell's NUL. */
static int read_record(struct reader *in)
{
	in->n = 0;
	for (;;) {
		bool is_quoted = *in->p == '"';
		char *cell = is_quoted ? ++in->p : in->p;
		int r = is_quoted ? read_quoted(in) : read_plain(in);
		char *end = in->p;

		if (r == 0)
			r = add_cell(in, cell);
		if (r < 0)
			return r;
		if (*end == ',') {
			in->p++;
			*end = '\0';
			continue;
		}
		skip_line_end(in);
		*end = '\0';
		return 0;
	}
}

static char *trimmed(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	for (n = strlen(s); n && (s[n - 1] == ' ' || s[n - 1] == '\t'); n--)
		s[n - 1] = '\0';
	return s;
}

static int keep_header(struct reader *in, struct csv *csv)
{
	for (size_t i = 0; i < in->n; i++) {
		in->cells[i] = trimmed(in->cells[i]);
		if (!*in->cells[i])
			return fail(in, csv->header_line, "column %zu has no name",
				    i + 1);
		for (size_t j = 0; j < i; j++)
			if (strcmp(in->cells[i], in->cells[j]) == 0)
				return fail(in, csv->header_line,
					    "column \"%.60s\" occurs twice",
					    in->cells[i]);
	}
	csv->n_columns = in->n;
	csv->header = xcalloc(in->n, sizeof(*csv->header));
	memcpy(csv->header, in->cells, in->n * sizeof(*csv->header));
	return 0;
}

static int keep_row(struct reader *in, struct csv *csv, unsigned line)
{
	struct csv_row *row;

	if (in->n != csv->n_columns)
		return fail(in, line, "%zu cells, but the header has %zu columns", in->n,
			    csv->n_columns);
	if (csv->n_rows == CSV_MAX_ROWS)
		return err_set(in->err, -EFBIG, "%s:%u: more than %d rows", in->what,
			       line, CSV_MAX_ROWS);
	if ((csv->n_rows & (csv->n_rows - 1)) == 0)
		csv->rows = xrealloc(csv->rows, csv->n_rows ? 2 * csv->n_rows : 1,
				     sizeof(*csv->rows));
	row = &csv->rows[csv->n_rows++];
	row->line = line;
	row->cells = xcalloc(in->n, sizeof(*row->cells));
	memcpy(row->cells, in->cells, in->n * sizeof(*row->cells));
	return 0;
}

static int read_all(struct reader *in, struct csv *csv)
{
	int r;

	if (!skip_blank_lines(in))
		return err_set(in->err, -EINVAL, "%s: empty: not even a header line",
			       in->what);
	csv->header_line = in->line;
	r = read_record(in);
	if (r == 0)
		r = keep_header(in, csv);
	while (r == 0 && skip_blank_lines(in)) {
		unsigned line = in->line;

		r = read_record(in);
		if (r == 0)
			r = keep_row(in, csv, line);
	}
	return r;
}

/* The line of the first byte that no text file of ours holds; 0 when there is none. */
static unsigned bad_line(const char *text, size_t n)
{
	unsigned line = 1;

	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t len = end ? (size_t)(end - text) : n;

		if (!str_is_utf8(text, len))
			return line;
		len += end ? 1 : 0;
		text += len;
		n -= len;
		line++;
	}
	return 0;
}

int csv_parse(const char *text, size_t n, const char *what, struct csv *ret,
	      struct err *err)
{
	struct reader in = {.what = what, .line = 1, .err = err};
	struct csv csv = {0};
	unsigned bad;
	int r;

	if (n > CSV_MAX_BYTES)
		return err_set(err, -EFBIG, "%s: larger than %d MiB", what,
			       CSV_MAX_BYTES >> 20);
	bad = bad_line(text, n);
	if (bad)
		return err_set(err, -EINVAL, "%s:%u: not UTF-8 text (or a NUL byte)",
			       what, bad);
	csv.text = xstrndup(text, n);
	in.p = csv.text;
	if (str_starts(in.p, "\xef\xbb\xbf"))
		in.p += 3;
	r = read_all(&in, &csv);
	free(in.cells);
	if (r < 0) {
		csv_done(&csv);
		return r;
	}
	*ret = csv;
	return 0;
}

void csv_done(struct csv *csv)
{
	for (size_t i = 0; i < csv->n_rows; i++)
		free(csv->rows[i].cells);
	free(csv->rows);
	free(csv->header);
	free(csv->text);
	*csv = (struct csv){0};
}

int csv_column(const struct csv *csv, const char *name)
{
	for (size_t i = 0; i < csv->n_columns; i++)
		if (strcmp(csv->header[i], name) == 0)
			return (int)i;
	return -1;
}
