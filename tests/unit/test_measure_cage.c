// SPDX-License-Identifier: Apache-2.0
// worker/measure in its cage: jobs the allow-list would refuse have no effect outside,
// and every engine it allows works. Each attack is first made without a cage, where it
// works.
#include "worker/measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "core/cage.h"
#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"
#include "tests/unit/tap.h"

static char top[] = "/tmp/test_measure_cage_XXXXXX";
static char *outside, *step_dir, *data_dir, *job_path, *output_path, *console_path;
static unsigned port;

/* The job in the measured fio's way, or the same fio without a cage. */
static int run_caged(struct measure_end *end)
{
	const struct measure_req req = {.fio_path = "/usr/bin/fio",
					.job_path = job_path,
					.output_path = output_path,
					.console_path = console_path,
					.cwd = step_dir,
					.data_top = data_dir,
					.deadline_ns = clock_mono_ns() + 20LL * NS_PER_S,
					.stop_fd = -1,
					.term_fd = -1};
	struct err err = {0};
	int r = measure_run(&req, end, &err);

	if (r < 0)
		printf("# %s\n", err.text);
	return r;
}

static void run_free(void)
{
	const char *const argv[] = {"fio", "--output=/dev/null", job_path, NULL};
	const char *const envp[] = {PROC_ENV_BASE, "PATH=/usr/bin:/bin", NULL};
	const struct proc_spec spec = {
		.path = "/usr/bin/fio", .argv = argv, .envp = envp, .cwd = step_dir};
	cleanup_str struct str out = STR_INIT(1 << 20);
	struct proc_end end;

	proc_run_capture(&spec, clock_mono_ns() + 20LL * NS_PER_S, &out, &end, NULL);
}

static void write_job(const char *text)
{
	cleanup_file FILE *f = fopen(job_path, "w");

	fputs(text, f);
}

static bool is_changed(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* The job's text has OUT for the forbidden folder. */
static void attack(const char *name, const char *made, const char *options)
{
	cleanup_free char *path = xasprintf("%s/%s", outside, made);
	cleanup_str struct str job = STR_INIT(1 << 16);
	const char *const rm[] = {"sh", "-c", "rm -f $0*", path, NULL};
	const struct proc_spec clean = {.path = "/bin/sh", .argv = rm};
	cleanup_str struct str out = STR_INIT(4096);
	struct measure_end end = {0};
	struct proc_end gone;
	bool works;

	str_addf(&job, "[x]\nsize=64k\nioengine=psync\nrw=write\nfallocate=none\n");
	for (const char *p = options; *p;) {
		const char *mark = strstr(p, "OUT");

		str_addn(&job, p, mark ? (size_t)(mark - p) : strlen(p));
		if (mark)
			str_add(&job, outside);
		p = mark ? mark + 3 : p + strlen(p);
	}
	write_job(str_text(&job));
	run_free();
	works = is_changed(path);
	proc_run_capture(&clean, clock_mono_ns() + 5LL * NS_PER_S, &out, &gone, NULL);
	run_caged(&end);
	ok(works && end.was_caged && !is_changed(path), "%s: fio's status is %d%s", name,
	   end.exit_status, works ? "" : ", and it does not work without a cage either");
}

static void test_files_outside(void)
{
	attack("a path as file name", "f", "filename=OUT/f\n");
	attack("a path out of the folder", "g",
	       "directory=data\nfilename=../../outside/g\n");
	attack("another directory", "h", "directory=OUT\nfilename=h\n");
	attack("a log file", "log_bw.1.log",
	       "filename=data/x\nwrite_bw_log=OUT/log\nlog_avg_msec=1\n");
	attack("a trace of the I/O", "iolog", "filename=data/x\nwrite_iolog=OUT/iolog\n");
	attack("a program before the run", "pwned",
	       "filename=data/x\nexec_prerun=/bin/touch OUT/pwned\n");
	attack("a program after the run", "pwned2",
	       "filename=data/x\nexec_postrun=/bin/cp /etc/passwd OUT/pwned2\n");
}

/* What fio reads of a file outside would go into the data it writes or verifies. */
static void test_reading_outside(void)
{
	cleanup_free char *path = xasprintf("%s/secret", outside);
	cleanup_free char *job = xasprintf(
		"[x]\nioengine=psync\nrw=read\nfilename=%s\nallow_file_create=0\n", path);
	cleanup_file FILE *f = fopen(path, "w");
	struct measure_end end = {0};

	for (int i = 0; f && i < 4096; i++)
		fputc('s', f);
	fclose(steal_ptr(f));
	write_job(job);
	run_caged(&end);
	ok(end.was_caged && end.exit_status != 0, "a file outside cannot be read");
}

static int listen_somewhere(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t n = sizeof(any);

	if (bind(fd, (struct sockaddr *)&any, n) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&any, &n) < 0)
		return -1;
	port = ntohs(any.sin_port);
	return fd;
}

static bool take_connection(int fd)
{
	bool any = false;

	for (int c; (c = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0; any = true)
		close(c);
	return any;
}

static void test_network(const char *name, const char *format)
{
	cleanup_close int fd = listen_somewhere();
	struct measure_end end = {0};
	cleanup_file FILE *f = fopen(job_path, "w");
	char line[256];
	bool works;

	for (const char *p = format; f && *p; p += strlen(line) + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(p, "\n"), p);
		if (strcmp(line, "PORT") == 0)
			fprintf(f, "port=%u\n", port);
		else if (strcmp(line, "HTTP") == 0)
			fprintf(f, "http_host=127.0.0.1:%u\n", port);
		else
			fprintf(f, "%s\n", line);
	}
	fclose(steal_ptr(f));
	run_free();
	works = take_connection(fd);
	run_caged(&end);
	if (!works) {
		printf("# %s does not work here even without a cage\n", name);
		return;
	}
	ok(end.was_caged && !take_connection(fd), "%s reaches nobody: status %d", name,
	   end.exit_status);
}

static void test_allowed_engines(void)
{
	static const char *const rows[] = {
		"ioengine=sync\n",
		"ioengine=psync\nthread=1\n",
		"ioengine=vsync\n",
		"ioengine=pvsync\n",
		"ioengine=pvsync2\n",
		"ioengine=libaio\niodepth=8\ndirect=1\n",
		"ioengine=libaio\niodepth=8\nthread=1\n",
		"ioengine=io_uring\niodepth=8\n",
		"ioengine=io_uring\niodepth=8\nfixedbufs=1\nthread=1\n",
		"ioengine=posixaio\niodepth=4\n",
		"ioengine=mmap\n",
		"ioengine=psync\nmem=shm\n",
		"ioengine=psync\nmem=mmap\nlockmem=1m\n",
		"ioengine=psync\nnice=-5\nprio=2\nprioclass=1\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *job =
			xasprintf("[x]\ndirectory=%s\nsize=256k\nrw=randrw\nnumjobs=3\n"
				  "bs=4k\nfallocate=none\ngroup_reporting=1\n%s",
				  data_dir, rows[i]);
		struct measure_end end = {0};

		write_job(job);
		run_caged(&end);
		ok(end.was_caged && end.exit_status == 0, "%.*s%s",
		   (int)strcspn(rows[i] + 9, "\n"), rows[i] + 9,
		   strchr(rows[i], '\n')[1] ? " with options" : "");
	}
}

int main(void)
{
	const char *const rm[] = {"rm", "-rf", top, NULL};
	struct err err = {0};
	struct proc_end end;

	if (access("/usr/bin/fio", X_OK) < 0 || cage_is_allowed(&err) < 0) {
		printf("1..0 # SKIP no fio, or no cage: %s\n", err.text);
		return 0;
	}
	if (!mkdtemp(top) || proc_init(NULL) < 0)
		return 1;
	outside = xasprintf("%s/outside", top);
	step_dir = xasprintf("%s/step", top);
	data_dir = xasprintf("%s/step/data", top);
	job_path = xasprintf("%s/job.fio", step_dir);
	output_path = xasprintf("%s/out.json", step_dir);
	console_path = xasprintf("%s/console.txt", step_dir);
	mkdir(outside, 0700);
	mkdir(step_dir, 0700);
	mkdir(data_dir, 0700);
	test_files_outside();
	test_reading_outside();
	test_network("ioengine=net",
		     "[x]\nioengine=net\nhostname=127.0.0.1\nPORT\nrw=write\nsize=4k\n");
	test_network("ioengine=http", "[x]\nioengine=http\nhttp_mode=webdav\nHTTP\n"
				      "filename=/x\nrw=write\nsize=4k\nbs=4k\n");
	test_allowed_engines();
	proc_run_capture(&(struct proc_spec){.path = "/bin/rm", .argv = rm},
			 clock_mono_ns() + 10LL * NS_PER_S, &(struct str){.max = 4096},
			 &end, NULL);
	free(outside);
	free(step_dir);
	free(data_dir);
	free(job_path);
	free(output_path);
	free(console_path);
	return done_testing();
}
