// SPDX-License-Identifier: Apache-2.0
// CRC32C: hardware path, slice-by-8 tables, GF(2) combination.
#include "core/crc32c.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

static uint32_t table[8][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void table_fill(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = (c >> 1) ^ (0x82f63b78u & -(c & 1));
		table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			table[k][i] =
				(table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 255];
}

uint32_t crc32c_update_table(uint32_t crc, const void *data, size_t n)
{
	const unsigned char *p = data;
	uint32_t c = ~crc;

	pthread_once(&table_once, table_fill);
	for (; n >= 8; n -= 8, p += 8) {
		c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		     (uint32_t)p[3] << 24;
		c = table[7][c & 255] ^ table[6][c >> 8 & 255] ^ table[5][c >> 16 & 255] ^
		    table[4][c >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
		    table[0][p[7]];
	}
	for (; n; n--, p++)
		c = table[0][(c ^ *p) & 255] ^ (c >> 8);
	return ~c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t update_sse42(uint32_t crc,
							       const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t c = ~crc, word;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&word, p, sizeof(word));
		c = _mm_crc32_u64(c, word);
	}
	for (; n; n--, p++)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return ~(uint32_t)c;
}
#endif

uint32_t crc32c_update(uint32_t crc, const void *data, size_t n)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return update_sse42(crc, data, n);
#endif
	return crc32c_update_table(crc, data, n);
}

static uint32_t gf2_times(const uint32_t mat[32], uint32_t vec)
{
	uint32_t sum = 0;

	for (; vec; vec >>= 1, mat++)
		if (vec & 1)
			sum ^= *mat;
	return sum;
}

static void gf2_square(uint32_t square[32], const uint32_t mat[32])
{
	for (int i = 0; i < 32; i++)
		square[i] = gf2_times(mat, mat[i]);
}

uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
	/* appending a zero bit is a linear map; apply its len_b*8-th power to crc_a */
	uint32_t even[32], odd[32];

	odd[0] = 0x82f63b78u;
	for (int i = 1; i < 32; i++)
		odd[i] = 1u << (i - 1);
	gf2_square(even, odd);
	gf2_square(odd, even);
	for (; len_b; len_b >>= 1) {
		gf2_square(even, odd);
		if (len_b & 1)
			crc_a = gf2_times(even, crc_a);
		memcpy(odd, even, sizeof(odd));
	}
	return crc_a ^ crc_b;
}

static const char b64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void crc32c_base64(uint32_t crc, char out[CRC32C_B64_CAP])
{
	uint64_t bits = (uint64_t)crc << 4;

	for (int i = 5; i >= 0; i--, bits >>= 6)
		out[i] = b64[bits & 63];
	out[6] = '=';
	out[7] = '=';
	out[8] = '\0';
}

int crc32c_parse(const char *text, uint32_t *ret, struct err *err)
{
	uint64_t bits = 0;
	const char *at;

	if (strlen(text) != 8 || strcmp(text + 6, "==") != 0)
		return err_set(err, -EINVAL, "\"%.16s\" is not a CRC32C", text);
	for (int i = 0; i < 6; i++) {
		at = strchr(b64, text[i]);
		if (!at)
			return err_set(err, -EINVAL, "\"%.16s\" is not a CRC32C", text);
		bits = bits << 6 | (uint64_t)(at - b64);
	}
	if (bits & 15)
		return err_set(err, -EINVAL, "\"%.16s\" is not a CRC32C", text);
	*ret = (uint32_t)(bits >> 4);
	return 0;
}
