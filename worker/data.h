// SPDX-License-Identifier: Apache-2.0
// The data folders as objects of the data bucket, or as files of the workspace.
#ifndef WORKER_DATA_H
#define WORKER_DATA_H

#include "core/err.h"
#include "manifests/job.h"
#include "worker/files.h"

struct worker;

/* Everything goes around the mount: by store calls for gcsfuse, by the file system for
 * dir. @name: a data folder without slashes at its ends. */

/** data_count() - objects below it, folder markers left out. */
int data_count(struct worker *w, enum arm_kind kind, const char *name,
	       struct files_count *ret, struct err *err);

/** data_delete() - everything in it, and the folder. */
int data_delete(struct worker *w, enum arm_kind kind, const char *name, struct err *err);

/** data_read_marker() - <name>.json; -ENOENT. */
int data_read_marker(struct worker *w, enum arm_kind kind, const char *name,
		     struct str *ret, struct err *err);

/** data_write_marker() - replaces an earlier one. */
int data_write_marker(struct worker *w, enum arm_kind kind, const char *name,
		      const struct str *text, struct err *err);

#endif
