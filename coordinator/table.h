// SPDX-License-Identifier: Apache-2.0
// Text tables: aligned columns for terminals, or Markdown.
#ifndef COORDINATOR_TABLE_H
#define COORDINATOR_TABLE_H

#include <stddef.h>

#include "core/str.h"

enum { TABLE_COLUMNS_MAX = 24 };

/**
 * struct table - cells are copied; control characters in them are escaped.
 *
 * Column headers name the unit. A header that begins with '>' is right-aligned (the mark
 * is not printed): numbers.
 */
struct table {
	size_t columns, rows, cap;
	char **cells; /* (rows + 1) * columns, the headers first */
};

/** table_init() - headers, NULL-ended. */
void table_init(struct table *table, const char *const *headers);
void table_done(struct table *table);
#define cleanup_table cleanup(table_done)

/** table_row() - one more row of @table->columns empty cells. */
void table_row(struct table *table);
/** table_set() - cell of the newest row. */
void table_set(struct table *table, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** table_text() - padded with blanks, two between columns, no trailing blanks. */
void table_text(const struct table *table, struct str *ret);
/** table_markdown() - a GitHub-flavoured table of text_markdown(). */
void table_markdown(const struct table *table, struct str *ret);

/** text_markdown() - foreign text on one line of Markdown: control characters escaped,
 * what would mean something there or in HTML as a character reference. */
void text_markdown(const char *text, struct str *ret);

/** text_bytes() - "1.50 GiB"; text_rate() - "123.4 MB/s" (10^6 bytes); text_ns() - a
 * latency or duration: "950 ns", "1.64 ms", "12.3 s". Three significant digits or more.
 */
void text_bytes(uint64_t bytes, struct str *ret);
void text_rate(double bytes_per_s, struct str *ret);
void text_ns(double ns, struct str *ret);

#endif
