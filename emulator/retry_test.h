// SPDX-License-Identifier: Apache-2.0
// Retry tests: queues of faults that a client meets by naming a test in a header.
#ifndef EMULATOR_RETRY_TEST_H
#define EMULATOR_RETRY_TEST_H

#include <jansson.h>

#include "emulator/fail.h"
#include "emulator/verb.h"

/** struct emu_retry_tests - all of them; thread-safe. */
struct emu_retry_tests;

struct emu_retry_tests *emu_retry_tests_new(void);
void emu_retry_tests_free(struct emu_retry_tests *ts);

/**
 * emu_retry_tests_add() - from {"instructions":{method:[verb…]},"transport":"HTTP"}.
 *
 * @is_method: is that a method requests can have, e.g. "storage.objects.get"?
 * @ret: the test as emu_retry_tests_get() shows it; new reference. 0 or 400.
 */
int emu_retry_tests_add(struct emu_retry_tests *ts, const json_t *doc,
			bool (*is_method)(const char *), json_t **ret,
			struct emu_fail *f);
/** emu_retry_tests_get() - id, instructions left, transport, completed; 0 or 404. */
int emu_retry_tests_get(struct emu_retry_tests *ts, const char *id, json_t **ret,
			struct emu_fail *f);
int emu_retry_tests_delete(struct emu_retry_tests *ts, const char *id,
			   struct emu_fail *f);
/** emu_retry_tests_list() - {"retry_test":[…]}; new reference. */
json_t *emu_retry_tests_list(struct emu_retry_tests *ts);

/** emu_retry_strikes_fn - does this instruction strike? Sets @ret then. */
typedef bool emu_retry_strikes_fn(const struct emu_verb *verb, void *arg,
				  struct emu_hit *ret);

/**
 * emu_retry_tests_take() - the next instruction of @method, if it strikes.
 *
 * One that does not strike stays the next. Sets @ret to kind NONE if there is none.
 * Returns 0, or 404 for a test that does not exist.
 */
int emu_retry_tests_take(struct emu_retry_tests *ts, const char *id, const char *method,
			 emu_retry_strikes_fn *strikes, void *arg, struct emu_hit *ret,
			 struct emu_fail *f);

#endif
