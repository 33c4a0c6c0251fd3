// SPDX-License-Identifier: Apache-2.0
// Killing a child with everything it started, in sessions of their own or not.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "core/proc.h"
#include "core/proc_impl.h"

/* Longest tried was 15 ms for four processes; past this a process is stuck in the kernel.
 */
static const int64_t kill_ns = 2LL * NS_PER_S;

struct entry {
	pid_t pid, ppid;
	char state;
	bool is_ours; /* to be killed */
};

struct table {
	struct entry *entries;
	size_t n, cap;
};

static void table_done(struct table *t)
{
	free(t->entries);
}

/* "pid (comm) S ppid …": comm may hold anything, so the last ')' ends it (proc(5)). */
static bool read_entry(int proc_fd, const char *name, struct entry *ret)
{
	char path[64], buf[512], *p, *end;
	uint64_t pid, ppid;
	ssize_t n;
	int fd;

	if (parse_u64(name, &pid, NULL) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/stat", name);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	p = strrchr(buf, ')');
	if (!p || strlen(p) < 5)
		return false;
	end = strchr(p + 4, ' ');
	if (!end)
		return false;
	*end = '\0';
	if (parse_u64(p + 4, &ppid, NULL) < 0)
		return false;
	*ret = (struct entry){.pid = (pid_t)pid, .ppid = (pid_t)ppid, .state = p[2]};
	return true;
}

static int read_table(struct table *t, struct err *err)
{
	DIR *dir = opendir("/proc");
	struct dirent *de;

	if (!dir)
		return err_errno(err, -errno, "/proc");
	t->n = 0;
	while ((de = readdir(dir))) {
		if (t->n == t->cap) {
			t->cap = t->cap ? t->cap * 2 : 256;
			t->entries = xrealloc(t->entries, t->cap, sizeof(*t->entries));
		}
		if (read_entry(dirfd(dir), de->d_name, &t->entries[t->n]))
			t->n++;
	}
	closedir(dir);
	return 0;
}

static bool parent_is_ours(const struct table *t, pid_t ppid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->entries[i].pid == ppid)
			return t->entries[i].is_ours;
	return false;
}

/* Descendants of @root, and orphans that fell to us and nobody has registered. */
static int find_ours(struct table *t, pid_t root, size_t *ret_count, struct err *err)
{
	pid_t self = getpid();
	bool has_changed = true;
	int r;

	*ret_count = 0;
	proc_lock();
	r = read_table(t, err);
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		struct entry *e = &t->entries[i];

		e->is_ours = !proc_is_registered(e->pid) &&
			     (e->ppid == self || (root && e->ppid == root));
		*ret_count += e->is_ours;
	}
	proc_unlock();
	while (r == 0 && has_changed) {
		has_changed = false;
		for (size_t i = 0; i < t->n; i++) {
			struct entry *e = &t->entries[i];

			if (e->is_ours || !parent_is_ours(t, e->ppid))
				continue;
			e->is_ours = has_changed = true;
			++*ret_count;
		}
	}
	return r;
}

/* Between the walk and now the pid may have become somebody else's. */
static void kill_entry(const struct entry *e)
{
	struct entry now;
	char name[16];
	int fd = proc_pidfd_open(e->pid);
	int proc_fd;

	if (fd < 0)
		return;
	snprintf(name, sizeof(name), "%d", e->pid);
	proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd >= 0 && read_entry(proc_fd, name, &now) &&
	    (now.ppid == e->ppid || now.ppid == getpid()))
		proc_pidfd_signal(fd, SIGKILL);
	if (proc_fd >= 0)
		close(proc_fd);
	close(fd);
}

static void wait_entry(const struct entry *e, int64_t deadline_ns)
{
	int fd = proc_pidfd_open(e->pid);

	if (fd >= 0) {
		proc_poll_pidfd(fd, deadline_ns);
		close(fd);
	}
	/* fails harmlessly for what is not our child: its parent dies and it will be */
	waitpid(e->pid, NULL, WNOHANG);
}

static int report_left(const struct table *t, struct err *err)
{
	cleanup_str struct str names = STR_INIT(256);

	for (size_t i = 0; i < t->n; i++)
		if (t->entries[i].is_ours)
			str_addf(&names, " %d (%c)", t->entries[i].pid,
				 t->entries[i].state);
	return err_set(err, -EBUSY, "processes that SIGKILL does not end:%s",
		       str_text(&names));
}

int proc_kill_tree(struct proc *p, struct err *err)
{
	cleanup(table_done) struct table t = {0};
	int64_t deadline_ns = clock_mono_ns() + kill_ns;
	struct proc_end end = {0};
	size_t count;
	int r;

	for (;;) {
		if (p->pid) {
			proc_signal(p, SIGKILL);
			proc_poll_pidfd(p->pidfd, deadline_ns);
			r = proc_wait(p, 0, -1, &end, err);
			if (r < 0)
				return r;
		}
		r = find_ours(&t, p->pid, &count, err);
		if (r < 0)
			return r;
		if (!count && !p->pid)
			return 0;
		if (clock_mono_ns() >= deadline_ns)
			break;
		for (size_t i = 0; i < t.n; i++)
			if (t.entries[i].is_ours)
				kill_entry(&t.entries[i]);
		for (size_t i = 0; i < t.n; i++)
			if (t.entries[i].is_ours)
				wait_entry(&t.entries[i], deadline_ns);
	}
	if (!count)
		return err_set(err, -EBUSY, "SIGKILL does not end process %d", p->pid);
	return report_left(&t, err);
}

size_t proc_count_tree(const struct proc *p)
{
	cleanup(table_done) struct table t = {0};
	size_t count = 0;

	find_ours(&t, p->pid, &count, NULL);
	return count;
}
