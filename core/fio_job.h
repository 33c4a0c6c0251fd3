// SPDX-License-Identifier: Apache-2.0
// fio job files: placeholders filled in, options judged, and what a job will do.
#ifndef CORE_FIO_JOB_H
#define CORE_FIO_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum {
	FIO_JOB_MAX_BYTES = 256 << 10, /* a template, and a rendered job */
	FIO_JOB_LINE_MAX = 4000,       /* fio reads pieces of 4095 bytes: a longer line
					  would become two */
	FIO_GROUPS_MAX = 64,
	FIO_SECTIONS_MAX = 256,
	FIO_DATA_KEY_CAP = 25,
};

/** FIO_JOB_DIR - the one token that render leaves and the worker replaces. */
#define FIO_JOB_DIR "${MUSTER_DIR}"

/** struct param - a column of the test cases and its value; borrowed. */
struct param {
	const char *name, *value;
};

struct params {
	size_t n;
	const struct param *v;
};

/**
 * params_find() - the value a placeholder stands for, or NULL.
 *
 * @name: in either case; aliases count: bs|block_size, filesize|file_size,
 * iodepth|io_depth, iotype|io_type|rw, threads|num_jobs|numjobs, nrfiles|nr_files
 */
const char *params_find(const struct params *params, const char *name);

/** params_same() - do two column names mean one placeholder (equal, or aliases)? */
bool params_same(const char *a, const char *b);

/** params_reserved() - a name the worker's folder has: DIR, TEST_DATA_DIR, … */
bool params_reserved(const char *name);

/**
 * fio_job_render() - fill in `${X}`, `$X` and the bare words BLOCK_SIZE IO_DEPTH NUM_JOBS
 * MOUNT_POINT FILE_SIZE.
 *
 * TEST_DATA_DIR, MOUNT_POINT and DIR become FIO_JOB_DIR; $jobname $jobnum $filenum
 * $clientuid stay for fio; blanks around '=' and comments are dropped, lines stay lines.
 * Placeholders may stand in values and section names only, and a value cannot end its
 * line, begin a comment or hold a '$': nothing in @params can add an option. -EINVAL
 * "line N: …": a placeholder without a value (also an empty one), one fio would run a
 * shell for ($ncpus $mb_memory $pagesize), a line that is too long.
 */
int fio_job_render(const char *template_text, const struct params *params,
		   struct str *ret, struct err *err);

/**
 * fio_job_set_dir() - replace FIO_JOB_DIR by a folder: the text fio is to run.
 *
 * @dir: an absolute path without the characters fio gives a meaning (":;#$\\", blanks
 * and controls), else -EINVAL
 */
int fio_job_set_dir(const char *text, const char *dir, struct str *ret, struct err *err);

/** enum fio_value - what an option's value may look like (manifests/fio_options.def). */
enum fio_value {
	FIO_NUMBER, /* whole number */
	FIO_SIZE,   /* as parse_size() reads it */
	FIO_SIZES,  /* sizes for read,write,trim and ranges: 4k,8k or 4k-16k */
	FIO_SPLIT,  /* bssplit: size/percent:size/percent */
	FIO_TIME,   /* 90, 30s, 5m, 500ms */
	FIO_BOOL,   /* 0 or 1; without a value 1 */
	FIO_FLAG,   /* no value, or 0 or 1 */
	FIO_WORDS,  /* one of the words listed */
	FIO_RW,	    /* read, randwrite, rw … with fio's :N and :size endings */
	FIO_TEXT,   /* for people: printable, no '$' or '\\' */
	FIO_PLAIN,  /* letters, digits and ._,:%+- */
	FIO_FILE,   /* FIO_PLAIN without ':' or "..": a file's name in the directory */
	FIO_FORMAT, /* FIO_FILE, and $jobname $jobnum $filenum $clientuid */
	FIO_FOLDER, /* exactly the policy's directory */
};

/** struct fio_option - an option that may pass. Aliases have their own entry. */
struct fio_option {
	const char *name;
	const char *canonical; /* the name it is an alias of, else @name */
	enum fio_value value;
	const char *words; /* FIO_WORDS: "|a|b|c|" */
	const char *why;
};

/** struct fio_policy - see manifests/fio_policy.h for the project's own. */
struct fio_policy {
	const struct fio_option *options;
	size_t n_options;
	const char *const *never;   /* NULL-ended; "exec_*" bars what begins so */
	const char *const *allowed; /* --allow-option: names let through, as FIO_PLAIN */
	size_t n_allowed;
	const char *directory; /* NULL = FIO_JOB_DIR; the worker: its step's folder */
};

/** fio_policy_bars() - is it one of the options that nothing lets through? */
bool fio_policy_bars(const struct fio_policy *policy, const char *name);

/** struct fio_group - the directions one of fio's groups asks for. */
struct fio_group {
	bool reads, writes, trims;
};

/** struct fio_facts - what a job that passed will do. */
struct fio_facts {
	size_t n_groups; /* by fio's groupid: stonewall and new_group begin one */
	struct fio_group groups[FIO_GROUPS_MAX];
	bool reads, writes, trims; /* over all groups; writes also for mixes */
	uint64_t n_jobs;	   /* Σ numjobs */
	uint64_t n_files;	   /* distinct files the job works on */
	uint64_t data_bytes;	   /* their sizes; of a range its lower end */
	bool has_io_bytes;	   /* false: time_based, runtime, loops, … */
	uint64_t io_bytes;	   /* what one complete run moves, all directions */
	bool is_block_over_file; /* a smallest block exceeds its smallest file: no I/O */
	bool is_time_based;
	uint64_t runtime_ns; /* Σ over groups of the longest runtime asked; 0 none */
	char data_key[FIO_DATA_KEY_CAP]; /* 24 hex; equal = the same files on disk */
};

/**
 * fio_job_check() - judge a rendered job and say what it will do.
 *
 * @text: as fio would read it; FIO_JOB_DIR or @policy->directory in place of the folder
 *
 * -EINVAL "line N: …" naming the option: one that is not on the list, a value that is not
 * of its kind, no directory, filesize, size or rw, a folder or file name that leads out.
 * -EFBIG: past a limit. Pure; the same text gives the same facts on both sides.
 */
int fio_job_check(const char *text, const struct fio_policy *policy,
		  struct fio_facts *ret, struct err *err);

#endif
