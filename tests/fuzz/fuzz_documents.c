// SPDX-License-Identifier: Apache-2.0
// Fuzzer of all documents: what is parsed and written is parsed again to the same bytes.
// The first byte selects the kind: '0' is a job, '1' a config, and so on (documents.h).
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/tools/documents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum document document_of(uint8_t byte)
{
	return (uint8_t)(byte - '0') % DOC_COUNT;
}

static void die(const char *what, const char *first, const char *second)
{
	fprintf(stderr, "%s\n%s%s", what, first, second);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	cleanup_str struct str once = STR_INIT(64 << 20), twice = STR_INIT(64 << 20);
	struct err err = {0}, err2 = {0};
	unsigned unknown = 0;
	enum document kind;
	int r;

	if (n < 1)
		return 0;
	kind = document_of(data[0]);
	r = document_again(kind, (const char *)data + 1, n - 1, &once, &unknown, &err);
	if (r == -ENOTRECOVERABLE)
		die("parsed, but not written", err.text, "\n");
	if (r < 0 && (!err.text[0] || strchr(err.text, '\n')))
		die("an error that is not one line", err.text, "\n");
	if (r < 0)
		return 0;
	r = document_again(kind, str_text(&once), once.len, &twice, &unknown, &err2);
	if (r < 0)
		die("written, but not parsed", err2.text, str_text(&once));
	if (strcmp(str_text(&once), str_text(&twice)) != 0)
		die("not the same again", str_text(&once), str_text(&twice));
	return 0;
}
