// SPDX-License-Identifier: Apache-2.0
// The kernel's side of a mount: the mount table, FUSE connections, unmounting.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"
#include "worker/mount.h"
#include "worker/mount_impl.h"

enum { TABLE_MAX_BYTES = 8 << 20 };
static const int64_t fusermount_ns = 2LL * NS_PER_S;

/* mountinfo writes blank, tab, newline and backslash as \ooo (proc(5)). */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*out++ =
				(char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
			s += 3;
			continue;
		}
		*out++ = *s;
	}
	*out = '\0';
}

static bool is_at_or_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool parse_dev(char *text, unsigned *major, unsigned *minor)
{
	char *colon = strchr(text, ':');
	uint64_t a, b;

	if (!colon)
		return false;
	*colon = '\0';
	if (parse_u64_range("major", text, 0, UINT32_MAX, &a, NULL) < 0 ||
	    parse_u64_range("minor", colon + 1, 0, UINT32_MAX, &b, NULL) < 0)
		return false;
	*major = (unsigned)a;
	*minor = (unsigned)b;
	return true;
}

/* "44 27 0:41 / /mnt rw,nosuid - fuse.gcsfuse bucket rw,…": optional fields before " - "
 */
static bool parse_entry(char *line, struct mount_entry *ret)
{
	char *type = strstr(line, " - ");
	char *field[5], *save = line;

	/* nobody else's mounts are touched, even inside the workspace */
	if (!type || !str_starts(type, " - fuse.gcsfuse "))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strsep(&save, " ");
		if (!field[i] || !save)
			return false;
	}
	unescape(field[4]);
	return parse_dev(field[2], &ret->dev_major, &ret->dev_minor) &&
	       str_copy(ret->point, sizeof(ret->point), field[4]);
}

static int read_table(struct str *ret, struct err *err)
{
	cleanup_close int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char buf[4096];
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		str_addn(ret, buf, (size_t)n);
	if (fd < 0 || n < 0)
		return err_errno(err, -errno, "/proc/self/mountinfo");
	return str_check(ret, "/proc/self/mountinfo", err);
}

int mount_table_read(const char *folder, struct mount_entry **ret, size_t *ret_n,
		     struct err *err)
{
	cleanup_str struct str text = STR_INIT(TABLE_MAX_BYTES);
	cleanup_free struct mount_entry *entries = NULL;
	char *save, *line;
	size_t n = 0;
	int r = read_table(&text, err);

	if (r < 0)
		return r;
	for (save = text.s; save && (line = strsep(&save, "\n"));) {
		struct mount_entry e;

		if (!parse_entry(line, &e) || !is_at_or_below(e.point, folder))
			continue;
		entries = xrealloc(entries, n + 1, sizeof(*entries));
		entries[n++] = e;
	}
	*ret = steal_ptr(entries);
	*ret_n = n;
	return 0;
}

/* include/uapi/linux/magic.h has no name for it: fs/fuse/control.c, FUSE_CTL_SUPER_MAGIC
 */
static const long fusectl_magic = 0x65735543;

void mount_need_connections(void)
{
	static const char dir[] = "/sys/fs/fuse/connections";
	struct statfs s;

	/* systemd mounts it; small containers and images have none */
	if (statfs(dir, &s) == 0 && s.f_type != fusectl_magic &&
	    mount("fusectl", dir, "fusectl", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		errno = 0;
}

void mount_connection_abort(unsigned dev_minor)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", dev_minor);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* it fails only for a connection that is gone: nothing left to abort */
	if (write(fd, "1", 1) < 0)
		errno = 0;
	close(fd);
}

/* The setuid helper is the only way for a user; it says why on stderr, not by its code.
 */
static int fusermount(const char *point, const char *flags, int64_t deadline_ns,
		      int cancel_fd)
{
	const char *const argv[] = {"fusermount3", flags, point, NULL};
	const char *const envp[] = {PROC_ENV_BASE, "PATH=/usr/bin:/bin", NULL};
	struct proc_spec spec = {.path = "fusermount3",
				 .argv = argv,
				 .envp = envp,
				 .cancel_fd = cancel_fd};
	cleanup_str struct str out = STR_INIT(1024);
	struct proc_end end = {0};
	int r = proc_run_capture(&spec, deadline_ns, &out, &end, NULL);

	if (r < 0 || end.exit_status == 0)
		return r;
	if (strstr(str_text(&out), "busy"))
		return -EBUSY;
	return strstr(str_text(&out), "not found") ? -EINVAL : -EPERM;
}

int mount_detach(const char *point)
{
	if (umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	return fusermount(point, "-uz", clock_mono_ns() + fusermount_ns, -1);
}

static int child_umount(const void *arg, void *ret, size_t n)
{
	(void)ret, (void)n;
	return umount2(arg, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

int mount_unmount_once(const char *point, int64_t deadline_ns, int cancel_fd)
{
	int r = proc_call_deadline(child_umount, point, NULL, 0, deadline_ns, cancel_fd);

	return r == -EPERM ? fusermount(point, "-u", deadline_ns, cancel_fd) : r;
}

static int child_statfs(const void *arg, void *ret, size_t n)
{
	struct statfs s;

	(void)ret, (void)n;
	return statfs(arg, &s) < 0 ? -errno : 0;
}

int mount_statfs(const char *point, int64_t deadline_ns, int cancel_fd)
{
	return proc_call_deadline(child_statfs, point, NULL, 0, deadline_ns, cancel_fd);
}

/* As the kernel writes it. The last component is not looked at: it may be a hung mount.
 */
static char *real_path(const char *folder)
{
	const char *slash = strrchr(folder, '/');
	cleanup_free char *parent = NULL, *real = NULL;

	if (!slash || slash == folder)
		return xstrdup(folder);
	parent = xstrndup(folder, (size_t)(slash - folder));
	real = realpath(parent, NULL);
	return xasprintf("%s%s", real ? real : parent, slash);
}

int mount_sweep(const char *folder, unsigned *ret_count, struct err *err)
{
	cleanup_free struct mount_entry *entries = NULL;
	cleanup_free char *real = real_path(folder);
	size_t n = 0;
	int r = mount_table_read(real, &entries, &n, err);

	if (r < 0)
		return r;
	/* newest first: it may lie on an older one */
	for (size_t i = n; i-- > 0;) {
		int left;

		mount_connection_abort(entries[i].dev_minor);
		left = mount_detach(entries[i].point);
		if (left < 0 && left != -EINVAL && r == 0)
			r = err_errno(err, left, "unmount %s", entries[i].point);
	}
	if (ret_count)
		*ret_count = (unsigned)n;
	return r;
}
