// SPDX-License-Identifier: Apache-2.0
// Base64 for checksums, etags and page tokens.
#ifndef EMULATOR_BASE64_H
#define EMULATOR_BASE64_H

#include <stddef.h>

#include "core/str.h"

/** emu_base64() - RFC 4648 section 4, padded. */
void emu_base64(struct str *out, const void *data, size_t n);

/** emu_base64_url() - RFC 4648 section 5, without padding: safe in a URL. */
void emu_base64_url(struct str *out, const void *data, size_t n);

/** emu_base64_parse() - either alphabet, padding optional; -EINVAL when malformed. */
int emu_base64_parse(const char *text, struct str *out);

#endif
