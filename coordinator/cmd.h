// SPDX-License-Identifier: Apache-2.0
// What the subcommands share: their signature, exit codes, and how they print.
#ifndef COORDINATOR_CMD_H
#define COORDINATOR_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "core/err.h"
#include "core/json.h"
#include "core/opts.h"

/** Exit codes of muster (contract §8). Several apply: cmd_worst() picks one. */
enum cmd_exit {
	EXIT_YES = 0,	      /* done; the answer is yes */
	EXIT_NO = 1,	      /* the answer is no: a step is not ok */
	EXIT_USAGE = 2,	      /* bad usage or input; nothing was written */
	EXIT_UNKNOWN_YET = 3, /* incomplete or inconclusive */
	EXIT_INVALID = 4,     /* the data are invalid */
	EXIT_INTERRUPTED = 130,
};

/** cmd_worst() - the one that counts, in the order 130, 2, 4, 1, 3, 0. */
int cmd_worst(int a, int b);

/** struct cmd - one subcommand; the table is in main.c. */
struct cmd {
	const char *name;
	int (*run)(int argc,
		   char **argv); /* argv[0] is the first argument after the name */
	const char *args;	 /* "RUN [flags]" */
	const char *help;	 /* one line */
};

int cmd_split(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_wait(int argc, char **argv);
int cmd_collect(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_clean(int argc, char **argv);
int cmd_fio(int argc, char **argv);
int cmd_store(int argc, char **argv);

/**
 * cmd_parse() - flags and positional arguments of a subcommand.
 *
 * @usage: e.g. "muster fio FILE… [flags]", first line of --help
 * @about: the paragraph below it (teaches: what it does, an example)
 * Returns 0 to go on; else the command must return *@ret_exit (help printed, or the
 * error).
 */
int cmd_parse(const char *usage, const char *about, const struct opt *opts, int argc,
	      char **argv, struct opt_list *args, int *ret_exit);

/** cmd_fail() - print "muster: <text>" on stderr, escaped; returns @exit_code. */
int cmd_fail(int exit_code, const struct err *err);

/** cmd_usage() - the same for a usage error found after parsing; returns EXIT_USAGE. */
int cmd_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** cmd_print() - a finished text to stdout; EXIT_NO with a message if that fails. */
int cmd_print(const struct str *text);

/** cmd_print_json() - a document, pretty, to stdout; steals @doc. */
int cmd_print_json(json_t *doc);

/** cmd_fail_store() - cmd_fail() with the exit code that fits a store's or file's error:
 * 130 when interrupted, 3 when the store gave no answer in time, else 2. */
int cmd_fail_store(const struct err *err);

/** cmd_catch_signals() - from now on SIGINT and SIGTERM are noted; the second one ends
 * the program the default way. SIGPIPE is ignored. */
void cmd_catch_signals(void);
/** cmd_interrupted() - has SIGINT or SIGTERM arrived? */
bool cmd_interrupted(void);
/** cmd_interrupt_fd() - readable from then on, for struct store's cancel_fd; -1 before
 * cmd_catch_signals(). */
int cmd_interrupt_fd(void);

#endif
