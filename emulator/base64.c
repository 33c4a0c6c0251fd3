// SPDX-License-Identifier: Apache-2.0
// Base64.
#include "emulator/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char plain[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct str *out, const unsigned char *p, size_t n, const char *digits,
		   const char *pad)
{
	for (; n; p += 3) {
		uint32_t v = (uint32_t)p[0] << 16;
		size_t take = n < 3 ? n : 3;

		if (take > 1)
			v |= (uint32_t)p[1] << 8;
		if (take > 2)
			v |= p[2];
		for (size_t i = 0; i < 4; i++) {
			if (i <= take)
				str_addc(out, digits[v >> (18 - 6 * i) & 63]);
			else
				str_add(out, pad);
		}
		n -= take;
	}
}

void emu_base64(struct str *out, const void *data, size_t n)
{
	encode(out, data, n, plain, "=");
}

void emu_base64_url(struct str *out, const void *data, size_t n)
{
	encode(out, data, n, url, "");
}

static int digit(char c)
{
	const char *at = c ? strchr(plain, c) : NULL;

	if (!at && c == '-')
		return 62;
	if (!at && c == '_')
		return 63;
	return at ? (int)(at - plain) : -1;
}

int emu_base64_parse(const char *text, struct str *out)
{
	size_t n = strlen(text);
	uint32_t v = 0;
	unsigned bits = 0;

	while (n && text[n - 1] == '=')
		n--;
	if (n % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int d = digit(text[i]);

		if (d < 0)
			return -EINVAL;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			str_addc(out, (char)(v >> bits & 255));
		}
	}
	return v & ((1u << bits) - 1) ? -EINVAL : 0;
}
