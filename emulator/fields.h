// SPDX-License-Identifier: Apache-2.0
// Partial responses: the `fields` parameter.
#ifndef EMULATOR_FIELDS_H
#define EMULATOR_FIELDS_H

#include <jansson.h>

#include "emulator/fail.h"

/**
 * emu_fields_apply() - cut @v down to what @text selects; replaces *@v.
 *
 * Grammar: `a,b/c,d(e,f/g),*` (JSON API, "Partial responses"). 400 when malformed. A name
 * the resource does not have selects nothing.
 */
int emu_fields_apply(json_t **v, const char *text, struct emu_fail *f);

#endif
