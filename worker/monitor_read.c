// SPDX-License-Identifier: Apache-2.0
// One row of the monitor: parsing /proc without allocating.
#include "worker/monitor_read.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

static int open_ro(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

void monitor_source_init(struct monitor_source *s, pid_t gcsfuse_pid, int fuse_minor)
{
	char path[96];

	memset(s, 0, sizeof(*s)); /* touches every page: no fault later */
	s->stat_fd = open_ro("/proc/stat");
	s->net_fd = open_ro("/proc/net/dev");
	s->mem_fd = open_ro("/proc/meminfo");
	s->connection_fd = s->gcsfuse_fd = s->children_fd = -1;
	s->gcsfuse_tasks_fd = -1;
	s->gcsfuse_pid = gcsfuse_pid;
	s->gcsfuse_cpu_ns = MONITOR_NONE;
	s->tick_ns = (uint64_t)(NS_PER_S / sysconf(_SC_CLK_TCK));
	s->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	if (gcsfuse_pid > 0) {
		snprintf(path, sizeof(path), "/proc/%d/statm", gcsfuse_pid);
		s->gcsfuse_fd = open_ro(path);
		snprintf(path, sizeof(path), "/proc/%d/task", gcsfuse_pid);
		s->gcsfuse_tasks_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fuse_minor >= 0) {
		snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%d", fuse_minor);
		s->connection_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
}

void monitor_source_done(struct monitor_source *s)
{
	int fds[] = {s->stat_fd,       s->net_fd,     s->mem_fd,     s->gcsfuse_tasks_fd,
		     s->connection_fd, s->gcsfuse_fd, s->children_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* seq_file hands out lines by the page: a file below a page comes in one read, and a read
 * of less than half a page was the last. */
enum { ONE_READ = 4096 };

/* From the beginning, whole, NUL-terminated; false when there is nothing. */
static bool reread(struct monitor_source *s, int fd, size_t cap)
{
	size_t len = 0;

	if (fd < 0)
		return false;
	if (cap > READ_CAP - 1)
		cap = READ_CAP - 1;
	while (len < cap) {
		ssize_t n = pread(fd, s->buf + len, cap - len, (off_t)len);

		if (n <= 0)
			break;
		len += (size_t)n;
		if (cap <= ONE_READ || n < ONE_READ / 2)
			break;
	}
	s->buf[len] = '\0';
	return len > 0;
}

static uint64_t number(const char **at)
{
	const char *p = *at;
	uint64_t v = 0;

	while (*p == ' ')
		p++;
	for (; *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	*at = p;
	return v;
}

/* A process's own clock counts nanoseconds over all its threads, dead ones too. */
static bool cpu_of(pid_t pid, uint64_t *ns)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ts) != 0)
		return false;
	*ns = (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
	return true;
}

void monitor_source_fio(struct monitor_source *s, pid_t pid)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	s->children_fd = open_ro(path);
	s->fio[0] = (struct fio_process){.pid = pid};
	s->n_fio = 1;
}

void monitor_source_discover(struct monitor_source *s)
{
	const char *p = s->buf;
	size_t cursor = 1;

	if (!reread(s, s->children_fd, READ_CAP))
		return;
	while (*p >= '0' && *p <= '9') {
		pid_t pid = (pid_t)number(&p);
		size_t i = cursor;

		p += *p == ' ';
		/* the list is in the order of birth, and so is the table */
		while (i < s->n_fio && (s->fio[i].pid != pid || s->fio[i].is_dead))
			i++;
		if (i < s->n_fio) {
			cursor = i + 1;
			continue;
		}
		if (s->n_fio == FIO_PROCESSES_MAX)
			return;
		s->fio[s->n_fio++] = (struct fio_process){.pid = pid};
		cursor = s->n_fio;
	}
}

static uint64_t read_fio_cpu(struct monitor_source *s)
{
	uint64_t sum = 0, ns;

	for (size_t i = 0; i < s->n_fio; i++) {
		struct fio_process *f = &s->fio[i];

		/* less than before: the pid is somebody else's by now */
		if (!f->is_dead && cpu_of(f->pid, &ns) && ns >= f->cpu_ns)
			f->cpu_ns = ns;
		else
			f->is_dead = true;
		sum += f->cpu_ns;
	}
	return s->n_fio ? sum : MONITOR_NONE;
}

/* proc(5): statm is size resident … in pages, a fraction of what stat costs. The folder
 * of tasks has two links and one for each thread (fs/proc/base.c, proc_task_getattr). */
static void read_gcsfuse(struct monitor_source *s, uint64_t v[F_COUNT])
{
	const char *p = s->buf;
	struct stat tasks;
	uint64_t ns;

	if (s->gcsfuse_fd < 0)
		return;
	if (reread(s, s->gcsfuse_fd, 128)) {
		number(&p);
		v[F_GCSFUSE_RSS] = number(&p) * s->page_bytes;
		if (cpu_of(s->gcsfuse_pid, &ns))
			s->gcsfuse_cpu_ns = ns;
	}
	if (fstat(s->gcsfuse_tasks_fd, &tasks) == 0 && tasks.st_nlink > 2)
		v[F_GCSFUSE_THREADS] = tasks.st_nlink - 2;
	v[F_GCSFUSE_CPU] = s->gcsfuse_cpu_ns;
}

/* proc(5): cpu user nice system idle iowait irq softirq steal guest guest_nice; user and
 * nice have the guests in them already. */
static void read_system(struct monitor_source *s, uint64_t v[F_COUNT])
{
	uint64_t t[8];
	const char *p = s->buf + 3;

	if (!reread(s, s->stat_fd, 256))
		return;
	for (size_t i = 0; i < 8; i++)
		t[i] = number(&p);
	v[F_SYS_BUSY] = (t[0] + t[1] + t[2] + t[5] + t[6]) * s->tick_ns;
	v[F_SYS_IOWAIT] = t[4] * s->tick_ns;
	v[F_SYS_STEAL] = t[7] * s->tick_ns;
}

/* "  eth0: rx_bytes packets errs drop fifo frame compressed multicast tx_bytes …" */
static void read_network(struct monitor_source *s, uint64_t v[F_COUNT])
{
	const char *p = s->buf;

	if (!reread(s, s->net_fd, READ_CAP))
		return;
	v[F_NET_RX] = v[F_NET_TX] = v[F_LO_RX] = 0;
	for (const char *colon; (colon = strchr(p, ':')); p = strchrnul(p, '\n')) {
		const char *name = colon;
		uint64_t rx, tx;

		while (name > s->buf && name[-1] != ' ' && name[-1] != '\n')
			name--;
		p = colon + 1;
		rx = number(&p);
		for (int i = 0; i < 7; i++)
			number(&p);
		tx = number(&p);
		if (colon - name == 2 && memcmp(name, "lo", 2) == 0) {
			v[F_LO_RX] = rx;
			continue;
		}
		v[F_NET_RX] += rx;
		v[F_NET_TX] += tx;
	}
}

static uint64_t kib_line(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	if (!p)
		return MONITOR_NONE;
	p += strlen(key);
	return number(&p) * 1024;
}

/* An open file of this one goes on giving its first value (fs/fuse/control.c), so it is
 * opened anew each time. */
static bool read_waiting(struct monitor_source *s)
{
	int fd = s->connection_fd < 0
			 ? -1
			 : openat(s->connection_fd, "waiting", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, s->buf, 32);
	close(fd);
	s->buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

void monitor_source_read(struct monitor_source *s, enum monitor_reading what,
			 uint64_t v[F_COUNT])
{
	const char *p = s->buf;

	for (size_t i = 0; i < F_COUNT; i++)
		v[i] = MONITOR_NONE;
	v[F_FIO_CPU] = read_fio_cpu(s);
	read_gcsfuse(s, v);
	read_network(s, v);
	if (what == READ_ALL)
		read_system(s, v);
	if (what == READ_ALL && reread(s, s->mem_fd, ONE_READ)) {
		v[F_CACHED] = kib_line(s->buf, "\nCached:");
		v[F_DIRTY] = kib_line(s->buf, "\nDirty:");
	}
	if (read_waiting(s))
		v[F_FUSE_WAITING] = number(&p);
}
