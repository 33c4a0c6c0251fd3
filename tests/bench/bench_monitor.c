// SPDX-License-Identifier: Apache-2.0
// What the monitor costs and how punctual it is, beside their limits.
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/str.h"
#include "worker/monitor.h"

enum { HZ = 10, DEFAULT_S = 10, FIO_JOBS = 4 };

/* Limits: the monitor must not be seen in what it measures. */
static const double cpu_share_max = 0.001;
static const double jitter_p99_max_ms = 2;

int main(int argc, char **argv)
{
	struct monitor_req req = {
		.hz = HZ, .max_s = 60, .gcsfuse_pid = getpid(), .fuse_minor = -1};
	struct monitor_cost cost = {0};
	struct monitor *m = NULL;
	struct err err = {0};
	uint64_t seconds = DEFAULT_S;
	double share, p99_ms;

	if (argc > 1 && parse_u64_range("seconds", argv[1], 1, 600, &seconds, &err) < 0) {
		fprintf(stderr, "bench_monitor: %s\n", err.text);
		return 2;
	}
	for (int i = 0; i < FIO_JOBS; i++)
		if (fork() == 0) {
			poll(NULL, 0, (int)(seconds + 2) * 1000);
			_exit(0);
		}
	if (monitor_new(&req, &m, &err) < 0) {
		fprintf(stderr, "bench_monitor: %s\n", err.text);
		return 1;
	}
	monitor_attach(m, getpid(), clock_mono_ns());
	poll(NULL, 0, (int)seconds * 1000);
	monitor_stop(m);
	monitor_cost(m, &cost);
	monitor_free(m);
	share = (double)cost.cpu_ns / (double)cost.wall_ns;
	p99_ms = (double)cost.jitter_p99_ns / NS_PER_MS;
	printf("monitor at %d Hz, %d job processes, %llu s\n", HZ, FIO_JOBS,
	       (unsigned long long)seconds);
	printf("CPU of one core  %8.4f %%   limit %.4f %%\n", share * 100,
	       cpu_share_max * 100);
	printf("jitter p99       %8.3f ms  limit %.3f ms  (max %.3f ms)\n", p99_ms,
	       jitter_p99_max_ms, (double)cost.jitter_max_ns / NS_PER_MS);
	return share <= cpu_share_max && p99_ms <= jitter_p99_max_ms ? 0 : 1;
}
