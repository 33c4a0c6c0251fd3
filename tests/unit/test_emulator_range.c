// SPDX-License-Identifier: Apache-2.0
// Range and Content-Range headers.
#include <stdint.h>

#include "core/str.h"
#include "emulator/range.h"
#include "tests/unit/tap.h"

static const struct {
	const char *text;
	uint64_t size;
	enum emu_range want;
	uint64_t offset, len;
} ranges[] = {
	{NULL, 10, EMU_RANGE_WHOLE, 0, 10},
	{"bytes=0-0", 10, EMU_RANGE_PART, 0, 1},
	{"bytes=2-5", 10, EMU_RANGE_PART, 2, 4},
	{"bytes=2-", 10, EMU_RANGE_PART, 2, 8},
	{"bytes=2-99", 10, EMU_RANGE_PART, 2, 8},
	{"bytes=0-18446744073709551615", 10, EMU_RANGE_PART, 0, 10},
	{"bytes=9-", 10, EMU_RANGE_PART, 9, 1},
	{"bytes=10-", 10, EMU_RANGE_UNSATISFIED, 0, 0},
	{"bytes=-3", 10, EMU_RANGE_PART, 7, 3},
	{"bytes=-30", 10, EMU_RANGE_PART, 0, 10},
	{"bytes=-0", 10, EMU_RANGE_UNSATISFIED, 0, 0},
	{"bytes=0-", 0, EMU_RANGE_UNSATISFIED, 0, 0},
	{"bytes=-1", 0, EMU_RANGE_UNSATISFIED, 0, 0},
	{"bytes=5-2", 10, EMU_RANGE_WHOLE, 0, 10},
	{"bytes=", 10, EMU_RANGE_WHOLE, 0, 10},
	{"bytes=-", 10, EMU_RANGE_WHOLE, 0, 10},
	{"bytes=a-b", 10, EMU_RANGE_WHOLE, 0, 10},
	{"bytes=0-1,3-4", 10, EMU_RANGE_WHOLE, 0, 10},
	{"lines=0-1", 10, EMU_RANGE_WHOLE, 0, 10},
	{"bytes=99999999999999999999-", 10, EMU_RANGE_WHOLE, 0, 10},
};

static const struct {
	const char *text;
	int want;
	struct emu_content_range range;
} content_ranges[] = {
	{"bytes 0-9/10", 0, {false, true, true, 0, 9, 10}},
	{"bytes 0-9/*", 0, {false, true, false, 0, 9, 0}},
	{"bytes 5-*/*", 0, {false, false, false, 5, 0, 0}},
	{"bytes 5-*/20", 0, {false, false, true, 5, 0, 20}},
	{"bytes */10", 0, {true, false, true, 0, 0, 10}},
	{"bytes */*", 0, {true, false, false, 0, 0, 0}},
	{"bytes */0", 0, {true, false, true, 0, 0, 0}},
	{"bytes 0-10/10", -22, {0}},
	{"bytes 5-4/10", -22, {0}},
	{"bytes 0-9", -22, {0}},
	{"bytes /10", -22, {0}},
	{"bytes -9/10", -22, {0}},
	{"bytes 0-/10", -22, {0}},
	{"bytes=0-9/10", -22, {0}},
	{"bytes 0-9/x", -22, {0}},
	{"bytes 0-18446744073709551615/*", -22, {0}},
	{"", -22, {0}},
};

static bool is_same(const struct emu_content_range *a, const struct emu_content_range *b)
{
	return a->is_query == b->is_query && a->has_end == b->has_end &&
	       a->has_total == b->has_total && a->start == b->start && a->end == b->end &&
	       a->total == b->total;
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint64_t offset = 77, len = 77;
		enum emu_range got =
			emu_range_parse(ranges[i].text, ranges[i].size, &offset, &len);

		ok(got == ranges[i].want &&
			   (got == EMU_RANGE_UNSATISFIED ||
			    (offset == ranges[i].offset && len == ranges[i].len)),
		   "Range: %s of %llu bytes", ranges[i].text ? ranges[i].text : "(none)",
		   (unsigned long long)ranges[i].size);
	}
	for (size_t i = 0; i < ARRAY_SIZE(content_ranges); i++) {
		struct emu_content_range c = {0};
		int r = emu_content_range_parse(content_ranges[i].text, &c);

		ok(r == content_ranges[i].want && is_same(&c, &content_ranges[i].range),
		   "Content-Range: %s", content_ranges[i].text);
	}
	return done_testing();
}
