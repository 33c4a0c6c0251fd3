// SPDX-License-Identifier: Apache-2.0
// What `muster fio` shows of one or more fio outputs: as tables and as JSON.
#ifndef COORDINATOR_FIO_REPORT_H
#define COORDINATOR_FIO_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/fio_json.h"
#include "core/hist.h"
#include "core/str.h"

/** struct fio_file - one output, and how it is called in messages. */
struct fio_file {
	const char *name; /* borrowed, foreign */
	struct fio_output out;
};

/** struct fio_total - one direction over all groups of all files. */
struct fio_total {
	bool is_present;
	bool has_gap; /* a group without bins: lat is empty */
	uint64_t ios, io_bytes;
	struct hist lat;
};

enum { FIO_PERCENTILES_MAX = 256 };

struct fio_report {
	const struct fio_file *files; /* borrowed */
	size_t n;
	struct fio_total total[FIO_RW_COUNT];
	double percentiles[FIO_PERCENTILES_MAX]; /* ascending */
	size_t n_percentiles;
};

/**
 * fio_report_init() - add everything up.
 *
 * The percentiles are those the files were asked for, or fio's 17 defaults (stat.h,
 * def_percentile_list). -EINVAL when the files' bins have different widths. Release with
 * fio_report_done() in every case.
 */
int fio_report_init(struct fio_report *rep, const struct fio_file *files, size_t n,
		    struct err *err);
void fio_report_done(struct fio_report *rep);
#define cleanup_fio_report cleanup(fio_report_done)

/** fio_report_text() - tables for a terminal, a unit in every column's head. */
void fio_report_text(const struct fio_report *rep, struct str *ret);

/** fio_report_json() - new "muster/fio/1" document. */
json_t *fio_report_json(const struct fio_report *rep);

#endif
