// SPDX-License-Identifier: Apache-2.0
// Reading retry instructions, and which requests they strike.
#include "emulator/verb.h"

#include <errno.h>
#include <string.h>

#include "core/str.h"

enum {
	BROKEN_AFTER_BYTES = 4, /* return-broken-stream, as the testbench has it */
	UNIT = 256 * 1024,
	STALL_S = 10,
	STALL_MAX_S = 86400,
	AFTER_MAX = 1 << 30, /* K or B */
};

/* Steps *@at over a decimal number. */
static bool take_number(const char **at, uint64_t min, uint64_t max, uint64_t *ret)
{
	size_t n = strspn(*at, "0123456789");
	cleanup_free char *digits = xstrndup(*at, n);

	*at += n;
	return n && parse_u64_range("number", digits, min, max, ret, NULL) == 0;
}

static bool take_text(const char **at, const char *text)
{
	if (!str_starts(*at, text))
		return false;
	*at += strlen(text);
	return true;
}

/* "YK" to the end of the text, in bytes. */
static int take_kilobytes(const char *at, struct emu_verb *verb)
{
	uint64_t n;

	if (!take_number(&at, 1, AFTER_MAX, &n) || strcmp(at, "K") != 0)
		return -EINVAL;
	verb->hit.after_bytes = n * 1024;
	return 0;
}

static int parse_broken(const char *at, struct emu_verb *verb)
{
	uint64_t n;

	verb->hit.kind = EMU_FAULT_BROKEN;
	verb->place = EMU_IN_REPLY;
	verb->hit.after_bytes = BROKEN_AFTER_BYTES;
	if (!*at)
		return 0;
	if (take_text(&at, "-after-"))
		return take_kilobytes(at, verb);
	if (!take_text(&at, "-final-chunk-after-") ||
	    !take_number(&at, 0, AFTER_MAX, &n) || strcmp(at, "B") != 0)
		return -EINVAL;
	verb->place = EMU_IN_FINAL;
	verb->hit.after_bytes = n;
	return 0;
}

static int parse_return(const char *at, struct emu_verb *verb)
{
	uint64_t status;

	if (strcmp(at, "reset-connection") == 0) {
		verb->hit.kind = EMU_FAULT_RESET;
		return 0;
	}
	if (take_text(&at, "broken-stream"))
		return parse_broken(at, verb);
	if (!take_number(&at, 400, 599, &status))
		return -EINVAL;
	verb->hit.kind = EMU_FAULT_STATUS;
	verb->hit.status = (int)status;
	if (!*at)
		return 0;
	verb->place = EMU_IN_DATA;
	return take_text(&at, "-after-") ? take_kilobytes(at, verb) : -EINVAL;
}

int emu_verb_parse(const char *text, struct emu_verb *ret)
{
	const char *at = text;
	uint64_t seconds;

	*ret = (struct emu_verb){.place = EMU_AT_ONCE};
	if (take_text(&at, "return-"))
		return parse_return(at, ret);
	if (!take_text(&at, "stall-for-") ||
	    !take_number(&at, 0, STALL_MAX_S, &seconds) || !take_text(&at, "s-after-"))
		return -EINVAL;
	ret->hit.kind = EMU_FAULT_STALL;
	ret->hit.seconds = (double)seconds;
	ret->place = EMU_IN_BODY;
	return take_kilobytes(at, ret);
}

int emu_verb_parse_header(const char *text, struct emu_verb *ret)
{
	static const struct {
		const char *text;
		struct emu_verb verb;
	} verbs[] = {
		{"return-503-after-256K",
		 {{.kind = EMU_FAULT_STATUS, .status = 503, .after_bytes = UNIT},
		  EMU_IN_BODY}},
		{"return-broken-stream",
		 {{.kind = EMU_FAULT_RESET, .after_bytes = 4 * UNIT}, EMU_IN_REPLY}},
		{"return-corrupted-data", {{.kind = EMU_FAULT_CORRUPT}, EMU_IN_REPLY}},
		{"stall-always",
		 {{.kind = EMU_FAULT_STALL, .seconds = STALL_S}, EMU_AT_ONCE}},
		{"stall-at-256KiB",
		 {{.kind = EMU_FAULT_STALL, .seconds = STALL_S, .after_bytes = UNIT},
		  EMU_IN_BODY}},
		{"inject-upload-data-error", {{.kind = EMU_FAULT_CORRUPT}, EMU_IN_DATA}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].text, text) == 0) {
			*ret = verbs[i].verb;
			return 0;
		}
	}
	return -EINVAL;
}

bool emu_verb_strikes_data(const struct emu_verb *verb, bool is_upload,
			   struct emu_span span, struct emu_hit *ret)
{
	uint64_t after = verb->hit.after_bytes;
	bool has_byte =
		after ? after > span.start && after <= span.end : span.end > span.start;

	*ret = verb->hit;
	if (verb->place == EMU_AT_ONCE)
		return true;
	if (!is_upload || !has_byte ||
	    (verb->place != EMU_IN_DATA && verb->place != EMU_IN_BODY))
		return false;
	if (after)
		ret->after_bytes = after - span.start;
	return true;
}

bool emu_verb_strikes_reply(const struct emu_verb *verb, bool is_upload, int status,
			    uint64_t bytes, struct emu_hit *ret)
{
	*ret = verb->hit;
	/* a status that is on the wire already cannot be taken back */
	if (ret->kind == EMU_FAULT_STATUS)
		ret->kind = EMU_FAULT_BROKEN;
	if (status / 100 != 2 || bytes <= verb->hit.after_bytes)
		return false;
	return verb->place == EMU_IN_REPLY ||
	       (verb->place == EMU_IN_BODY && !is_upload) ||
	       (verb->place == EMU_IN_FINAL && is_upload);
}
