// SPDX-License-Identifier: Apache-2.0
// Step records: begun, written, read back.
#include "worker/record.h"

#include <errno.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/plant.h"
#include "worker/barrier.h"
#include "worker/board.h"
#include "worker/worker.h"

void record_begin(struct worker *w, const struct job *job, const struct job_step *plan,
		  unsigned attempt, struct step_record *rec)
{
	step_record_init(rec);
	str_copy(rec->run, sizeof(rec->run), job->run);
	str_copy(rec->worker, sizeof(rec->worker), w->id.worker);
	rec->incarnation = w->board.hb.incarnation;
	rec->matrix_id = plan->matrix_id;
	rec->test_id = plan->test_id;
	rec->config_id = plan->config_id;
	rec->iteration = plan->iteration;
	rec->block = plan->block;
	rec->pos = plan->pos;
	rec->attempt = attempt;
	clock_format(clock_real_ns(), rec->started);
}

static int record_path(struct worker *w, char out[PATH_CAP], unsigned matrix_id,
		       unsigned iteration, unsigned attempt, struct err *err)
{
	const struct attempt_ref at = {w->id.worker, matrix_id, iteration, attempt};

	return path_step(out, &w->id.run, &at, STEP_RECORD, err);
}

int record_put(struct worker *w, const struct step_record *rec, struct err *err)
{
	cleanup_str struct str text = STR_INIT(STEP_MAX_BYTES);
	cleanup_json json_t *doc = step_record_to_json(rec);
	struct put_req req = {.content_type = "application/json",
			      .precondition = PUT_CREATE};
	struct obj_meta meta;
	char name[PATH_CAP];
	int r;

	r = json_dump(doc, &text, err);
	if (r == 0)
		r = record_path(w, name, rec->matrix_id, rec->iteration, rec->attempt,
				err);
	if (r < 0)
		return r;
	req.data = str_text(&text);
	req.n = text.len;
	if (plant_is("double"))
		req.precondition = PUT_ANY;
	return worker_put(w, name, &req, &meta, err);
}

static void line_from_record(const struct step_record *rec, struct manifest_step *ret)
{
	ret->attempt = rec->attempt;
	ret->state = rec->state;
	reason_set(ret->reason, rec->reason);
	ret->has_summary = false;
	if (rec->n_results > 0)
		summary_set(ret, &rec->results[0]);
}

int record_fetch_line(struct worker *w, const struct job_step *plan, unsigned attempt,
		      struct manifest_step *ret, struct err *err)
{
	cleanup_str struct str text = STR_INIT(STEP_MAX_BYTES);
	struct step_record rec = {0};
	struct obj_meta meta;
	struct err why = {0};
	char name[PATH_CAP];
	int r;

	r = record_path(w, name, plan->matrix_id, plan->iteration, attempt, err);
	if (r == 0)
		r = w->ctl->ops->get(w->ctl, name, STEP_MAX_BYTES, &text, &meta, err);
	if (r < 0 && r != -EFBIG)
		return r;
	ret->attempt = attempt;
	ret->state = ATTEMPT_INTERRUPTED;
	if (r < 0 || step_record_parse(str_text(&text), text.len, &rec, NULL, &why) < 0) {
		log_line(LOG_WARN, "%s is not readable, its step is tried again: %s",
			 name, r < 0 ? "too large" : why.text);
		err_clear(err);
		return 0;
	}
	line_from_record(&rec, ret);
	step_record_done(&rec);
	return 0;
}

enum attempt_state record_interrupted(unsigned attempt, unsigned max_attempts,
				      const char *why, char reason[REASON_CAP])
{
	if (attempt < max_attempts) {
		snprintf(reason, REASON_CAP, "%s", why);
		return ATTEMPT_INTERRUPTED;
	}
	snprintf(reason, REASON_CAP, "interrupted %u time%s; the last: %s", attempt,
		 attempt == 1 ? "" : "s", why);
	return ATTEMPT_FAILED;
}

/* A record for an attempt that has no run to tell of. */
static int write_empty(struct worker *w, const struct queue_step *s,
		       struct step_record *rec, struct manifest_step *line,
		       struct err *err)
{
	int r;

	clock_format(clock_real_ns(), rec->ended);
	r = record_put(w, rec, err);
	if (r == 0)
		line_from_record(rec, line);
	step_record_done(rec);
	if (r == -EEXIST) {
		err_clear(err);
		return record_fetch_line(w, s->plan, s->attempt, line, err);
	}
	return r;
}

int record_write_lost(struct worker *w, const struct queue_step *s,
		      struct manifest_step *line, struct err *err)
{
	struct step_record rec;

	record_begin(w, s->job, s->plan, s->attempt, &rec);
	rec.state = record_interrupted(s->attempt, s->job->settings.max_attempts,
				       "the worker ended without a record", rec.reason);
	barrier_absent(w, s->plan, s->attempt, rec.reason);
	return write_empty(w, s, &rec, line, err);
}

int record_write_cancelled(struct worker *w, const struct queue_step *s,
			   const char *reason, struct manifest_step *line,
			   struct err *err)
{
	struct step_record rec;

	record_begin(w, s->job, s->plan, s->attempt, &rec);
	rec.state = ATTEMPT_CANCELLED;
	reason_set(rec.reason, reason);
	return write_empty(w, s, &rec, line, err);
}
