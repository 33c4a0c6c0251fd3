// SPDX-License-Identifier: Apache-2.0
// Running fio, and the kill sequence that ends it in any state.
#include "worker/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "core/cage.h"
#include "core/clock.h"
#include "core/proc.h"
#include "worker/groups.h"

/* fio writes its JSON after SIGINT; with thousands of jobs that takes seconds. */
static const int64_t stop_grace_ns = 10LL * NS_PER_S;
static const int64_t term_grace_ns = 5LL * NS_PER_S;
static const int64_t answer_ns = 1LL * NS_PER_S;
static const int64_t kill_ns = 2LL * NS_PER_S;

/*
 * fio keeps file names in shared memory of a fixed size, 16 MiB by default, and ends with
 * "smalloc: OOM" when jobs × files are many. Reserved, not touched; 512 MiB is room for
 * more than a million files and still fits the smallest machines' overcommit.
 */
static const char alloc_size[] = "--alloc-size=524288"; /* KiB */

enum why { ENDED, DEADLINE, STOP, TERM };

static enum why wait_for(const struct proc *p, int64_t deadline_ns, int stop_fd,
			 int term_fd)
{
	struct pollfd fds[] = {{.fd = p->pidfd, .events = POLLIN},
			       {.fd = term_fd, .events = POLLIN},
			       {.fd = stop_fd, .events = POLLIN}};

	for (;;) {
		int64_t left = deadline_ns - clock_mono_ns();
		struct timespec ts = {0};
		int n;

		if (left > 0)
			ts = (struct timespec){left / NS_PER_S, left % NS_PER_S};
		n = ppoll(fds, ARRAY_SIZE(fds), &ts, NULL);
		if (n > 0)
			return fds[0].revents ? ENDED : fds[1].revents ? TERM : STOP;
		if (n == 0 && left <= 0)
			return DEADLINE;
	}
}

/* The last stretch is slept by the clock itself: a wait for descriptors counts from when
 * it begins, and whoever is interrupted just before wakes too late. */
enum { SLEEP_NS = 2 * NS_PER_MS };

/* How this thread was scheduled. */
struct schedule {
	int policy; /* -1 = as it still is */
	struct sched_param param;
};

/* Whoever waits for a moment is woken before everybody else, where that is allowed. */
static void wake_first(struct schedule *was)
{
	const struct sched_param first = {.sched_priority =
						  sched_get_priority_min(SCHED_FIFO)};

	was->policy = sched_getscheduler(0);
	if (sched_getparam(0, &was->param) < 0 ||
	    sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		was->policy = -1;
}

/* Before the fork: fio is nobody special. */
static void wake_as_before(const struct schedule *was)
{
	if (was->policy >= 0)
		sched_setscheduler(0, was->policy, &was->param);
}

/* Until req->start_ns; the clock is read right before the fork. */
static int wait_start(const struct measure_req *req, int64_t *ret_start_ns,
		      struct err *err)
{
	const struct proc none = {.pidfd = -1};

	if (req->start_ns > clock_mono_ns()) {
		struct schedule was;
		enum why why;

		wake_first(&was);
		why = wait_for(&none, req->start_ns - SLEEP_NS, req->stop_fd,
			       req->term_fd);
		while (why == DEADLINE && clock_sleep_until(req->start_ns) == -EINTR)
			;
		wake_as_before(&was);
		if (why != DEADLINE) {
			*ret_start_ns = 0;
			return err_set(err, -ECANCELED, "stopped before the start");
		}
	}
	*ret_start_ns = clock_mono_ns();
	return 0;
}

/* In a cage wherever one may be built; a cage that fails then is an error. */
static int spawn_caged(const struct measure_req *req, struct proc_spec *spec,
		       struct proc *ret, struct measure_end *end, struct err *err)
{
	cleanup(cage_done) struct cage cage = {0};
	cleanup_free char *fio = NULL;
	const char *const writable[] = {req->cwd, req->data_top, NULL};
	struct cage_spec cage_spec = {.writable = writable};
	int r;

	end->was_caged = cage_is_allowed(NULL) == 0;
	fio = realpath(req->fio_path, NULL);
	if (!fio)
		return err_errno(err, -errno, "%s", req->fio_path);
	spec->path = cage_spec.program = fio;
	spec->no_new_privs = true;
	if (end->was_caged) {
		r = cage_plan(&cage_spec, &cage, err);
		if (r < 0)
			return r;
		spec->cage = &cage;
	}
	r = wait_start(req, &end->start_ns, err);
	return r < 0 ? r : proc_spawn(spec, ret, err);
}

static int spawn_fio(const struct measure_req *req, struct proc *ret,
		     struct measure_end *end, struct err *err)
{
	cleanup_free char *output = xasprintf("--output=%s", req->output_path);
	cleanup_close int console_fd =
		req->console_path ? open(req->console_path,
					 O_WRONLY | O_CREAT | O_TRUNC | O_APPEND |
						 O_NOFOLLOW | O_CLOEXEC,
					 0600)
				  : -1;
	cleanup_free char *group = group_name(GROUP_FIO, req->cwd);
	bool is_layout = req->mode == MEASURE_LAYOUT;
	const char *const argv[] = {"fio",
				    "--output-format=json+",
				    "--lat_percentiles=1",
				    "--eta=never",
				    alloc_size,
				    output,
				    is_layout ? "--create_only=1" : req->job_path,
				    is_layout ? req->job_path : NULL,
				    NULL};
	struct proc_spec spec = {
		.argv = argv,
		.cwd = req->cwd,
		.stdout_fd = console_fd,
		.stderr_fd = console_fd,
	};
	int r;

	if (req->console_path && console_fd < 0)
		return err_errno(err, -errno, "%s", req->console_path);
	spec.cgroup_fd = req->cgroup ? cgroup_open(req->cgroup, group, err) : 0;
	if (spec.cgroup_fd < 0)
		return spec.cgroup_fd;
	r = spawn_caged(req, &spec, ret, end, err);
	if (spec.cgroup_fd > 0)
		close(spec.cgroup_fd);
	return r;
}

/* SIGINT and the time to write the JSON; preemption in the meantime shortens it. */
static enum why ask_to_end(const struct proc *p, enum why why, int term_fd)
{
	int64_t begin_ns = clock_mono_ns();

	proc_signal(p, SIGINT);
	if (why != TERM) {
		why = wait_for(p, begin_ns + stop_grace_ns, -1, term_fd);
		if (why != TERM)
			return why;
	}
	return wait_for(p, begin_ns + term_grace_ns, -1, -1);
}

static void abort_mount(const struct measure_req *req, struct measure_end *ret)
{
	if (!req->mount || !req->mount->is_mounted)
		return;
	mount_abort(req->mount, NULL);
	ret->was_mount_aborted = true;
}

static void reap(struct proc *p, int64_t deadline_ns, struct measure_end *ret)
{
	struct proc_end end = {0};

	if (!p->pid || proc_wait(p, deadline_ns, -1, &end, NULL) < 0 || !end.exited)
		return;
	ret->exit_status = end.exit_status;
	ret->signal = end.signal;
}

/* Nothing of fio may go on: a job process would write into the next measurement. */
static int end_all(const struct measure_req *req, struct proc *p, struct measure_end *ret,
		   struct err *err)
{
	static const struct cgroup none;
	const struct cgroup *cg = req->cgroup ? req->cgroup : &none;
	cleanup_free char *group = group_name(GROUP_FIO, req->cwd);
	struct err first = {0};
	int r;

	if (p->pid) {
		if (req->mount && !mount_answers(req->mount, answer_ns))
			abort_mount(req, ret);
		proc_signal(p, SIGKILL);
		reap(p, clock_mono_ns() + kill_ns, ret);
	}
	cgroup_kill(cg, group, NULL);
	r = proc_kill_tree(p, &first);
	/* statfs may be answered while reads are not */
	if (r == -EBUSY && !ret->was_mount_aborted) {
		abort_mount(req, ret);
		reap(p, clock_mono_ns() + kill_ns, ret);
		err_clear(&first);
		r = proc_kill_tree(p, &first);
	}
	if (r == 0)
		r = cgroup_end(cg, group, clock_mono_ns() + kill_ns, &first);
	return r < 0 ? err_set(err, r, "fio: %s", first.text) : 0;
}

int measure_run(const struct measure_req *req, struct measure_end *ret, struct err *err)
{
	struct proc p = {0};
	enum why why;
	int r;

	*ret = (struct measure_end){.exit_status = -1};
	r = spawn_fio(req, &p, ret, err);
	if (r < 0) {
		ret->start_ns = 0;
		return r;
	}
	if (req->monitor)
		monitor_attach(req->monitor, p.pid, ret->start_ns);
	why = wait_for(&p, req->deadline_ns, req->stop_fd, req->term_fd);
	ret->how = why == ENDED	     ? MEASURE_EXITED
		   : why == DEADLINE ? MEASURE_TIMEOUT
				     : MEASURE_STOPPED;
	if (why != ENDED)
		why = ask_to_end(&p, why, req->term_fd);
	ret->end_ns = clock_mono_ns();
	if (req->monitor)
		monitor_stop(req->monitor);
	if (why == ENDED)
		reap(&p, INT64_MAX, ret);
	return end_all(req, &p, ret, err);
}
