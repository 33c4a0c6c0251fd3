// SPDX-License-Identifier: Apache-2.0
// The monitor's rows after the measurement: CSV, averages and peaks, jitter.
#ifndef WORKER_MONITOR_ROWS_H
#define WORKER_MONITOR_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "manifests/record.h"
#include "worker/monitor.h"
#include "worker/monitor_read.h"

struct monitor_rows {
	struct monitor_row *rows; /* owned */
	size_t n, cap;
	unsigned lost; /* due, but not taken: late thread or no room */
};

/** monitor_rows_init() - reserve and touch room for @cap rows; -ENOMEM. */
int monitor_rows_init(struct monitor_rows *rows, size_t cap, struct err *err);
void monitor_rows_done(struct monitor_rows *rows);

/** monitor_rows_write_csv() - counters from the first row on, gauges as read. */
int monitor_rows_write_csv(const struct monitor_rows *rows, const char *path,
			   struct err *err);

/** monitor_rows_stats() - see monitor_stats(). */
void monitor_rows_stats(const struct monitor_rows *rows, int64_t period_ns,
			struct step_record *rec);

/** monitor_rows_jitter() - fills the two jitter fields. */
void monitor_rows_jitter(const struct monitor_rows *rows, struct monitor_cost *ret);

#endif
