// SPDX-License-Identifier: Apache-2.0
// core/proc: clean children, deadlines, killing trees that left their session.
#include "core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "tests/unit/tap.h"

static int64_t in_ms(int64_t ms)
{
	return clock_mono_ns() + ms * NS_PER_MS;
}

/* Run `sh -c @script`; output in @out; exit status, or -errno. */
static int sh(const char *script, struct str *out, struct err *err)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const envp[] = {PROC_ENV_BASE, "PATH=/usr/bin:/bin", NULL};
	struct proc_spec spec = {.path = "/bin/sh", .argv = argv, .envp = envp};
	struct proc_end end;
	int r = proc_run_capture(&spec, in_ms(5000), out, &end, err);

	return r < 0 ? r : end.exit_status;
}

static int start_sh(const char *script, int out_fd, struct proc *ret)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const envp[] = {PROC_ENV_BASE, "PATH=/usr/bin:/bin", NULL};
	struct proc_spec spec = {
		.path = "/bin/sh", .argv = argv, .envp = envp, .stdout_fd = out_fd};

	return proc_spawn(&spec, ret, NULL);
}

/* Wait, without a fixed pause, until the tree has @n descendants. */
static bool tree_reaches(const struct proc *p, size_t n)
{
	int64_t deadline = in_ms(5000);

	while (proc_count_tree(p) != n)
		if (clock_mono_ns() > deadline || poll(NULL, 0, 5) != 0)
			return false;
	return true;
}

static void test_environment_is_exact(void)
{
	cleanup_str struct str out = STR_INIT(4096);
	const char *const argv[] = {"env", NULL};
	struct proc_spec spec = {.path = "env", .argv = argv};
	struct proc_end end;

	setenv("SECRET_TOKEN", "x", 1);
	proc_run_capture(&spec, in_ms(5000), &out, &end, NULL);
	ok(strcmp(str_text(&out), "LC_ALL=C\nTZ=UTC\n") == 0,
	   "environment is exactly the base");
}

static void test_no_descriptor_is_inherited(void)
{
	cleanup_str struct str out = STR_INIT(4096);
	int leak = open("/etc/passwd", O_RDONLY), high = fcntl(leak, F_DUPFD, 200);

	sh("i=0; while [ $i -lt 256 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1));"
	   "done; readlink /proc/$$/fd/0",
	   &out, NULL);
	close(leak);
	close(high);
	ok(strcmp(str_text(&out), "0\n1\n2\n/dev/null\n") == 0,
	   "only stdin, stdout, stderr; stdin is /dev/null");
}

static void test_signals_are_default(void)
{
	cleanup_str struct str out = STR_INIT(4096);
	sigset_t usr1, before;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &before);
	/* 32 and 33 are glibc's own: sigaction() leaves them as this program got them */
	sh("set -- $(sed -n 's/^Sig\\(Blk\\|Ign\\)://p' /proc/self/status);"
	   "echo blocked $((0x$1)) ignored $((0x$2 & ~0x180000000)) umask $(umask)",
	   &out, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	ok(strcmp(str_text(&out), "blocked 0 ignored 0 umask 0077\n") == 0,
	   "no signal blocked or ignored, umask 077");
}

static void test_exec_by_descriptor(void)
{
	static const char script[] = "#!/bin/sh\necho script $1\n";
	char path[] = "/tmp/test_proc_XXXXXX";
	cleanup_close int script_fd = mkstemp(path);
	cleanup_close int bin_fd = open("/bin/echo", O_RDONLY | O_CLOEXEC);
	cleanup_close int ro_fd = -1;
	const char *const argv[] = {"named", "a b", NULL};
	cleanup_str struct str out = STR_INIT(4096);
	struct proc_spec spec = {.path = "named", .exec_fd = bin_fd, .argv = argv};
	struct proc_end end;

	proc_run_capture(&spec, in_ms(5000), &out, &end, NULL);
	ok(strcmp(str_text(&out), "a b\n") == 0, "a program runs by descriptor");
	str_reset(&out);
	ok(write(script_fd, script, strlen(script)) > 0 && fchmod(script_fd, 0700) == 0,
	   "script written");
	ro_fd = open(path, O_RDONLY | O_CLOEXEC);
	close(steal_fd(&script_fd));
	spec.exec_fd = ro_fd;
	unlink(path);
	proc_run_capture(&spec, in_ms(5000), &out, &end, NULL);
	ok(strcmp(str_text(&out), "script a b\n") == 0,
	   "a script runs by descriptor, even unlinked");
	printf("# %s\n", str_text(&out));
}

static void test_failures_name_their_cause(void)
{
	static const struct {
		const char *path, *cwd;
		int code;
		const char *text;
	} rows[] = {
		{"/no/such/tool", NULL, -ENOENT, "run /no/such/tool"},
		{"no-such-tool", NULL, -ENOENT, "not found in PATH"},
		{"/bin/true", "/no/folder", -ENOENT, "folder /no/folder"},
		{"/etc/passwd", NULL, -EACCES, "run /etc/passwd"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const argv[] = {rows[i].path, NULL};
		struct proc_spec spec = {
			.path = rows[i].path, .cwd = rows[i].cwd, .argv = argv};
		struct err err = {0};
		struct proc p = {0};
		int r = proc_spawn(&spec, &p, &err);

		ok(r == rows[i].code && strstr(err.text, rows[i].text) && !p.pid,
		   "%s in %s: %s", rows[i].path, rows[i].cwd ? rows[i].cwd : ".",
		   err.text);
	}
}

static int put_text(const char *path, const char *text)
{
	cleanup_file FILE *f = fopen(path, "w");

	return f && fputs(text, f) >= 0 ? 0 : -1;
}

static bool begins(const char *path, const char *text)
{
	cleanup_file FILE *f = fopen(path, "r");
	char line[64] = "";

	return f && fgets(line, sizeof(line), f) && str_starts(line, text);
}

static int count_fds(const void *arg, void *ret, size_t n)
{
	int count = 0;

	(void)arg;
	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	memcpy(ret, &count, n);
	return -EXDEV;
}

/* A plain file stands for the kernel's, which only a privileged process may lower. */
static int with_value(const char *value, const char *wanted, bool is_call)
{
	static const char file[] = "/proc/self/oom_score_adj";
	const char *const argv[] = {"true", NULL};
	struct proc_spec spec = {.path = "/bin/true", .argv = argv};
	struct proc p = {0};
	pid_t pid = fork();
	int status = 0;

	if (pid > 0)
		return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 2;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/proc", "tmpfs", 0, NULL) < 0 ||
	    mkdir("/proc/self", 0700) < 0 || put_text(file, value) < 0)
		_exit(2);
	if (is_call)
		proc_call_deadline(count_fds, NULL, &status, sizeof(status), in_ms(5000),
				   -1);
	else
		proc_spawn(&spec, &p, NULL);
	_exit(!begins(file, wanted));
}

static void test_oom_protection_is_not_inherited(void)
{
	if (with_value("-900\n", "", false) == 2) {
		printf("# no mount namespace: OOM protection left out\n");
		return;
	}
	ok(with_value("-900\n", "0", false) == 0, "a program loses OOM protection");
	ok(with_value("-900\n", "0", true) == 0, "so does a call made by a child");
	ok(with_value("300\n", "300", false) == 0, "a value above 0 stays");
}

static void test_wait_ends(void)
{
	cleanup_close int cancel = eventfd(1, EFD_CLOEXEC);
	struct proc_end end;
	struct proc p = {0};

	start_sh("exit 7", 0, &p);
	proc_wait(&p, INT64_MAX, -1, &end, NULL);
	ok(end.exited && end.exit_status == 7 && !end.signal && !p.pid, "exit status 7");
	start_sh("kill -9 $$", 0, &p);
	proc_wait(&p, in_ms(5000), -1, &end, NULL);
	ok(end.exited && end.exit_status == -1 && end.signal == SIGKILL, "signal 9");
	start_sh("sleep 60", 0, &p);
	proc_wait(&p, in_ms(20), -1, &end, NULL);
	ok(end.timed_out && !end.exited && p.pid, "the deadline passes");
	proc_wait(&p, in_ms(5000), cancel, &end, NULL);
	ok(end.cancelled && !end.exited && p.pid, "cancelled");
	ok(proc_kill_tree(&p, NULL) == 0 && !p.pid, "and killed");
	ok(proc_signal(&p, SIGTERM) == -ESRCH, "a signal to nobody: -ESRCH");
}

static void test_capture_limits(void)
{
	cleanup_str struct str out = STR_INIT(1000);
	struct err err = {0};
	const char *const argv[] = {"sh", "-c", "echo hi; sleep 60", NULL};
	struct proc_spec spec = {.path = "sh", .argv = argv};
	struct proc_end end;
	int64_t before = clock_mono_ns();

	spec.cancel_fd = eventfd(1, EFD_CLOEXEC);
	ok(proc_run_capture(&spec, in_ms(5000), &out, &end, &err) == -ECANCELED,
	   "a tool that is given up");
	close(spec.cancel_fd);
	spec.cancel_fd = 0;
	ok(proc_run_capture(&spec, in_ms(100), &out, &end, &err) == -ETIMEDOUT,
	   "a tool that hangs: %s", err.text);
	ok(clock_mono_ns() - before < 2LL * NS_PER_S &&
		   proc_count_tree(&(struct proc){0}) == 0,
	   "is gone with its own children");
	str_reset(&out);
	ok(sh("i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done", &out,
	      NULL) == 0 &&
		   out.failed,
	   "too much output is dropped, not waited on");
	out.failed = false;
	str_reset(&out);
	ok(sh("sleep 30 & echo early", &out, NULL) == 0 && out.len == 6,
	   "a grandchild that keeps the pipe open delays nothing");
	ok(proc_kill_tree(&(struct proc){0}, NULL) == 0, "and can be swept");
}

static void test_kill_tree_across_sessions(void)
{
	struct proc bystander = {0}, p = {0};
	struct err err = {0};

	start_sh("sleep 60 & wait", 0, &bystander);
	start_sh(
		"setsid sleep 60 & (setsid sh -c 'sleep 60 & setsid sleep 60 & wait' &) ;"
		"sleep 60",
		0, &p);
	ok(tree_reaches(&p, 5), "a tree over four sessions stands");
	ok(proc_kill_tree(&p, &err) == 0 && !p.pid, "killed %s", err.text);
	ok(proc_count_tree(&p) == 0, "nothing is left");
	ok(proc_signal(&bystander, 0) == 0 && proc_count_tree(&bystander) == 1,
	   "the other child and its own child live");
	proc_kill_tree(&bystander, NULL);
}

static void test_kill_tree_after_the_parent(void)
{
	struct proc_end end;
	struct proc p = {0};

	start_sh("setsid sleep 60 & setsid sleep 60 & exit 0", 0, &p);
	proc_wait(&p, in_ms(5000), -1, &end, NULL);
	ok(tree_reaches(&p, 2), "orphans of an exited child are ours");
	ok(proc_kill_tree(&p, NULL) == 0 && proc_count_tree(&p) == 0, "and are killed");
}

static void test_kill_tree_that_forks(void)
{
	struct proc p = {0};
	struct err err = {0};

	start_sh("i=0; while [ $i -lt 300 ]; do i=$((i+1)); (setsid sleep 30 &); done", 0,
		 &p);
	while (proc_count_tree(&p) < 20)
		poll(NULL, 0, 1);
	ok(proc_kill_tree(&p, &err) == 0 && proc_count_tree(&p) == 0,
	   "a tree that goes on forking ends %s", err.text);
}

static int add_one(const void *arg, void *ret, size_t n)
{
	int v = *(const int *)arg + 1;

	if (n != sizeof(v))
		return -EINVAL;
	memcpy(ret, &v, sizeof(v));
	return 0;
}

static int hang(const void *arg, void *ret, size_t n)
{
	(void)arg, (void)ret, (void)n;
	for (;;)
		pause();
	return 0;
}

static void test_call_deadline(void)
{
	cleanup_close int cancel = eventfd(1, EFD_CLOEXEC);
	int in = 41, out = 0;
	int64_t before = clock_mono_ns();

	ok(proc_call_deadline(add_one, &in, &out, sizeof(out), in_ms(5000), -1) == 0 &&
		   out == 42,
	   "a call returns its value");
	ok(proc_call_deadline(count_fds, NULL, &out, sizeof(out), in_ms(5000), -1) ==
			   -EXDEV &&
		   out == 1,
	   "and its error; it has no descriptor but the answer's");
	ok(proc_call_deadline(hang, NULL, NULL, 0, in_ms(50), -1) == -ETIMEDOUT,
	   "one that hangs times out");
	ok(proc_call_deadline(hang, NULL, NULL, 0, in_ms(5000), cancel) == -ECANCELED,
	   "or is cancelled");
	ok(clock_mono_ns() - before < 2LL * NS_PER_S &&
		   proc_count_tree(&(struct proc){0}) == 0,
	   "and is gone");
}

static void *spawn_many(void *arg)
{
	int *failed = arg;

	for (int i = 0; i < 50; i++) {
		struct proc p = {0};
		struct proc_end end;

		if (start_sh("exit 3", 0, &p) < 0 ||
		    proc_wait(&p, in_ms(5000), -1, &end, NULL) < 0 ||
		    end.exit_status != 3)
			++*failed;
	}
	return NULL;
}

static void test_threads_spawn_while_a_tree_dies(void)
{
	pthread_t thread;
	int failed = 0;

	pthread_create(&thread, NULL, spawn_many, &failed);
	for (int i = 0; i < 20; i++) {
		struct proc p = {0};

		start_sh("setsid sleep 60 & sleep 60", 0, &p);
		proc_kill_tree(&p, NULL);
	}
	pthread_join(thread, NULL);
	ok(failed == 0, "children of another thread are never taken for orphans");
}

static void test_child_dies_with_us(void)
{
	struct proc p = {0};
	int fds[2];
	char c;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		start_sh("exec sleep 60", fds[1], &p);
		raise(SIGKILL);
	}
	close(fds[1]);
	waitpid(pid, NULL, 0);
	ok(poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, 5000) == 1 &&
		   read(fds[0], &c, 1) == 0,
	   "a child dies with the program that started it");
	close(fds[0]);
}

int main(void)
{
	struct err err = {0};

	ok(proc_init(&err) == 0, "subreaper %s", err.text);
	test_environment_is_exact();
	test_no_descriptor_is_inherited();
	test_signals_are_default();
	test_exec_by_descriptor();
	test_failures_name_their_cause();
	test_oom_protection_is_not_inherited();
	test_wait_ends();
	test_capture_limits();
	test_kill_tree_across_sessions();
	test_kill_tree_after_the_parent();
	test_kill_tree_that_forks();
	test_call_deadline();
	test_threads_spawn_while_a_tree_dies();
	test_child_dies_with_us();
	return done_testing();
}
