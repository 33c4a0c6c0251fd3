// SPDX-License-Identifier: Apache-2.0
// The monitor: one thread that reads /proc at a fixed rate while fio runs.
#ifndef WORKER_MONITOR_H
#define WORKER_MONITOR_H

#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "manifests/record.h"

enum { MONITOR_HZ_MAX = 100, MONITOR_ROWS_MAX = 1 << 20 };

struct monitor_req {
	unsigned hz;	   /* 1 to MONITOR_HZ_MAX */
	unsigned max_s;	   /* fio's timeout; room is reserved for it, up to ROWS_MAX */
	pid_t gcsfuse_pid; /* 0 = none (kind dir): its columns stay empty */
	int fuse_minor;	   /* -1 = none */
};

struct monitor;

/** monitor_new() - reserve and touch the memory, open /proc, start the (idle) thread. */
int monitor_new(const struct monitor_req *req, struct monitor **ret, struct err *err);

/**
 * monitor_attach() - fio runs: take the first row now, then one each 1/hz from @fork_ns.
 *
 * @fork_ns: CLOCK_MONOTONIC just before fio's fork; the rows' zero
 *
 * From here to monitor_stop() the thread neither allocates nor locks nor logs.
 * measure_run() calls it.
 */
void monitor_attach(struct monitor *m, pid_t fio_pid, int64_t fork_ns);

/** monitor_stop() - take the last row and end the thread; again is harmless.
 * measure_run() calls it. */
void monitor_stop(struct monitor *m);

/** monitor_write_csv() - after the stop; the file is made new. No sample, no file needed:
 * a monitor never attached writes the header alone. */
int monitor_write_csv(const struct monitor *m, const char *path, struct err *err);

/** monitor_stats() - fills monitor_samples, monitor_lost, columns, n_columns. Averages
 * of counters are over first to last row, peaks over neighbouring rows. */
void monitor_stats(const struct monitor *m, struct step_record *rec);

/** struct monitor_cost - what the monitor itself took. */
struct monitor_cost {
	int64_t cpu_ns;	 /* of the thread, CLOCK_THREAD_CPUTIME_ID, attach to stop */
	int64_t wall_ns; /* attach to stop */
	int64_t jitter_p99_ns; /* row's time after its due time, 99th percentile */
	int64_t jitter_max_ns;
};
void monitor_cost(const struct monitor *m, struct monitor_cost *ret);

/** monitor_free() - stops first; NULL is fine. */
void monitor_free(struct monitor *m);

#endif
