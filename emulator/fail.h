// SPDX-License-Identifier: Apache-2.0
// Why a request was not served, in the words Cloud Storage uses on the wire.
#ifndef EMULATOR_FAIL_H
#define EMULATOR_FAIL_H

/**
 * struct emu_fail - an HTTP status and the parts of an error body.
 *
 * Functions of the emulator that serve a request return 0, or the status they also
 * recorded here: the status is the result a client sees, an errno would lose it.
 */
struct emu_fail {
	int status;	    /* 0 = none */
	const char *reason; /* e.g. "conditionNotMet"; static */
	char message[1400]; /* UTF-8; holds a name of 1,024 bytes */
};

/** emu_fail() - record and return @status; 304 carries no text. */
int emu_fail(struct emu_fail *f, int status, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** emu_fail_condition() - 412 for an unmet precondition. */
int emu_fail_condition(struct emu_fail *f);

/** emu_fail_reason() - the usual reason of a bare status, e.g. "backendError". */
const char *emu_fail_reason(int status);

#endif
