// SPDX-License-Identifier: Apache-2.0
// Shared by proc.c, proc_tree.c and proc_call.c alone: forking and the register.
#ifndef CORE_PROC_IMPL_H
#define CORE_PROC_IMPL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"

/**
 * proc_fork() - fork with every signal blocked, and register the child before anybody
 * can look for orphans. Returns as fork(); the child goes on with proc_child_reset().
 */
pid_t proc_fork(int *ret_pidfd, struct err *err);

/** proc_child_reset() - in the child: default signals, dies with its parent thread, and
 * may be killed for memory. */
void proc_child_reset(pid_t parent);

/** proc_lock() - nobody forks or changes the register while it is held. */
void proc_lock(void);
void proc_unlock(void);
/** proc_is_registered() - under proc_lock(). */
bool proc_is_registered(pid_t pid);

/** proc_leak() - a registered child that would not die: reaped when it does. */
void proc_leak(pid_t pid);

/** proc_poll_pidfd() - wait for the end of a process; 1 ended, 0 deadline. */
int proc_poll_pidfd(int pidfd, int64_t deadline_ns);

/** proc_pidfd_open() - pidfd_open(2); -errno. */
int proc_pidfd_open(pid_t pid);
/** proc_pidfd_signal() - pidfd_send_signal(2); -errno. */
int proc_pidfd_signal(int pidfd, int sig);

#endif
