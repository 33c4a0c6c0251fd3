// SPDX-License-Identifier: Apache-2.0
// The former owner of a step that was moved here.
#include "worker/former.h"

#include <errno.h>
#include <string.h>

#include "worker/worker.h"

enum { FORMER_S = 60 };

struct look {
	const struct run_ref *run;
	const struct job_step *plan;
	const char *from;
	unsigned attempt; /* highest with a record; 0 = none */
};

static int on_file(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct look *look = arg;
	struct path_parts p;

	(void)err;
	path_parse(look->run, meta->name, &p);
	if (p.kind == PATH_KIND_STEP_FILE && p.file == STEP_RECORD &&
	    p.matrix_id == look->plan->matrix_id &&
	    p.iteration == look->plan->iteration && p.attempt > look->attempt)
		look->attempt = p.attempt;
	return 0;
}

static int read_state(struct worker *w, const struct look *look, enum attempt_state *ret,
		      struct err *err)
{
	const struct attempt_ref at = {look->from, look->plan->matrix_id,
				       look->plan->iteration, look->attempt};
	cleanup_str struct str text = STR_INIT(STEP_MAX_BYTES);
	cleanup_step_record struct step_record rec = {0};
	struct obj_meta meta;
	char name[PATH_CAP];
	int r = path_step(name, &w->id.run, &at, STEP_RECORD, err);

	step_record_init(&rec);
	if (r == 0)
		r = w->ctl->ops->get(w->ctl, name, STEP_MAX_BYTES, &text, &meta, err);
	if (r == 0)
		r = step_record_parse(str_text(&text), text.len, &rec, NULL, err);
	if (r == 0)
		*ret = rec.state;
	return r;
}

const char *former_owner(const struct job *job, const struct job_step *plan)
{
	if (job->round < 2)
		return NULL;
	return plan->from ? plan->from : job->worker;
}

int former_has_ended(struct worker *w, const struct job *job, const struct job_step *plan,
		     bool *ret, struct err *err)
{
	struct look look = {
		.run = &w->id.run, .plan = plan, .from = former_owner(job, plan)};
	struct list_req req = {.on_object = on_file, .arg = &look};
	enum attempt_state state = ATTEMPT_PENDING;
	cleanup_free char *prefix = NULL;
	int64_t date_ns = 0;
	char dir[PATH_CAP];
	int r;

	*ret = false;
	if (!look.from || strcmp(look.from, w->id.worker) == 0)
		return 0;
	r = path_dir(dir, &w->id.run, PATH_RESULTS, err);
	if (r < 0)
		return r;
	prefix = xasprintf("%s%s/test-%u/", dir, look.from, plan->matrix_id);
	req.prefix = prefix;
	worker_deadline(w, w->ctl, FORMER_S);
	r = w->ctl->ops->list(w->ctl, &req, &date_ns, err);
	if (r == 0 && look.attempt)
		r = read_state(w, &look, &state, err);
	if (r < 0)
		return r;
	*ret = attempt_is_final(state) && state != ATTEMPT_CANCELLED;
	return 0;
}
