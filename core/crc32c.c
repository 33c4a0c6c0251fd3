// SPDX-License-Identifier: Apache-2.0
// CRC32C: hardware path (three streams), slice-by-8 tables, GF(2) combination.
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
/*
 * The instruction takes three cycles and one can begin in each, so three stretches are
 * summed side by side and then joined: to append STRETCH zeros is a linear map, applied
 * to a checksum byte by byte out of tables. Four rounds take the 16 KiB that libcurl
 * delivers at a time, but for 64 bytes.
 */
enum { STRETCH = 1360 };

static uint32_t append_table[4][256];
static pthread_once_t append_once = PTHREAD_ONCE_INIT;

__attribute__((target("sse4.2"))) static void append_fill(void)
{
	for (uint32_t i = 1; i < 256; i++) {
		for (int k = 0; k < 4; k++) {
			uint32_t *t = append_table[k];
			uint64_t c = i << 8 * k;

			t[i] = t[i & (i - 1)] ^ t[i & -i];
			if (i & (i - 1))
				continue;
			for (int at = 0; at < STRETCH; at += 8)
				c = _mm_crc32_u64(c, 0);
			t[i] = (uint32_t)c;
		}
	}
}

static uint32_t append(uint32_t crc)
{
	return append_table[0][crc & 255] ^ append_table[1][crc >> 8 & 255] ^
	       append_table[2][crc >> 16 & 255] ^ append_table[3][crc >> 24];
}

static uint64_t word_at(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

__attribute__((target("sse4.2"))) static uint32_t update_sse42(uint32_t crc,
							       const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t c = ~crc;

	if (n >= (size_t)3 * STRETCH)
		pthread_once(&append_once, append_fill);
	for (; n >= (size_t)3 * STRETCH; n -= (size_t)3 * STRETCH) {
		const unsigned char *end = p + STRETCH;
		uint64_t c1 = 0, c2 = 0;

		for (; p < end; p += 8) {
			c = _mm_crc32_u64(c, word_at(p));
			c1 = _mm_crc32_u64(c1, word_at(p + STRETCH));
			c2 = _mm_crc32_u64(c2, word_at(p + (size_t)2 * STRETCH));
		}
		c = append(append((uint32_t)c) ^ (uint32_t)c1) ^ c2;
		p += (size_t)2 * STRETCH;
	}
	for (; n >= 8; n -= 8, p += 8)
		c = _mm_crc32_u64(c, word_at(p));
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
