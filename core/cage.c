// SPDX-License-Identifier: Apache-2.0
// The cage: planned by the parent, built by the forked child with system calls alone.
#include "core/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "core/str.h"

/* An allow-list: what is not in here does not exist in the cage. The loader's cache and
 * Debian's alternatives are what libraries are found by; Nix keeps them in its store. */
static const char *const system_places[] = {
	"/usr",	      "/bin",
	"/sbin",      "/lib",
	"/lib32",     "/lib64",
	"/libx32",    "/etc/ld.so.cache",
	"/nix/store", "/etc/alternatives",
};

/*
 * What a load generator needs of root: files of another owner or mode (an arm's --uid,
 * --file-mode), O_NOATIME on them, locked memory, niceness and real-time priorities.
 * Not CAP_DAC_READ_SEARCH: open_by_handle_at() would lead out of any mount namespace.
 */
static const uint64_t kept_caps = 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER |
				  1ULL << CAP_IPC_LOCK | 1ULL << CAP_SYS_NICE;

enum item_kind { ITEM_FOLDER, ITEM_ONE_MOUNT, ITEM_FILE, ITEM_LINK };

struct cage_item {
	enum item_kind kind;
	bool is_writable;
	char *path; /* where it is outside; inside the same, relative to the root */
	char *link; /* of ITEM_LINK: its text */
};

static int caps_get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};

	return syscall(SYS_capget, &head, data) < 0 ? -errno : 0;
}

int cage_is_allowed(struct err *err)
{
	struct __user_cap_data_struct caps[2] = {0};
	int r = caps_get(caps);

	if (r < 0)
		return err_errno(err, r, "capget");
	if (!(caps[0].effective & 1U << CAP_SYS_ADMIN))
		return err_set(err, -EPERM, "a cage needs CAP_SYS_ADMIN");
	/* no such size of its argument: -EINVAL where the call is known */
	if (syscall(SYS_mount_setattr, -1, "", 0, NULL, 0) < 0 && errno == ENOSYS)
		return err_set(err, -ENOSYS, "the kernel has no mount_setattr()");
	return 0;
}

static struct cage_item *add_item(struct cage *c, enum item_kind kind, const char *path)
{
	struct cage_item *item;

	c->items = xrealloc(c->items, c->n + 1, sizeof(*c->items));
	item = &c->items[c->n++];
	*item = (struct cage_item){.kind = kind, .path = xstrdup(path)};
	return item;
}

/* As it is outside: a link stays a link. What is not there is left out. */
static void add_system_place(struct cage *c, const char *path)
{
	char link[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) < 0)
		return;
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, link, sizeof(link) - 1);
		if (n <= 0)
			return;
		link[n] = '\0';
		add_item(c, ITEM_LINK, path)->link = xstrdup(link);
	} else {
		add_item(c, S_ISDIR(st.st_mode) ? ITEM_FOLDER : ITEM_FILE, path);
	}
}

static bool is_shown(const struct cage *c, const char *path)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t n = strlen(c->items[i].path);

		if (c->items[i].kind == ITEM_FOLDER && path[n] == '/' &&
		    strncmp(path, c->items[i].path, n) == 0)
			return true;
	}
	return false;
}

int cage_plan(const struct cage_spec *spec, struct cage *ret, struct err *err)
{
	struct cage c = {0};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(system_places); i++)
		add_system_place(&c, system_places[i]);
	/* without what is mounted below: control groups, FUSE connections, debugging */
	add_item(&c, ITEM_ONE_MOUNT, "/sys");
	/* not looked at: one of them is a mount, which may hang */
	for (const char *const *w = spec->writable; *w; w++)
		add_item(&c, ITEM_FOLDER, *w)->is_writable = true;
	if (access(spec->program, F_OK) < 0)
		r = err_errno(err, -errno, "%s", spec->program);
	if (r < 0) {
		cage_done(&c);
		return r;
	}
	if (!is_shown(&c, spec->program))
		add_item(&c, ITEM_FILE, spec->program);
	*ret = c;
	return 0;
}

void cage_done(struct cage *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].path);
		free(c->items[i].link);
	}
	free(c->items);
	*c = (struct cage){0};
}

/*
 * Everything below runs in the child: system calls, no memory, no locks. Paths inside are
 * relative: the working folder is the new root from its mounting on.
 */
static int setattr(const char *path, unsigned flags, struct mount_attr attr)
{
	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attr,
			    sizeof(attr));
}

static int make_parents(const char *relative)
{
	char path[PATH_MAX];
	size_t n = strlen(relative);

	memcpy(path, relative, n + 1);
	for (size_t i = 1; i < n; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -1;
		path[i] = '/';
	}
	return 0;
}

static int show(const struct cage_item *item)
{
	const char *inside = item->path + 1;
	unsigned long flags = item->kind == ITEM_FOLDER ? MS_BIND | MS_REC : MS_BIND;
	int fd;

	if (make_parents(inside) < 0)
		return -1;
	if (item->kind == ITEM_LINK)
		return symlink(item->link, inside);
	if (item->kind == ITEM_FILE) {
		fd = open(inside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return -1;
		close(fd);
	} else if (mkdir(inside, 0755) < 0 && errno != EEXIST) {
		return -1;
	}
	return mount(item->path, inside, NULL, flags, NULL);
}

static int make_devices(void)
{
	/* the kernel's Documentation/admin-guide/devices.txt, character major 1 */
	static const struct {
		const char *path;
		unsigned minor;
	} nodes[] = {
		{"dev/null", 3},   {"dev/zero", 5},    {"dev/full", 7},
		{"dev/random", 8}, {"dev/urandom", 9},
	};

	if (mkdir("dev", 0755) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor)) < 0)
			return -1;
	return 0;
}

/* Over /proc, because the cage gets a /proc of its own and needs nothing of the old one.
 */
static int make_root(const struct cage *c, const char **what)
{
	static const char hidden[] = "hidepid=ptraceable";

	*what = "mount its root";
	if (mount("tmpfs", "/proc", "tmpfs", MS_NOSUID, "size=1m,mode=0755") < 0 ||
	    chdir("/proc") < 0)
		return -1;
	*what = "make its /dev";
	if (make_devices() < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++) {
		*what = c->items[i].path;
		if (show(&c->items[i]) < 0)
			return -1;
	}
	*what = "mount its /proc";
	if (mkdir("proc", 0755) < 0 || (mkdir("tmp", 0755) < 0 && errno != EEXIST) ||
	    mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, hidden) < 0)
		return -1;
	/* both in one place: pivot_root(2), "pivot_root(".", ".")" */
	*what = "exchange the root";
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

static int protect(const struct cage *c, const char **what)
{
	const struct mount_attr harmless = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	const struct mount_attr devices = {.attr_clr = MOUNT_ATTR_NODEV};
	const struct mount_attr writable = {.attr_clr = MOUNT_ATTR_RDONLY};

	*what = "make it read-only";
	if (setattr("/", AT_RECURSIVE, harmless) < 0 || setattr("/", 0, devices) < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++) {
		*what = c->items[i].path;
		if (c->items[i].is_writable &&
		    setattr(c->items[i].path, AT_RECURSIVE, writable) < 0)
			return -1;
	}
	return 0;
}

/* From the bounding set too: exec gives a root user all that is in there. */
static int drop_caps(const char **what)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};

	*what = "drop capabilities";
	if (caps_get(caps) < 0)
		return -1;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	for (unsigned cap = 0; cap < 64; cap++)
		if (!(kept_caps & 1ULL << cap) && prctl(PR_CAPBSET_READ, cap) == 1 &&
		    prctl(PR_CAPBSET_DROP, cap) < 0)
			return -1;
	for (size_t i = 0; i < 2; i++) {
		caps[i].permitted &= (uint32_t)(kept_caps >> 32 * i);
		caps[i].effective = caps[i].permitted;
		caps[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &head, caps);
}

int cage_enter(const struct cage *c, const char **ret_what)
{
	/* fio raises this itself, which takes a capability that has no place in here */
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	const struct mount_attr slave = {.propagation = MS_SLAVE};
	mode_t mask = umask(0);

	*ret_what = "refuse new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	*ret_what = "make namespaces";
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0 ||
	    setattr("/", AT_RECURSIVE, slave) < 0)
		return -errno;
	if (make_root(c, ret_what) < 0 || protect(c, ret_what) < 0)
		return -errno;
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (drop_caps(ret_what) < 0)
		return -errno;
	umask(mask);
	return 0;
}
