// SPDX-License-Identifier: Apache-2.0
// One attempt: begun, claimed, judged step by step, released.
#include "worker/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "manifests/fio_policy.h"
#include "worker/binary.h"
#include "worker/files.h"
#include "worker/layout.h"
#include "worker/monitor.h"
#include "worker/record.h"
#include "worker/worker.h"

void attempt_begin(struct worker *w, size_t index, struct attempt *a)
{
	const struct queue_step *s = &w->queue.steps[index];

	*a = (struct attempt){
		.index = index,
		.job = s->job,
		.plan = s->plan,
		.c = job_find_case(s->job, s->plan->test_id),
		.arm = job_find_arm(s->job, s->plan->config_id),
		.number = s->attempt,
		.state = ATTEMPT_PENDING,
		.end = ATTEMPT_OK,
		.fio_job = STR_INIT(FIO_JOB_MAX_BYTES + (1 << 20)),
	};
	step_id_format(a->id, s->plan->matrix_id, s->plan->iteration);
	record_begin(w, s->job, s->plan, a->number, &a->rec);
	a->dir = xasprintf("%s/steps/%s/%s/%s-a%u", w->id.workspace, w->id.run.run,
			   w->id.worker, a->id, a->number);
	if (a->arm)
		a->binary = binary_find(w, a->arm);
}

void attempt_done(struct worker *w, struct attempt *a)
{
	struct err err = {0};

	(void)w;
	if (files_remove_tree(a->dir, &err) < 0)
		log_line(LOG_WARN, "%s", err.text);
	monitor_free(a->monitor);
	mount_done(&a->mount);
	step_record_done(&a->rec);
	str_done(&a->fio_job);
	free(a->dir);
	free(a->root);
	free(a->data_name);
	free(a->data_dir);
}

void attempt_state_set(struct worker *w, struct attempt *a, enum attempt_state state)
{
	if (!attempt_may(a->state, state))
		return;
	a->state = state;
	queue_set(w, a->index, state, a->number,
		  attempt_is_end(state) ? a->reason : NULL);
}

void attempt_fail(struct attempt *a, enum attempt_state end, const char *fmt, ...)
{
	va_list ap;

	if (a->end != ATTEMPT_OK)
		return;
	a->end = end;
	va_start(ap, fmt);
	vsnprintf(a->reason, sizeof(a->reason), fmt, ap);
	va_end(ap);
}

char *attempt_path(const struct attempt *a, enum step_file file)
{
	char name[PATH_CAP];

	if (path_step_file(name, file, a->plan->iteration, NULL) < 0)
		return xasprintf("%s/file-%d", a->dir, (int)file);
	return xasprintf("%s/%s", a->dir, name);
}

void attempt_flag(struct attempt *a, const char *word)
{
	flags_add(&a->rec.flags, word);
}

const char *attempt_data_top(const struct attempt *a)
{
	return a->arm->kind == ARM_DIR ? a->data_dir : a->root;
}

/* The text fio will run, judged here: what split thought of it does not count. */
static int render(struct worker *w, struct attempt *a, struct err *err)
{
	struct fio_policy policy;
	int r;

	policy = fio_policy_default(a->job->allowed_options, a->job->n_allowed_options,
				    NULL);
	r = fio_job_check(a->c->fio_job, &policy, &a->facts, err);
	if (r < 0)
		return err_wrap(err, r, "fio job refused");
	a->root = a->arm->kind == ARM_DIR ? xasprintf("%s/data", w->id.workspace)
					  : xstrdup(w->mount_point);
	a->data_name = layout_name(w, a);
	a->data_dir = xasprintf("%s/%s", a->root, a->data_name);
	r = fio_job_set_dir(a->c->fio_job, a->data_dir, &a->fio_job, err);
	if (r < 0)
		return err_wrap(err, r, "fio job");
	policy.directory = a->data_dir;
	r = fio_job_check(str_text(&a->fio_job), &policy, &a->facts, err);
	return r < 0 ? err_wrap(err, r, "fio job refused") : 0;
}

int attempt_claim(struct worker *w, struct attempt *a, struct err *err)
{
	cleanup_free char *path = NULL;
	int r;

	board_inflight(&w->board, a->id, a->number);
	attempt_state_set(w, a, ATTEMPT_PREPARING);
	if (!a->c || !a->arm)
		return err_set(err, -EINVAL, "the job has no such case or arm");
	r = files_make_dirs(a->dir, err);
	if (r < 0)
		return r;
	if (a->arm->kind == ARM_GCSFUSE) {
		if (!a->binary || a->binary->fd < 0)
			return err_set(err, -ENOENT, "no gcsfuse for arm %s: %s",
				       a->arm->label,
				       a->binary ? a->binary->reason : "no key");
		r = layout_data_store(w, a->job, err);
		if (r < 0)
			return r;
		str_copy(a->rec.gcsfuse_sha256, sizeof(a->rec.gcsfuse_sha256),
			 a->binary->sha256);
	}
	r = render(w, a, err);
	if (r < 0)
		return r;
	path = attempt_path(a, STEP_JOB_FIO);
	return files_write(path, str_text(&a->fio_job), a->fio_job.len, err);
}

int attempt_layout(struct worker *w, struct attempt *a, struct err *err)
{
	if (a->facts.writes)
		return layout_writes(w, a, err);
	if (a->facts.is_block_over_file)
		return 0;
	return layout_reads(w, a, err);
}
