// SPDX-License-Identifier: Apache-2.0
// The machine below a measurement: caches, FUSE settings, host counters, facts.
#ifndef WORKER_KERNEL_H
#define WORKER_KERNEL_H

#include <stdint.h>

#include "core/err.h"
#include "manifests/record.h"

/**
 * kernel_drop_caches() - write back, then drop page cache, dentries and inodes.
 *
 * Runs in a child with a deadline of 120 s (a hung file system makes sync hang);
 * -ECANCELED when @cancel_fd (or -1) became readable.
 * -EPERM: not root, or the kernel refuses: flag "caches_not_dropped", no failure.
 */
int kernel_drop_caches(int cancel_fd, struct err *err);

/** struct kernel_globals - machine-wide FUSE settings; UINT64_MAX = the kernel has none.
 */
struct kernel_globals {
	uint64_t max_pages_limit;
};

/** kernel_globals_read() - once at the worker's start, before the first mount. */
void kernel_globals_read(struct kernel_globals *ret);

/** kernel_globals_restore() - write back what differs; -EPERM when it may not. */
int kernel_globals_restore(const struct kernel_globals *want, struct err *err);

/** kernel_settings_init() - all null, as for kind dir. */
void kernel_settings_init(struct kernel_settings *ret);

/** kernel_settings_read() - of the FUSE mount with this st_dev, through sysfs only: never
 * touches the mount. What cannot be read is null. */
void kernel_settings_read(unsigned dev_major, unsigned dev_minor,
			  struct kernel_settings *ret);

/** struct kernel_host - counters since boot; INT64_MIN = not available. */
struct kernel_host {
	int64_t oom_kill, pswpin, pswpout, pgmajfault, tcp_out_segs, tcp_retrans_segs;
	int64_t clock_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
};

void kernel_host_read(struct kernel_host *ret);

/** kernel_host_delta() - fills rec->host; clock_step_ns = how far the wall clock was
 * moved in between (slewing included). */
void kernel_host_delta(const struct kernel_host *start, const struct kernel_host *end,
		       struct step_record *rec);

/**
 * kernel_clock_stepped() - was the wall clock stepped, and not just slewed, by @step_ns
 * in
 * @over_ns? adjtime(3) slews by at most 500 ppm; twice that and 100 ms are let pass.
 */
bool kernel_clock_stepped(int64_t step_ns, int64_t over_ns);

/**
 * kernel_facts() - fills kernel, cpus, mem_bytes, nic_bytes_per_s (fastest physical
 * link), accel, and machine_type from the firmware's product name if it is still empty.
 */
void kernel_facts(struct provenance *prov);

#endif
