// SPDX-License-Identifier: Apache-2.0
// Calls that may hang for ever, made by a child with a deadline.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "core/proc.h"
#include "core/proc_impl.h"

/* A child that answered ends at once; SIGKILL takes this long unless it is in state D. */
static const int64_t end_ns = 100LL * NS_PER_MS;

struct answer {
	int r;
	_Alignas(16) unsigned char bytes[PROC_CALL_MAX_BYTES]; /* any type fits */
};

/* Below PIPE_BUF, so that one write is one read. */
_Static_assert(sizeof(struct answer) <= 4096, "an answer must be one pipe write");

static _Noreturn void child_answer(proc_call_fn *fn, const void *arg, size_t n, int fd,
				   pid_t parent)
{
	struct answer a = {0};

	proc_child_reset(parent);
	/* a hung child must keep nobody else's pipe open */
	if (dup2(fd, 0) < 0 || syscall(SYS_close_range, 1U, ~0U, 0) < 0)
		_exit(126);
	a.r = fn(arg, a.bytes, n);
	if (write(0, &a, sizeof(a)) < 0)
		_exit(126);
	_exit(0);
}

static int read_answer(int fd, int cancel_fd, int64_t deadline_ns, struct answer *a)
{
	struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
				{.fd = cancel_fd, .events = POLLIN}};
	ssize_t n;

	for (;;) {
		int64_t left = deadline_ns - clock_mono_ns();
		struct timespec ts = {0};

		if (left > 0)
			ts = (struct timespec){left / NS_PER_S, left % NS_PER_S};
		if (ppoll(fds, 2, &ts, NULL) > 0)
			break;
		if (left <= 0)
			return -ETIMEDOUT;
	}
	if (!fds[0].revents)
		return -ECANCELED;
	do
		n = read(fd, a, sizeof(*a));
	while (n < 0 && errno == EINTR);
	return n == sizeof(*a) ? 0 : -EIO;
}

static void end_child(pid_t pid, int pidfd)
{
	if (!proc_poll_pidfd(pidfd, clock_mono_ns() + end_ns)) {
		proc_pidfd_signal(pidfd, SIGKILL);
		if (!proc_poll_pidfd(pidfd, clock_mono_ns() + end_ns)) {
			proc_leak(pid);
			close(pidfd);
			return;
		}
	}
	waitpid(pid, NULL, 0);
	proc_unregister(pid);
	close(pidfd);
}

int proc_call_deadline(proc_call_fn *fn, const void *arg, void *ret, size_t n,
		       int64_t deadline_ns, int cancel_fd)
{
	pid_t parent = getpid();
	int fds[2], pidfd = -1, r;
	struct answer a;
	pid_t pid;

	if (n > sizeof(a.bytes))
		return -EINVAL;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = proc_fork(&pidfd, NULL);
	if (pid == 0)
		child_answer(fn, arg, n, fds[1], parent);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return pid;
	}
	r = read_answer(fds[0], cancel_fd, deadline_ns, &a);
	close(fds[0]);
	if (r < 0)
		proc_pidfd_signal(pidfd, SIGKILL);
	end_child(pid, pidfd);
	if (r < 0)
		return r;
	if (n)
		memcpy(ret, a.bytes, n);
	return a.r;
}
