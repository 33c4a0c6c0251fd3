// SPDX-License-Identifier: Apache-2.0
// Workers' names as the user gives them: a number, a list, or a file.
#ifndef COORDINATOR_NAMES_H
#define COORDINATOR_NAMES_H

#include <stddef.h>

#include "core/err.h"

enum { NAMES_MAX = 10000 };

/**
 * names_parse() - N (w-1 to w-N), a,b,c, or @FILE with one name a line.
 *
 * @flag: as the user typed it, for errors
 * @ret: names and list are the caller's, also after an error; begins as NULL and 0
 * -EINVAL: not a name, none, too many, or one twice.
 */
int names_parse(const char *flag, const char *text, char ***ret, size_t *ret_n,
		struct err *err);
void names_free(char **names, size_t n);

#endif
