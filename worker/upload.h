// SPDX-License-Identifier: Apache-2.0
// A step's files into the bucket.
#ifndef WORKER_UPLOAD_H
#define WORKER_UPLOAD_H

#include "core/err.h"
#include "manifests/paths.h"
#include "worker/attempt.h"

struct worker;

/**
 * upload_file() - create one file of the attempt, and check what the bucket has.
 *
 * An absent or empty-named file is no error and no entry. -EEXIST: the name is taken by
 * other content. After a signal only files up to 4 MiB go up.
 */
int upload_file(struct worker *w, struct attempt *a, enum step_file file,
		const char *content_type, bool is_cut, struct err *err);

#endif
