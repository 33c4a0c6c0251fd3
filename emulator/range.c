// SPDX-License-Identifier: Apache-2.0
// Byte ranges.
#include "emulator/range.h"

#include <errno.h>
#include <string.h>

#include "core/str.h"

static bool number(const char *text, size_t n, uint64_t *ret)
{
	cleanup_free char *digits = xstrndup(text, n);

	return parse_u64(digits, ret, NULL) == 0;
}

static enum emu_range suffix(const char *text, uint64_t size, uint64_t *ret_offset,
			     uint64_t *ret_len)
{
	uint64_t n;

	if (!number(text, strlen(text), &n))
		return EMU_RANGE_WHOLE;
	if (n == 0 || size == 0)
		return EMU_RANGE_UNSATISFIED;
	*ret_len = n < size ? n : size;
	*ret_offset = size - *ret_len;
	return EMU_RANGE_PART;
}

enum emu_range emu_range_parse(const char *text, uint64_t size, uint64_t *ret_offset,
			       uint64_t *ret_len)
{
	uint64_t first, last = UINT64_MAX;
	const char *dash;

	*ret_offset = 0;
	*ret_len = size;
	if (!text || !str_starts(text, "bytes="))
		return EMU_RANGE_WHOLE;
	text += strlen("bytes=");
	dash = strchr(text, '-');
	if (!dash)
		return EMU_RANGE_WHOLE;
	if (dash == text)
		return suffix(text + 1, size, ret_offset, ret_len);
	if (!number(text, (size_t)(dash - text), &first) ||
	    (dash[1] && !number(dash + 1, strlen(dash + 1), &last)) || last < first)
		return EMU_RANGE_WHOLE;
	if (first >= size)
		return EMU_RANGE_UNSATISFIED;
	*ret_offset = first;
	*ret_len = (last < size ? last + 1 : size) - first;
	return EMU_RANGE_PART;
}

int emu_content_range_parse(const char *text, struct emu_content_range *ret)
{
	struct emu_content_range c = {0};
	const char *slash, *dash;

	if (!str_starts(text, "bytes "))
		return -EINVAL;
	text += strlen("bytes ");
	slash = strchr(text, '/');
	if (!slash)
		return -EINVAL;
	c.has_total = strcmp(slash + 1, "*") != 0;
	if (c.has_total && !number(slash + 1, strlen(slash + 1), &c.total))
		return -EINVAL;
	if (str_starts(text, "*/")) {
		c.is_query = true;
		*ret = c;
		return 0;
	}
	dash = memchr(text, '-', (size_t)(slash - text));
	if (!dash || !number(text, (size_t)(dash - text), &c.start))
		return -EINVAL;
	c.has_end = strncmp(dash + 1, "*/", 2) != 0;
	if (c.has_end && (!number(dash + 1, (size_t)(slash - dash - 1), &c.end) ||
			  c.end < c.start || c.end == UINT64_MAX))
		return -EINVAL;
	if (c.has_total && c.has_end && c.end >= c.total)
		return -EINVAL;
	*ret = c;
	return 0;
}
