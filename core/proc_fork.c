// SPDX-License-Identifier: Apache-2.0
// Forking safely in a program with threads, and the register of live children.
#include "core/proc_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/proc.h"

/*
 * The register is process-wide because what it describes is: orphans are given to the
 * process, and only what is in here tells them from children somebody still wants.
 */
enum { REGISTER_MAX = 256 };
static struct {
	pthread_mutex_t lock;
	pid_t pids[REGISTER_MAX];
	bool is_leaked[REGISTER_MAX];
} live = {.lock = PTHREAD_MUTEX_INITIALIZER};

void proc_lock(void)
{
	pthread_mutex_lock(&live.lock);
}

void proc_unlock(void)
{
	pthread_mutex_unlock(&live.lock);
}

static int slot_of(pid_t pid)
{
	for (int i = 0; i < REGISTER_MAX; i++)
		if (live.pids[i] == pid)
			return i;
	return -1;
}

bool proc_is_registered(pid_t pid)
{
	return slot_of(pid) >= 0;
}

static bool register_locked(pid_t pid)
{
	int i = slot_of(0);

	if (i < 0)
		return false;
	live.pids[i] = pid;
	live.is_leaked[i] = false;
	return true;
}

void proc_register(pid_t pid)
{
	proc_lock();
	register_locked(pid);
	proc_unlock();
}

void proc_unregister(pid_t pid)
{
	int i;

	proc_lock();
	i = slot_of(pid);
	if (pid > 0 && i >= 0)
		live.pids[i] = 0;
	proc_unlock();
}

void proc_leak(pid_t pid)
{
	int i;

	proc_lock();
	i = slot_of(pid);
	if (i >= 0)
		live.is_leaked[i] = true;
	proc_unlock();
}

static void reap_leaked_locked(void)
{
	for (int i = 0; i < REGISTER_MAX; i++)
		if (live.pids[i] && live.is_leaked[i] &&
		    waitpid(live.pids[i], NULL, WNOHANG) != 0)
			live.pids[i] = 0;
}

int proc_pidfd_open(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

int proc_pidfd_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

/* Parent's side: a child nobody could wait for or find again must not exist. */
static pid_t adopt_locked(pid_t pid, int *ret_pidfd, struct err *err)
{
	int fd = proc_pidfd_open(pid);

	if (fd >= 0 && register_locked(pid)) {
		*ret_pidfd = fd;
		return pid;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (fd < 0)
		return err_errno(err, fd, "pidfd_open");
	close(fd);
	return err_set(err, -EAGAIN, "more than %d children", REGISTER_MAX);
}

pid_t proc_fork(int *ret_pidfd, struct err *err)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	proc_lock();
	reap_leaked_locked();
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		return 0;
	if (pid < 0)
		pid = err_errno(err, -errno, "fork");
	else
		pid = adopt_locked(pid, ret_pidfd, err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	proc_unlock();
	return pid;
}

/* The service's protection is the worker's: what it starts shall be killed before it. */
static void reset_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char sign = '0';

	if (fd < 0)
		return;
	/* raising needs no privilege; a value above 0 is somebody's intention */
	if (read(fd, &sign, 1) == 1 && sign == '-' && pwrite(fd, "0", 1, 0) < 0)
		errno = 0;
	close(fd);
}

void proc_child_reset(pid_t parent)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	/* handlers of the parent must not run here: all is blocked until they are gone */
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	reset_oom();
	if (getppid() != parent)
		_exit(127);
}

int proc_poll_pidfd(int pidfd, int64_t deadline_ns)
{
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};

	for (;;) {
		int64_t left = deadline_ns - clock_mono_ns();
		struct timespec ts = {0};

		if (left > 0)
			ts = (struct timespec){left / NS_PER_S, left % NS_PER_S};
		if (ppoll(&pfd, 1, &ts, NULL) > 0)
			return 1;
		if (left <= 0)
			return 0;
	}
}
