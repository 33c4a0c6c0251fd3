// SPDX-License-Identifier: Apache-2.0
// worker/mount: gcsfuse's command line; and, with $MUSTER_TEST_GCSFUSE (a gcsfuse) and
// the emulator beside this program's folder, real mounts in good and bad ends.
#include "worker/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/json.h"
#include "tests/unit/emulator.h"
#include "tests/unit/tap.h"
#include "worker/kernel.h"

static char workspace[] = "/tmp/test_mount_XXXXXX";
static char *step_dir, *point, *log_path;
static int gcsfuse_fd = -1;
static char *endpoint;

static const struct arm plain_arm = {.config_id = 1, .label = "plain"};

static struct mount_spec spec_of(const struct arm *arm, const struct job_data *data)
{
	return (struct mount_spec){.binary_fd = gcsfuse_fd,
				   .arm = arm,
				   .data = data,
				   .workspace = workspace,
				   .step_dir = step_dir,
				   .point = point,
				   .log_path = log_path,
				   .deadline_ns = clock_mono_ns() + 20LL * NS_PER_S,
				   .cancel_fd = -1};
}

static char *join(char *const *argv)
{
	struct str s = STR_INIT(65536);

	for (size_t i = 0; argv[i]; i++)
		str_addf(&s, "%s%s", i ? " " : "", argv[i]);
	return str_steal(&s);
}

static const struct {
	const char *args[4];
	const char *config_file, *endpoint;
	enum store_auth auth;
	const char *want; /* after the flags every mount has */
} argv_rows[] = {
	{{"--implicit-dirs"},
	 NULL,
	 NULL,
	 STORE_AUTH_ADC,
	 "--temp-dir=/s/temp --implicit-dirs b /m"},
	{{NULL},
	 NULL,
	 NULL,
	 STORE_AUTH_ANONYMOUS,
	 "--anonymous-access --temp-dir=/s/temp b /m"},
	{{"--client-protocol=http2"},
	 NULL,
	 "http://h:1/",
	 STORE_AUTH_ANONYMOUS,
	 "--custom-endpoint=http://h:1/storage/v1/ --anonymous-access "
	 "--enable-hns=false --client-protocol=http1 --temp-dir=/s/temp "
	 "--client-protocol=http2 b /m"},
	{{"--cache-dir", "/x y", "-temp_dir=/t", "--cache-dir-x=1"},
	 NULL,
	 NULL,
	 STORE_AUTH_ADC,
	 "--temp-dir=/s/temp --cache-dir=/s/cache --temp-dir=/s/temp "
	 "--cache-dir-x=1 b /m"},
	{{NULL},
	 "# cache-dir: /no\nwrite: {x: 1}\n",
	 NULL,
	 STORE_AUTH_ADC,
	 "--config-file=/s/gcsfuse.yaml --temp-dir=/s/temp b /m"},
	{{NULL},
	 "cache-dir: \"/ssd\" # fast\n",
	 NULL,
	 STORE_AUTH_ADC,
	 "--config-file=/s/gcsfuse.yaml --temp-dir=/s/temp --cache-dir=/s/cache "
	 "b /m"},
};

static void test_argv(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(argv_rows); i++) {
		struct job_data data = {.bucket = "b",
					.prefix = "",
					.endpoint = argv_rows[i].endpoint,
					.auth = argv_rows[i].auth};
		struct arm arm = {.label = "a",
				  .args = (const char **)argv_rows[i].args,
				  .config_file = argv_rows[i].config_file};
		cleanup_free char *want = xasprintf(
			"gcsfuse --foreground --log-format=json --log-severity=info %s",
			argv_rows[i].want);
		struct mount_spec spec = {
			.arm = &arm, .data = &data, .step_dir = "/s", .point = "/m"};
		cleanup(mount_args_done) struct mount_args a = {0};
		cleanup_free char *got = NULL;

		while (arm.n_args < 4 && argv_rows[i].args[arm.n_args])
			arm.n_args++;
		if (!ok(mount_argv(&spec, &a, NULL) == 0, "row %zu", i))
			continue;
		got = join(a.argv);
		ok(!strcmp(got, want), "%s", got);
	}
}

static void test_grpc_needs_google(void)
{
	static const struct {
		const char *args[2];
		const char *config_file, *endpoint;
		int want;
	} rows[] = {
		{{"--client-protocol=grpc"}, NULL, "http://h", -EINVAL},
		{{"--client-protocol", "grpc"}, NULL, "http://h", -EINVAL},
		{{NULL},
		 "gcs-connection:\n  client-protocol: grpc\n",
		 "http://h",
		 -EINVAL},
		{{"--client-protocol=http1"},
		 "gcs-connection: {client-protocol: grpc}\n",
		 "http://h",
		 0},
		{{"--client-protocol=grpc"}, NULL, NULL, 0},
		{{NULL}, "gcs-connection:\n  my-client-protocol: grpc\n", "http://h", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct job_data data = {.bucket = "b", .endpoint = rows[i].endpoint};
		struct arm arm = {.label = "a",
				  .args = (const char **)rows[i].args,
				  .config_file = rows[i].config_file};
		struct mount_spec spec = {
			.arm = &arm, .data = &data, .step_dir = "/s", .point = "/m"};
		struct mount_args a = {0};
		struct err err = {0};
		int r;

		while (arm.n_args < 2 && rows[i].args[arm.n_args])
			arm.n_args++;
		r = mount_argv(&spec, &a, &err);
		ok(r == rows[i].want, "grpc %zu: %d %s", i, r, err.text);
		mount_args_done(&a);
	}
}

static void test_kind_dir(void)
{
	struct arm arm = {.label = "dir", .kind = ARM_DIR};
	struct job_data data = {.bucket = "b"};
	struct mount_spec spec = spec_of(&arm, &data);
	struct mount m = {0};
	bool was_aborted = true;
	struct stat st;

	ok(mount_start(&spec, &m, NULL) == 0 && stat(point, &st) == 0 &&
		   S_ISDIR(st.st_mode) && mount_minor(&m) == -1 &&
		   m.start.read_ahead_kb == UINT64_MAX && mount_answers(&m, 0),
	   "kind dir is a folder");
	ok(mount_stop(&m, 0, -1, &was_aborted, NULL) == 0 && !was_aborted &&
		   mount_abort(&m, NULL) == 0 && stat(point, &st) == 0,
	   "and stays");
	mount_done(&m);
}

static void *signal_soon(void *arg)
{
	const uint64_t one = 1;

	poll(NULL, 0, 300);
	return write(*(int *)arg, &one, sizeof(one)) < 0 ? arg : NULL;
}

/* Unmount with a minute's time and a signal that comes meanwhile; how long it took. */
static double stop_hurried(struct mount *m, bool *ret_aborted)
{
	cleanup_close int fd = eventfd(0, EFD_CLOEXEC);
	int64_t begin_ns = clock_mono_ns();
	pthread_t thread;

	pthread_create(&thread, NULL, signal_soon, &fd);
	if (mount_stop(m, begin_ns + 60LL * NS_PER_S, fd, ret_aborted, NULL) < 0)
		return -1;
	begin_ns = clock_mono_ns() - begin_ns;
	pthread_join(thread, NULL);
	return (double)begin_ns / NS_PER_S;
}

static bool is_hurried(double s)
{
	return s > MOUNT_HURRY_S && s < MOUNT_HURRY_S + 2;
}

static void spawn_sleep(const char *time, struct mount *m)
{
	const char *argv[] = {"sleep", time, NULL};
	struct proc_spec spec = {.path = "sleep", .argv = argv};

	*m = (struct mount){0};
	proc_spawn(&spec, &m->proc, NULL);
}

/* As a gcsfuse that has been unmounted and does not end. */
static void test_hurry(void)
{
	cleanup_close int quiet = eventfd(0, EFD_CLOEXEC);
	cleanup_close int raised = eventfd(1, EFD_CLOEXEC);
	int64_t long_ns = clock_mono_ns() + 60LL * NS_PER_S;
	bool was_aborted = true;
	struct mount m;
	double s;

	spawn_sleep("1", &m);
	ok(mount_stop(&m, long_ns, quiet, &was_aborted, NULL) == 0 && !was_aborted &&
		   !m.proc.pid,
	   "without a signal its end is waited for");
	spawn_sleep("1", &m);
	ok(mount_stop(&m, long_ns, raised, &was_aborted, NULL) == 0 && !was_aborted,
	   "with one there is some time, too");
	spawn_sleep("60", &m);
	s = stop_hurried(&m, &was_aborted);
	ok(was_aborted && !m.proc.pid && is_hurried(s),
	   "but no more than %d s from then on (%.1f s)", MOUNT_HURRY_S, s);
}

static void test_warm(void)
{
	cleanup_free char *sub = xasprintf("%s/warm/a/b", workspace);
	cleanup_free char *top = xasprintf("%s/warm", workspace);
	struct mount m = {0};
	uint64_t n = 99;

	ok(mount_warm(&m, top, clock_mono_ns() + NS_PER_S, -1, &n, NULL) == 0 && n == 0,
	   "no folder, nothing to warm");
	mkdir(top, 0700);
	sub[strlen(sub) - 2] = '\0';
	mkdir(sub, 0700);
	for (int i = 0; i < 300; i++) {
		cleanup_free char *file =
			xasprintf("%s/file-with-a-long-name-%d", sub, i);

		close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	}
	ok(mount_warm(&m, top, clock_mono_ns() + NS_PER_S, -1, &n, NULL) == 0 && n == 301,
	   "%llu entries", (unsigned long long)n);
}

static bool is_in_mountinfo(void)
{
	cleanup_file FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, point))
			return true;
	return false;
}

static void test_mount_and_unmount(const struct job_data *data)
{
	static const char *const args[] = {"--implicit-dirs", "--cache-dir=/var/tmp/x"};
	static const char *const env[] = {"ARM_VARIABLE=1"};
	struct arm arm = {.label = "a",
			  .n_args = 2,
			  .args = (const char **)args,
			  .n_env = 1,
			  .env = (const char **)env,
			  .config_file = "metadata-cache:\n  ttl-secs: 7\n"};
	cleanup_free char *cache = xasprintf("%s/cache", step_dir);
	cleanup_free char *file = xasprintf("%s/f", point);
	cleanup_free char *proc_env = NULL;
	struct mount_spec spec = spec_of(&arm, data);
	const json_t *config;
	struct mount m = {0};
	struct err err = {0};
	bool was_aborted = true;
	struct stat st;
	char buf[4096];
	ssize_t n;
	int fd;

	setenv("MUSTER_SECRET", "s", 1);
	if (!ok(mount_start(&spec, &m, &err) == 0, "mounted %s", err.text))
		return;
	ok(is_in_mountinfo() && mount_minor(&m) >= 0 && mount_answers(&m, NS_PER_S),
	   "in the mount table, and answers");
	ok(m.start.read_ahead_kb != UINT64_MAX && m.start.max_background != UINT64_MAX,
	   "kernel settings: %llu KiB read-ahead, %llu in background",
	   (unsigned long long)m.start.read_ahead_kb,
	   (unsigned long long)m.start.max_background);
	config = json_object_get(m.config, "config");
	ok(json_integer_value(json_object_get(json_object_get(config, "MetadataCache"),
					      "TtlSecs")) == 7,
	   "the effective configuration shows the arm's file");
	ok(!json_object_get(json_object_get(config, "GcsAuth"), "KeyFile"),
	   "without keys that may hold secrets");
	proc_env = xasprintf("/proc/%d/environ", m.proc.pid);
	fd = open(proc_env, O_RDONLY | O_CLOEXEC);
	n = read(fd, buf, sizeof(buf));
	close(fd);
	ok(n > 0 && memmem(buf, (size_t)n, "ARM_VARIABLE=1", 14) &&
		   !memmem(buf, (size_t)n, "MUSTER_SECRET", 13) &&
		   !memcmp(buf, "LC_ALL=C", 9),
	   "gcsfuse's environment is ours and the arm's");
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ok(write(fd, "x", 1) == 1 && stat(cache, &st) == 0,
	   "writable; the cache lies in the workspace");
	ok(close(fd) == 0, "closed");
	ok(mount_stop(&m, clock_mono_ns() + 10LL * NS_PER_S, -1, &was_aborted, &err) ==
			   0 &&
		   !was_aborted && !is_in_mountinfo() && !m.proc.pid,
	   "unmounted in good order %s", err.text);
	ok(stat(cache, &st) < 0 && stat("/var/tmp/x", &st) < 0, "its cache is gone");
	mount_done(&m);
}

static void test_busy_is_waited_for(const struct job_data *data)
{
	struct mount_spec spec = spec_of(&plain_arm, data);
	struct mount m = {0};
	bool was_aborted = false;
	int fd, r;

	if (!ok(mount_start(&spec, &m, NULL) == 0, "mounted"))
		return;
	fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = mount_stop(&m, clock_mono_ns() + 200LL * NS_PER_MS, -1, &was_aborted, NULL);
	ok(r == 0 && was_aborted && !is_in_mountinfo() && !m.proc.pid,
	   "a mount in use is aborted at the deadline");
	close(fd);
	mount_done(&m);
}

static void test_busy_and_hurry(const struct job_data *data)
{
	struct mount_spec spec = spec_of(&plain_arm, data);
	cleanup_close int dir = -1;
	struct mount m = {0};
	bool was_aborted = false;
	double s;

	if (!ok(mount_start(&spec, &m, NULL) == 0, "mounted"))
		return;
	dir = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s = stop_hurried(&m, &was_aborted);
	ok(was_aborted && is_hurried(s) && !is_in_mountinfo() && !m.proc.pid,
	   "a mount in use is aborted soon after a signal (%.1f s)", s);
	mount_done(&m);
}

static void test_stopped_gcsfuse(const struct job_data *data)
{
	struct mount_spec spec = spec_of(&plain_arm, data);
	struct mount m = {0};
	struct err err = {0};
	int64_t begin_ns;

	if (!ok(mount_start(&spec, &m, NULL) == 0, "mounted"))
		return;
	proc_signal(&m.proc, SIGSTOP);
	ok(!mount_answers(&m, 300LL * NS_PER_MS), "a stopped gcsfuse does not answer");
	begin_ns = clock_mono_ns();
	ok(mount_abort(&m, &err) == 0 && clock_mono_ns() - begin_ns < (int64_t)NS_PER_S &&
		   !is_in_mountinfo() && !m.proc.pid,
	   "aborted within 1 s %s", err.text);
	ok(mount_stop(&m, 0, -1, NULL, NULL) == 0, "stopping after it is harmless");
	mount_done(&m);
}

static void test_leftovers_are_swept(const struct job_data *data)
{
	struct mount_spec spec = spec_of(&plain_arm, data);
	struct mount first = {0}, second = {0};
	unsigned n = 0;

	if (!ok(mount_start(&spec, &first, NULL) == 0, "mounted"))
		return;
	proc_signal(&first.proc, SIGSTOP);
	ok(mount_start(&spec, &second, NULL) == 0,
	   "a hung mount in the way is no obstacle");
	ok(mount_sweep(workspace, &n, NULL) == 0 && n == 1 && !is_in_mountinfo(),
	   "sweeping the workspace finds it");
	ok(mount_sweep(workspace, &n, NULL) == 0 && n == 0, "once");
	mount_stop(&first, 0, -1, NULL, NULL);
	mount_stop(&second, clock_mono_ns() + NS_PER_S, -1, NULL, NULL);
	mount_done(&first);
	mount_done(&second);
}

static void test_failures_say_why(const struct job_data *data)
{
	static const struct {
		const char *arg, *text;
	} rows[] = {
		{"--no-such-flag", "no-such-flag"},
		{"--uid=me", "invalid argument"},
		{"--metadata-cache-ttl-secs=-7", "ttl-secs"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arm arm = {
			.label = "a", .n_args = 1, .args = (const char **)&rows[i].arg};
		struct mount_spec spec = spec_of(&arm, data);
		struct mount m = {0};
		struct err err = {0};
		int r;

		r = mount_start(&spec, &m, &err);
		ok(r == -EIO && strstr(err.text, rows[i].text) && !is_in_mountinfo() &&
			   !m.point && proc_count_tree(&m.proc) == 0,
		   "%s: %s", rows[i].arg, err.text);
	}
}

static void test_severity_hides_the_message(const struct job_data *data)
{
	static const char *const args[] = {"--log-severity=error"};
	struct arm arm = {.label = "a", .n_args = 1, .args = (const char **)args};
	struct mount_spec spec = spec_of(&arm, data);
	struct mount m = {0};
	struct err err = {0};

	ok(mount_start(&spec, &m, &err) == 0 && !m.config, "ready without a log %s",
	   err.text);
	mount_stop(&m, clock_mono_ns() + 5LL * NS_PER_S, -1, NULL, NULL);
	mount_done(&m);
}

static void test_kernel_reader_settings(const struct job_data *data)
{
	static const char *const args[] = {"--enable-kernel-reader"};
	struct arm arm = {.label = "a", .n_args = 1, .args = (const char **)args};
	struct mount_spec spec = spec_of(&arm, data);
	struct kernel_globals before;
	struct mount m = {0};
	struct err err = {0};

	kernel_globals_read(&before);
	if (!ok(mount_start(&spec, &m, &err) == 0, "mounted %s", err.text))
		return;
	ok(m.start.read_ahead_kb > 1024,
	   "settings gcsfuse writes after the mount are there: %llu KiB",
	   (unsigned long long)m.start.read_ahead_kb);
	mount_stop(&m, clock_mono_ns() + 5LL * NS_PER_S, -1, NULL, NULL);
	mount_done(&m);
	kernel_globals_restore(&before, NULL);
}

static void test_real_mounts(struct emulator *emu)
{
	struct job_data data = {.bucket = "data",
				.prefix = "",
				.endpoint = emu->url,
				.auth = STORE_AUTH_ANONYMOUS};

	endpoint = emu->url;
	test_mount_and_unmount(&data);
	test_busy_is_waited_for(&data);
	test_busy_and_hurry(&data);
	test_stopped_gcsfuse(&data);
	test_leftovers_are_swept(&data);
	test_failures_say_why(&data);
	test_severity_hides_the_message(&data);
	test_kernel_reader_settings(&data);
}

int main(int argc, char **argv)
{
	const char *gcsfuse = getenv("MUSTER_TEST_GCSFUSE");
	struct emulator emu = {0};

	(void)argc;
	proc_init(NULL);
	if (!mkdtemp(workspace))
		return 1;
	step_dir = xasprintf("%s/step", workspace);
	point = xasprintf("%s/mnt", workspace);
	log_path = xasprintf("%s/gcsfuse.log", workspace);
	mkdir(step_dir, 0700);
	test_argv();
	test_grpc_needs_google();
	test_kind_dir();
	test_hurry();
	test_warm();
	gcsfuse_fd = gcsfuse ? open(gcsfuse, O_RDONLY | O_CLOEXEC) : -1;
	if (gcsfuse_fd >= 0 && emulator_start(argv[0], &emu)) {
		test_real_mounts(&emu);
		emulator_stop(&emu);
	} else {
		printf("# real mounts left out: no gcsfuse or no emulator\n");
	}
	emulator_remove(workspace);
	free(step_dir);
	free(point);
	free(log_path);
	return done_testing();
}
