// SPDX-License-Identifier: Apache-2.0
// The project's fio policy: the allow-list of fio_options.def as fio_job_check() reads
// it.
#ifndef MANIFESTS_FIO_POLICY_H
#define MANIFESTS_FIO_POLICY_H

#include "core/fio_job.h"

/**
 * fio_policy_default() - the allow-list, with more names let through.
 *
 * @allowed: of --allow-option; borrowed, like @directory
 * @directory: NULL for FIO_JOB_DIR
 */
struct fio_policy fio_policy_default(const char *const *allowed, size_t n_allowed,
				     const char *directory);

/** fio_policy_may_allow() - may --allow-option name this one? -EINVAL says why not. */
int fio_policy_may_allow(const char *name, struct err *err);

#endif
