// SPDX-License-Identifier: Apache-2.0
// Any bytes as CSV: no crash, and what is read keeps what the header promises.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	cleanup_free char *text = xrealloc(NULL, n + 1, 1);
	struct csv csv = {0};
	struct err err = {0};

	memcpy(text, data, n);
	text[n] = '\0';
	if (csv_parse(text, n, "fuzz", &csv, &err) < 0) {
		if (!err.code || !err.text[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < csv.n_rows; i++) {
		if (i && csv.rows[i].line <= csv.rows[i - 1].line)
			abort();
		for (size_t c = 0; c < csv.n_columns; c++)
			if (strlen(csv.rows[i].cells[c]) > n)
				abort();
	}
	if (!csv.n_columns)
		abort();
	csv_done(&csv);
	return 0;
}
