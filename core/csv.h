// SPDX-License-Identifier: Apache-2.0
// CSV in: RFC 4180 with line numbers, whole document in memory.
#ifndef CORE_CSV_H
#define CORE_CSV_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

enum { CSV_MAX_BYTES = 8 << 20, CSV_MAX_ROWS = 100000, CSV_MAX_COLUMNS = 256 };

/** struct csv_row - one record; it has as many cells as there are columns. */
struct csv_row {
	unsigned line; /* where it begins; the file's first line is 1 */
	char **cells;  /* n_columns of them, pointing into the document */
};

/** struct csv - a parsed document; csv_done() releases it. */
struct csv {
	size_t n_columns, n_rows;
	unsigned header_line;
	char **header; /* not empty, no two alike, blanks around them dropped */
	struct csv_row *rows;
	char *text; /* cells point in here */
};

/**
 * csv_parse() - a header and its records.
 *
 * @what: the file's name, for errors ("<what>:<line>: …")
 *
 * Quoted cells may hold commas, quotes (doubled) and line ends; lines end in LF or CRLF,
 * the last one need not; a byte order mark is skipped; lines of blanks alone are skipped
 * and never counted as rows. -EINVAL: NUL or bytes that are not UTF-8, no header, an
 * empty or repeated column name, a row with another number of cells, text beside a quoted
 * cell, a quote that is not closed. -EFBIG: past one of the limits above. No row is no
 * error.
 */
int csv_parse(const char *text, size_t n, const char *what, struct csv *ret,
	      struct err *err);
void csv_done(struct csv *csv);
#define cleanup_csv cleanup(csv_done)

/** csv_column() - the column's index, or -1. */
int csv_column(const struct csv *csv, const char *name);

#endif
