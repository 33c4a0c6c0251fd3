// SPDX-License-Identifier: Apache-2.0
// worker/kernel: settings, counters and facts of this machine, read as they are.
#include "worker/kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/proc.h"
#include "tests/unit/tap.h"

static void test_drop_caches(void)
{
	struct err err = {0};
	int r = kernel_drop_caches(-1, &err);
	int raised;

	ok(geteuid() == 0 ? r == 0 || r == -EPERM : r == -EPERM,
	   "done, or refused as -EPERM: %d %s", r, err.text);
	ok((r < 0) == (err.code < 0), "an error text if and only if it failed");
	raised = eventfd(1, EFD_CLOEXEC);
	/* one that is done before anybody looks is no mistake */
	for (int i = 0; i < 20 && r != -ECANCELED; i++)
		r = kernel_drop_caches(raised, &err);
	ok(r == -ECANCELED, "or given up");
	close(raised);
}

static void test_restore_globals(void)
{
	struct kernel_globals before, raised, after;
	struct err err = {0};

	kernel_globals_read(&before);
	ok(kernel_globals_restore(&before, &err) == 0, "nothing to restore %s", err.text);
	if (before.max_pages_limit == UINT64_MAX || geteuid() != 0)
		return;
	raised.max_pages_limit = before.max_pages_limit + 1;
	if (kernel_globals_restore(&raised, NULL) < 0)
		return;
	kernel_globals_read(&after);
	ok(after.max_pages_limit == raised.max_pages_limit, "what a mount would raise");
	ok(kernel_globals_restore(&before, &err) == 0, "is put back %s", err.text);
	kernel_globals_read(&after);
	ok(after.max_pages_limit == before.max_pages_limit, "to what it was");
}

static void test_settings_of_no_mount(void)
{
	struct kernel_settings s;

	kernel_settings_read(0, 999999, &s);
	ok(s.read_ahead_kb == UINT64_MAX && s.max_background == UINT64_MAX &&
		   s.congestion_threshold == UINT64_MAX,
	   "a mount that is not there has null settings");
}

static void test_host_counters(void)
{
	struct kernel_host start, end;
	struct step_record rec = {0};

	kernel_host_read(&start);
	kernel_host_read(&end);
	ok(start.pgmajfault > 0 && start.tcp_out_segs >= 0 && start.tcp_retrans_segs >= 0,
	   "counters: %lld faults, %lld segments", (long long)start.pgmajfault,
	   (long long)start.tcp_out_segs);
	kernel_host_delta(&start, &end, &rec);
	ok(rec.host.pgmajfault >= 0 && rec.host.oom_kill == 0 &&
		   rec.host.tcp_out_segs >= 0,
	   "deltas");
	ok(rec.host.clock_step_ns < 1000000 && rec.host.clock_step_ns > -1000000,
	   "the clock was not moved: %lld ns", (long long)rec.host.clock_step_ns);
	end.pswpin = INT64_MIN;
	kernel_host_delta(&start, &end, &rec);
	ok(rec.host.pswpin == INT64_MIN, "a counter missing at one end has no delta");
}

static void test_facts(void)
{
	struct provenance prov = {.machine_type = "n2-standard-8"};

	kernel_facts(&prov);
	ok(strlen(prov.kernel) > 3 && prov.cpus > 0 && prov.mem_bytes > 1 << 20,
	   "kernel %s, %u cpus", prov.kernel, prov.cpus);
	ok(strcmp(prov.machine_type, "n2-standard-8") == 0,
	   "what the metadata server said is kept");
}

static void test_clock(void)
{
	const int64_t s = NS_PER_S;

	ok(!kernel_clock_stepped(0, 60 * s), "no step");
	ok(!kernel_clock_stepped(30 * NS_PER_MS, 60 * s), "500 ppm are slewing");
	ok(!kernel_clock_stepped(-36 * s / 10, 7200 * s), "also over hours");
	ok(kernel_clock_stepped(s, 60 * s), "a second is a step");
	ok(kernel_clock_stepped(-s, 60 * s), "backwards too");
}

int main(void)
{
	proc_init(NULL);
	test_drop_caches();
	test_restore_globals();
	test_settings_of_no_mount();
	test_host_counters();
	test_facts();
	test_clock();
	return done_testing();
}
