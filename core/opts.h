// SPDX-License-Identifier: Apache-2.0
// Command-line flags from a table: --name VALUE, --name=VALUE, help, nearest name.
#ifndef CORE_OPTS_H
#define CORE_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum opt_kind {
	OPT_FLAG,     /* bool */
	OPT_STR,      /* const char * */
	OPT_LIST,     /* struct opt_list: may be given again and again */
	OPT_U64,      /* uint64_t */
	OPT_F64,      /* double */
	OPT_DURATION, /* int64_t ns */
};

enum { OPT_LIST_MAX = 1024, OPTS_MAX = 126 };

struct opt_list {
	size_t n;
	const char *v[OPT_LIST_MAX];
};

/** struct opt - one flag; the table has at most OPTS_MAX and ends with a NULL name. */
struct opt {
	const char *name; /* without the dashes; one letter: "-l" */
	enum opt_kind kind;
	void *dest;
	const char *arg;  /* how the value is called in --help; NULL for a flag */
	const char *help; /* one line */
	bool *is_set;	  /* optional: was it given? */
};

/**
 * opts_parse() - flags anywhere among the arguments, "--" ends them.
 *
 * The argument after a flag that takes a value is the value, whatever it begins with. A
 * flag named by one letter is given as "-l" (or "--l"). "-" alone is an argument.
 *
 * @args: positional arguments, borrowed from @argv; at most OPT_LIST_MAX
 * Returns 0, 1 when --help (or -h) was given, -E2BIG, or -EINVAL naming the flag (with
 * the nearest known name). A flag given twice is refused unless it is an OPT_LIST.
 */
int opts_parse(const struct opt *opts, int argc, char *const *argv, struct opt_list *args,
	       struct err *err);

/** opts_help() - the flags, one a line, aligned. */
void opts_help(const struct opt *opts, struct str *ret);

#endif
