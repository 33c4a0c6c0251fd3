// SPDX-License-Identifier: Apache-2.0
// The worker's steps, and what earlier incarnations made of them.
#include "worker/queue.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/plant.h"
#include "manifests/claim.h"
#include "worker/files.h"
#include "worker/record.h"
#include "worker/worker.h"

enum { QUEUE_LIST_S = 120, QUEUE_RECORD_S = 30, CLOCK_OFF_S = 60 };

static int by_step(const struct found *f, unsigned matrix_id, unsigned iteration)
{
	if (f->matrix_id != matrix_id)
		return f->matrix_id < matrix_id ? -1 : 1;
	return (f->iteration > iteration) - (f->iteration < iteration);
}

/* Where the step stands, or would stand. */
static size_t found_at(const struct queue *q, unsigned matrix_id, unsigned iteration)
{
	size_t low = 0, high = q->n_found;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_step(&q->found[mid], matrix_id, iteration) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void found_note(struct queue *q, unsigned matrix_id, unsigned iteration, unsigned attempt,
		bool has_record)
{
	size_t i = found_at(q, matrix_id, iteration);
	struct found *f;

	if (i < q->n_found && by_step(&q->found[i], matrix_id, iteration) == 0) {
		f = &q->found[i];
		if (attempt > f->attempt)
			*f = (struct found){matrix_id, iteration, attempt, has_record};
		else if (attempt == f->attempt)
			f->has_record |= has_record;
		return;
	}
	q->found = xrealloc(q->found, q->n_found + 1, sizeof(*q->found));
	memmove(&q->found[i + 1], &q->found[i], (q->n_found - i) * sizeof(*q->found));
	q->found[i] = (struct found){matrix_id, iteration, attempt, has_record};
	q->n_found++;
}

const struct found *found_get(const struct queue *q, unsigned matrix_id,
			      unsigned iteration)
{
	size_t i = found_at(q, matrix_id, iteration);

	if (i == q->n_found || by_step(&q->found[i], matrix_id, iteration) != 0)
		return NULL;
	return &q->found[i];
}

static int note_object(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct worker *w = arg;
	struct path_parts p;

	(void)err;
	path_parse(&w->id.run, meta->name, &p);
	if (p.kind == PATH_KIND_STEP_FILE)
		found_note(&w->queue, p.matrix_id, p.iteration, p.attempt,
			   p.file == STEP_RECORD);
	return 0;
}

static void note_folder(struct worker *w, const char *name)
{
	char id[STEP_ID_CAP];
	const char *dash = strstr(name, "-a");
	unsigned matrix_id, iteration;
	uint64_t attempt;

	if (!dash || (size_t)(dash - name) >= sizeof(id))
		return;
	memcpy(id, name, (size_t)(dash - name));
	id[dash - name] = '\0';
	if (step_id_parse(id, &matrix_id, &iteration, NULL) == 0 &&
	    parse_u64_range("attempt", dash + 2, 1, 1000000, &attempt, NULL) == 0)
		found_note(&w->queue, matrix_id, iteration, (unsigned)attempt, false);
}

/* A step's folder in the workspace outlives a killed worker: its attempt had begun. */
static void scan_workspace(struct worker *w)
{
	cleanup_free char *mine =
		xasprintf("%s/steps/%s/%s", w->id.workspace, w->id.run.run, w->id.worker);
	cleanup_free char *all = xasprintf("%s/steps", w->id.workspace);
	DIR *d = opendir(mine);
	const struct dirent *e;
	struct err why = {0};

	while (d && (e = readdir(d)) != NULL)
		note_folder(w, e->d_name);
	if (d)
		closedir(d);
	if (files_remove_tree(all, &why) < 0)
		log_line(LOG_WARN, "%s", why.text);
}

/* Also what a life that began nothing had found out: the number it would have begun with.
 */
static void scan_manifest(struct worker *w)
{
	for (size_t i = 0; i < w->previous.n_steps; i++) {
		const struct manifest_step *line = &w->previous.steps[i];
		unsigned matrix_id, iteration, begun = line->attempt;

		if (line->state == ATTEMPT_PENDING && begun > 0)
			begun--;
		if (begun > 0 && !attempt_is_end(line->state) &&
		    step_id_parse(line->step, &matrix_id, &iteration, NULL) == 0)
			found_note(&w->queue, matrix_id, iteration, begun, false);
	}
}

int queue_scan(struct worker *w, struct err *err)
{
	cleanup_free char *prefix = NULL;
	struct list_req req = {.on_object = note_object, .arg = w};
	int64_t server_now_ns = 0, off_s;
	char dir[PATH_CAP];
	int r;

	r = path_dir(dir, &w->id.run, PATH_RESULTS, err);
	if (r < 0)
		return r;
	prefix = xasprintf("%s%s/", dir, w->id.worker);
	req.prefix = prefix;
	worker_deadline(w, w->ctl, QUEUE_LIST_S);
	r = w->ctl->ops->list(w->ctl, &req, &server_now_ns, err);
	if (r < 0)
		return err_wrap(err, r, "list earlier results");
	off_s = (clock_real_ns() - server_now_ns) / NS_PER_S;
	if (server_now_ns && (off_s > CLOCK_OFF_S || off_s < -CLOCK_OFF_S)) {
		log_line(LOG_WARN, "this machine's clock is %lld s off the server's",
			 (long long)off_s);
		board_flag(&w->board, "clock_off");
	}
	scan_workspace(w);
	scan_manifest(w);
	return 0;
}

static const struct manifest_step *earlier_line(const struct worker *w, const char *id)
{
	for (size_t i = 0; i < w->previous.n_steps; i++)
		if (strcmp(w->previous.steps[i].step, id) == 0)
			return &w->previous.steps[i];
	return NULL;
}

/* A committed attempt: the manifest's line if it tells of it, else the record itself. */
static int adopt(struct worker *w, struct queue_step *s, const struct found *f,
		 struct manifest_step *line, struct err *err)
{
	const struct manifest_step *earlier = earlier_line(w, line->step);
	int r;

	s->attempt = f->attempt;
	if (earlier && earlier->attempt == f->attempt &&
	    attempt_is_final(earlier->state)) {
		*line = *earlier;
	} else {
		r = record_fetch_line(w, s->plan, f->attempt, line, err);
		if (r < 0)
			return r;
	}
	s->state = line->state;
	if (attempt_is_final(line->state))
		return 0;
	/* interrupted, or a record nobody can read: the step goes on */
	s->state = line->state = ATTEMPT_PENDING;
	s->attempt = line->attempt = f->attempt + 1;
	line->reason[0] = '\0';
	line->has_summary = false;
	return 0;
}

/* What became of the step so far: its place in the queue and its manifest line. */
static int resume_step(struct worker *w, struct queue_step *s, struct manifest_step *line,
		       struct err *err)
{
	const struct job_step *p = s->plan;
	const struct found *f = found_get(&w->queue, p->matrix_id, p->iteration);

	s->state = ATTEMPT_PENDING;
	s->attempt = p->attempt;
	step_id_format(line->step, p->matrix_id, p->iteration);
	line->state = ATTEMPT_PENDING;
	line->attempt = p->attempt;
	if (!f || f->attempt < p->attempt)
		return 0;
	if (f->has_record && !plant_is("rerun"))
		return adopt(w, s, f, line, err);
	s->attempt = line->attempt = f->attempt + !plant_is("sameattempt");
	if (f->attempt < s->job->settings.max_attempts)
		return 0;
	s->attempt = line->attempt = f->attempt;
	/* begun, for whoever reads the manifest before its end is written */
	line->state = ATTEMPT_PREPARING;
	s->is_lost = true;
	return 0;
}

unsigned queue_skip_unseen(const struct found *found, unsigned attempt,
			   unsigned max_attempts)
{
	bool was_seen = found && !found->has_record && found->attempt + 1 == attempt;

	return was_seen || attempt >= max_attempts ? attempt : attempt + 1;
}

static void skip_unseen(struct worker *w, struct queue_step *s,
			struct manifest_step *line)
{
	const struct job_step *p = s->plan;

	if (!w->queue.may_be_begun || attempt_is_final(s->state))
		return;
	w->queue.may_be_begun = false;
	s->attempt = queue_skip_unseen(found_get(&w->queue, p->matrix_id, p->iteration),
				       s->attempt, s->job->settings.max_attempts);
	line->attempt = s->attempt;
}

void queue_take_out(struct worker *w, size_t i)
{
	struct queue *q = &w->queue;

	memmove(&q->steps[i], &q->steps[i + 1], (q->n - i - 1) * sizeof(*q->steps));
	q->n--;
	board_remove(&w->board, i);
}

static size_t find_step(const struct queue *q, const struct job_step *p)
{
	size_t i = 0;

	while (i < q->n && (q->steps[i].plan->matrix_id != p->matrix_id ||
			    q->steps[i].plan->iteration != p->iteration))
		i++;
	return i;
}

/* Append one step; the room is there. */
static int add_step(struct worker *w, const struct job *job, const struct job_step *plan,
		    struct err *err)
{
	struct queue *q = &w->queue;
	struct queue_step s = {.job = job, .plan = plan};
	struct manifest_step line = {0};
	size_t old;
	int r;

	worker_deadline(w, w->ctl, job->settings.upload_timeout_s);
	r = resume_step(w, &s, &line, err);
	if (r < 0)
		return err_wrap(err, r, "step %s", line.step);
	skip_unseen(w, &s, &line);
	old = q->n_jobs > 1 ? find_step(q, plan) : q->n;
	if (old < q->n)
		queue_take_out(w, old);
	q->steps[q->n++] = s;
	board_add(&w->board, &line);
	return 0;
}

static void make_room(struct queue *q, size_t n)
{
	q->steps = xrealloc(q->steps, q->n + n + 1, sizeof(*q->steps));
}

void queue_keep_job(struct worker *w, struct job *job)
{
	struct queue *q = &w->queue;

	q->jobs = xrealloc(q->jobs, q->n_jobs + 1, sizeof(struct job *));
	q->jobs[q->n_jobs++] = job;
}

int queue_add_part(struct worker *w, const struct job *job, size_t first, size_t end,
		   struct err *err)
{
	struct queue *q = &w->queue;
	int r = 0;

	make_room(q, end - first);
	for (size_t i = first; i < end && r == 0; i++)
		r = add_step(w, job, &job->steps[i], err);
	return r;
}

int queue_add_job(struct worker *w, struct job *job, struct err *err)
{
	queue_keep_job(w, job);
	if (w->queue.n_jobs == 1)
		board_clear(&w->board);
	return job->round > 1 ? 0 : queue_add_part(w, job, 0, job->n_steps, err);
}

void queue_drop_unit(struct worker *w, const struct job *job, size_t first,
		     const char *holder)
{
	struct queue *q = &w->queue;
	size_t end = job_unit_end(job->steps, job->n_steps, first);
	char id[STEP_ID_CAP];

	step_id_format(id, job->steps[first].matrix_id, job->steps[first].iteration);
	worker_say("block %s was taken by %s", id, holder);
	for (size_t i = q->n; i > 0; i--) {
		const struct queue_step *s = &q->steps[i - 1];

		if (s->job == job && s->plan >= &job->steps[first] &&
		    s->plan < &job->steps[end] && !attempt_is_final(s->state))
			queue_take_out(w, i - 1);
	}
}

static void apply_drops(struct worker *w, const struct order_move *move)
{
	struct queue *q = &w->queue;
	char id[STEP_ID_CAP];

	for (size_t i = q->n; i > 0; i--) {
		const struct queue_step *s = &q->steps[i - 1];

		if (attempt_is_final(s->state))
			continue;
		step_id_format(id, s->plan->matrix_id, s->plan->iteration);
		if (order_move_drops(move, id, s->job->round)) {
			worker_say("step %s was moved to another worker", id);
			queue_take_out(w, i - 1);
		}
	}
}

/* An end stays an end; but what was cancelled, or given up for lost, may begin anew. */
static bool may_add(const struct queue *q, const struct job *job, size_t at)
{
	const struct queue_step *old = &q->steps[at];

	if (at == q->n)
		return true;
	if (old->job == job)
		return false;
	return !attempt_is_final(old->state) || old->state == ATTEMPT_CANCELLED ||
	       old->is_lost;
}

int queue_apply(struct worker *w, const struct order_move *move, const struct job *job,
		size_t *ret_added, struct err *err)
{
	struct queue *q = &w->queue;
	char id[STEP_ID_CAP];
	int r = 0;

	*ret_added = 0;
	make_room(q, job ? job->n_steps : 0);
	for (size_t i = 0; job && i < job->n_steps && r == 0; i++) {
		const struct job_step *p = &job->steps[i];

		step_id_format(id, p->matrix_id, p->iteration);
		if (!order_move_gives(move, id) || !may_add(q, job, find_step(q, p)))
			continue;
		r = add_step(w, job, p, err);
		*ret_added += r == 0;
	}
	if (r == 0)
		apply_drops(w, move);
	return r;
}

size_t queue_next(const struct queue *q)
{
	size_t i = 0;

	while (i < q->n && attempt_is_final(q->steps[i].state))
		i++;
	return i;
}

void queue_set(struct worker *w, size_t i, enum attempt_state state, unsigned attempt,
	       const char *reason)
{
	w->queue.steps[i].state = state;
	w->queue.steps[i].attempt = attempt;
	board_step(&w->board, i, state, attempt, reason);
}

/* A record that was found or written decides. One that nobody can read decides nothing:
 * the step goes on with the next attempt, as at boot. */
static void take_line(struct worker *w, size_t i, const struct manifest_step *line)
{
	struct queue_step *s = &w->queue.steps[i];

	if (!attempt_is_final(line->state)) {
		s->is_lost = false;
		queue_set(w, i, ATTEMPT_PENDING, s->attempt + 1, NULL);
		return;
	}
	s->state = line->state;
	board_line(&w->board, i, line);
}

int queue_give_up(struct worker *w, size_t i, struct err *err)
{
	const struct queue_step *s = &w->queue.steps[i];
	struct manifest_step line = {0};
	int r;

	worker_deadline(w, w->ctl, QUEUE_RECORD_S);
	r = record_write_lost(w, s, &line, err);
	if (r == 0)
		take_line(w, i, &line);
	return r;
}

/* An abort that comes in the middle of it cuts a write short, once. */
static int write_cancelled(struct worker *w, const struct queue_step *s,
			   const char *reason, struct manifest_step *line,
			   struct err *err)
{
	int r = -ECANCELED;

	for (int tries = 0; tries < 2 && r == -ECANCELED; tries++) {
		err_clear(err);
		worker_deadline(w, w->ctl, QUEUE_RECORD_S);
		r = s->is_lost ? record_write_lost(w, s, line, err)
			       : record_write_cancelled(w, s, reason, line, err);
	}
	return r;
}

void queue_cancel_rest(struct worker *w, const char *reason)
{
	bool can_write = stop_why(&w->stop) != STOP_FENCED;

	for (size_t i = 0; i < w->queue.n; i++) {
		const struct queue_step *s = &w->queue.steps[i];
		struct manifest_step line = {.state = ATTEMPT_CANCELLED};
		struct err err = {0};

		if (attempt_is_final(s->state))
			continue;
		reason_set(line.reason, reason);
		if (can_write && write_cancelled(w, s, reason, &line, &err) < 0) {
			log_line(LOG_WARN, "cancelled steps not recorded: %s", err.text);
			can_write = false;
		}
		/* without its record a step is still to come */
		if (can_write)
			queue_set(w, i, line.state, s->attempt, line.reason);
	}
}

size_t queue_count(const struct queue *q, enum attempt_state s)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++)
		n += q->steps[i].state == s;
	return n;
}

const struct job *queue_job(const struct queue *q, unsigned round)
{
	for (size_t i = 0; i < q->n_jobs; i++)
		if (q->jobs[i]->round == round &&
		    strcmp(q->jobs[i]->worker, q->jobs[0]->worker) == 0)
			return q->jobs[i];
	return NULL;
}

void queue_done(struct queue *q)
{
	for (size_t i = 0; i < q->n_jobs; i++) {
		job_done(q->jobs[i]);
		free(q->jobs[i]);
	}
	free(q->jobs);
	free(q->steps);
	free(q->found);
	*q = (struct queue){0};
}
