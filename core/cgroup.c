// SPDX-License-Identifier: Apache-2.0
// Control groups through their file system: found, made, entered, killed, removed.
#include "core/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/str.h"

/* A field of mountinfo: blank, tab, newline and backslash are \ooo (proc(5)). */
static bool unescape(const char *text, size_t n, char *out, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (c == '\\' && i + 3 < n) {
			c = (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
				   (text[i + 3] - '0'));
			i += 3;
		}
		if (len + 1 >= cap)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return true;
}

/* "id parent major:minor root point options [tags…] - type source options" */
bool cgroup_parse_mount(const char *line, struct cgroup_mount *ret)
{
	const char *type = strstr(line, " - "), *field = line;
	size_t n = 0;

	if (!type || !str_starts(type, " - cgroup2 "))
		return false;
	for (unsigned i = 0; i < 5; i++) {
		n = strcspn(field, " ");
		if (i == 3 && !unescape(field, n, ret->root, sizeof(ret->root)))
			return false;
		if (i == 4)
			break;
		field += n + 1;
		if (field > type)
			return false;
	}
	return unescape(field, n, ret->point, sizeof(ret->point));
}

/* The line "0::/path" of /proc/self/cgroup; the caller's, or NULL. */
static char *own_path(void)
{
	cleanup_file FILE *f = fopen("/proc/self/cgroup", "re");
	char line[4200];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (str_starts(line, "0::/"))
			return xstrdup(line + 3);
	}
	return NULL;
}

/* The folder of group @path where @m shows it; the caller's, or NULL. */
static char *folder_of(const struct cgroup_mount *m, const char *path)
{
	size_t n = strlen(m->root);

	if (strcmp(m->root, "/") == 0)
		return xasprintf("%s%s", m->point, strcmp(path, "/") == 0 ? "" : path);
	if (strncmp(path, m->root, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return xasprintf("%s%s", m->point, path + n);
}

static bool can_be_used(const char *folder)
{
	cleanup_free char *kill_path = xasprintf("%s/cgroup.kill", folder);

	return access(folder, W_OK) == 0 && access(kill_path, W_OK) == 0;
}

/* Somebody else's processes are in a session's or a container's group, and then it is
 * not ours to divide. */
static bool is_alone_in(const char *folder)
{
	cleanup_free char *path = xasprintf("%s/cgroup.procs", folder);
	cleanup_free char *own = xasprintf("%d\n", getpid());
	cleanup_file FILE *f = fopen(path, "re");
	char line[32];

	while (f && fgets(line, sizeof(line), f))
		if (strcmp(line, own) != 0)
			return false;
	return f != NULL;
}

int cgroup_find(struct cgroup *ret, struct err *err)
{
	cleanup_free char *path = own_path();
	cleanup_file FILE *f = fopen("/proc/self/mountinfo", "re");
	cleanup_free struct cgroup_mount *m = xcalloc(1, sizeof(*m));
	cleanup_free char *line = NULL;
	size_t cap = 0;

	if (!path)
		return err_set(err, -ENOTSUP, "no control group of version 2");
	while (f && getline(&line, &cap, f) > 0) {
		cleanup_free char *folder = NULL;

		line[strcspn(line, "\n")] = '\0';
		if (!cgroup_parse_mount(line, m))
			continue;
		folder = folder_of(m, path);
		if (!folder || !can_be_used(folder))
			continue;
		if (!is_alone_in(folder))
			return err_set(err, -ENOTSUP, "others are in control group %s",
				       path);
		ret->top = steal_ptr(folder);
		return 0;
	}
	return err_set(err, -ENOTSUP,
		       "control group %s is not ours to divide, or has no cgroup.kill",
		       path);
}

void cgroup_done(struct cgroup *cg)
{
	free(cg->top);
	*cg = (struct cgroup){0};
}

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

int cgroup_open(const struct cgroup *cg, const char *name, struct err *err)
{
	cleanup_free char *dir = xasprintf("%s/%s", cg->top ? cg->top : "", name);
	cleanup_free char *procs = xasprintf("%s/cgroup.procs", dir);
	int fd;

	if (!cg->top)
		return 0;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "make control group %s", dir);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? err_errno(err, -errno, "%s", procs) : fd;
}

int cgroup_join(const struct cgroup *cg, const char *name, struct err *err)
{
	int fd = cgroup_open(cg, name, err), r = 0;

	if (fd <= 0)
		return fd;
	if (write(fd, "0", 1) < 0)
		r = err_errno(err, -errno, "enter control group %s/%s", cg->top, name);
	close(fd);
	return r;
}

int cgroup_kill(const struct cgroup *cg, const char *name, struct err *err)
{
	cleanup_free char *path =
		xasprintf("%s/%s/cgroup.kill", cg->top ? cg->top : "", name);
	int r;

	if (!cg->top)
		return 0;
	r = write_to(path, "1");
	return r < 0 && r != -ENOENT ? err_errno(err, r, "%s", path) : 0;
}

/* cgroup.events is readable with POLLPRI when "populated" changes (kernel's cgroup-v2).
 */
static bool wait_empty(const char *dir, int64_t deadline_ns)
{
	cleanup_free char *path = xasprintf("%s/cgroup.events", dir);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct pollfd pfd = {.fd = fd, .events = POLLPRI};

	while (fd >= 0) {
		char text[256];
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		int64_t left_ns = deadline_ns - clock_mono_ns();

		if (n < 0)
			return errno == ENODEV;
		text[n] = '\0';
		if (!strstr(text, "populated 1"))
			return true;
		if (left_ns <= 0)
			return false;
		poll(&pfd, 1, (int)(left_ns / NS_PER_MS) + 1);
	}
	return errno == ENOENT;
}

/* Groups that were made inside go first. */
static int remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		cleanup_free char *below = xasprintf("%s/%s", dir, de->d_name);

		if (de->d_type == DT_DIR && de->d_name[0] != '.')
			rmdir(below);
	}
	if (d)
		closedir(d);
	return rmdir(dir) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_end(const struct cgroup *cg, const char *name, int64_t deadline_ns,
	       struct err *err)
{
	cleanup_free char *dir = xasprintf("%s/%s", cg->top ? cg->top : "", name);
	int r = cgroup_kill(cg, name, err);

	if (!cg->top || r < 0)
		return r;
	if (!wait_empty(dir, deadline_ns))
		return err_set(err, -EBUSY, "SIGKILL does not empty control group %s",
			       dir);
	r = remove_dir(dir);
	return r < 0 ? err_errno(err, r, "remove control group %s", dir) : 0;
}

int cgroup_sweep(const struct cgroup *cg, const char *prefix, int64_t deadline_ns,
		 struct err *err)
{
	DIR *d = cg->top ? opendir(cg->top) : NULL;
	struct dirent *de;
	int first = 0;

	while (d && (de = readdir(d))) {
		int r;

		if (de->d_type != DT_DIR || !str_starts(de->d_name, prefix))
			continue;
		r = cgroup_end(cg, de->d_name, deadline_ns, first < 0 ? NULL : err);
		if (first == 0)
			first = r;
	}
	if (d)
		closedir(d);
	return first;
}
