// SPDX-License-Identifier: Apache-2.0
// Synchronised starts: how far apart the workers began, and what the fleet moved. Pure.
#ifndef COORDINATOR_STARTS_H
#define COORDINATOR_STARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fio_json.h"
#include "manifests/barrier.h"
#include "manifests/job.h"
#include "manifests/record.h"

/** struct start_span - one worker's part of a figure, by the store's clock. */
struct start_span {
	int64_t begin_ns, end_ns;
	uint64_t io_bytes;
};

/**
 * struct start_figure - one (group, direction) of a start, over its ok steps.
 *
 * A worker's span begins with its fio plus the runtimes of the groups before, and is as
 * long as fio's runtime: fio's own start-up, some ms, is in the span and not known. Rates
 * are bytes over a stretch of time that all share, never sums of rates.
 */
struct start_figure {
	unsigned group;
	enum fio_rw rw;
	size_t n, cap;
	struct start_span *spans; /* owned */
	/* filled in by starts_finish(); a length of 0 ns = there is none */
	int64_t common_ns; /* from the last begin to the first end: all were at work */
	double common_bytes_per_s; /* each with its own mean rate: an estimate */
	int64_t whole_ns;	   /* from the first begin to the last end */
	double whole_bytes_per_s;  /* all bytes over it: exact */
};

/** struct start - one barrier of the run. */
struct start {
	unsigned barrier, matrix_id, test_id, config_id, block, pos;
	size_t planned;	 /* steps */
	size_t started;	 /* of these, whose counting attempt has a start */
	size_t ok, late; /* ended ok; began late and said so */
	/* the verdict, when it could be read */
	bool has_verdict, is_go;
	size_t arrived;
	char reason[REASON_CAP];
	/* of those that started, late ones too */
	int64_t first_ns, last_ns;		/* the store's clock */
	uint64_t first_bound_ns, last_bound_ns; /* how well these two are known */
	size_t n_figures;
	struct start_figure *figures; /* by group and direction; owned */
};

struct starts {
	size_t n, cap;
	struct start *v; /* sorted by barrier once starts_finish() has run; owned */
};

void starts_done(struct starts *starts);
#define cleanup_starts cleanup(starts_done)

/**
 * starts_add() - a planned step, in the order of matrix_id and iteration; those without a
 * barrier are ignored.
 *
 * @record: the attempt that counts, NULL while there is none. One whose start is of
 * another barrier than planned counts as not started.
 */
void starts_add(struct starts *starts, const struct job_step *plan,
		const struct step_record *record);
/** starts_finish() - once, after the last. */
void starts_finish(struct starts *starts);
/** starts_add_verdict() - then; for a start that no step has, it is ignored. */
void starts_add_verdict(struct starts *starts, const struct verdict_doc *verdict);

/** start_spread_ns() - last minus first; 0 with less than two. start_spread_bound_ns():
 * how far off that may be. */
int64_t start_spread_ns(const struct start *start);
uint64_t start_spread_bound_ns(const struct start *start);

/** starts_json() - new object: one start, for results.json. */
json_t *starts_json(const struct start *start, const char *label);

#endif
