// SPDX-License-Identifier: Apache-2.0
// SHA-256 of texts and open files, as lower-case hexadecimal.
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum { DIGEST_CAP = 65 };

/** digest_bytes() - of @n bytes in memory. */
void digest_bytes(const void *data, size_t n, char out[DIGEST_CAP]);

/**
 * digest_fd() - of the whole open file, read by pread from 0 to its end.
 *
 * @ret_bytes: how many that were; may be NULL
 */
int digest_fd(int fd, char out[DIGEST_CAP], uint64_t *ret_bytes, struct err *err);

#endif
