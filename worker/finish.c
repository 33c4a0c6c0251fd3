// SPDX-License-Identifier: Apache-2.0
// The end of a worker.
#include "worker/finish.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/proc.h"
#include "worker/binary.h"
#include "worker/files.h"
#include "worker/job.h"
#include "worker/layout.h"
#include "worker/worker.h"

enum { POWER_OFF_S = 60 };

int finish_decide(const struct finish_in *in, enum worker_state *ret_state)
{
	*ret_state = WORKER_FAILED;
	if (in->why == STOP_FENCED || in->exit_code == WORKER_EXIT_DUPLICATE)
		return WORKER_EXIT_DUPLICATE;
	if (in->why == STOP_SIGNAL) {
		*ret_state = WORKER_INTERRUPTED;
		return WORKER_EXIT_STOPPED;
	}
	if (in->exit_code)
		return in->exit_code;
	if (in->is_draining || in->why == STOP_ABORT) {
		*ret_state = WORKER_CANCELLED;
		return WORKER_EXIT_STOPPED;
	}
	if (in->is_recordless)
		return WORKER_EXIT_STEPS;
	if (in->has_failed)
		return WORKER_EXIT_CONFIG;
	*ret_state = in->n_cancelled ? WORKER_CANCELLED : WORKER_DONE;
	if (in->n_cancelled)
		return WORKER_EXIT_STOPPED;
	return in->n_not_ok ? WORKER_EXIT_STEPS : WORKER_EXIT_OK;
}

static void last_words(struct worker *w, const struct err *failed)
{
	struct queue *q = &w->queue;
	char reason[REASON_CAP] = "";
	struct finish_in in = {
		.exit_code = w->exit_code,
		.has_failed = failed->code < 0,
		.is_recordless = w->is_recordless,
		.why = stop_why(&w->stop),
		.is_draining = job_is_draining(w, reason),
		.n_cancelled = queue_count(q, ATTEMPT_CANCELLED),
		.n_not_ok = q->n - queue_count(q, ATTEMPT_OK),
	};
	enum worker_state state;
	const char *why = NULL, *say;

	w->exit_code = finish_decide(&in, &state);
	if (w->exit_code == WORKER_EXIT_DUPLICATE)
		return;
	if (state == WORKER_INTERRUPTED)
		why = stop_text(&w->stop);
	else if (state == WORKER_FAILED)
		why = failed->text;
	else if (state == WORKER_CANCELLED)
		why = reason;
	if (state != WORKER_FAILED)
		board_state(&w->board, WORKER_FINISHING, NULL);
	/* why a boot step failed was said on its own line */
	say = state == WORKER_FAILED ? NULL : why;
	worker_say("%s: %zu of %zu steps ok%s%s", worker_state_name(state),
		   queue_count(q, ATTEMPT_OK), q->n, say ? ": " : "", say ? say : "");
	if (w->beat.is_running)
		worker_log_upload(w);
	board_state(&w->board, state, why);
}

static void release(struct worker *w)
{
	binaries_done(w);
	for (size_t i = 0; i < w->n_data_ready; i++)
		free(w->data_ready[i]);
	free(w->data_ready);
	for (size_t i = 0; i < w->n_write_dirs; i++)
		free(w->write_dirs[i].name);
	free(w->write_dirs);
	if (w->mount_point)
		rmdir(w->mount_point);
	free(w->mount_point);
	free(w->fio_path);
	store_close(w->data);
	store_close(w->ctl);
	manifest_done(&w->previous);
	if (w->measure_lock_fd >= 0)
		close(w->measure_lock_fd);
}

int finish_run(struct worker *w, const struct err *failed)
{
	struct err err = {0};

	if (w->mount_point && kernel_globals_restore(&w->globals, &err) < 0)
		log_line(LOG_INFO, "FUSE settings not restored: %s", err.text);
	last_words(w, failed);
	beat_finish(&w->beat);
	notice_finish(&w->notice);
	/* the last writes may have been what told us that the name is another's */
	if (stop_why(&w->stop) == STOP_FENCED)
		w->exit_code = WORKER_EXIT_DUPLICATE;
	release(w);
	guard_stop(&w->guard);
	return 0;
}

bool finish_may_power_off(const struct worker *w)
{
	if (!w->id.power_off || w->id.debug || stop_why(&w->stop) == STOP_SIGNAL)
		return false;
	if (w->exit_code == WORKER_EXIT_DUPLICATE)
		return !w->board.rival_is_here && stop_why(&w->stop) == STOP_FENCED;
	return w->queue.n_jobs == 0 || w->settings.power_off;
}

void finish_power_off(void)
{
	const char *argv[] = {"systemctl", "poweroff", NULL};
	const struct proc_spec spec = {.path = "systemctl", .argv = argv};
	cleanup_str struct str out = STR_INIT(4096);
	struct proc_end end = {0};
	int r;

	worker_say("powering off");
	r = proc_run_capture(&spec, clock_mono_ns() + (int64_t)POWER_OFF_S * NS_PER_S,
			     &out, &end, NULL);
	if (r == 0 && end.exit_status == 0)
		return;
	sync();
	if (reboot(RB_POWER_OFF) < 0)
		worker_say("this machine could not be powered off");
}
