// SPDX-License-Identifier: Apache-2.0
// Partial responses: the `fields` parameter.
#ifndef EMULATOR_FIELDS_H
#define EMULATOR_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

#include "emulator/fail.h"

/**
 * emu_fields_apply() - cut @v down to what @text selects; replaces *@v.
 *
 * Grammar: `a,b/c,d(e,f/g),*` (JSON API, "Partial responses"). 400 when malformed. A name
 * the resource does not have selects nothing.
 */
int emu_fields_apply(json_t **v, const char *text, struct emu_fail *f);

/**
 * emu_fields_parse() - @text as a tree of objects for those who build only what is asked
 * for; "" and an empty object select everything.
 */
int emu_fields_parse(const char *text, json_t **ret_want, struct emu_fail *f);
/** emu_fields_has() - is member @key of what @want (NULL = everything) selects? */
bool emu_fields_has(const json_t *want, const char *key);
/** emu_fields_of() - what @want selects of member @key: borrowed, NULL = all or nothing.
 */
json_t *emu_fields_of(const json_t *want, const char *key);
/** emu_fields_cut() - @v cut down to @want; a new reference. */
json_t *emu_fields_cut(json_t *v, const json_t *want);

#endif
