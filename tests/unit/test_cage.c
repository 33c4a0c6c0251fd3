// SPDX-License-Identifier: Apache-2.0
// core/cage: what a caged program sees, may and may not. The program is this one again,
// started with the word "inside": it tries things and prints how they ended.
#include "core/cage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"
#include "tests/unit/tap.h"

/* -------- inside -------- */

static void told(const char *what, long r)
{
	printf("%s=%s\n", what, r >= 0 ? "ok" : strerrorname_np(errno));
}

static int tcp_connect(const char *host, unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, host, &to.sin_addr);
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static struct sockaddr_un abstract_name(void)
{
	return (struct sockaddr_un){AF_UNIX, "\0muster-test-cage"};
}

static void try_network(const char *port_text)
{
	struct sockaddr_un un = abstract_name();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t port = 0;

	parse_u64(port_text, &port, NULL);
	told("metadata", tcp_connect("169.254.169.254", 80));
	told("loopback", tcp_connect("127.0.0.1", (unsigned)port));
	told("abstract", connect(fd, (struct sockaddr *)&un, sizeof(un)));
}

static int create(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void try_files(const char *outside)
{
	cleanup_free char *secret = xasprintf("%s/secret", outside);

	told("write here", create("made"));
	told("mknod here", mknod("node2", S_IFCHR | 0600, makedev(1, 3)));
	told("open node here", open("node", O_RDONLY));
	told("read secret", open(secret, O_RDONLY));
	told("write outside", create(secret));
	told("create in /tmp", create("/tmp/muster-test-cage"));
	told("create in /", create("/x"));
	told("create in /usr", create("/usr/x"));
	told("unlink in /usr", unlink("/usr/bin/env"));
	told("read /etc/passwd", open("/etc/passwd", O_RDONLY));
	told("read /run", open("/run", O_RDONLY));
	told("write sysctl", open("/proc/sys/vm/drop_caches", O_WRONLY));
	told("write /sys", open("/sys/kernel/uevent_seqnum", O_WRONLY));
	told("/dev/null", open("/dev/null", O_RDWR));
	told("/dev/fuse", open("/dev/fuse", O_RDWR));
}

static void try_escape(const char *parent)
{
	char handle[128] = {8, 0, 0, 0, 1};
	char path[64];

	told("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
	told("remount /usr", mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL));
	told("umount", umount2("/usr", MNT_DETACH));
	told("unshare", unshare(CLONE_NEWNS));
	told("chroot", chroot("/usr"));
	told("handle", syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY));
	snprintf(path, sizeof(path), "/proc/%s/environ", parent);
	told("environ of the parent", open(path, O_RDONLY));
	told("shared memory", shmget(0x6d757374, 1, 0));
	/* last: it gives capabilities, over itself */
	told("user namespace mount",
	     unshare(CLONE_NEWUSER | CLONE_NEWNS)
		     ? -1
		     : mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static void show_status(void)
{
	static const char *const keys[] = {"NoNewPrivs", "CapPrm", "CapEff",
					   "CapBnd",	 "CapInh", "CapAmb"};
	cleanup_file FILE *f = fopen("/proc/self/status", "r");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (str_starts(line, keys[i]))
				fputs(line, stdout);
	printf("descriptors");
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && (!f || fd != fileno(f)))
			printf(" %d", fd);
	printf("\nenvironment");
	for (char **e = environ; *e; e++)
		printf(" %s", *e);
	printf("\n");
}

static int inside(char **argv)
{
	const char *what = argv[2];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "network"))
		try_network(argv[3]);
	else if (!strcmp(what, "files"))
		try_files(argv[3]);
	else if (!strcmp(what, "escape"))
		try_escape(argv[3]);
	else if (!strcmp(what, "status"))
		show_status();
	else if (!strcmp(what, "stay"))
		pause();
	/* not exit(): a leak checker cannot look at itself in here */
	fflush(stdout);
	_exit(0);
}

/* -------- outside -------- */

static char top[] = "/tmp/test_cage_XXXXXX";
static char *self, *here;

static int64_t in_s(int64_t s)
{
	return clock_mono_ns() + s * NS_PER_S;
}

static int start(const char *what, const char *arg, const struct cage *cage, int out_fd,
		 struct proc *ret, struct err *err)
{
	const char *const argv[] = {"test_cage", "inside", what, arg, NULL};
	const struct proc_spec spec = {.path = self,
				       .argv = argv,
				       .cwd = here,
				       .stdout_fd = out_fd,
				       .stderr_fd = out_fd,
				       .cage = cage};

	return proc_spawn(&spec, ret, err);
}

/* What the caged program printed. */
static void ask(const char *what, const char *arg, struct str *out)
{
	const char *const writable[] = {here, NULL};
	const struct cage_spec cage_spec = {.program = self, .writable = writable};
	const char *const argv[] = {"test_cage", "inside", what, arg, NULL};
	cleanup(cage_done) struct cage cage = {0};
	const struct proc_spec spec = {
		.path = self, .argv = argv, .cwd = here, .cage = &cage};
	struct proc_end end = {0};
	struct err err = {0};
	int r = cage_plan(&cage_spec, &cage, &err);

	str_reset(out);
	if (r == 0)
		r = proc_run_capture(&spec, in_s(10), out, &end, &err);
	if (r < 0 || end.exit_status != 0)
		printf("# inside: %s, status %d\n", err.text, end.exit_status);
	for (const char *p = str_text(out); *p; p += strcspn(p, "\n") + 1)
		printf("#   %.*s\n", (int)strcspn(p, "\n"), p);
}

static bool says(const struct str *out, const char *line)
{
	cleanup_free char *first = xasprintf("%s\n", line);
	cleanup_free char *later = xasprintf("\n%s\n", line);

	return str_starts(str_text(out), first) || strstr(str_text(out), later);
}

static void test_network(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cleanup_close int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cleanup_close int un = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cleanup_str struct str out = STR_INIT(65536);
	struct sockaddr_un name = abstract_name();
	socklen_t n = sizeof(any);
	char port[16];

	if (bind(tcp, (struct sockaddr *)&any, n) < 0 || listen(tcp, 1) < 0 ||
	    getsockname(tcp, (struct sockaddr *)&any, &n) < 0 ||
	    bind(un, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(un, 1) < 0)
		return;
	snprintf(port, sizeof(port), "%u", ntohs(any.sin_port));
	ask("network", port, &out);
	ok(says(&out, "metadata=ENETUNREACH"), "the metadata server cannot be reached");
	ok(says(&out, "loopback=ENETUNREACH"), "nor a port of this machine");
	ok(says(&out, "abstract=ECONNREFUSED"), "nor an abstract socket");
}

static void test_files(void)
{
	static const struct {
		const char *line, *name;
	} rows[] = {
		{"write here=ok", "the writable folder is"},
		{"mknod here=EPERM", "no device node can be made"},
		{"open node here=EACCES", "and one that is there cannot be opened"},
		{"read secret=ENOENT", "a file beside the folder does not exist"},
		{"write outside=EROFS", "and cannot be made"},
		{"create in /tmp=EROFS", "/tmp is read-only"},
		{"create in /=EROFS", "and the root"},
		{"create in /usr=EROFS", "and /usr"},
		{"unlink in /usr=EROFS", "where nothing can be deleted"},
		{"read /etc/passwd=ENOENT", "/etc is not shown"},
		{"read /run=ENOENT", "nor /run"},
		{"write sysctl=EROFS", "/proc is read-only"},
		{"write /sys=EROFS", "and /sys"},
		{"/dev/null=ok", "/dev/null is there"},
		{"/dev/fuse=ENOENT", "other devices are not"},
	};
	cleanup_free char *secret = xasprintf("%s/secret", top);
	cleanup_free char *node = xasprintf("%s/node", here);
	cleanup_str struct str out = STR_INIT(65536);
	struct stat st = {0};

	close(create(secret));
	mknod(node, S_IFCHR | 0600, makedev(1, 3));
	ask("files", top, &out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ok(says(&out, rows[i].line), "%s", rows[i].name);
	unlink(node);
	ok(stat("/usr/bin/env", &st) == 0 && access("/tmp/muster-test-cage", F_OK) < 0,
	   "and outside all is as it was");
}

static void test_escape(void)
{
	static const struct {
		const char *line, *name;
	} rows[] = {
		{"remount=EPERM", "the root cannot be remounted"},
		{"remount /usr=EPERM", "nor another mount"},
		{"umount=EPERM", "nothing can be unmounted"},
		{"unshare=EPERM", "no mount namespace can be made"},
		{"chroot=EPERM", "no chroot"},
		{"handle=EPERM", "no file handle leads out"},
		{"environ of the parent=ENOENT", "the parent is not in /proc"},
		{"shared memory=ENOENT", "shared memory of others is not there"},
	};
	int shm = shmget(0x6d757374, 4096, IPC_CREAT | 0600);
	cleanup_str struct str out = STR_INIT(65536);
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	ask("escape", pid, &out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ok(says(&out, rows[i].line), "%s", rows[i].name);
	ok(!says(&out, "user namespace mount=ok"),
	   "a user namespace does not unlock the mounts");
	shmctl(shm, IPC_RMID, NULL);
}

static void test_privileges(void)
{
	/* DAC_OVERRIDE 1, FOWNER 3, IPC_LOCK 14, SYS_NICE 23 */
	static const char mask[] = "000000000080400a";
	cleanup_free char *eff = xasprintf("CapEff:\t%s", mask);
	cleanup_free char *bnd = xasprintf("CapBnd:\t%s", mask);
	cleanup_str struct str out = STR_INIT(65536);
	int leak = open("/etc/passwd", O_RDONLY);

	setenv("SECRET_TOKEN", "x", 1);
	ask("status", NULL, &out);
	unsetenv("SECRET_TOKEN");
	close(leak);
	ok(says(&out, "NoNewPrivs:\t1"), "no new privileges");
	ok(says(&out, eff), "four capabilities");
	ok(says(&out, bnd), "and no way to others");
	ok(says(&out, "CapInh:\t0000000000000000") &&
		   says(&out, "CapAmb:\t0000000000000000"),
	   "none to inherit");
	ok(says(&out, "descriptors 0 1 2"), "three descriptors");
	ok(says(&out, "environment LC_ALL=C TZ=UTC"), "two variables");
}

/* Lines of a process's mountinfo that have @text. */
static unsigned mounts_with(pid_t pid, const char *text)
{
	cleanup_free char *path = xasprintf("/proc/%d/mountinfo", pid);
	cleanup_file FILE *f = fopen(path, "r");
	char line[8192];
	unsigned n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	return n;
}

static void test_mounts(unsigned long propagation, const char *how)
{
	cleanup_free char *data = xasprintf("%s/data", top);
	cleanup_free char *other = xasprintf("%s/other", top);
	cleanup_free char *later = xasprintf("%s/later", data);
	const char *const writable[] = {here, data, NULL};
	const struct cage_spec spec = {.program = self, .writable = writable};
	cleanup(cage_done) struct cage cage = {0};
	unsigned before;
	struct proc p = {0};

	mkdir(data, 0700);
	mkdir(other, 0700);
	mount(NULL, "/", NULL, MS_REC | propagation, NULL);
	mount("tmpfs", data, "tmpfs", 0, NULL);
	mount("tmpfs", other, "tmpfs", 0, NULL);
	before = mounts_with(getpid(), "");
	cage_plan(&spec, &cage, NULL);
	ok(start("stay", NULL, &cage, 0, &p, NULL) == 0 &&
		   mounts_with(p.pid, data) == 1 && mounts_with(p.pid, other) == 0,
	   "%s: it has the writable mount, and no other", how);
	ok(mounts_with(getpid(), "") == before, "%s: nothing of it is seen outside", how);
	mkdir(later, 0700);
	ok(umount(other) == 0, "%s: another mount can be unmounted meanwhile", how);
	ok(umount(data) == 0, "%s: so can the writable one, which it keeps", how);
	ok(mount("tmpfs", data, "tmpfs", 0, NULL) == 0 && umount2(data, MNT_DETACH) == 0,
	   "%s: a new mount in its place is free at once", how);
	proc_kill_tree(&p, NULL);
}

static void in_own_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0) {
		printf("# no mount namespace: mounts left out\n");
		return;
	}
	mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
	test_mounts(MS_PRIVATE, "private mounts");
	test_mounts(MS_SHARED, "shared mounts");
}

static void test_failures(void)
{
	const char *const writable[] = {"/no/folder", NULL};
	const struct cage_spec nowhere = {.program = self, .writable = writable};
	const struct cage_spec nothing = {.program = "/no/program", .writable = writable};
	cleanup(cage_done) struct cage cage = {0};
	struct proc p = {0};
	struct err err = {0};

	ok(cage_plan(&nothing, &cage, &err) == -ENOENT && strstr(err.text, "/no/program"),
	   "no program: %s", err.text);
	err_clear(&err);
	cage_plan(&nowhere, &cage, NULL);
	ok(start("stay", NULL, &cage, 0, &p, &err) == -ENOENT && !p.pid &&
		   strstr(err.text, "cage: /no/folder"),
	   "a cage that cannot be built starts nothing: %s", err.text);
}

/* As in a container or for a user: CAP_SYS_ADMIN is not there. */
static void test_without_privilege(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_capset, &head, caps);
		_exit(-cage_is_allowed(NULL));
	}
	waitpid(pid, &status, 0);
	ok(WEXITSTATUS(status) == EPERM, "without CAP_SYS_ADMIN there is none: EPERM");
}

static void test_no_new_privs_alone(void)
{
	const char *const argv[] = {"test_cage", "inside", "status", NULL};
	const struct proc_spec spec = {.path = self, .argv = argv, .no_new_privs = true};
	cleanup_str struct str out = STR_INIT(65536);
	struct proc_end end;

	proc_run_capture(&spec, in_s(10), &out, &end, NULL);
	ok(says(&out, "NoNewPrivs:\t1"), "no new privileges without a cage");
}

static void test_set_up_time(void)
{
	const char *const writable[] = {here, NULL};
	const struct cage_spec spec = {.program = self, .writable = writable};
	int64_t ns[2] = {0};
	enum { N = 20 };

	for (int i = 0; i < 2 * N; i++) {
		cleanup(cage_done) struct cage cage = {0};
		int64_t begin_ns = clock_mono_ns();
		struct proc_end end;
		struct proc p = {0};

		if (i % 2)
			cage_plan(&spec, &cage, NULL);
		start("nothing", NULL, i % 2 ? &cage : NULL, 0, &p, NULL);
		ns[i % 2] += (clock_mono_ns() - begin_ns) / N;
		proc_wait(&p, INT64_MAX, -1, &end, NULL);
	}
	printf("# a start takes %.2f ms, in a cage %.2f ms\n", (double)ns[0] / NS_PER_MS,
	       (double)ns[1] / NS_PER_MS);
	ok(ns[1] - ns[0] < 50LL * NS_PER_MS, "a cage is built in milliseconds");
}

int main(int argc, char **argv)
{
	struct err err = {0};
	const char *const rm[] = {"rm", "-rf", "--one-file-system", top, NULL};
	struct proc_end end;

	if (argc > 2 && !strcmp(argv[1], "inside"))
		return inside(argv);
	if (cage_is_allowed(&err) < 0) {
		printf("1..0 # SKIP %s\n", err.text);
		return 0;
	}
	self = realpath(argv[0], NULL);
	if (!self || !mkdtemp(top) || proc_init(NULL) < 0)
		return 1;
	here = xasprintf("%s/here", top);
	mkdir(here, 0700);
	test_network();
	test_files();
	test_escape();
	test_privileges();
	test_failures();
	test_without_privilege();
	test_no_new_privs_alone();
	test_set_up_time();
	in_own_namespace();
	proc_run_capture(&(struct proc_spec){.path = "/bin/rm", .argv = rm}, in_s(10),
			 &(struct str){.max = 4096}, &end, NULL);
	free(here);
	free(self);
	return done_testing();
}
