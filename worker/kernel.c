// SPDX-License-Identifier: Apache-2.0
// Page caches, FUSE settings and counters, read and written through /proc and /sys.
#include "worker/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"

static const int64_t drop_ns = 120LL * NS_PER_S;
static const char max_pages_path[] = "/proc/sys/fs/fuse/max_pages_limit";

static int write_file(const char *path, const char *text)
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

/* A small file of /proc or /sys in @buf, NUL-terminated; its length or -errno. */
static ssize_t read_file(const char *path, char *buf, size_t cap)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	while (len < cap - 1) {
		ssize_t n = read(fd, buf + len, cap - 1 - len);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	return (ssize_t)len;
}

static uint64_t read_number(const char *path)
{
	char buf[64];
	uint64_t v;

	if (read_file(path, buf, sizeof(buf)) <= 0)
		return UINT64_MAX;
	buf[strcspn(buf, "\n")] = '\0';
	return parse_u64(buf, &v, NULL) < 0 ? UINT64_MAX : v;
}

static int sync_and_drop(const void *arg, void *ret, size_t n)
{
	(void)arg, (void)ret, (void)n;
	sync();
	return write_file("/proc/sys/vm/drop_caches", "3\n");
}

int kernel_drop_caches(int cancel_fd, struct err *err)
{
	int r = proc_call_deadline(sync_and_drop, NULL, NULL, 0,
				   clock_mono_ns() + drop_ns, cancel_fd);

	if (r == -EACCES || r == -EROFS)
		r = -EPERM;
	return r < 0 ? err_errno(err, r, "drop caches") : 0;
}

void kernel_globals_read(struct kernel_globals *ret)
{
	ret->max_pages_limit = read_number(max_pages_path);
}

int kernel_globals_restore(const struct kernel_globals *want, struct err *err)
{
	char text[32];
	int r;

	if (want->max_pages_limit == UINT64_MAX ||
	    read_number(max_pages_path) == want->max_pages_limit)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64 "\n", want->max_pages_limit);
	r = write_file(max_pages_path, text);
	if (r == -EACCES || r == -EROFS)
		r = -EPERM;
	return r < 0 ? err_errno(err, r, "%s", max_pages_path) : 0;
}

void kernel_settings_init(struct kernel_settings *ret)
{
	*ret = (struct kernel_settings){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
}

void kernel_settings_read(unsigned dev_major, unsigned dev_minor,
			  struct kernel_settings *ret)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", dev_major,
		 dev_minor);
	ret->read_ahead_kb = read_number(path);
	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/max_background",
		 dev_minor);
	ret->max_background = read_number(path);
	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/congestion_threshold",
		 dev_minor);
	ret->congestion_threshold = read_number(path);
	ret->max_pages_limit = read_number(max_pages_path);
}

/* The value in a line "key value" of /proc/vmstat or "key:  value kB" of meminfo. */
static int64_t line_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		char digits[24];
		uint64_t v;

		p += *p == '\n';
		if (strncmp(p, key, len) != 0 || !strchr(" :", p[len]))
			continue;
		p += len + strspn(p + len, ": ");
		snprintf(digits, sizeof(digits), "%.*s", (int)strspn(p, "0123456789"), p);
		return parse_u64(digits, &v, NULL) < 0 ? INT64_MIN : (int64_t)v;
	}
	return INT64_MIN;
}

/* /proc/net/snmp has two lines per protocol: names, then values in the same order. */
static int64_t snmp_value(const char *text, const char *name)
{
	const char *names = strstr(text, "Tcp: "), *values;

	values = names ? strstr(names + 5, "\nTcp: ") : NULL;
	if (!values)
		return INT64_MIN;
	for (values += 6, names += 5; *names && *names != '\n';) {
		size_t n = strcspn(names, " \n"), m = strcspn(values, " \n");
		char digits[24];
		uint64_t v;

		if (n == strlen(name) && memcmp(names, name, n) == 0) {
			snprintf(digits, sizeof(digits), "%.*s", (int)m, values);
			return parse_u64(digits, &v, NULL) < 0 ? INT64_MIN : (int64_t)v;
		}
		names += n + (names[n] == ' ');
		values += m + (values[m] == ' ');
	}
	return INT64_MIN;
}

void kernel_host_read(struct kernel_host *ret)
{
	enum { CAP = 64 << 10 };
	cleanup_free char *text = xcalloc(1, CAP);

	*ret = (struct kernel_host){INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN,
				    INT64_MIN, INT64_MIN, 0};
	if (read_file("/proc/vmstat", text, CAP) > 0) {
		ret->oom_kill = line_value(text, "oom_kill");
		ret->pswpin = line_value(text, "pswpin");
		ret->pswpout = line_value(text, "pswpout");
		ret->pgmajfault = line_value(text, "pgmajfault");
	}
	if (read_file("/proc/net/snmp", text, CAP) > 0) {
		ret->tcp_out_segs = snmp_value(text, "OutSegs");
		ret->tcp_retrans_segs = snmp_value(text, "RetransSegs");
	}
	ret->clock_offset_ns = clock_real_ns() - clock_mono_ns();
}

bool kernel_clock_stepped(int64_t step_ns, int64_t over_ns)
{
	int64_t slewed_ns = 100 * NS_PER_MS + over_ns / 1000;

	return step_ns > slewed_ns || step_ns < -slewed_ns;
}

static int64_t delta(int64_t start, int64_t end)
{
	return start == INT64_MIN || end == INT64_MIN ? INT64_MIN : end - start;
}

void kernel_host_delta(const struct kernel_host *start, const struct kernel_host *end,
		       struct step_record *rec)
{
	rec->host.oom_kill = delta(start->oom_kill, end->oom_kill);
	rec->host.pswpin = delta(start->pswpin, end->pswpin);
	rec->host.pswpout = delta(start->pswpout, end->pswpout);
	rec->host.pgmajfault = delta(start->pgmajfault, end->pgmajfault);
	rec->host.tcp_out_segs = delta(start->tcp_out_segs, end->tcp_out_segs);
	rec->host.tcp_retrans_segs =
		delta(start->tcp_retrans_segs, end->tcp_retrans_segs);
	rec->host.clock_step_ns = end->clock_offset_ns - start->clock_offset_ns;
}
