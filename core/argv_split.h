// SPDX-License-Identifier: Apache-2.0
// One text into an argument vector: quotes, and nothing expanded.
#ifndef CORE_ARGV_SPLIT_H
#define CORE_ARGV_SPLIT_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

enum { ARGV_MAX = 256 };

/** struct argv_list - NULL-ended; argv_done() releases it. */
struct argv_list {
	size_t n;
	char **v;
};

/**
 * argv_split() - blanks separate, '…' "…" and \ quote, nothing is expanded.
 *
 * Inside '…' everything is itself, inside "…" only \" and \\ are not, elsewhere \ takes
 * the next character as it is. '' is an empty argument. -EINVAL: a quote that is not
 * closed, a \ at the end, a control character, more than ARGV_MAX arguments.
 */
int argv_split(const char *text, struct argv_list *ret, struct err *err);
void argv_done(struct argv_list *argv);
#define cleanup_argv cleanup(argv_done)

#endif
