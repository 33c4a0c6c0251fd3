// SPDX-License-Identifier: Apache-2.0
// Compact JSON out. For json.c: others use json_dump().
#ifndef CORE_JSON_WRITE_H
#define CORE_JSON_WRITE_H

#include <jansson.h>

#include "core/str.h"

/** json_write_value() - @v, which contains no cycle, as JSON_COMPACT text; reals have up
 * to 17 digits. */
void json_write_value(const json_t *v, struct str *to);

#endif
