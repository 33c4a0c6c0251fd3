// SPDX-License-Identifier: Apache-2.0
// What the verbs of `muster store` share.
#ifndef COORDINATOR_CMD_STORE_H
#define COORDINATOR_CMD_STORE_H

#include "coordinator/cmd.h"
#include "core/store.h"

/** struct store_cmd - the flags of all verbs; each verb takes those it names. */
struct store_cmd {
	bool is_recursive, is_long, is_json, is_resumable;
	uint64_t if_generation;
	bool has_generation;
	struct opt_list args; /* after the verb */
};

/** struct store_verb - one verb; the table is in cmd_store.c. */
struct store_verb {
	const char *name;
	const char *args;
	const char *help;
	size_t min_args, max_args;
	const char *flags; /* which flags it takes: r l j g s (see cmd_store.c) */
	int (*run)(const struct store_cmd *cmd);
};

int store_ls(const struct store_cmd *cmd);
int store_cp(const struct store_cmd *cmd);

/**
 * store_open_url() - parse @text and open its bucket, interruptible by SIGINT, SIGTERM.
 *
 * Returns 0, or -errno with *@ret_exit set and the message printed.
 */
int store_open_url(const char *text, struct store_url *ret_url, struct store **ret,
		   int *ret_exit);

/** store_exit() - print @err; the exit code for it: 1 precondition, 4 damaged, 130, 2. */
int store_exit(const struct err *err);

/** store_condition() - --if-generation-match as a precondition; PUT_ANY without. */
void store_condition(const struct store_cmd *cmd, struct put_req *req);

/** store_object_json() - one object as --json prints it; new reference. */
json_t *store_object_json(const char *bucket, const char *name,
			  const struct obj_meta *meta);

/** store_print_written() - what a write made: one line, or --json. */
int store_print_written(const struct store_cmd *cmd, const struct store_url *url,
			const struct obj_meta *meta);

#endif
