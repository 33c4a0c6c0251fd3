// SPDX-License-Identifier: Apache-2.0
// Bringing a run's objects into collect's folder, and writing files beside them.
#ifndef COORDINATOR_FETCH_H
#define COORDINATOR_FETCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "coordinator/run.h"
#include "core/archive.h"

/** struct run_object - one object of the run whose name the layout can produce; small,
 * because there are many. */
struct run_object {
	char *relative; /* its name past [prefix/]<run>/; owned */
	char *problem;	/* why it could not be fetched, or NULL; owned */
	enum path_kind kind;
	bool is_record; /* step_<i>.json */
	bool is_here;	/* fetched: its local file may be read */
	bool is_gone;	/* deleted since it was listed */
	bool is_told;	/* its text was given to on_text */
	bool has_crc32c;
	uint32_t crc32c;
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

/** run_object_name() - inside the bucket; run_object_parts() - taken apart (without
 * parts.relative). -ENAMETOOLONG cannot happen to listed objects. */
int run_object_name(const struct run *run, const struct run_object *object,
		    char out[PATH_CAP], struct err *err);
void run_object_parts(const struct run *run, const struct run_object *object,
		      struct path_parts *ret);

/** fetch_text_fn - the text of object @index, which is here now; several threads call it
 * at once. */
typedef void fetch_text_fn(size_t index, const struct str *text, void *arg);

enum { FETCH_TEXT_MAX_BYTES = 256 << 10 };

/** struct fetch - where the objects go. */
struct fetch {
	struct run *run;
	const char *out_dir;
	bool is_new; /* the folder was empty: there is nothing to be taken as it is */
	/* jobs and records of at most FETCH_TEXT_MAX_BYTES, as long as they are in memory
	 * anyhow; NULL: nobody asks */
	fetch_text_fn *on_text;
	void *arg;
};

enum { FETCH_CUTS = 3 };
/**
 * fetch_cuts() - the workers before whose folders a listing is cut into stretches; pure.
 *
 * @ret: borrowed, in the order of their folders' names; how many: FETCH_CUTS or 0
 */
size_t fetch_cuts(const char *const *workers, size_t n, const char *ret[FETCH_CUTS]);

/** fetch_make_dirs() - the folders above @path (its last part is a file's name). */
int fetch_make_dirs(const char *path, struct err *err);

/**
 * fetch_path() - where an object lies below the output folder: the run's own layout, with
 * raw/ for results/. False for what is not collected (binaries, reports).
 */
bool fetch_path(const struct run_object *object, char out[PATH_CAP]);

/**
 * fetch_all() - download every object, verify it, put it in place by rename.
 *
 * A local file with the object's size and CRC32C is taken as it is. Sets is_here, or
 * @problem of an object that cannot be had (deleted since, too large, damaged): that is
 * no error.
 * @ret_stopped: set when the store gave up or the user interrupted: the objects that are
 * then not here say nothing, but the others may be used
 * Returns an error only when the folder cannot be written or the bucket not be read.
 */
int fetch_all(const struct fetch *fetch, struct run_objects *objects,
	      struct err *ret_stopped, struct err *err);

/** fetch_read() - the text of a fetched object's local file; at most @max_bytes. */
int fetch_read(const struct fetch *fetch, const struct run_object *object,
	       size_t max_bytes, struct str *ret, struct err *err);

/** struct fetch_file - one of collect's own files while it is written. */
struct fetch_file {
	FILE *f;
	char *full, *tmp; /* owned */
};

/** fetch_file_open() - begin out_dir/@name; it appears whole with fetch_file_keep(). */
int fetch_file_open(const struct fetch *fetch, const char *name, struct fetch_file *ret,
		    struct err *err);
int fetch_file_keep(struct fetch_file *file, struct err *err);
/** fetch_file_drop() - remove what is not kept. */
void fetch_file_drop(struct fetch_file *file);
#define cleanup_fetch_file cleanup(fetch_file_drop)

/** fetch_write() - the same for a text in memory. */
int fetch_write(const struct fetch *fetch, const char *name, const struct str *text,
		struct err *err);

/**
 * fetch_archive() - @path, a tar.zst of the folder: the fetched objects, then collect's
 * @own files (NULL-ended), by their names in the folder; whole or not at all.
 */
int fetch_archive(const struct fetch *fetch, const struct run_objects *objects,
		  const char *const *own, const char *path, struct err *err);

#endif
