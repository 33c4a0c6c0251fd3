// SPDX-License-Identifier: Apache-2.0
// worker/guard: what is left of a worker that was killed; real fio with job processes.
#include "worker/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/cgroup.h"
#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"
#include "tests/unit/tap.h"
#include "worker/measure.h"

static char workspace[] = "/tmp/test_guard_XXXXXX";
static char *step_dir;
static const struct cgroup no_groups;

/* Processes named @comm that stand below the workspace. */
static unsigned count_processes(const char *comm)
{
	cleanup_str struct str out = STR_INIT(65536);
	cleanup_free char *script = xasprintf(
		"for p in /proc/[0-9]*; do case $(readlink $p/cwd) in %s/*) "
		"[ \"$(cat $p/comm)\" = %s ] && echo x;; esac; done 2>/dev/null",
		workspace, comm);
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
	struct proc_spec spec = {.path = "/bin/sh", .argv = argv, .envp = envp};
	struct proc_end end;

	proc_run_capture(&spec, clock_mono_ns() + 10LL * NS_PER_S, &out, &end, NULL);
	return (unsigned)(out.len / 2);
}

static bool count_becomes(const char *comm, unsigned n, int64_t within_ns)
{
	int64_t deadline_ns = clock_mono_ns() + within_ns;

	while (count_processes(comm) != n)
		if (clock_mono_ns() > deadline_ns)
			return false;
	return true;
}

static void write_job(void)
{
	cleanup_free char *path = xasprintf("%s/job.fio", step_dir);
	cleanup_file FILE *f = fopen(path, "w");

	fprintf(f,
		"[x]\ndirectory=%s\nsize=1m\nrw=randread\nnumjobs=4\ntime_based\n"
		"runtime=60\nioengine=psync\nthinktime=1000\n",
		step_dir);
}

/* What a worker does: guardian, then fio. */
static _Noreturn void be_worker(void)
{
	cleanup_free char *job = xasprintf("%s/job.fio", step_dir);
	cleanup_free char *output = xasprintf("%s/out.json", step_dir);
	struct measure_req req = {.fio_path = "/usr/bin/fio",
				  .job_path = job,
				  .output_path = output,
				  .cwd = step_dir,
				  .deadline_ns = INT64_MAX,
				  .stop_fd = -1,
				  .term_fd = -1};
	struct measure_end end;
	struct guard g = {0};

	proc_init(NULL);
	if (guard_start(workspace, &no_groups, &g, NULL) == 0)
		measure_run(&req, &end, NULL);
	_exit(1);
}

static void test_killed_worker_leaves_nothing(void)
{
	struct err err = {0};
	int64_t killed_ns;
	pid_t pid;

	if (access("/usr/bin/fio", X_OK) < 0)
		return;
	write_job();
	pid = fork();
	if (pid == 0)
		be_worker();
	proc_register(pid);
	ok(count_becomes("fio", 5, 15LL * NS_PER_S), "fio runs with four job processes");
	ok(guard_start(workspace, &no_groups, &(struct guard){0}, NULL) == -EWOULDBLOCK,
	   "the guardian of a live worker holds the lock");
	kill(pid, SIGKILL);
	killed_ns = clock_mono_ns();
	waitpid(pid, NULL, 0);
	proc_unregister(pid);
	ok(guard_wait_previous(workspace, &err) == 0, "the next worker waits for it %s",
	   err.text);
	ok(count_processes("fio") == 0 && clock_mono_ns() - killed_ns < 2LL * NS_PER_S,
	   "nothing is left within 2 s of kill -9: %.3f s",
	   (double)(clock_mono_ns() - killed_ns) / NS_PER_S);
}

static int start(const char *const *envp, const char *cwd, struct proc *ret)
{
	static const char *const argv[] = {"sleep", "60", NULL};
	struct proc_spec spec = {
		.path = "/bin/sleep", .argv = argv, .envp = envp, .cwd = cwd};

	return proc_spawn(&spec, ret, NULL);
}

static void test_sweep_takes_only_children(void)
{
	static const char *const shell_env[] = {"PATH=/bin", "LC_ALL=C", NULL};
	struct proc ours = {0}, person = {0}, elsewhere = {0}, workspace_itself = {0};
	struct proc_end end;

	start(NULL, step_dir, &ours);
	start(shell_env, step_dir, &person);
	start(NULL, "/tmp", &elsewhere);
	start(NULL, workspace, &workspace_itself);
	ok(guard_sweep(workspace, &no_groups, NULL) == 0, "swept");
	proc_wait(&ours, clock_mono_ns() + NS_PER_S, -1, &end, NULL);
	ok(end.signal == SIGKILL, "a child below the workspace is killed");
	ok(proc_signal(&person, 0) == 0 && !proc_poll(&person, 0),
	   "a person's process there is not");
	ok(!proc_poll(&elsewhere, 0) && !proc_poll(&workspace_itself, 0),
	   "nor one with its folder elsewhere, or the workspace itself");
	proc_kill_tree(&person, NULL);
	proc_kill_tree(&elsewhere, NULL);
	proc_kill_tree(&workspace_itself, NULL);
}

static void test_orderly_end(void)
{
	struct proc child = {0};
	struct guard g = {0};

	start(NULL, step_dir, &child);
	ok(guard_start(workspace, &no_groups, &g, NULL) == 0 && g.pid > 0, "started");
	guard_stop(&g);
	ok(g.pid == 0 && guard_wait_previous(workspace, NULL) == 0 &&
		   !proc_poll(&child, 0),
	   "stopped: the lock is free, nothing was killed");
	ok(guard_start(workspace, &no_groups, &g, NULL) == 0, "started again");
	kill(g.pid, SIGKILL);
	guard_stop(&g);
	ok(g.pid == 0, "a guardian that was killed is not missed");
	proc_kill_tree(&child, NULL);
}

static void test_wait_for_a_lock_that_is_freed(void)
{
	cleanup_free char *path = xasprintf("%s/guard.lock", workspace);
	int64_t begin_ns = clock_mono_ns();
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(path, O_RDWR | O_CREAT, 0600);

		flock(fd, LOCK_EX);
		kill(getpid(), SIGSTOP);
		poll(NULL, 0, 300);
		_exit(0);
	}
	proc_register(pid);
	waitpid(pid, NULL, WUNTRACED);
	kill(pid, SIGCONT);
	ok(guard_wait_previous(workspace, NULL) == 0, "a guardian at work is waited for");
	ok(clock_mono_ns() - begin_ns > 250LL * NS_PER_MS, "until it has ended");
	waitpid(pid, NULL, 0);
	proc_unregister(pid);
}

int main(void)
{
	proc_init(NULL);
	if (!mkdtemp(workspace))
		return 1;
	step_dir = xasprintf("%s/step", workspace);
	mkdir(step_dir, 0700);
	test_killed_worker_leaves_nothing();
	test_sweep_takes_only_children();
	test_orderly_end();
	test_wait_for_a_lock_that_is_freed();
	{
		const char *const argv[] = {"rm", "-rf", workspace, NULL};
		struct proc_spec spec = {.path = "/bin/rm", .argv = argv};
		struct str out = STR_INIT(1024);
		struct proc_end end;

		proc_run_capture(&spec, clock_mono_ns() + 5LL * NS_PER_S, &out, &end,
				 NULL);
		str_done(&out);
	}
	free(step_dir);
	return done_testing();
}
