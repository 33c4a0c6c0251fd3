// SPDX-License-Identifier: Apache-2.0
// Reader of fio's json+ output, local or client/server, into figures per group.
#ifndef CORE_FIO_JSON_H
#define CORE_FIO_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/hist.h"
#include "core/str.h"

enum { FIO_JSON_MAX_BYTES = 256 << 20, FIO_RESULTS_MAX = 1024 };

enum fio_rw { FIO_READ, FIO_WRITE, FIO_TRIM, FIO_MIXED, FIO_RW_COUNT };

/**
 * struct fio_result - one (group, direction) with I/O or with bins.
 *
 * Jobs of one groupid, on whatever host, are one group. fio counts time in ms: the rates
 * are 0 when runtime_ns is.
 */
struct fio_result {
	unsigned group;
	enum fio_rw rw;
	uint64_t ios, io_bytes;
	uint64_t runtime_ns;   /* the longest of the group's jobs */
	double bw_bytes_per_s; /* io_bytes / runtime: fio's own group figure */
	double iops;	       /* ios / runtime */
	uint64_t short_ios, drop_ios;
	/* lat_ns: submission to completion; empty unless every job with I/O has bins
	 * (lat_percentiles=0, disable_lat and gtod_reduce leave them out) */
	struct hist lat;
};

/** struct fio_output - everything muster takes from one fio run. */
struct fio_output {
	char *message;	 /* text before the JSON, control characters kept; "" if none */
	char *version;	 /* "fio-3.39" */
	unsigned jobs;	 /* entries read, "All clients" not counted */
	int first_error; /* the first job's non-zero "error", else 0 */
	char *error_job; /* its name, or NULL */
	size_t n;
	struct fio_result *results; /* sorted by group, then direction */
	/* array of reals in (0, 100], ascending: the percentiles fio was asked for, of
	 * all jobs; NULL if none */
	json_t *percentiles;
};

/**
 * fio_json_read() - parse one output file's text.
 *
 * Text before the first line that starts with '{' becomes @message; text after the
 * document is skipped. -ENODATA when there is no JSON at all (message is set even then),
 * -EINVAL when it is cut or not fio's, or when the bins of a direction do not sum to its
 * N; -EFBIG and -ERANGE past the limits. Always safe to fio_output_done() after.
 */
int fio_json_read(const char *text, size_t n, struct fio_output *ret, struct err *err);
void fio_output_done(struct fio_output *out);
#define cleanup_fio_output cleanup(fio_output_done)

/** fio_rw_name() - "read", "write", "trim" or "mixed"; fio_rw_parse() - the inverse. */
const char *fio_rw_name(enum fio_rw rw);
int fio_rw_parse(const char *name, enum fio_rw *ret, struct err *err);

/** fio_results_to_json() - new array: the "results" of a step record (contract §2). */
json_t *fio_results_to_json(const struct fio_result *results, size_t n);
/** fio_results_from_json() - the inverse; allocates @ret, free with fio_results_free().
 */
int fio_results_from_json(const json_t *v, struct fio_result **ret, size_t *ret_n,
			  struct err *err);
struct hist_cut;
/** fio_results_from_cut() - the same of a document that hist_cut() shortened. */
int fio_results_from_cut(const json_t *v, const struct hist_cut *cut,
			 struct fio_result **ret, size_t *ret_n, struct err *err);
void fio_results_free(struct fio_result *results, size_t n);

#endif
