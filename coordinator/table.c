// SPDX-License-Identifier: Apache-2.0
// Text tables.
#include "coordinator/table.h"

#include <stdarg.h>
#include <string.h>

static char *escaped(const char *text, size_t n)
{
	struct str clean = STR_INIT(1 << 20);

	str_add_escaped(&clean, text, n);
	return str_steal(&clean);
}

void table_init(struct table *table, const char *const *headers)
{
	*table = (struct table){0};
	while (headers[table->columns] && table->columns < TABLE_COLUMNS_MAX)
		table->columns++;
	table->cap = 16;
	table->cells = xcalloc((table->cap + 1) * table->columns, sizeof(char *));
	for (size_t i = 0; i < table->columns; i++)
		table->cells[i] = escaped(headers[i], strlen(headers[i]));
}

void table_done(struct table *table)
{
	for (size_t i = 0; i < (table->rows + 1) * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){0};
}

void table_row(struct table *table)
{
	size_t at;

	if (table->rows == table->cap) {
		table->cap *= 2;
		table->cells = xrealloc(table->cells, (table->cap + 1) * table->columns,
					sizeof(char *));
	}
	at = (++table->rows) * table->columns;
	for (size_t i = 0; i < table->columns; i++)
		table->cells[at + i] = xstrdup("");
}

void table_set(struct table *table, size_t column, const char *fmt, ...)
{
	cleanup_str struct str raw = STR_INIT(65536);
	char **cell = &table->cells[table->rows * table->columns + column];
	va_list ap;

	va_start(ap, fmt);
	str_addv(&raw, fmt, ap);
	va_end(ap);
	free(*cell);
	*cell = escaped(str_text(&raw), raw.len);
}

struct span {
	uint32_t first, last;
};

static bool in_spans(uint32_t c, const struct span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= spans[i].first && c <= spans[i].last)
			return true;
	return false;
}

/* Columns of one character on a terminal. The blocks of East Asian wide characters
 * (Unicode UAX #11) and of combining marks that matter; the rest takes one. */
static size_t char_width(uint32_t c)
{
	static const struct span none[] = {{0x300, 0x36f},   {0x1ab0, 0x1aff},
					   {0x200b, 0x200f}, {0x20d0, 0x20ff},
					   {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
	static const struct span two[] = {
		{0x1100, 0x115f},   {0x2e80, 0x303e},	{0x3041, 0xa4cf},
		{0xac00, 0xd7a3},   {0xf900, 0xfaff},	{0xfe30, 0xfe6f},
		{0xff00, 0xff60},   {0xffe0, 0xffe6},	{0x1f300, 0x1f64f},
		{0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
	};

	if (in_spans(c, none, ARRAY_SIZE(none)))
		return 0;
	return in_spans(c, two, ARRAY_SIZE(two)) ? 2 : 1;
}

/* The text is escaped, hence well-formed UTF-8. */
static size_t text_width(const char *text)
{
	const unsigned char *b = (const unsigned char *)text;
	size_t width = 0;

	while (*b) {
		unsigned more = *b < 0xc0 ? 0 : *b < 0xe0 ? 1 : *b < 0xf0 ? 2 : 3;
		uint32_t c = more ? *b & (0x3fu >> more) : *b;

		for (b++; more && (*b & 0xc0) == 0x80; b++, more--)
			c = c << 6 | (*b & 0x3f);
		width += char_width(c);
	}
	return width;
}

static bool is_right(const struct table *table, size_t column)
{
	return table->cells[column][0] == '>';
}

static const char *cell_text(const struct table *table, size_t row, size_t column)
{
	const char *text = table->cells[row * table->columns + column];

	return row == 0 && text[0] == '>' ? text + 1 : text;
}

static void pad(struct str *ret, size_t n)
{
	while (n--)
		str_addc(ret, ' ');
}

static void text_row(const struct table *table, size_t row, const size_t *width,
		     struct str *ret)
{
	size_t blanks = 0;

	for (size_t c = 0; c < table->columns; c++) {
		const char *text = cell_text(table, row, c);
		size_t left = width[c] - text_width(text);

		if (c)
			blanks += 2;
		if (is_right(table, c))
			blanks += left;
		if (*text) {
			/* blanks are written only before something */
			pad(ret, blanks);
			blanks = 0;
			str_add(ret, text);
		}
		if (!is_right(table, c))
			blanks += left;
	}
	str_addc(ret, '\n');
}

void table_text(const struct table *table, struct str *ret)
{
	size_t width[TABLE_COLUMNS_MAX] = {0};

	for (size_t r = 0; r <= table->rows; r++)
		for (size_t c = 0; c < table->columns; c++) {
			size_t w = text_width(cell_text(table, r, c));

			if (w > width[c])
				width[c] = w;
		}
	for (size_t r = 0; r <= table->rows; r++)
		text_row(table, r, width, ret);
}

void text_markdown(const char *text, struct str *ret)
{
	cleanup_str struct str clean = STR_INIT(1 << 20);

	str_add_escaped(&clean, text, strlen(text));
	for (const char *p = str_text(&clean); *p; p++) {
		if (strchr("|<>&*_`~#[]\\", *p))
			str_addf(ret, "&#%d;", *p);
		else
			str_addc(ret, *p);
	}
}

static void markdown_cell(const char *text, struct str *ret)
{
	str_addc(ret, ' ');
	text_markdown(text, ret);
	str_add(ret, " |");
}

void table_markdown(const struct table *table, struct str *ret)
{
	for (size_t r = 0; r <= table->rows; r++) {
		str_addc(ret, '|');
		for (size_t c = 0; c < table->columns; c++)
			markdown_cell(cell_text(table, r, c), ret);
		str_addc(ret, '\n');
		if (r)
			continue;
		str_addc(ret, '|');
		for (size_t c = 0; c < table->columns; c++)
			str_add(ret, is_right(table, c) ? "---:|" : "---|");
		str_addc(ret, '\n');
	}
}

/* Three significant digits at least: 1.64, 16.4, 164, 1640. */
static void add_figure(double v, const char *unit, struct str *ret)
{
	str_addf(ret, "%.*f %s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, unit);
}

void text_bytes(uint64_t bytes, struct str *ret)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	double v = (double)bytes / 1024;
	size_t u = 0;

	if (bytes < 1024) {
		str_addf(ret, "%u B", (unsigned)bytes);
		return;
	}
	for (; v >= 1024 && u + 1 < ARRAY_SIZE(units); u++)
		v /= 1024;
	add_figure(v, units[u], ret);
}

void text_rate(double bytes_per_s, struct str *ret)
{
	if (bytes_per_s < 1e6)
		add_figure(bytes_per_s / 1e3, "kB/s", ret);
	else
		add_figure(bytes_per_s / 1e6, "MB/s", ret);
}

void text_ns(double ns, struct str *ret)
{
	if (ns < 1e3)
		str_addf(ret, "%.0f ns", ns);
	else if (ns < 1e6)
		add_figure(ns / 1e3, "us", ret);
	else if (ns < 1e9)
		add_figure(ns / 1e6, "ms", ret);
	else
		add_figure(ns / 1e9, "s", ret);
}
