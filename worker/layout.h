// SPDX-License-Identifier: Apache-2.0
// The files fio works on: laid out once and reused, or fresh and deleted after the block.
#ifndef WORKER_LAYOUT_H
#define WORKER_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "worker/attempt.h"
#include "worker/files.h"

struct worker;

/** struct write_dir - files of a write step that are still there. */
struct write_dir {
	char *name;	    /* data folder, below the bucket or the workspace's data/ */
	enum arm_kind kind; /* where it is */
	unsigned test_id, block;
};

/** layout_name() - the data folder of an attempt: read data is shared, write data is
 * not. The caller's. */
char *layout_name(const struct worker *w, const struct attempt *a);

/** layout_reads() - the step's read data are there: reused if marker and listing agree,
 * else made by fio --create_only=1, counted and marked. */
int layout_reads(struct worker *w, struct attempt *a, struct err *err);

/** layout_writes() - the folder of a write step is empty, and noted for deletion. */
int layout_writes(struct worker *w, struct attempt *a, struct err *err);

/** layout_make_folder() - mkdir -p of the data folder, in a child with a deadline. */
int layout_make_folder(struct worker *w, struct attempt *a, struct err *err);

/** layout_clean() - delete the write data of every block but this one; 0, 0 = of all. */
void layout_clean(struct worker *w, unsigned test_id, unsigned block);

/** layout_sweep() - delete write data that earlier incarnations left behind. */
void layout_sweep(struct worker *w, const struct job *job);

/** layout_data_store() - the data bucket, opened at the first need. */
int layout_data_store(struct worker *w, const struct job *job, struct err *err);

/* The marker beside laid-out data: {"schema", "files", "bytes"}. Pure. */
int layout_marker_dump(const struct files_count *c, struct str *ret, struct err *err);
int layout_marker_parse(const char *text, size_t n, struct files_count *ret,
			struct err *err);

/** layout_is_enough() - fewer files or bytes than planned fails the step; says so. */
int layout_is_enough(const struct files_count *have, uint64_t files, uint64_t bytes,
		     struct err *err);

#endif
