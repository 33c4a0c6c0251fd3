// SPDX-License-Identifier: Apache-2.0
// barriers/<k>/…: who is ready for a synchronised start, and when it is.
#ifndef MANIFESTS_BARRIER_H
#define MANIFESTS_BARRIER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "manifests/job.h"
#include "manifests/record.h"

enum { ARRIVAL_MAX_BYTES = 8 << 10, VERDICT_MAX_BYTES = 1 << 20 };

/** struct arrival - barriers/<k>/arrive/<worker>.json, a record. */
struct arrival {
	char run[RUN_CAP], worker[WORKER_CAP];
	struct incarnation incarnation;
	unsigned barrier;
	char step[STEP_ID_CAP];
	unsigned attempt;
	bool has_offset;
	int64_t offset_ns;	 /* the server's clock minus CLOCK_MONOTONIC */
	uint64_t bound_ns;	 /* either way */
	char reason[REASON_CAP]; /* "" = ready; else why it cannot come */
	char at[RFC3339_CAP];	 /* the worker's own clock; informative */
};

int arrival_parse(const char *text, size_t n, struct arrival *ret, unsigned *ret_unknown,
		  struct err *err);
json_t *arrival_to_json(const struct arrival *arrival);
/** arrival_summary() - custom metadata, so that a LIST tells who is ready: "ready" or
 * "absent". */
const char *arrival_summary(const struct arrival *arrival);
/** arrival_is_absent() - is this summary of somebody who cannot come? */
bool arrival_is_absent(const char *summary);

/** struct verdict_doc - barriers/<k>/verdict.json, an order. Memory as in struct job. */
struct verdict_doc {
	const char *run;
	unsigned barrier;
	bool is_go;
	int64_t go_server_ns; /* since the epoch, the store's clock; go only */
	enum barrier_policy policy;
	size_t n_members;
	const char **members; /* who had arrived */
	const char *reason;   /* abort only: who was missing, and why */
	const char *worker;   /* that decided */
	json_t *doc;
};

/** verdict_parse() - strict, as job_parse(). */
int verdict_parse(const char *text, size_t n, struct verdict_doc *ret, struct err *err);
json_t *verdict_to_json(const struct verdict_doc *verdict);
void verdict_done(struct verdict_doc *verdict);
#define cleanup_verdict cleanup(verdict_done)

#endif
