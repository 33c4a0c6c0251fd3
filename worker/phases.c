// SPDX-License-Identifier: Apache-2.0
// The phases of a step that touch the machine: from quiet caches to the unmount.
#include <errno.h>
#include <stdio.h>
#include <sys/file.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/plant.h"
#include "worker/attempt.h"
#include "worker/barrier.h"
#include "worker/binary.h"
#include "worker/layout.h"
#include "worker/monitor.h"
#include "worker/worker.h"

enum {
	LOCK_LOOK_MS = 50,
	WARM_S = 600,
	UNMOUNT_S = 120,		  /* a write step's last upload happens here */
	UNMOUNT_BROKEN_S = MOUNT_HURRY_S, /* after a failure: abort soon */
};

static int64_t from_now(int64_t s)
{
	return clock_mono_ns() + s * NS_PER_S;
}

static void note_shared_host(struct worker *w)
{
	pthread_mutex_lock(&w->board.lock);
	w->board.manifest.provenance.shared_host = true;
	pthread_mutex_unlock(&w->board.lock);
}

/*
 * One measurer per host: another one's figures would be in ours. Workers that start
 * together measure together by design, and would wait for each other for ever: they
 * share the lock, against everybody else, and the record tells.
 */
static int measure_lock(struct worker *w, const struct attempt *a, struct err *err)
{
	int how = a->plan->barrier ? LOCK_SH : LOCK_EX;

	if (w->measure_lock_fd < 0 || w->is_measure_locked)
		return 0;
	if (how == LOCK_SH && flock(w->measure_lock_fd, LOCK_EX | LOCK_NB) < 0)
		note_shared_host(w);
	while (flock(w->measure_lock_fd, how | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(err, -errno, "measure lock");
		note_shared_host(w);
		if (stop_pause(&w->stop, (int64_t)LOCK_LOOK_MS * NS_PER_MS) < 0)
			return err_set(err, -ECANCELED,
				       "stopped while another worker measured");
	}
	w->is_measure_locked = true;
	return 0;
}

static void measure_unlock(struct worker *w)
{
	if (w->is_measure_locked)
		flock(w->measure_lock_fd, LOCK_UN);
	w->is_measure_locked = false;
}

int attempt_quiesce(struct worker *w, struct attempt *a, struct err *err)
{
	struct err why = {0};
	int r;

	r = measure_lock(w, a, err);
	if (r < 0)
		return r;
	if (a->job->settings.drop_caches && !plant_text("MUSTER_KEEP_CACHES")) {
		r = kernel_drop_caches(w->stop.any_fd, &why);
		if (r == -ECANCELED)
			return err_set(err, r, "stopped while caches were dropped");
		if (r < 0) {
			log_line(LOG_INFO, "caches not dropped: %s", why.text);
			attempt_flag(a, "caches_not_dropped");
			board_flag(&w->board, "caches_not_dropped");
			err_clear(&why);
		}
	}
	if (a->arm->kind == ARM_GCSFUSE &&
	    kernel_globals_restore(&w->globals, &why) < 0) {
		log_line(LOG_INFO, "FUSE settings not restored: %s", why.text);
		attempt_flag(a, "fuse_settings_not_restored");
	}
	return 0;
}

void attempt_unquiesce(struct worker *w, struct attempt *a)
{
	(void)a;
	measure_unlock(w);
}

int attempt_mount(struct worker *w, struct attempt *a, struct err *err)
{
	cleanup_free char *log_path = xasprintf("%s/gcsfuse.log", a->dir);
	struct mount_spec spec = {
		.arm = a->arm,
		.data = &a->job->data,
		.workspace = w->id.workspace,
		.step_dir = a->dir,
		.cgroup = &w->cgroup,
		.point = a->root,
		.log_path = log_path,
		.deadline_ns = from_now(a->job->settings.mount_timeout_s),
		.cancel_fd = w->stop.any_fd,
	};
	int r;

	if (a->binary) {
		r = binary_verify(a->binary, err);
		if (r < 0)
			return r;
		spec.binary_fd = a->binary->fd;
	}
	r = mount_start(&spec, &a->mount, err);
	if (r < 0)
		return r;
	a->has_mount = true;
	if (a->mount.config)
		a->rec.gcsfuse_config = json_incref(a->mount.config);
	return 0;
}

void attempt_unmount_any(struct worker *w, struct attempt *a)
{
	struct err err = {0};

	(void)w;
	if (!a->has_mount)
		return;
	a->has_mount = false;
	if (mount_stop(&a->mount, from_now(UNMOUNT_BROKEN_S), -1, NULL, &err) < 0)
		log_line(LOG_ERROR, "unmount: %s", err.text);
}

int attempt_warm(struct worker *w, struct attempt *a, struct err *err)
{
	int r = 0;

	if (a->facts.writes || a->facts.is_block_over_file)
		r = layout_make_folder(w, a, err);
	if (r == 0 && a->job->settings.warm_metadata && !a->facts.writes)
		r = mount_warm(&a->mount, a->data_dir, from_now(WARM_S), w->stop.any_fd,
			       NULL, err);
	return r;
}

/* gcsfuse's settings may move under a running fio: the record says so. */
static void settings_end(struct attempt *a)
{
	const struct kernel_settings *s = &a->rec.start, *e = &a->rec.end;

	if (a->arm->kind != ARM_GCSFUSE)
		return;
	kernel_settings_read(a->mount.dev_major, a->mount.dev_minor, &a->rec.end);
	if (s->read_ahead_kb != e->read_ahead_kb ||
	    s->max_background != e->max_background ||
	    s->congestion_threshold != e->congestion_threshold ||
	    s->max_pages_limit != e->max_pages_limit)
		attempt_flag(a, "kernel_settings_moved");
}

/* Did gcsfuse end by itself? fio's errors are then its doing. */
static void blame_gcsfuse(struct attempt *a)
{
	struct proc_end end = {0};

	if (a->fio.how != MEASURE_EXITED || a->mount.proc.pid == 0)
		return;
	if (proc_wait(&a->mount.proc, clock_mono_ns(), -1, &end, NULL) < 0 || !end.exited)
		return;
	if (end.signal)
		attempt_fail(a, ATTEMPT_FAILED,
			     "gcsfuse was ended by signal %d while fio ran", end.signal);
	else
		attempt_fail(a, ATTEMPT_FAILED,
			     "gcsfuse ended with status %d while fio ran",
			     end.exit_status);
}

static int monitor_begin(struct attempt *a, struct err *err)
{
	const struct monitor_req req = {
		.hz = a->job->settings.monitor_hz,
		.max_s = a->c->timeout_s,
		.gcsfuse_pid = a->mount.proc.pid,
		.fuse_minor = mount_minor(&a->mount),
	};

	return monitor_new(&req, &a->monitor, err);
}

int attempt_measure(struct worker *w, struct attempt *a, struct err *err)
{
	cleanup_free char *job_path = attempt_path(a, STEP_JOB_FIO);
	cleanup_free char *output = attempt_path(a, STEP_FIO_OUTPUT);
	cleanup_free char *console = xasprintf("%s/console.txt", a->dir);
	struct measure_req req = {
		.mode = MEASURE_RUN,
		.fio_path = w->fio_path,
		.job_path = job_path,
		.output_path = output,
		.console_path = console,
		.cwd = a->dir,
		.data_top = attempt_data_top(a),
		.cgroup = &w->cgroup,
		.stop_fd = w->stop.order_fd,
		.term_fd = w->stop.term_fd,
		.mount = &a->mount,
	};
	struct kernel_host before, after;
	int r;

	r = monitor_begin(a, err);
	if (r < 0)
		return r;
	attempt_state_set(w, a, ATTEMPT_RUNNING);
	req.monitor = a->monitor;
	req.start_ns = a->barrier.go_ns;
	req.deadline_ns = from_now(a->c->timeout_s);
	if (req.start_ns > clock_mono_ns())
		req.deadline_ns = req.start_ns + (int64_t)a->c->timeout_s * NS_PER_S;
	if (a->arm->kind == ARM_GCSFUSE)
		kernel_settings_read(a->mount.dev_major, a->mount.dev_minor,
				     &a->rec.start);
	kernel_host_read(&before);
	r = measure_run(&req, &a->fio, err);
	kernel_host_read(&after);
	a->has_fio = r == 0 || a->fio.start_ns > 0;
	monitor_stop(a->monitor);
	if (!a->has_fio)
		return r;
	barrier_record(a);
	if (!a->fio.was_caged)
		attempt_flag(a, "not_caged");
	settings_end(a);
	kernel_host_delta(&before, &after, &a->rec);
	if (kernel_clock_stepped(a->rec.host.clock_step_ns,
				 a->fio.end_ns - a->fio.start_ns))
		attempt_flag(a, "clock_stepped");
	monitor_stats(a->monitor, &a->rec);
	if (a->fio.end_ns > a->fio.start_ns)
		a->rec.phase_ns[PHASE_FIO] = a->fio.end_ns - a->fio.start_ns;
	a->rec.exit_status = a->fio.exit_status;
	a->rec.signal = a->fio.signal;
	if (a->fio.was_mount_aborted)
		attempt_flag(a, "mount_aborted");
	blame_gcsfuse(a);
	return r;
}

void attempt_unmeasure(struct worker *w, struct attempt *a)
{
	(void)w;
	if (a->monitor)
		monitor_stop(a->monitor);
}

int attempt_unmount(struct worker *w, struct attempt *a, struct err *err)
{
	bool is_well = a->fio.how == MEASURE_EXITED && a->end == ATTEMPT_OK;
	bool was_aborted = false;
	int r;

	measure_unlock(w);
	r = mount_stop(&a->mount, from_now(is_well ? UNMOUNT_S : UNMOUNT_BROKEN_S),
		       w->stop.any_fd, &was_aborted, err);
	a->has_mount = false;
	if (!was_aborted)
		return r;
	attempt_flag(a, "mount_aborted");
	if (is_well && stop_why(&w->stop) != STOP_NONE)
		return err_set(err, -ECANCELED, "stopped during the unmount");
	if (is_well)
		attempt_fail(a, ATTEMPT_FAILED, "gcsfuse did not unmount within %d s",
			     UNMOUNT_S);
	return r;
}
