// SPDX-License-Identifier: Apache-2.0
// Step records: begun, judged, written, read back.
#ifndef WORKER_RECORD_H
#define WORKER_RECORD_H

#include "core/err.h"
#include "core/fio_json.h"
#include "manifests/record.h"
#include "worker/attempt.h"

struct worker;
struct queue_step;

/** record_begin() - the fields that are known before anything has run. */
void record_begin(struct worker *w, const struct job *job, const struct job_step *plan,
		  unsigned attempt, struct step_record *rec);

/** record_put() - create step_<i>.json. -EEXIST: the attempt has been committed. */
int record_put(struct worker *w, const struct step_record *rec, struct err *err);

/** record_fetch_line() - the manifest line of a committed attempt; state interrupted for
 * a record that cannot be read. */
int record_fetch_line(struct worker *w, const struct job_step *plan, unsigned attempt,
		      struct manifest_step *ret, struct err *err);

/** record_write_lost() - an attempt that began and left nothing was the last one
 * allowed: failed, "interrupted <n> times". Fills in state and reason of @line. */
int record_write_lost(struct worker *w, const struct queue_step *s,
		      struct manifest_step *line, struct err *err);

/** record_write_cancelled() - a step that an order ended before it began. Its record is
 * what lets readers tell it from one that is still to come. Fills in @line. */
int record_write_cancelled(struct worker *w, const struct queue_step *s,
			   const char *reason, struct manifest_step *line,
			   struct err *err);

/** record_interrupted() - how an interrupted attempt ends: failed when it was the last
 * one allowed. */
enum attempt_state record_interrupted(unsigned attempt, unsigned max_attempts,
				      const char *why, char reason[REASON_CAP]);

/** struct verdict - state ok needs no reason. */
struct verdict {
	enum attempt_state state;
	char reason[REASON_CAP];
};

/** struct judge_in - what a step is judged by. */
struct judge_in {
	const struct measure_end *fio;
	int read_result; /* of fio_json_read(): 0 or -errno */
	const char *read_error;
	const struct fio_output *out;
	const struct fio_facts *facts;
	const struct test_case *c;
	bool is_stopped_by_order;
	const char *stop_text; /* of what else stopped it; not NULL then */
};

/** record_judge() - contract §4: what fio's run amounts to, files aside. Pure. */
void record_judge(const struct judge_in *in, struct verdict *ret);

#endif
