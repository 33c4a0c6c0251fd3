// SPDX-License-Identifier: Apache-2.0
// CRC32C (Castagnoli), as Cloud Storage uses it, and its base64 form.
#ifndef CORE_CRC32C_H
#define CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/**
 * crc32c_update() - extend a checksum; begin with 0.
 *
 * Reflected polynomial 0x82f63b78 (RFC 3720 B.4); check value of "123456789" is
 * 0xe3069283. SSE4.2 when the CPU has it, slice-by-8 tables otherwise.
 */
uint32_t crc32c_update(uint32_t crc, const void *data, size_t n);

/** crc32c_update_table() - the portable path, for tests and other CPUs. */
uint32_t crc32c_update_table(uint32_t crc, const void *data, size_t n);

/** crc32c_combine() - checksum of A||B from both, where B is @len_b bytes long. */
uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);

enum { CRC32C_B64_CAP = 9 };

/** crc32c_base64() - base64 of the 4 big-endian bytes, as the JSON API writes it. */
void crc32c_base64(uint32_t crc, char out[CRC32C_B64_CAP]);

/** crc32c_parse() - the inverse; -EINVAL when it is not 8 base64 characters. */
int crc32c_parse(const char *text, uint32_t *ret, struct err *err);

#endif
