// SPDX-License-Identifier: Apache-2.0
// The multipart/related body of an upload: one JSON part, one part of data, as a stream.
#ifndef EMULATOR_MULTIPART_H
#define EMULATOR_MULTIPART_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

/** emu_multipart_data_fn - gets the data part piece by piece; 0 or -errno. */
typedef int emu_multipart_data_fn(void *arg, const void *data, size_t n, struct err *err);

enum emu_multipart_state {
	EMU_MULTIPART_HEAD, /* up to the first byte of the data part */
	EMU_MULTIPART_DATA,
	EMU_MULTIPART_TAIL, /* the two bytes after the last delimiter */
	EMU_MULTIPART_END,
};

/**
 * struct emu_multipart - a parser that keeps no more than the head in memory.
 *
 * Line ends may be CRLF or a bare LF; which one is taken from the first line.
 */
struct emu_multipart {
	enum emu_multipart_state state;
	struct str head;
	char delimiter[80]; /* line end, "--", boundary (RFC 2046: 70 characters) */
	size_t delimiter_len;
	char hold[2 * 80]; /* data that may be the beginning of a delimiter */
	size_t hold_len;
	char after[2];
	size_t after_len;
	char *boundary;
	char *json;	    /* the first part, without its headers */
	char *content_type; /* of the second part, or NULL */
	emu_multipart_data_fn *fn;
	void *arg;
};

/** emu_multipart_init() - from a Content-Type header; -EINVAL without a boundary. */
int emu_multipart_init(struct emu_multipart *m, const char *content_type, size_t head_max,
		       emu_multipart_data_fn *fn, void *arg, struct err *err);
/** emu_multipart_add() - the next bytes of the body; -EINVAL when malformed. */
int emu_multipart_add(struct emu_multipart *m, const char *data, size_t n,
		      struct err *err);
/** emu_multipart_end() - the body is over; -EINVAL when it is cut short. */
int emu_multipart_end(struct emu_multipart *m, struct err *err);
void emu_multipart_done(struct emu_multipart *m);

#endif
