// SPDX-License-Identifier: Apache-2.0
// The boot of a worker as a table.
#ifndef WORKER_BOOT_H
#define WORKER_BOOT_H

#include <stddef.h>

#include "core/err.h"
#include "worker/identity.h"

struct worker;

/** struct boot_step - one line of the table. */
struct boot_step {
	const char *name;
	int (*run)(struct worker *, struct err *);
};

/** boot_run() - the whole life of a worker; returns the exit code. @w is zeroed here. */
int boot_run(struct worker *w, const struct identity_flags *flags);

/** boot_table() - for --list-points. */
const struct boot_step *boot_table(size_t *ret_n);

#endif
