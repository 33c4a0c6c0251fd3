// SPDX-License-Identifier: Apache-2.0
// worker/measure: real fio to its end, over its time, stopped, and with a hung mount
// (the last with $MUSTER_TEST_GCSFUSE and the emulator).
#include "worker/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"
#include "tests/unit/emulator.h"
#include "tests/unit/tap.h"

static char workspace[] = "/tmp/test_measure_XXXXXX";
static char *data_dir, *job_path, *output_path, *console_path;

static void write_job(const char *options, const char *dir)
{
	cleanup_file FILE *f = fopen(job_path, "w");

	fprintf(f, "[x]\ndirectory=%s\nioengine=psync\nfallocate=none\n%s", dir, options);
}

static struct measure_req req_of(int64_t within_ns)
{
	return (struct measure_req){.fio_path = "/usr/bin/fio",
				    .job_path = job_path,
				    .output_path = output_path,
				    .console_path = console_path,
				    .cwd = workspace,
				    .deadline_ns = clock_mono_ns() + within_ns,
				    .stop_fd = -1,
				    .term_fd = -1};
}

static bool output_has(const char *word)
{
	static char text[1 << 20];
	cleanup_file FILE *f = fopen(output_path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	return strstr(text, word) != NULL;
}

static size_t left_over(void)
{
	return proc_count_tree(&(struct proc){0});
}

static void test_ends_by_itself(void)
{
	struct measure_req req = req_of(20LL * NS_PER_S);
	struct monitor_req mreq = {.hz = 20, .max_s = 20, .fuse_minor = -1};
	struct step_record rec = {0};
	struct measure_end end;
	struct err err = {0};
	int r;

	write_job("rw=randread\nsize=1m\ntime_based\nruntime=1\nnumjobs=2\n", data_dir);
	monitor_new(&mreq, &req.monitor, NULL);
	r = measure_run(&req, &end, &err);
	ok(r == 0 && end.how == MEASURE_EXITED && end.exit_status == 0 && !end.signal,
	   "fio ends with status %d %s", end.exit_status, err.text);
	ok(end.end_ns - end.start_ns > 900LL * NS_PER_MS &&
		   end.end_ns - end.start_ns < 10LL * NS_PER_S,
	   "after %.2f s", (double)(end.end_ns - end.start_ns) / NS_PER_S);
	ok(output_has("\"bins\"") && output_has("\"lat_ns\""),
	   "its output has bins of the whole latency");
	monitor_stats(req.monitor, &rec);
	ok(rec.monitor_samples > 15, "the monitor ran with it: %u rows",
	   rec.monitor_samples);
	monitor_free(req.monitor);
}

static void test_layout_measures_nothing(void)
{
	cleanup_free char *file = xasprintf("%s/x.0.0", data_dir);
	struct measure_req req = req_of(20LL * NS_PER_S);
	struct measure_end end;
	struct stat st = {0};
	int r;

	unlink(file);
	write_job("rw=randread\nsize=64k\n", data_dir);
	req.mode = MEASURE_LAYOUT;
	r = measure_run(&req, &end, NULL);
	ok(r == 0 && end.exit_status == 0 && stat(file, &st) == 0 && st.st_size == 65536,
	   "the file is there");
	ok(output_has("\"total_ios\" : 0"), "and nothing was read");
}

/* An appointed start: fork then and not before; a reason to stop ends the wait. */
static void test_appointed_start(void)
{
	struct measure_req req = req_of(20LL * NS_PER_S);
	struct measure_end end;
	struct err err = {0};
	int64_t late_ns;
	int r;

	write_job("rw=randread\nsize=64k\n", data_dir);
	req.start_ns = clock_mono_ns() + 300LL * NS_PER_MS;
	r = measure_run(&req, &end, &err);
	late_ns = end.start_ns - req.start_ns;
	ok(r == 0 && end.exit_status == 0 && late_ns >= 0 && late_ns < 50 * NS_PER_MS,
	   "fio starts %.3f ms after its time %s", (double)late_ns / NS_PER_MS, err.text);
	req.start_ns = clock_mono_ns() - NS_PER_S;
	r = measure_run(&req, &end, &err);
	ok(r == 0 && end.start_ns > req.start_ns + NS_PER_S,
	   "a start that is past: at once");
	req.stop_fd = eventfd(1, EFD_CLOEXEC);
	req.start_ns = clock_mono_ns() + 20LL * NS_PER_S;
	unlink(output_path);
	r = measure_run(&req, &end, &err);
	ok(r == -ECANCELED && !end.start_ns && clock_mono_ns() < req.start_ns &&
		   access(output_path, F_OK) < 0 && left_over() == 0,
	   "stopped before: %s", err.text);
	close(req.stop_fd);
}

static void test_bad_job(void)
{
	struct measure_req req = req_of(20LL * NS_PER_S);
	struct measure_end end;
	int r;

	write_job("no_such_option=1\n", data_dir);
	r = measure_run(&req, &end, NULL);
	ok(r == 0 && end.how == MEASURE_EXITED && end.exit_status == 1,
	   "a job fio refuses: status %d", end.exit_status);
	req.fio_path = "/no/fio";
	ok(measure_run(&req, &end, NULL) == -ENOENT && !end.start_ns, "no fio");
	req.fio_path = job_path;
	ok(measure_run(&req, &end, NULL) < 0 && !end.start_ns,
	   "a fio that cannot be executed has no start");
}

static void test_timeout_keeps_the_json(void)
{
	struct measure_req req = req_of(1LL * NS_PER_S);
	struct measure_end end;
	int r;

	write_job("rw=randread\nsize=1m\ntime_based\nruntime=60\nnumjobs=4\n", data_dir);
	r = measure_run(&req, &end, NULL);
	ok(r == 0 && end.how == MEASURE_TIMEOUT && left_over() == 0,
	   "over its time: status %d signal %d, nothing left", end.exit_status,
	   end.signal);
	ok(output_has("terminating on signal") && output_has("\"bins\""),
	   "fio had the time to write its output");
}

static void test_stop_and_term(void)
{
	for (int is_term = 0; is_term < 2; is_term++) {
		cleanup_close int fd = eventfd(1, EFD_CLOEXEC);
		struct measure_req req = req_of(30LL * NS_PER_S);
		int64_t begin_ns = clock_mono_ns();
		struct measure_end end;

		if (is_term)
			req.term_fd = fd;
		else
			req.stop_fd = fd;
		ok(measure_run(&req, &end, NULL) == 0 && end.how == MEASURE_STOPPED &&
			   left_over() == 0 &&
			   clock_mono_ns() - begin_ns < 6LL * NS_PER_S,
		   "stopped by %s", is_term ? "a signal" : "an order");
	}
}

struct accident {
	const struct mount *mount; /* NULL: only the second half */
	int term_fd;
};

/* gcsfuse stops when fio has begun to read through it; a second later the VM has to go.
 */
static void *stop_soon(void *arg)
{
	const struct accident *a = arg;
	uint64_t one = 1;

	poll(NULL, 0, a->mount ? 1500 : 0);
	if (a->mount)
		proc_signal(&a->mount->proc, SIGSTOP);
	poll(NULL, 0, 1000);
	if (write(a->term_fd, &one, sizeof(one)) < 0)
		return arg;
	return NULL;
}

/* A fio that ignores SIGINT: the 5 s of a preemption, then SIGKILL for everything. */
static void test_stubborn_fio(void)
{
	cleanup_free char *script = xasprintf("%s/fio.sh", workspace);
	cleanup_close int fd = eventfd(0, EFD_CLOEXEC);
	struct accident accident = {NULL, fd};
	struct measure_req req = req_of(30LL * NS_PER_S);
	cleanup_file FILE *f = fopen(script, "w");
	pthread_t thread;
	int64_t begin_ns = clock_mono_ns();
	struct measure_end end;
	int r;

	fputs("#!/bin/sh\ntrap '' INT TERM\n/usr/bin/setsid /bin/sleep 60 &\n/bin/sleep "
	      "60\n",
	      f);
	fclose(steal_ptr(f));
	chmod(script, 0700);
	req.fio_path = script;
	req.term_fd = fd;
	pthread_create(&thread, NULL, stop_soon, &accident);
	r = measure_run(&req, &end, NULL);
	pthread_join(thread, NULL);
	begin_ns = clock_mono_ns() - begin_ns;
	ok(r == 0 && end.how == MEASURE_STOPPED && end.signal == SIGKILL &&
		   left_over() == 0 && begin_ns > 5LL * NS_PER_S &&
		   begin_ns < 8LL * NS_PER_S,
	   "killed with its children after %.1f s", (double)begin_ns / NS_PER_S);
}

enum { MONITOR_FULL = 13 }; /* columns when nothing is missing */

static double peak_of(const struct step_record *rec, const char *name)
{
	for (size_t i = 0; i < rec->n_columns; i++)
		if (!strcmp(rec->columns[i].name, name))
			return rec->columns[i].peak;
	return -1;
}

static void test_hung_mount(const char *gcsfuse, const char *url)
{
	static const struct arm arm = {.config_id = 1, .label = "a"};
	cleanup_free char *point = xasprintf("%s/mnt", workspace);
	cleanup_free char *log = xasprintf("%s/gcsfuse.log", workspace);
	cleanup_close int bin_fd = open(gcsfuse, O_RDONLY | O_CLOEXEC);
	struct job_data data = {.bucket = "data",
				.prefix = "",
				.endpoint = url,
				.auth = STORE_AUTH_ANONYMOUS};
	struct mount_spec spec = {.binary_fd = bin_fd,
				  .arm = &arm,
				  .data = &data,
				  .workspace = workspace,
				  .step_dir = workspace,
				  .point = point,
				  .log_path = log,
				  .deadline_ns = clock_mono_ns() + 20LL * NS_PER_S,
				  .cancel_fd = -1};
	struct measure_req req;
	struct measure_end end;
	struct mount m = {0};
	struct monitor_req mreq = {.hz = 20, .max_s = 30};
	struct step_record rec = {0};
	struct accident accident = {&m, eventfd(0, EFD_CLOEXEC)};
	struct err err = {0};
	pthread_t thread;
	int r;

	if (!ok(mount_start(&spec, &m, &err) == 0, "mounted %s", err.text))
		return;
	write_job("rw=randread\nsize=1m\nbs=4k\ndirect=1\ntime_based\nruntime="
		  "60\nnumjobs=4\n",
		  point);
	pthread_create(&thread, NULL, stop_soon, &accident);
	req = req_of(30LL * NS_PER_S);
	req.mount = &m;
	mreq.fuse_minor = mount_minor(&m);
	mreq.gcsfuse_pid = m.proc.pid;
	monitor_new(&mreq, &req.monitor, NULL);
	req.term_fd = accident.term_fd;
	r = measure_run(&req, &end, &err);
	pthread_join(thread, NULL);
	ok(r == 0 && end.how == MEASURE_STOPPED && end.was_mount_aborted,
	   "a gcsfuse stopped in mid-fio: aborted %s", err.text);
	ok(left_over() == 0 && !m.proc.pid &&
		   clock_mono_ns() - end.end_ns < 3LL * NS_PER_S,
	   "nothing is left %.2f s after the 5 s for SIGINT",
	   (double)(clock_mono_ns() - end.end_ns) / NS_PER_S);
	monitor_stats(req.monitor, &rec);
	monitor_free(req.monitor);
	ok(rec.n_columns == MONITOR_FULL && peak_of(&rec, "fuse_waiting") >= 1 &&
		   peak_of(&rec, "gcsfuse_cpu_ns_per_s") > 0 &&
		   peak_of(&rec, "fio_cpu_ns_per_s") > 0,
	   "the monitor saw the requests wait");
	ok(mount_stop(&m, clock_mono_ns() + NS_PER_S, -1, NULL, NULL) == 0,
	   "no mount is left");
	mount_done(&m);
	close(accident.term_fd);
}

int main(int argc, char **argv)
{
	const char *gcsfuse = getenv("MUSTER_TEST_GCSFUSE");
	struct emulator emu = {0};

	(void)argc;
	if (access("/usr/bin/fio", X_OK) < 0) {
		printf("1..0 # SKIP no fio\n");
		return 0;
	}
	proc_init(NULL);
	if (!mkdtemp(workspace))
		return 1;
	data_dir = xasprintf("%s/data", workspace);
	job_path = xasprintf("%s/job.fio", workspace);
	output_path = xasprintf("%s/out.json", workspace);
	console_path = xasprintf("%s/console.txt", workspace);
	mkdir(data_dir, 0700);
	test_ends_by_itself();
	test_layout_measures_nothing();
	test_appointed_start();
	test_bad_job();
	test_timeout_keeps_the_json();
	test_stop_and_term();
	test_stubborn_fio();
	if (gcsfuse && emulator_start(argv[0], &emu)) {
		test_hung_mount(gcsfuse, emu.url);
		emulator_stop(&emu);
	} else {
		printf("# the hung mount left out: no gcsfuse or no emulator\n");
	}
	emulator_remove(workspace);
	free(data_dir);
	free(job_path);
	free(output_path);
	free(console_path);
	return done_testing();
}
