// SPDX-License-Identifier: Apache-2.0
// The instructions of storage-testbench's retry API, as text and as faults.
#ifndef EMULATOR_VERB_H
#define EMULATOR_VERB_H

#include <stdbool.h>
#include <stdint.h>

#include "emulator/faults.h"

/** enum emu_place - what a request must be for an instruction to strike it. */
enum emu_place {
	EMU_AT_ONCE,  /* any */
	EMU_IN_BODY,  /* of an upload: its data contain the byte; otherwise as IN_REPLY */
	EMU_IN_DATA,  /* an upload whose data contain the byte */
	EMU_IN_REPLY, /* answered well, with a body longer than that */
	EMU_IN_FINAL, /* the same, of an upload that becomes an object */
};

struct emu_verb {
	struct emu_hit hit;
	enum emu_place place;
};

/**
 * emu_verb_parse() - 0 or -EINVAL.
 *
 * return-X, return-X-after-YK, return-reset-connection, return-broken-stream,
 * return-broken-stream-after-YK, return-broken-stream-final-chunk-after-YB,
 * stall-for-Ts-after-YK; X is 400 to 599, K is 1,024 bytes.
 */
int emu_verb_parse(const char *text, struct emu_verb *ret);

/** emu_verb_parse_header() - the same of an x-goog-emulator-instructions header. */
int emu_verb_parse_header(const char *text, struct emu_verb *ret);

/** struct emu_span - the bytes of an object that one request uploads. */
struct emu_span {
	uint64_t start, end; /* end exclusive; both 0 = none */
};

/**
 * emu_verb_strikes_data() - does it strike a request once its headers are there?
 *
 * On true @ret is the fault, its after_bytes counted within the request's body.
 */
bool emu_verb_strikes_data(const struct emu_verb *verb, bool is_upload,
			   struct emu_span span, struct emu_hit *ret);

/** emu_verb_strikes_reply() - the same once there is a reply with @bytes of body. */
bool emu_verb_strikes_reply(const struct emu_verb *verb, bool is_upload, int status,
			    uint64_t bytes, struct emu_hit *ret);

#endif
