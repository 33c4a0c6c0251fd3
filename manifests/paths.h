// SPDX-License-Identifier: Apache-2.0
// The bucket layout: one function and one comment per object.
//
// Every function writes the object's name inside the control bucket ([prefix/]<run>/…) to
// @out and returns 0, or -ENAMETOOLONG / -EINVAL when a part is not one the layout can
// produce. C = created once (ifGenerationMatch=0); R = rewritten by its one owner with
// ifGenerationMatch=<its last generation>. No object has two writers.
#ifndef MANIFESTS_PATHS_H
#define MANIFESTS_PATHS_H

#include <stdbool.h>

#include "core/err.h"
#include "core/store.h"

enum { PATH_CAP = STORE_NAME_CAP, RUN_CAP = 64, WORKER_CAP = 64, STEP_ID_CAP = 24 };

/** struct run_ref - a run's URL, gs://bucket[/prefix]/<run>, taken apart. */
struct run_ref {
	char bucket[STORE_BUCKET_CAP];
	char prefix[STORE_NAME_CAP - 512]; /* "" or "a/b", no slash at either end */
	char run[RUN_CAP];		   /* [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])? */
};

/** run_ref_parse() - -EINVAL with a reason when @url is no run's URL. One slash at the
 * end is forgiven: shells complete folders so. */
int run_ref_parse(const char *url, struct run_ref *ret, struct err *err);
/** run_ref_url() - the URL again: gs://bucket[/prefix]/<run>. */
void run_ref_url(const struct run_ref *run, struct str *ret);
/** run_id_is_valid() - the run id's own pattern. */
bool run_id_is_valid(const char *id);
/** bucket_is_valid() - [a-z0-9._-], both ends a letter or digit, no "..", <= 222. */
bool bucket_is_valid(const char *bucket);
/**
 * prefix_is_valid() - "" or parts of [A-Za-z0-9._=+@~-] with a '/' between them.
 *
 * No part is "." or "..", no slash at either end, <= 512 characters. Narrower than what
 * Cloud Storage takes, because prefixes become folders, URLs and values in a fio job.
 */
bool prefix_is_valid(const char *prefix);
/** path_has_dotdot() - is "..", between slashes or a '=' or at an end, a part of @text?
 */
bool path_has_dotdot(const char *text);

/** struct attempt_ref - one attempt of one step on one worker. */
struct attempt_ref {
	const char *worker;
	unsigned matrix_id; /* from 1 */
	unsigned iteration; /* from 1 */
	unsigned attempt;   /* from 1 */
};

#define PATH_ARGS char out[PATH_CAP], const struct run_ref *run

/* config.json (C) - written first, claims the run id; inputs' sha256, pins, settings */
int path_config(PATH_ARGS, struct err *err);
/* test-cases.csv, mount-configs.csv, jobfile.fio (C) - the inputs, byte for byte */
int path_tests_csv(PATH_ARGS, struct err *err);
int path_configs_csv(PATH_ARGS, struct err *err);
int path_jobfile(PATH_ARGS, struct err *err);
/* jobs/<worker>.json (C), or jobs/<worker>.r<k>.json for round k >= 2 */
int path_job(PATH_ARGS, const char *worker, unsigned round, struct err *err);
/* control/<seq>.json (C) - seq = 0001, 0002, …: one order each */
int path_control(PATH_ARGS, unsigned seq, struct err *err);
/* workers/<worker>.json (R) - the lease and the heartbeat */
int path_worker(PATH_ARGS, const char *worker, struct err *err);
/* results/<worker>/manifest.json (R) - the index of the worker's steps */
int path_manifest(PATH_ARGS, const char *worker, struct err *err);
/* results/<worker>/worker.log (R) - the last 4 MiB of the worker's log */
int path_worker_log(PATH_ARGS, const char *worker, struct err *err);

enum step_file {
	STEP_JOB_FIO,	  /* job_<i>.fio            what fio was given */
	STEP_FIO_OUTPUT,  /* fio_output_<i>.json    what fio wrote */
	STEP_MONITOR,	  /* monitor_<i>.csv        the monitor's samples */
	STEP_GCSFUSE_LOG, /* gcsfuse_mount_<i>.log.gz */
	STEP_RECORD,	  /* step_<i>.json          written last: commits the attempt */
	STEP_FILE_COUNT,
};

/* results/<worker>/test-<matrix_id>/[attempt-<n>/]<file of iteration i> (C); n >= 2 */
int path_step(PATH_ARGS, const struct attempt_ref *at, enum step_file file,
	      struct err *err);
/** path_step_file() - the file's own name, without folders: "fio_output_3.json". */
int path_step_file(char out[PATH_CAP], enum step_file file, unsigned iteration,
		   struct err *err);

enum binary_file { BINARY_GCSFUSE, BINARY_JSON };
/* binaries/<key>/gcsfuse, gcsfuse.json (C) - built by this run's workers */
int path_binary(PATH_ARGS, const char *key, enum binary_file file, struct err *err);
/* [prefix/]_cache/gcsfuse/<key>/gcsfuse (+ .json) (C) - outside the run, the operator's
 */
int path_cache(PATH_ARGS, const char *key, enum binary_file file, struct err *err);
/* claims/<leader step>.json (C), or claims/<leader step>.r<k>.json for round k >= 2 */
int path_claim(PATH_ARGS, unsigned matrix_id, unsigned iteration, unsigned round,
	       struct err *err);
/* barriers/<k>/arrive/<worker>.json (C) - k from 1: a worker is ready for that start, or
 * says that it cannot come; custom metadata muster-summary "ready" or "absent" */
int path_arrival(PATH_ARGS, unsigned barrier, const char *worker, struct err *err);
/* barriers/<k>/verdict.json (C) - when everybody starts, or that nobody does; written by
 * whichever worker first sees the policy satisfied */
int path_verdict(PATH_ARGS, unsigned barrier, struct err *err);
/* barriers/<k>/arrive/ - for listing */
int path_arrivals(PATH_ARGS, unsigned barrier, struct err *err);
/* report/<name> (C) - reserved for published reports */
int path_report(PATH_ARGS, const char *name, struct err *err);

enum path_dir {
	PATH_RUN,      /* [prefix/]<run>/ */
	PATH_JOBS,     /* …jobs/ */
	PATH_CONTROL,  /* …control/ */
	PATH_WORKERS,  /* …workers/ */
	PATH_RESULTS,  /* …results/ */
	PATH_BINARIES, /* …binaries/ */
	PATH_CLAIMS,   /* …claims/ */
};
/* a folder's prefix for listing, ending in '/' */
int path_dir(PATH_ARGS, enum path_dir dir, struct err *err);

enum path_kind {
	PATH_KIND_NONE, /* not a name this layout can produce */
	PATH_KIND_CONFIG,
	PATH_KIND_INPUT,
	PATH_KIND_JOB,
	PATH_KIND_CONTROL,
	PATH_KIND_WORKER,
	PATH_KIND_MANIFEST,
	PATH_KIND_WORKER_LOG,
	PATH_KIND_STEP_FILE,
	PATH_KIND_BINARY,
	PATH_KIND_REPORT,
	PATH_KIND_CLAIM,
	PATH_KIND_ARRIVAL,
	PATH_KIND_VERDICT,
};

enum path_input { INPUT_TESTS_CSV, INPUT_CONFIGS_CSV, INPUT_JOBFILE };

enum { BINARY_KEY_CAP = 25 };

/** struct path_parts - what path_parse() found in a name; what the kind has not is 0. */
struct path_parts {
	enum path_kind kind;
	char worker[WORKER_CAP];
	unsigned round, seq, matrix_id, iteration, attempt, barrier;
	enum step_file file;
	enum path_input input;
	char key[BINARY_KEY_CAP];
	enum binary_file binary;
	const char *relative; /* into the name: past [prefix/]<run>/ */
};

/**
 * path_parse() - the inverse of every function above that names an object of the run.
 *
 * A name counts only if building it again from its parts gives the same bytes, so there
 * is one spelling of each; kind is NONE for anything else.
 */
void path_parse(const struct run_ref *run, const char *name, struct path_parts *ret);

/** step_id_format() - "<matrix_id>-<iteration>"; step_id_parse() - its inverse. */
void step_id_format(char out[STEP_ID_CAP], unsigned matrix_id, unsigned iteration);
int step_id_parse(const char *id, unsigned *ret_matrix_id, unsigned *ret_iteration,
		  struct err *err);

#endif
