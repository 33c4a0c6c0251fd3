// SPDX-License-Identifier: Apache-2.0
// CRC32C: published values, both paths, combination, base64.
#include "core/crc32c.h"

#include <errno.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/rng.h"
#include "core/str.h"
#include "tests/unit/tap.h"

/* One bit at a time, from the definition. */
static uint32_t crc_by_bits(uint32_t crc, const void *data, size_t n)
{
	const unsigned char *p = data;

	crc = ~crc;
	for (; n; n--, p++) {
		crc ^= *p;
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

/* RFC 3720 B.4 and the catalogue's check value. */
static void test_published(void)
{
	unsigned char bytes[32];

	ok(crc32c_update(0, "123456789", 9) == 0xe3069283u, "check value");
	ok(crc32c_update_table(0, "123456789", 9) == 0xe3069283u, "check value, tables");
	ok(crc32c_update(0, "", 0) == 0, "nothing is 0");
	ok(crc32c_update(0x12345678u, "", 0) == 0x12345678u, "nothing changes nothing");
	memset(bytes, 0, 32);
	ok(crc32c_update(0, bytes, 32) == 0x8a9136aau, "32 zeros");
	memset(bytes, 0xff, 32);
	ok(crc32c_update(0, bytes, 32) == 0x62a8ab43u, "32 ones");
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	ok(crc32c_update(0, bytes, 32) == 0x46dd794eu, "0 to 31");
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)(31 - i);
	ok(crc32c_update(0, bytes, 32) == 0x113fdb5cu, "31 to 0");
}

static void fill(unsigned char *bytes, size_t n)
{
	struct rng rng;

	rng_init(&rng, 20);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)rng_next(&rng);
}

static void test_paths_agree(void)
{
	unsigned char bytes[320];
	unsigned bad = 0;

	fill(bytes, sizeof(bytes));
	for (size_t at = 0; at < 16; at++) {
		for (size_t n = 0; n <= 300; n++) {
			uint32_t want = crc_by_bits(0xdeadbeefu, bytes + at, n);

			bad += crc32c_update(0xdeadbeefu, bytes + at, n) != want;
			bad += crc32c_update_table(0xdeadbeefu, bytes + at, n) != want;
		}
	}
	ok(bad == 0, "both paths equal the definition: lengths 0-300, offsets 0-15");
}

/* From what is too short for streams side by side to several rounds of them. */
static void test_long_agree(void)
{
	enum { LONG = 5 * 4096 };
	cleanup_free unsigned char *bytes = xcalloc(1, LONG + 8);
	uint32_t whole;
	unsigned bad = 0;

	fill(bytes, LONG + 8);
	for (size_t n = 0; n <= LONG; n += n % 4080 < 16 || n % 4080 > 4070 ? 1 : 7)
		for (size_t at = 0; at < 8; at += 3)
			bad += crc32c_update(0xdeadbeefu, bytes + at, n) !=
			       crc32c_update_table(0xdeadbeefu, bytes + at, n);
	ok(bad == 0, "both paths agree up to %d bytes", LONG);
	whole = crc32c_update(0, bytes, LONG);
	for (size_t i = 0; i < LONG; i += 97) {
		bytes[i] ^= 1;
		bad += crc32c_update(0, bytes, LONG) == whole;
		bytes[i] ^= 1;
	}
	ok(bad == 0, "a flipped bit is noticed wherever it is");
}

static void test_pieces(void)
{
	unsigned char bytes[300];
	unsigned bad_pieces = 0, bad_combined = 0;
	uint32_t whole;

	fill(bytes, sizeof(bytes));
	whole = crc32c_update(0, bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		uint32_t a = crc32c_update(0, bytes, cut);
		uint32_t b = crc32c_update(0, bytes + cut, sizeof(bytes) - cut);

		bad_pieces += crc32c_update(a, bytes + cut, sizeof(bytes) - cut) != whole;
		bad_combined += crc32c_combine(a, b, sizeof(bytes) - cut) != whole;
	}
	ok(bad_pieces == 0, "any two pieces in turn give the whole");
	ok(bad_combined == 0, "any two checksums combine to the whole");
}

/* Lengths nobody can hash: doubling a block of zeros, checked by associativity. */
static void test_combine_long(void)
{
	static const unsigned char zeros[4096];
	uint32_t block = crc32c_update(0, zeros, sizeof(zeros)), direct = 0;
	uint64_t n = sizeof(zeros);
	unsigned bad = 0;

	while (n < (uint64_t)64 << 20) {
		block = crc32c_combine(block, block, n);
		n *= 2;
	}
	for (uint64_t i = 0; i < n; i += sizeof(zeros))
		direct = crc32c_update(direct, zeros, sizeof(zeros));
	ok(block == direct, "64 MiB combined by doubling");
	for (; n < (uint64_t)1 << 62; n *= 2) {
		uint32_t twice = crc32c_combine(block, block, n);
		uint32_t left = crc32c_combine(twice, block, n);
		uint32_t right = crc32c_combine(block, twice, 2 * n);

		bad += left != right;
		block = twice;
	}
	ok(bad == 0, "combining is associative up to 2^62 bytes");
	ok(crc32c_combine(0x11223344u, 0, 0) == 0x11223344u, "an empty tail");
	ok(crc32c_combine(0, 0x11223344u, 99) == 0x11223344u, "an empty head");
}

static void test_base64(void)
{
	static const struct {
		uint32_t crc;
		const char *text;
	} cases[] = {
		{0, "AAAAAA=="},	   {0xe3069283u, "4waSgw=="}, {1, "AAAAAQ=="},
		{0xffffffffu, "/////w=="}, {0xfbefbe00u, "++++AA=="},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[CRC32C_B64_CAP];
		uint32_t back = ~cases[i].crc;

		crc32c_base64(cases[i].crc, text);
		ok(strcmp(text, cases[i].text) == 0, "%08x is %s", cases[i].crc, text);
		ok(crc32c_parse(text, &back, NULL) == 0 && back == cases[i].crc,
		   "%s is %08x", text, back);
	}
}

static void test_parse_bad(void)
{
	static const char *const bad[] = {
		"",	    "4waSgw",	"4waSgw=",   "4waSgw===", "4waSgwAA", "4waSg===",
		"4wa gw==", "4wa-gw==", "4waSg\n==", "=waSgw==",  "4waSgx==", " 4waSgw==",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		uint32_t crc = 77;
		int r = crc32c_parse(bad[i], &crc, &err);

		ok(r == -EINVAL && err.code == -EINVAL && err.text[0] && crc == 77,
		   "refused: case %zu", i);
	}
}

int main(void)
{
	test_published();
	test_paths_agree();
	test_long_agree();
	test_pieces();
	test_combine_long();
	test_base64();
	test_parse_bad();
	return done_testing();
}
