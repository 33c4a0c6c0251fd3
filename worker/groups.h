// SPDX-License-Identifier: Apache-2.0
// The names of the worker's control groups, below the one it was started in.
#ifndef WORKER_GROUPS_H
#define WORKER_GROUPS_H

#include <string.h>

#include "core/str.h"

/* The worker itself, its guardian and short tools; never killed by us. */
#define GROUP_WORKER "worker"
/* One per attempt each: fio and gcsfuse live and die apart. */
#define GROUP_FIO "step-"
#define GROUP_GCSFUSE "gcsfuse-"

/** group_name() - @prefix and the attempt, which names the step's folder; the caller's.
 */
static inline char *group_name(const char *prefix, const char *step_dir)
{
	const char *slash = strrchr(step_dir, '/');

	return xasprintf("%s%s", prefix, slash ? slash + 1 : step_dir);
}

#endif
