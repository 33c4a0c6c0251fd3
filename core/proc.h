// SPDX-License-Identifier: Apache-2.0
// Children: start with nothing inherited, wait with a deadline, kill with descendants.
#ifndef CORE_PROC_H
#define CORE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/str.h"

struct cage;

/** PROC_ENV_BASE - every child's environment begins with these two, in this order: the
 * guardian (worker/guard.h) knows a child of ours by them. */
#define PROC_ENV_BASE "LC_ALL=C", "TZ=UTC"

/** struct proc - a child; zero when there is none. Embed it, init by proc_spawn(). */
struct proc {
	pid_t pid; /* 0 = none, or waited for */
	int pidfd; /* readable when the child has ended; meaningless while pid is 0 */
};

/**
 * struct proc_spec - what to start. Everything is borrowed; 0 means the default.
 *
 * The child gets its own process group, the default signal mask and dispositions,
 * umask 077, /dev/null as stdin, no other descriptor, and SIGKILL when the *thread* that
 * started it ends: start children from the main thread. When this process is protected
 * from the OOM killer (a negative oom_score_adj), the child is not.
 */
struct proc_spec {
	const char *path; /* absolute, or a name without '/' looked up in PATH */
	int exec_fd;	  /* > 0: this open file is executed, @path only names it */
	const char *const *argv;  /* NULL-ended, argv[0] included */
	const char *const *envp;  /* NULL-ended, exact; NULL = PROC_ENV_BASE alone */
	const char *cwd;	  /* NULL = the caller's */
	int stdout_fd, stderr_fd; /* <= 0: /dev/null */
	int cgroup_fd;		  /* > 0: an open cgroup.procs the child moves into */
	bool no_new_privs;	  /* no set-user-ID program, no file capability counts */
	const struct cage *cage;  /* NULL = none; includes no_new_privs, @cwd is inside */
	int cancel_fd; /* > 0: proc_run_capture() gives up when it is readable */
};

/** struct proc_end - how a wait ended; exactly one of the first three is true. */
struct proc_end {
	bool exited;	 /* the child is gone and reaped */
	bool timed_out;	 /* it still runs */
	bool cancelled;	 /* it still runs; @cancel_fd became readable */
	int exit_status; /* of an exited child; -1 when a signal ended it */
	int signal;	 /* 0 = none */
};

/** proc_init() - once, before the first child: orphans of our children come to us. */
int proc_init(struct err *err);

/**
 * proc_find() - the absolute path of program @name in PATH; -ENOENT.
 *
 * @ret: the caller's malloc'd memory
 */
int proc_find(const char *name, char **ret, struct err *err);

/**
 * proc_spawn() - start a child and enter it into the register of live children.
 *
 * A script executed by descriptor keeps that one descriptor open (its interpreter
 * opens it as /dev/fd/N). A failed exec is reported here, with its errno.
 */
int proc_spawn(const struct proc_spec *spec, struct proc *ret, struct err *err);

/**
 * proc_wait() - until the child ends, the deadline passes or @cancel_fd is readable.
 *
 * @deadline_ns: CLOCK_MONOTONIC; INT64_MAX = none
 * @cancel_fd: -1 = none; not read from
 *
 * After exited, @p is zero: its pid may be somebody else's. Returns 0 or -errno of poll.
 */
int proc_wait(struct proc *p, int64_t deadline_ns, int cancel_fd, struct proc_end *ret,
	      struct err *err);

/** proc_poll() - like proc_wait(), but nothing is reaped: has it ended? */
bool proc_poll(const struct proc *p, int64_t deadline_ns);

/** proc_signal() - -ESRCH when it has ended already. */
int proc_signal(const struct proc *p, int sig);

/**
 * proc_kill_tree() - SIGKILL the child and every descendant, in a session of its own or
 * not, and reap them. Also the way to get rid of what a child left behind: @p may be
 * zero.
 *
 * Processes that became our children without being in the register are descendants of
 * the dead and are killed too; registered children and what they started stay.
 *
 * -EBUSY: some were still there after 2 s (state D: a hung mount); @err names them. Call
 * again after the cause is gone. @p is zero after a success.
 */
int proc_kill_tree(struct proc *p, struct err *err);

/** proc_count_tree() - live descendants proc_kill_tree() would kill; for tests. */
size_t proc_count_tree(const struct proc *p);

/** proc_register() - a child started by other means is not to be killed as an orphan. */
void proc_register(pid_t pid);
void proc_unregister(pid_t pid);

/**
 * proc_run_capture() - run a short tool; its stdout and stderr, in order, in @out.
 *
 * @spec: its stdout_fd and stderr_fd are ignored
 * @out: appended to, up to its maximum; the rest is read and dropped (out->failed)
 *
 * -ETIMEDOUT, -ECANCELED: killed with its descendants. A nonzero exit status is data: see
 * @ret_end.
 */
int proc_run_capture(const struct proc_spec *spec, int64_t deadline_ns, struct str *out,
		     struct proc_end *ret_end, struct err *err);

enum { PROC_CALL_MAX_BYTES = 2048 };

/**
 * proc_call_fn - runs in a forked child without descriptors: async-signal-safe calls
 * only (other threads' locks are not released there). Fills @ret (@n bytes, zeroed).
 * Returns 0 or -errno.
 */
typedef int proc_call_fn(const void *arg, void *ret, size_t n);

/**
 * proc_call_deadline() - run @fn where it may hang (any stat on a mount).
 *
 * @n: <= PROC_CALL_MAX_BYTES
 *
 * Returns what @fn returned, or -ETIMEDOUT; -ECANCELED when @cancel_fd became readable.
 * A child that SIGKILL does not end at once (state D) is left behind and reaped by a
 * later call into this module.
 */
int proc_call_deadline(proc_call_fn *fn, const void *arg, void *ret, size_t n,
		       int64_t deadline_ns, int cancel_fd);

#endif
