// SPDX-License-Identifier: Apache-2.0
// What must hold on this machine before the first step.
#include "worker/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/plant.h"
#include "core/proc.h"
#include "worker/build_id.h"
#include "worker/files.h"
#include "worker/groups.h"
#include "worker/layout.h"
#include "worker/worker.h"

enum { FIO_VERSION_S = 10, ROOM_MIN_BYTES = 1 << 20 };

static int lock_workspace(struct worker *w, struct err *err)
{
	cleanup_free char *path = xasprintf("%s/worker.lock", w->id.workspace);

	w->workspace_lock_fd =
		open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->workspace_lock_fd < 0)
		return err_errno(err, -errno, "%s", path);
	if (flock(w->workspace_lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_errno(err, -errno, "%s", path);
	w->exit_code = WORKER_EXIT_DUPLICATE;
	w->board.rival_is_here = true;
	return err_set(err, -EBUSY, "another worker runs in workspace %s",
		       w->id.workspace);
}

static int open_stores(struct worker *w, struct err *err)
{
	const struct store_opts opts = {.bucket = w->id.run.bucket,
					.endpoint = w->id.endpoint,
					.auth = w->id.endpoint ? STORE_AUTH_ANONYMOUS
							       : STORE_AUTH_ADC};
	int r = store_gcs_open(&opts, &w->ctl, err);

	return r < 0 ? r : store_gcs_open(&opts, &w->beat.store, err);
}

/* Control groups are a better way to kill, not a condition. */
static void divide_group(struct worker *w)
{
	struct err why = {0};
	int r = cgroup_find(&w->cgroup, &why);

	if (r == 0)
		r = cgroup_join(&w->cgroup, GROUP_WORKER, &why);
	if (r == 0)
		return;
	log_line(LOG_INFO, "children are killed without control groups: %s", why.text);
	cgroup_done(&w->cgroup);
}

int preflight_workspace(struct worker *w, struct err *err)
{
	struct err why = {0};
	int r;

	r = lock_workspace(w, err);
	if (r == 0)
		r = worker_log_open(w->id.workspace, w->id.debug, err);
	if (r == 0)
		r = proc_init(err);
	if (r < 0)
		return r;
	log_line(LOG_INFO, "muster-worker %s: run %s, worker %s", MUSTER_VERSION,
		 w->id.url, w->id.worker);
	divide_group(w);
	if (guard_wait_previous(w->id.workspace, &why) < 0 ||
	    guard_sweep(w->id.workspace, &w->cgroup, &why) < 0)
		log_line(LOG_WARN, "leftovers of an earlier worker: %s", why.text);
	r = guard_start(w->id.workspace, &w->cgroup, &w->guard, err);
	return r < 0 ? r : open_stores(w, err);
}

static int find_fio(struct worker *w, struct err *err)
{
	cleanup_str struct str out = STR_INIT(256);
	const char *argv[] = {"fio", "--version", NULL};
	struct proc_spec spec = {.argv = argv};
	struct proc_end end = {0};
	char *nl;
	int r;

	r = proc_find("fio", &w->fio_path, err);
	if (r < 0)
		return err_wrap(err, r, "fio is not installed");
	spec.path = w->fio_path;
	r = proc_run_capture(&spec, clock_mono_ns() + (int64_t)FIO_VERSION_S * NS_PER_S,
			     &out, &end, err);
	if (r < 0)
		return err_wrap(err, r, "%s --version", w->fio_path);
	if (end.exit_status != 0 || !out.len)
		return err_set(err, -EIO, "%s --version ended with status %d",
			       w->fio_path, end.exit_status);
	nl = strchr(out.s, '\n');
	if (nl)
		*nl = '\0';
	pthread_mutex_lock(&w->board.lock);
	str_copy(w->board.manifest.provenance.fio_version, 32, str_text(&out));
	pthread_mutex_unlock(&w->board.lock);
	return 0;
}

static bool needs_gcsfuse(const struct worker *w)
{
	for (size_t j = 0; j < w->queue.n_jobs; j++)
		for (size_t i = 0; i < w->queue.jobs[j]->n_arms; i++)
			if (w->queue.jobs[j]->arms[i].kind == ARM_GCSFUSE)
				return true;
	return false;
}

static int check_room(struct worker *w, struct err *err)
{
	uint64_t room;
	int r = files_free_bytes(w->id.workspace, &room, err);

	if (r < 0)
		return r;
	if (room < ROOM_MIN_BYTES)
		return err_errno(
			err, -ENOSPC, "workspace %s has %llu bytes left, fewer than %d",
			w->id.workspace, (unsigned long long)room, (int)ROOM_MIN_BYTES);
	return 0;
}

/* /tmp last: there, somebody else's file may be locked, but not made or replaced. */
static void open_measure_lock(struct worker *w)
{
	const char *other = plant_text("MUSTER_MEASURE_LOCK");
	const char *const places[] = {other ? other : "/run/lock/muster-measure.lock",
				      "/var/lock/muster-measure.lock",
				      "/tmp/muster-measure.lock"};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int fd = open(places[i], O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			fd = open(places[i],
				  O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				  0644);
		w->measure_lock_fd = fd;
		if (fd >= 0)
			return;
	}
	log_line(LOG_WARN, "no measure lock: other workers on this host go unnoticed");
	board_flag(&w->board, "no_measure_lock");
}

static void fill_provenance(struct worker *w)
{
	struct provenance *p = &w->board.manifest.provenance;

	pthread_mutex_lock(&w->board.lock);
	str_copy(p->muster_version, sizeof(p->muster_version), MUSTER_VERSION);
	build_id_read(p->muster_build);
	str_copy(p->machine_type, sizeof(p->machine_type), w->id.machine_type);
	str_copy(p->cpu_platform, sizeof(p->cpu_platform), w->id.cpu_platform);
	str_copy(p->zone, sizeof(p->zone), w->id.zone);
	str_copy(p->image, sizeof(p->image), w->id.image);
	kernel_facts(p);
	w->board.manifest_changed = true;
	pthread_mutex_unlock(&w->board.lock);
}

int preflight_check(struct worker *w, struct err *err)
{
	const struct job *job = w->queue.jobs[0];
	int r;

	kernel_globals_read(&w->globals);
	fill_provenance(w);
	w->mount_point = xasprintf("%s/mnt", w->id.workspace);
	open_measure_lock(w);
	r = find_fio(w, err);
	if (r == 0)
		r = check_room(w, err);
	if (r < 0)
		return r;
	if (needs_gcsfuse(w)) {
		if (access("/dev/fuse", R_OK | W_OK) < 0)
			return err_errno(err, -errno,
					 "/dev/fuse is not usable, and gcsfuse needs it");
		r = layout_data_store(w, job, err);
		if (r < 0)
			return r;
	}
	if (w->board.hb.incarnation.n > 1)
		layout_sweep(w, job);
	return 0;
}
