// SPDX-License-Identifier: Apache-2.0
// Bringing a run's objects into collect's folder (and archive), one by one.
#ifndef COORDINATOR_FETCH_H
#define COORDINATOR_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/run.h"
#include "core/archive.h"

/** struct run_object - one object of the run whose name the layout can produce. */
struct run_object {
	char *name; /* inside the bucket; owned */
	struct path_parts parts;
	uint64_t size_bytes, generation;
	int64_t updated_ns;
};

/** struct run_objects - every object below the run, in the order of their names. */
struct run_objects {
	size_t n, cap;
	struct run_object *v;
	size_t n_strange; /* names the layout cannot produce: counted, never read */
	char **strange;	  /* the first FETCH_STRANGE_MAX of them; owned */
};

enum { FETCH_STRANGE_MAX = 100 };

void run_objects_done(struct run_objects *objects);

/** fetch_list() - list the whole run. */
int fetch_list(struct run *run, struct run_objects *ret, struct err *err);

/** struct fetch - where the objects go. */
struct fetch {
	struct run *run;
	const char *out_dir;
	struct archive_out *archive; /* NULL = none */
	uint64_t n_objects, n_bytes;
};

/**
 * fetch_path() - where an object lies below the output folder: the run's own layout, with
 * raw/ for results/. False for what is not collected (binaries, reports).
 */
bool fetch_path(const struct run_object *object, char out[PATH_CAP]);

/** fetch_object() - download, verify, put in place by rename, add to the archive. */
int fetch_object(struct fetch *fetch, const struct run_object *object, struct err *err);

/** fetch_read() - the text of a fetched object's local file; at most @max_bytes. */
int fetch_read(const struct fetch *fetch, const struct run_object *object,
	       size_t max_bytes, struct str *ret, struct err *err);

/** fetch_write() - one of collect's own files: whole or not at all; also archived. */
int fetch_write(struct fetch *fetch, const char *name, const struct str *text,
		struct err *err);

#endif
