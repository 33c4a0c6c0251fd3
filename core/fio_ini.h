// SPDX-License-Identifier: Apache-2.0
// A fio job file taken apart as fio does it: sections, options, global ones inherited.
// For core/fio_*.c only.
#ifndef CORE_FIO_INI_H
#define CORE_FIO_INI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fio_job.h"

enum { FIO_ITEMS_MAX = 4096 };

/** struct fio_item - one option as written; both texts are owned. */
struct fio_item {
	unsigned line;
	unsigned section; /* index into fio_ini.sections */
	char *name;
	char *value;			 /* NULL: written without '=' */
	const struct fio_option *option; /* NULL: let through by --allow-option */
};

struct fio_section {
	unsigned line;
	bool is_global;
	char *name;
};

struct fio_ini {
	size_t n_sections, n_items;
	struct fio_section *sections;
	struct fio_item *items;
};

/**
 * fio_ini_parse() - names and places judged, options not yet.
 *
 * Source: fio 3.33, init.c, __parse_jobs_ini(): lines of at most 4095 bytes, blanks at
 * either end dropped, ';' and '#' begin a comment anywhere, '[' begins a section, every
 * name that begins with "global" is the global section.
 */
int fio_ini_parse(const char *text, struct fio_ini *ret, struct err *err);
void fio_ini_done(struct fio_ini *ini);
#define cleanup_fio_ini cleanup(fio_ini_done)

/** fio_ini_judge() - every option against the policy; sets item->option. */
int fio_ini_judge(struct fio_ini *ini, const struct fio_policy *policy, struct err *err);

/**
 * fio_ini_find() - the item that decides option @canonical of a section, or NULL.
 *
 * The last one wins: of the section, else of the global sections before it.
 */
const struct fio_item *fio_ini_find(const struct fio_ini *ini, unsigned section,
				    const char *canonical);

/** fio_ini_u64() - its value as a number, size or flag (bare = 1); @absent if not there.
 */
uint64_t fio_ini_u64(const struct fio_ini *ini, unsigned section, const char *canonical,
		     uint64_t absent);

/** fio_time_ns() - a time as fio writes it: no unit means seconds. */
int fio_time_ns(const char *text, uint64_t *ret, struct err *err);

/** enum fio_dir - index of a direction in "read,write,trim" values. */
enum fio_dir { FIO_READ, FIO_WRITE, FIO_TRIM, FIO_DIRS };

/** struct fio_sizes - per direction of "4k,8k-16k": lowest and highest; 0 = not said. */
struct fio_sizes {
	uint64_t low[FIO_DIRS], high[FIO_DIRS];
};
int fio_sizes_parse(const char *text, struct fio_sizes *ret, struct err *err);

/** fio_split_low() - the smallest size of a bssplit. */
int fio_split_low(const char *text, uint64_t *ret, struct err *err);

/** struct fio_pattern - a value of rw. */
struct fio_pattern {
	bool reads, writes, trims;
	bool has_ending; /* ":8" or ":64k": how much is moved is not the size */
};
int fio_pattern_parse(const char *text, struct fio_pattern *ret, struct err *err);

/** fio_value_check() - does @value (NULL: none) suit @option? */
int fio_value_check(const struct fio_option *option, const char *value,
		    const struct fio_policy *policy, struct err *err);

/** fio_facts_of() - what a judged job will do. */
int fio_facts_of(const struct fio_ini *ini, struct fio_facts *ret, struct err *err);

/** fio_data_key() - 24 hex digits of what determines the files on disk. */
void fio_data_key(const struct fio_ini *ini, char out[FIO_DATA_KEY_CAP]);

#endif
