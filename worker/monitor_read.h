// SPDX-License-Identifier: Apache-2.0
// Shared by monitor.c and monitor_read.c alone: one row, and how it is read.
#ifndef WORKER_MONITOR_READ_H
#define WORKER_MONITOR_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The CSV's columns after t_ns, in its order. */
enum monitor_field {
	F_GCSFUSE_CPU,
	F_GCSFUSE_RSS,
	F_GCSFUSE_THREADS,
	F_FIO_CPU,
	F_SYS_BUSY,
	F_SYS_IOWAIT,
	F_SYS_STEAL,
	F_NET_RX,
	F_NET_TX,
	F_LO_RX,
	F_CACHED,
	F_DIRTY,
	F_FUSE_WAITING,
	F_COUNT,
};

#define MONITOR_NONE UINT64_MAX /* no value: an empty field */

struct monitor_row {
	int64_t t_ns;	 /* since fio's fork */
	int64_t late_ns; /* after the row was due */
	uint64_t v[F_COUNT];
};

enum { FIO_PROCESSES_MAX = 4096, READ_CAP = 64 << 10 };

/* A fio process: its CPU clock stays countable after its end. */
struct fio_process {
	pid_t pid;
	bool is_dead;
	uint64_t cpu_ns; /* as last read */
};

/* Everything that is open and remembered between rows; no allocation after init. */
struct monitor_source {
	int stat_fd, net_fd, mem_fd, connection_fd, gcsfuse_fd, children_fd;
	int gcsfuse_tasks_fd;
	pid_t gcsfuse_pid;
	uint64_t gcsfuse_cpu_ns; /* as last read */
	uint64_t tick_ns, page_bytes;
	size_t n_fio;
	struct fio_process fio[FIO_PROCESSES_MAX];
	char buf[READ_CAP];
};

/** monitor_source_init() - open what is there; what is not gives empty fields. */
void monitor_source_init(struct monitor_source *s, pid_t gcsfuse_pid, int fuse_minor);
void monitor_source_done(struct monitor_source *s);

/** monitor_source_fio() - fio's main process is known now. */
void monitor_source_fio(struct monitor_source *s, pid_t pid);

/** monitor_source_discover() - look for fio's new job processes. */
void monitor_source_discover(struct monitor_source *s);

/* /proc/stat and /proc/meminfo are most of a row's cost, and on machines with many CPUs
 * and interrupts more than that: they are read in every second row, and in the first and
 * the last. */
enum monitor_reading { READ_ALL, READ_CHEAP };

/** monitor_source_read() - fill @v; only reads of open descriptors and clocks. */
void monitor_source_read(struct monitor_source *s, enum monitor_reading what,
			 uint64_t v[F_COUNT]);

#endif
