// SPDX-License-Identifier: Apache-2.0
// What fio writes to its output: text, one JSON document, perhaps text again.
#ifndef CORE_FIO_TEXT_H
#define CORE_FIO_TEXT_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

/** struct fio_text - the parts; both owned. */
struct fio_text {
	char *message;	/* all before the document; NUL bytes became blanks */
	struct str doc; /* the document, made valid JSON; fio's options are {} in it */
};

/**
 * fio_text_split() - find the JSON document and repair what fio gets wrong in it.
 *
 * @max_bytes: limit of the document
 *
 * The document begins at the first line that starts with '{'. Text may follow it, as
 * with --output-format=json+,normal; a second document (--status-interval) may not.
 * fio 3.33 writes control characters and any bytes of a job's name as they are, and an
 * option given twice as a key given twice; nothing here needs the options.
 *
 * -ENODATA: no such line; -EINVAL: the document does not end, or there are two. @ret is
 * to be released with fio_text_done() in every case; message is always set.
 */
int fio_text_split(const char *text, size_t n, size_t max_bytes, struct fio_text *ret,
		   struct err *err);
void fio_text_done(struct fio_text *t);
#define cleanup_fio_text cleanup(fio_text_done)

#endif
