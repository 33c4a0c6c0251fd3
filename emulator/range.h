// SPDX-License-Identifier: Apache-2.0
// Reading the Range and Content-Range headers.
#ifndef EMULATOR_RANGE_H
#define EMULATOR_RANGE_H

#include <stdbool.h>
#include <stdint.h>

enum emu_range {
	EMU_RANGE_WHOLE,       /* no header, or one to be ignored: 200 */
	EMU_RANGE_PART,	       /* 206 */
	EMU_RANGE_UNSATISFIED, /* 416 */
};

/**
 * emu_range_parse() - which part of @size bytes a Range header asks for.
 *
 * RFC 9110 section 14: `bytes=a-b`, `bytes=a-`, `bytes=-n`. Another unit, several ranges
 * or bad syntax are ignored. @text may be NULL.
 */
enum emu_range emu_range_parse(const char *text, uint64_t size, uint64_t *ret_offset,
			       uint64_t *ret_len);

/** struct emu_content_range - the Content-Range header of a resumable upload. */
struct emu_content_range {
	bool is_query; /* a star instead of a range: asks how far the upload is */
	bool has_end;  /* false for a star instead of the end: until the body ends */
	bool has_total;
	uint64_t start, end; /* both inclusive */
	uint64_t total;
};

/** emu_content_range_parse() - 0 or -EINVAL. */
int emu_content_range_parse(const char *text, struct emu_content_range *ret);

#endif
