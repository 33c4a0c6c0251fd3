// SPDX-License-Identifier: Apache-2.0
// The guardian process, and the sweep it makes when its worker is gone.
#include "worker/guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/cgroup.h"
#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"
#include "worker/groups.h"
#include "worker/mount.h"

static const int64_t previous_ns = 10LL * NS_PER_S;
static const int64_t sweep_ns = 2LL * NS_PER_S;

static int open_lock(const char *workspace, struct err *err)
{
	cleanup_free char *path = xasprintf("%s/guard.lock", workspace);
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_errno(err, -errno, "%s", path) : fd;
}

static int child_flock(const void *arg, void *ret, size_t n)
{
	int fd = open(arg, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	(void)ret, (void)n;
	return fd < 0 || flock(fd, LOCK_EX) < 0 ? -errno : 0;
}

int guard_wait_previous(const char *workspace, struct err *err)
{
	cleanup_free char *path = xasprintf("%s/guard.lock", workspace);
	cleanup_close int fd = open_lock(workspace, err);
	int r;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	/* only a blocking flock tells when; it has no deadline of its own */
	r = proc_call_deadline(child_flock, path, NULL, 0, clock_mono_ns() + previous_ns,
			       -1);
	if (r == -ETIMEDOUT)
		return err_set(err, r, "an earlier worker's guardian still cleans %s",
			       workspace);
	return r < 0 ? err_errno(err, r, "%s", path) : 0;
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* A child of a worker: its folder is below the workspace and its environment begins as
 * children's does. A person's shell standing there has another one. */
static bool is_ours(int proc_fd, const char *pid, const char *workspace)
{
	static const char *const base[] = {PROC_ENV_BASE};
	char name[64], cwd[PATH_MAX], env[64] = "", *at = env;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s/cwd", pid);
	n = readlinkat(proc_fd, name, cwd, sizeof(cwd) - 1);
	if (n <= 0)
		return false;
	cwd[n] = '\0';
	if (!is_below(cwd, workspace))
		return false;
	snprintf(name, sizeof(name), "%s/environ", pid);
	fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, env, sizeof(env) - 1);
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(base); i++) {
		if (n <= 0 || strcmp(at, base[i]) != 0)
			return false;
		at += strlen(at) + 1;
	}
	return true;
}

enum { BATCH = 64 };

/* SIGKILL one of ours through a pidfd, so that a reused pid is safe; -1 = none of ours.
 */
static int kill_one(int proc_fd, const char *name, const char *workspace)
{
	uint64_t pid;
	int fd;

	if (parse_u64(name, &pid, NULL) < 0 || (pid_t)pid == getpid() ||
	    !is_ours(proc_fd, name, workspace))
		return -1;
	fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd < 0)
		return -1;
	if (!is_ours(proc_fd, name, workspace)) {
		close(fd);
		return -1;
	}
	syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	return fd;
}

/* One pass over /proc; how many were found. They are waited for after all were killed. */
static size_t kill_ours(const char *workspace, int64_t deadline_ns)
{
	struct pollfd pfds[BATCH];
	DIR *dir = opendir("/proc");
	struct dirent *de;
	size_t n = 0;

	while (dir && n < BATCH && (de = readdir(dir))) {
		int fd = kill_one(dirfd(dir), de->d_name, workspace);

		if (fd >= 0)
			pfds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	for (size_t i = 0; i < n; i++) {
		int64_t left_ns = deadline_ns - clock_mono_ns();

		poll(&pfds[i], 1, left_ns > 0 ? (int)(left_ns / NS_PER_MS) : 0);
		close(pfds[i].fd);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* By force first: what is in a group is found even with another folder or environment. */
static int end_groups(const struct cgroup *cg, int64_t deadline_ns, struct err *err)
{
	int r = cgroup_sweep(cg, GROUP_FIO, deadline_ns, err);
	int r2 = cgroup_sweep(cg, GROUP_GCSFUSE, deadline_ns, r < 0 ? NULL : err);

	return r < 0 ? r : r2;
}

int guard_sweep(const char *workspace, const struct cgroup *cg, struct err *err)
{
	int64_t deadline_ns = clock_mono_ns() + sweep_ns;
	int r, r2;

	/* a process that waits for a mount dies only when the mount is aborted */
	r = mount_sweep(workspace, NULL, err);
	r2 = end_groups(cg, deadline_ns, r < 0 ? NULL : err);
	r = r < 0 ? r : r2;
	/* again until none is left: they may fork */
	while (kill_ours(workspace, deadline_ns) > 0)
		if (clock_mono_ns() >= deadline_ns)
			return err_set(err, -EBUSY,
				       "processes below %s that SIGKILL does not end",
				       workspace);
	if (r == 0)
		r = mount_sweep(workspace, NULL, err);
	return r;
}

/* Waits for the worker's end: a byte is an orderly one, end of file any other. */
static _Noreturn void guardian(const char *workspace, const struct cgroup *cg,
			       int socket_fd, int lock_fd)
{
	int lock = fcntl(lock_fd, F_DUPFD, 10), news = fcntl(socket_fd, F_DUPFD, 10);
	char c;
	ssize_t n;

	/* nothing else stays open, no folder is in use, no terminal's signal comes */
	if (setsid() < 0 || chdir("/") < 0 || dup2(lock, 0) < 0 || dup2(news, 1) < 0 ||
	    syscall(SYS_close_range, 2U, ~0U, 0) < 0)
		_exit(1);
	do
		n = read(1, &c, 1);
	while (n < 0 && errno == EINTR);
	if (n == 0) {
		proc_init(NULL);
		guard_sweep(workspace, cg, NULL);
	}
	_exit(0);
}

static void become_guardian(void)
{
	static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT,
				      SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM};

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "muster-guard");
}

int guard_start(const char *workspace, const struct cgroup *cg, struct guard *ret,
		struct err *err)
{
	cleanup_close int lock_fd = open_lock(workspace, err);
	int fds[2];
	pid_t pid;

	if (lock_fd < 0)
		return lock_fd;
	if (flock(lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_errno(err, -errno, "%s/guard.lock", workspace);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno(err, -errno, "socketpair");
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		become_guardian();
		guardian(workspace, cg, fds[0], lock_fd);
	}
	close(fds[0]);
	if (pid < 0) {
		close(fds[1]);
		return err_errno(err, -errno, "fork");
	}
	proc_register(pid);
	*ret = (struct guard){.pid = pid, .fd = fds[1]};
	return 0;
}

void guard_stop(struct guard *g)
{
	if (!g->pid)
		return;
	/* a guardian that was killed is not missed */
	if (send(g->fd, "q", 1, MSG_NOSIGNAL) < 0)
		errno = 0;
	close(g->fd);
	waitpid(g->pid, NULL, 0);
	proc_unregister(g->pid);
	*g = (struct guard){0};
}
