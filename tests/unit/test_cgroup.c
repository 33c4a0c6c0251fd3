// SPDX-License-Identifier: Apache-2.0
// core/cgroup: found by mountinfo, divided, killed. The real part runs in a group made
// for it, in a hierarchy that is mounted for it where there is none.
#include "core/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"
#include "tests/unit/tap.h"

static int64_t in_ms(int64_t ms)
{
	return clock_mono_ns() + ms * NS_PER_MS;
}

static void test_mountinfo_lines(void)
{
	static const struct {
		const char *line, *root, *point; /* root NULL: not one */
	} rows[] = {
		{"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw",
		 "/", "/sys/fs/cgroup"},
		{"41 31 0:38 /a\\040b /mnt/x\\134y rw - cgroup2 none rw", "/a b",
		 "/mnt/x\\y"},
		{"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd",
		 NULL, NULL},
		{"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw", NULL, NULL},
		{"27 1 - cgroup2 x", NULL, NULL},
		{"", NULL, NULL},
	};
	static struct cgroup_mount m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool is_one = cgroup_parse_mount(rows[i].line, &m);

		ok(is_one == (rows[i].root != NULL) &&
			   (!is_one || (!strcmp(m.root, rows[i].root) &&
					!strcmp(m.point, rows[i].point))),
		   "mountinfo: %.40s", rows[i].line);
	}
}

static void test_without_groups(void)
{
	const struct cgroup none = {0};

	ok(cgroup_join(&none, "x", NULL) == 0 && cgroup_open(&none, "x", NULL) == 0 &&
		   cgroup_kill(&none, "x", NULL) == 0 &&
		   cgroup_end(&none, "x", 0, NULL) == 0 &&
		   cgroup_sweep(&none, "x", 0, NULL) == 0,
	   "without groups every call does nothing");
}

/* Where a hierarchy is mounted; the caller's, or NULL. */
static char *find_hierarchy(void)
{
	cleanup_file FILE *f = fopen("/proc/self/mountinfo", "r");
	static struct cgroup_mount m;
	char line[8192];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (cgroup_parse_mount(line, &m) && !strcmp(m.root, "/") &&
		    access(m.point, W_OK) == 0)
			return xstrdup(m.point);
	}
	return NULL;
}

static char *mount_hierarchy(void)
{
	char dir[] = "/tmp/test_cgroup_XXXXXX";

	if (!mkdtemp(dir) || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("cgroup2", dir, "cgroup2", 0, NULL) < 0)
		return NULL;
	return xstrdup(dir);
}

/* sh -c @script in group @name. */
static int start_in(const struct cgroup *cg, const char *name, const char *script,
		    struct proc *ret)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const envp[] = {PROC_ENV_BASE, "PATH=/usr/bin:/bin", NULL};
	struct proc_spec spec = {.path = "/bin/sh", .argv = argv, .envp = envp};
	int r;

	spec.cgroup_fd = cgroup_open(cg, name, NULL);
	r = proc_spawn(&spec, ret, NULL);
	if (spec.cgroup_fd > 0)
		close(spec.cgroup_fd);
	return r;
}

static unsigned count_in(const struct cgroup *cg, const char *name)
{
	cleanup_free char *path = xasprintf("%s/%s/cgroup.procs", cg->top, name);
	cleanup_file FILE *f = fopen(path, "r");
	char line[32];
	unsigned n = 0;

	while (f && fgets(line, sizeof(line), f))
		n++;
	return n;
}

static bool count_reaches(const struct cgroup *cg, const char *name, unsigned n)
{
	int64_t deadline_ns = in_ms(5000);

	while (count_in(cg, name) < n)
		if (clock_mono_ns() > deadline_ns || poll(NULL, 0, 5) != 0)
			return false;
	return true;
}

static bool exists(const struct cgroup *cg, const char *name)
{
	cleanup_free char *path = xasprintf("%s/%s", cg->top, name);

	return access(path, F_OK) == 0;
}

static void test_find(const char *folder, struct cgroup *cg)
{
	struct err err = {0};
	pid_t other = fork();

	if (other == 0) {
		pause();
		_exit(0);
	}
	ok(cgroup_find(cg, &err) == -ENOTSUP && strstr(err.text, "others"),
	   "a group with others in it is not ours: %s", err.text);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	err_clear(&err);
	ok(cgroup_find(cg, &err) == 0 && !strcmp(cg->top, folder), "alone it is %s",
	   err.text);
}

static void test_end_kills_all(const struct cgroup *cg)
{
	struct proc p = {0}, gcsfuse = {0};
	struct proc_end end = {0};
	struct err err = {0};

	start_in(cg, "gcsfuse-1-1-a1", "exec sleep 60", &gcsfuse);
	start_in(cg, "step-1-1-a1",
		 "cd /; setsid env -i sleep 60 & (setsid sh -c 'sleep 60 & sleep 60' &);"
		 "sleep 60",
		 &p);
	ok(count_reaches(cg, "step-1-1-a1", 5) && count_in(cg, "gcsfuse-1-1-a1") == 1,
	   "children are born into their groups, and theirs too");
	ok(cgroup_end(cg, "step-1-1-a1", in_ms(2000), &err) == 0 &&
		   !exists(cg, "step-1-1-a1"),
	   "all are killed and the group is gone %s", err.text);
	proc_wait(&p, in_ms(2000), -1, &end, NULL);
	ok(end.signal == SIGKILL, "by SIGKILL");
	ok(proc_signal(&gcsfuse, 0) == 0 && count_in(cg, "gcsfuse-1-1-a1") == 1,
	   "the other group lives");
	ok(cgroup_end(cg, "step-1-1-a1", in_ms(2000), NULL) == 0,
	   "a group that is not there has ended");
	proc_kill_tree(&gcsfuse, NULL);
}

static void test_end_of_forkers(const struct cgroup *cg)
{
	struct proc p = {0};
	struct err err = {0};

	start_in(cg, "step-2-1-a1",
		 "i=0; while [ $i -lt 300 ]; do i=$((i+1)); (setsid sleep 30 &); done",
		 &p);
	count_reaches(cg, "step-2-1-a1", 20);
	ok(cgroup_end(cg, "step-2-1-a1", in_ms(2000), &err) == 0,
	   "forkers end at once %s", err.text);
	proc_kill_tree(&p, NULL);
}

static void test_sweep(const struct cgroup *cg)
{
	struct proc p[3] = {{0}};

	start_in(cg, "step-1-1-a1", "exec sleep 60", &p[0]);
	start_in(cg, "step-9-1-a1", "exec sleep 60", &p[1]);
	start_in(cg, "other", "exec sleep 60", &p[2]);
	ok(cgroup_sweep(cg, "step-", in_ms(2000), NULL) == 0 &&
		   !exists(cg, "step-1-1-a1") && !exists(cg, "step-9-1-a1"),
	   "a sweep ends the groups whose names begin so");
	ok(count_in(cg, "other") == 1 && proc_signal(&p[2], 0) == 0, "and no other");
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		proc_kill_tree(&p[i], NULL);
	cgroup_end(cg, "other", in_ms(2000), NULL);
	cgroup_end(cg, "gcsfuse-1-1-a1", in_ms(2000), NULL);
}

/* In a process of its own, so that it can be alone in the group. */
static int in_group(const char *folder)
{
	cleanup_free char *procs = xasprintf("%s/cgroup.procs", folder);
	cleanup_free char *kill_path = xasprintf("%s/cgroup.kill", folder);
	cleanup(cgroup_done) struct cgroup cg = {0};
	cleanup_file FILE *f = fopen(procs, "w");

	if (access(kill_path, W_OK) < 0 || !f || fputs("0", f) < 0 || fflush(f) != 0) {
		printf("# no cgroup.kill: real groups left out\n");
		return done_testing();
	}
	proc_init(NULL);
	test_find(folder, &cg);
	if (!cg.top)
		return done_testing();
	ok(cgroup_join(&cg, "worker", NULL) == 0 && count_in(&cg, "worker") == 1,
	   "this process moves into a leaf");
	test_end_kills_all(&cg);
	test_end_of_forkers(&cg);
	test_sweep(&cg);
	return done_testing();
}

int main(void)
{
	cleanup_free char *hierarchy = NULL;
	cleanup_free char *folder = NULL;
	cleanup_free char *leaf = NULL;
	int status = 0;
	pid_t pid;

	test_mountinfo_lines();
	test_without_groups();
	hierarchy = find_hierarchy();
	if (!hierarchy)
		hierarchy = mount_hierarchy();
	folder = xasprintf("%s/muster-test-%d", hierarchy ? hierarchy : "", getpid());
	if (!hierarchy || mkdir(folder, 0755) < 0) {
		printf("# no cgroup v2 hierarchy to write to: real groups left out\n");
		return done_testing();
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		return in_group(folder);
	waitpid(pid, &status, 0);
	leaf = xasprintf("%s/worker", folder);
	rmdir(leaf);
	if (rmdir(folder) < 0)
		printf("# %s stays: %s\n", folder, strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
