// SPDX-License-Identifier: Apache-2.0
// Text tables.
#include "coordinator/table.h"

#include <stdarg.h>
#include <string.h>

void table_init(struct table *table, const char *const *headers)
{
	*table = (struct table){0};
	while (headers[table->columns] && table->columns < TABLE_COLUMNS_MAX)
		table->columns++;
	table->cap = 16;
	table->cells = xcalloc((table->cap + 1) * table->columns, sizeof(char *));
	for (size_t i = 0; i < table->columns; i++)
		table->cells[i] = xstrdup(headers[i]);
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
	struct str clean = STR_INIT(1 << 20);
	char **cell = &table->cells[table->rows * table->columns + column];
	va_list ap;

	va_start(ap, fmt);
	str_addv(&raw, fmt, ap);
	va_end(ap);
	str_add_escaped(&clean, str_text(&raw), raw.len);
	free(*cell);
	*cell = str_steal(&clean);
}

/* Columns on a terminal: UTF-8 continuation bytes take none. */
static size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
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

void table_text(const struct table *table, struct str *ret)
{
	size_t width[TABLE_COLUMNS_MAX] = {0};

	for (size_t r = 0; r <= table->rows; r++)
		for (size_t c = 0; c < table->columns; c++) {
			size_t w = text_width(cell_text(table, r, c));

			if (w > width[c])
				width[c] = w;
		}
	for (size_t r = 0; r <= table->rows; r++) {
		for (size_t c = 0; c < table->columns; c++) {
			const char *text = cell_text(table, r, c);
			size_t left = width[c] - text_width(text);

			if (c)
				str_add(ret, "  ");
			if (is_right(table, c))
				pad(ret, left);
			str_add(ret, text);
			if (!is_right(table, c) && c + 1 < table->columns)
				pad(ret, left);
		}
		str_addc(ret, '\n');
	}
}

static void markdown_cell(const char *text, struct str *ret)
{
	str_addc(ret, ' ');
	for (; *text; text++) {
		if (strchr("|<>&*_`[]\\", *text))
			str_addf(ret, "&#%d;", *text);
		else
			str_addc(ret, *text);
	}
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
