// SPDX-License-Identifier: Apache-2.0
// Children with a clean slate: start, wait with a deadline, capture a tool's output.
#include "core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/cage.h"
#include "core/clock.h"
#include "core/proc_impl.h"

static const char *const base_env[] = {PROC_ENV_BASE, NULL};

int proc_init(struct err *err)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_errno(err, -errno, "become the reaper of orphans");
	return 0;
}

int proc_find(const char *name, char **ret, struct err *err)
{
	const char *path = getenv("PATH");

	if (!path || !*path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (const char *end; *path; path = *end ? end + 1 : end) {
		char *file;

		end = strchrnul(path, ':');
		file = xasprintf("%.*s/%s", (int)(end - path), path, name);
		if (file[0] == '/' && access(file, X_OK) == 0) {
			*ret = file;
			return 0;
		}
		free(file);
	}
	return err_set(err, -ENOENT, "%s: not found in PATH", name);
}

/* Where a child failed before its exec, told through a pipe that exec closes. */
enum child_stage { STAGE_FDS, STAGE_CGROUP, STAGE_CAGE, STAGE_CWD, STAGE_EXEC };
struct child_failure {
	enum child_stage stage;
	int error;
	const char *what; /* of the cage: memory before the fork is the same in both */
};

struct child {
	const struct proc_spec *spec;
	const char *path;
	const char *const *envp;
	pid_t parent;
	bool is_script;
	int status_fd, null_fd;
};

/*
 * Everything below runs between fork and exec: async-signal-safe calls only. Descriptors
 * that matter are first moved above those they could be overwritten by.
 */
static int child_fds(const struct child *c, int *ret_exec, int *ret_status)
{
	const struct proc_spec *s = c->spec;
	int in = fcntl(c->null_fd, F_DUPFD_CLOEXEC, 10);
	int out = fcntl(s->stdout_fd > 0 ? s->stdout_fd : in, F_DUPFD_CLOEXEC, 10);
	int err = fcntl(s->stderr_fd > 0 ? s->stderr_fd : in, F_DUPFD_CLOEXEC, 10);

	*ret_status = fcntl(c->status_fd, F_DUPFD_CLOEXEC, 10);
	*ret_exec = s->exec_fd > 0 ? fcntl(s->exec_fd, F_DUPFD_CLOEXEC, 10) : -1;
	if (in < 0 || out < 0 || err < 0 || *ret_status < 0 ||
	    (s->exec_fd > 0 && *ret_exec < 0) || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(err, 2) < 0)
		return -1;
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	/* the interpreter opens the script as /dev/fd/N after the exec */
	if (c->is_script && fcntl(*ret_exec, F_SETFD, 0) < 0)
		return -1;
	return 0;
}

static int child_cage(const struct proc_spec *s, const char **what)
{
	int r;

	if (!s->cage)
		return s->no_new_privs ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
	r = cage_enter(s->cage, what);
	if (r < 0)
		errno = -r;
	return r;
}

static _Noreturn void child_run(const struct child *c)
{
	const struct proc_spec *s = c->spec;
	struct child_failure failure = {.stage = STAGE_FDS};
	int exec_fd = -1, status_fd = c->status_fd;
	char *const *argv = (char *const *)s->argv;
	char *const *envp = (char *const *)c->envp;

	proc_child_reset(c->parent);
	setpgid(0, 0);
	umask(077);
	if (child_fds(c, &exec_fd, &status_fd) < 0)
		goto fail;
	/* before the namespaces: the kernel looks at who may from where it is */
	failure.stage = STAGE_CGROUP;
	if (s->cgroup_fd > 0 && write(s->cgroup_fd, "0", 1) < 0)
		goto fail;
	failure.stage = STAGE_CAGE;
	if (child_cage(s, &failure.what) < 0)
		goto fail;
	failure.stage = STAGE_CWD;
	if (s->cwd && chdir(s->cwd) < 0)
		goto fail;
	failure.stage = STAGE_EXEC;
	if (exec_fd >= 0)
		syscall(SYS_execveat, exec_fd, "", argv, envp, AT_EMPTY_PATH);
	else
		execve(c->path, argv, envp);
fail:
	failure.error = errno;
	if (write(status_fd, &failure, sizeof(failure)) < 0)
		_exit(126);
	_exit(127);
}

static int spawn_failure(const struct child *c, const struct child_failure *f,
			 struct err *err)
{
	switch (f->stage) {
	case STAGE_CWD:
		return err_errno(err, -f->error, "%s: folder %s", c->path, c->spec->cwd);
	case STAGE_FDS:
		return err_errno(err, -f->error, "%s: descriptors", c->path);
	case STAGE_CGROUP:
		return err_errno(err, -f->error, "%s: enter its control group", c->path);
	case STAGE_CAGE:
		return err_errno(err, -f->error, "%s: cage: %s", c->path,
				 f->what ? f->what : "refuse new privileges");
	case STAGE_EXEC:
		break;
	}
	return err_errno(err, -f->error, "run %s", c->path);
}

static int spawn(struct child *c, struct proc *ret, struct err *err)
{
	struct child_failure failure;
	int fds[2], pidfd = -1;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "pipe");
	c->status_fd = fds[1];
	c->parent = getpid();
	pid = proc_fork(&pidfd, err);
	if (pid == 0)
		child_run(c);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return pid;
	}
	do
		n = read(fds[0], &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	close(fds[0]);
	if (n == sizeof(failure)) {
		waitpid(pid, NULL, 0);
		proc_unregister(pid);
		close(pidfd);
		return spawn_failure(c, &failure, err);
	}
	*ret = (struct proc){.pid = pid, .pidfd = pidfd};
	return 0;
}

int proc_spawn(const struct proc_spec *spec, struct proc *ret, struct err *err)
{
	cleanup_close int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	cleanup_free char *found = NULL;
	struct child c = {
		.spec = spec,
		.path = spec->path ? spec->path : spec->argv[0],
		.envp = spec->envp ? spec->envp : base_env,
		.null_fd = null_fd,
	};
	char magic[2];
	int r;

	if (null_fd < 0)
		return err_errno(err, -errno, "/dev/null");
	if (spec->exec_fd > 0) {
		c.is_script = pread(spec->exec_fd, magic, 2, 0) == 2 &&
			      memcmp(magic, "#!", 2) == 0;
	} else if (!strchr(c.path, '/')) {
		r = proc_find(c.path, &found, err);
		if (r < 0)
			return r;
		c.path = found;
	}
	return spawn(&c, ret, err);
}

static int reap(struct proc *p, struct proc_end *end, struct err *err)
{
	siginfo_t si = {0};

	while (waitid(P_PIDFD, (id_t)p->pidfd, &si, WEXITED) < 0)
		if (errno != EINTR)
			return err_errno(err, -errno, "wait for process %d", p->pid);
	end->exited = true;
	if (si.si_code == CLD_EXITED)
		end->exit_status = si.si_status;
	else
		end->signal = si.si_status;
	proc_unregister(p->pid);
	close(p->pidfd);
	*p = (struct proc){0};
	return 0;
}

static struct timespec time_left(int64_t deadline_ns)
{
	int64_t left = deadline_ns - clock_mono_ns();

	if (left < 0)
		left = 0;
	return (struct timespec){left / NS_PER_S, left % NS_PER_S};
}

int proc_wait(struct proc *p, int64_t deadline_ns, int cancel_fd, struct proc_end *ret,
	      struct err *err)
{
	struct pollfd fds[2] = {{.fd = p->pidfd, .events = POLLIN},
				{.fd = cancel_fd, .events = POLLIN}};

	*ret = (struct proc_end){.exit_status = -1};
	if (!p->pid)
		return err_set(err, -ESRCH, "wait: no such child");
	for (;;) {
		struct timespec ts = time_left(deadline_ns);
		int n = ppoll(fds, 2, deadline_ns == INT64_MAX ? NULL : &ts, NULL);

		if (n < 0 && errno != EINTR)
			return err_errno(err, -errno, "poll");
		if (n > 0 && fds[0].revents)
			return reap(p, ret, err);
		if (n > 0) {
			ret->cancelled = true;
			return 0;
		}
		if (n == 0) {
			ret->timed_out = true;
			return 0;
		}
	}
}

bool proc_poll(const struct proc *p, int64_t deadline_ns)
{
	return !p->pid || proc_poll_pidfd(p->pidfd, deadline_ns);
}

int proc_signal(const struct proc *p, int sig)
{
	return p->pid ? proc_pidfd_signal(p->pidfd, sig) : -ESRCH;
}

/* Read what is there; false at the end of the pipe. */
static bool drain(int fd, struct str *out)
{
	char buf[4096];

	for (;;) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n > 0)
			str_addn(out, buf, (size_t)n);
		else if (n == 0 || errno != EINTR)
			return n < 0 && errno == EAGAIN;
	}
}

/* Until the child ends: what its own children still write is not waited for. */
static int capture(struct proc *p, int fd, int64_t deadline_ns, int cancel_fd,
		   struct str *out, struct proc_end *end, struct err *err)
{
	struct pollfd fds[3] = {{.fd = p->pidfd, .events = POLLIN},
				{.fd = fd, .events = POLLIN},
				{.fd = cancel_fd > 0 ? cancel_fd : -1, .events = POLLIN}};

	for (;;) {
		struct timespec ts = time_left(deadline_ns);
		int n = ppoll(fds, 3, deadline_ns == INT64_MAX ? NULL : &ts, NULL);

		if (n < 0 && errno != EINTR)
			return err_errno(err, -errno, "poll");
		if (n > 0 && fds[1].revents && !drain(fd, out))
			fds[1].fd = -1;
		if (n > 0 && fds[0].revents) {
			drain(fd, out);
			return proc_wait(p, INT64_MAX, -1, end, err);
		}
		if (n > 0 && fds[2].revents)
			return -ECANCELED;
		if (n == 0)
			return -ETIMEDOUT;
	}
}

int proc_run_capture(const struct proc_spec *spec, int64_t deadline_ns, struct str *out,
		     struct proc_end *ret_end, struct err *err)
{
	struct proc_spec piped = *spec;
	const char *name = spec->path ? spec->path : spec->argv[0];
	struct proc p = {0};
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "pipe");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	piped.stdout_fd = piped.stderr_fd = fds[1];
	r = proc_spawn(&piped, &p, err);
	close(fds[1]);
	if (r == 0)
		r = capture(&p, fds[0], deadline_ns, spec->cancel_fd, out, ret_end, err);
	close(fds[0]);
	if (r < 0 && p.pid) {
		proc_kill_tree(&p, NULL);
		err_set(err, r, "%s did not end in time", name);
	}
	return r;
}
