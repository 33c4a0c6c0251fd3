// SPDX-License-Identifier: Apache-2.0
// worker/monitor: rows on time, columns as agreed, figures of known rows.
#include "worker/monitor.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"
#include "tests/unit/tap.h"
#include "worker/monitor_rows.h"

static const char header[] =
	"t_ns,gcsfuse_cpu_ns,gcsfuse_rss_bytes,gcsfuse_threads,fio_cpu_ns,sys_busy_ns,"
	"sys_iowait_ns,sys_steal_ns,net_rx_bytes,net_tx_bytes,lo_rx_bytes,cached_bytes,"
	"dirty_bytes,fuse_waiting\n";

static char csv_path[] = "/tmp/test_monitor_XXXXXX";

static char *read_csv(void)
{
	static char text[1 << 20];
	cleanup_file FILE *f = fopen(csv_path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	return text;
}

/* Field @col of line @line (0 = header), as a number; -1 if it is empty or not there. */
static double field(const char *text, size_t line, size_t col)
{
	char buf[32];
	double v;

	while (line-- > 0) {
		text = strchr(text, '\n');
		if (!text)
			return -1;
		text++;
	}
	while (col-- > 0)
		text += strcspn(text, ",\n") + 1;
	snprintf(buf, sizeof(buf), "%.*s", (int)strcspn(text, ",\n"), text);
	return parse_f64(buf, &v, NULL) < 0 ? -1 : v;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

static int start(const char *script, struct proc *ret)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const envp[] = {PROC_ENV_BASE, "PATH=/usr/bin:/bin", NULL};
	struct proc_spec spec = {.path = "/bin/sh", .argv = argv, .envp = envp};

	return proc_spawn(&spec, ret, NULL);
}

/* Watch @script for @ms as if it were fio. */
static void watch(const char *script, const struct monitor_req *req, int ms,
		  struct step_record *rec, struct monitor_cost *cost)
{
	int64_t fork_ns = clock_mono_ns();
	struct monitor *m = NULL;
	struct err err = {0};
	struct proc p = {0};

	if (monitor_new(req, &m, &err) < 0 || start(script, &p) < 0) {
		ok(false, "set up: %s", err.text);
		return;
	}
	fork_ns = clock_mono_ns();
	monitor_attach(m, p.pid, fork_ns);
	poll(NULL, 0, ms);
	monitor_stop(m);
	monitor_stop(m);
	proc_kill_tree(&p, NULL);
	monitor_stats(m, rec);
	monitor_cost(m, cost);
	ok(monitor_write_csv(m, csv_path, &err) == 0, "CSV written %s", err.text);
	monitor_free(m);
}

static const struct monitor_column *column(const struct step_record *rec,
					   const char *name)
{
	for (size_t i = 0; i < rec->n_columns; i++)
		if (strcmp(rec->columns[i].name, name) == 0)
			return &rec->columns[i];
	return NULL;
}

/* Columns of /proc/stat and /proc/meminfo: in every second row alone. */
static bool is_rare(size_t column)
{
	return (column >= 5 && column <= 7) || column == 11 || column == 12;
}

static void test_watch_a_busy_process(void)
{
	struct monitor_req req = {
		.hz = 20, .max_s = 10, .gcsfuse_pid = getpid(), .fuse_minor = -1};
	const struct monitor_column *fio;
	struct monitor_cost cost = {0};
	struct step_record rec = {0};
	const char *text;
	size_t n;
	bool grows = true;

	watch("while :; do :; done", &req, 1000, &rec, &cost);
	text = read_csv();
	n = count_lines(text) - 1;
	ok(strncmp(text, header, strlen(header)) == 0, "the agreed header");
	ok(n == rec.monitor_samples && n + rec.monitor_lost >= 20 && n <= 24,
	   "%zu rows in 1 s at 20 Hz, %u lost", n, rec.monitor_lost);
	for (size_t i = 2; i <= n; i++)
		for (size_t c = 0; c < 14; c++)
			if (c != 2 && c != 3 && c < 11 && !is_rare(c) &&
			    field(text, i, c) < field(text, i - 1, c))
				grows = false;
	for (size_t i = 3; i < n; i += 2)
		for (size_t c = 5; c <= 7; c++)
			if (field(text, i, c) < field(text, i - 2, c))
				grows = false;
	ok(grows, "time and counters never go back");
	ok(field(text, n, 5) > 0 && field(text, n, 11) > 0,
	   "the last row has the system's columns");
	ok(field(text, 1, 0) < 50e6 && field(text, 1, 4) == 0 && field(text, 1, 8) == 0,
	   "the first row is at the fork and is the counters' zero");
	fio = column(&rec, "fio_cpu_ns_per_s");
	ok(fio && fio->avg > 0.05e9 && fio->avg < 1.1e9, "a busy loop takes %.2f CPU",
	   fio ? fio->avg / 1e9 : -1);
	ok(field(text, n, 2) > 1 << 20 && field(text, n, 3) >= 2,
	   "memory and threads of the one called gcsfuse");
	ok(field(text, n, 11) > 0 && field(text, n, 13) == -1,
	   "page cache; no FUSE, no value");
	ok(cost.cpu_ns > 0 && cost.wall_ns > 900LL * NS_PER_MS,
	   "cost is known: %lld ns a row", (long long)cost.cpu_ns / (long long)n);
}

static void test_job_processes_count(void)
{
	struct monitor_req req = {.hz = 20, .max_s = 10, .fuse_minor = -1};
	const struct monitor_column *fio;
	struct monitor_cost cost = {0};
	struct step_record rec = {0};

	watch("(while :; do :; done) & p=$!; sleep 0.4; kill $p; wait; sleep 5", &req,
	      800, &rec, &cost);
	fio = column(&rec, "fio_cpu_ns_per_s");
	ok(fio && fio->peak > 0.05e9 &&
		   field(read_csv(), rec.monitor_samples, 4) > 0.02e9,
	   "a job process counts, and still after its end");
	ok(!column(&rec, "gcsfuse_rss_bytes") && field(read_csv(), 1, 1) == -1,
	   "no gcsfuse: no value, no figure");
}

static void test_real_fio_processes(void)
{
	struct monitor_req req = {.hz = 20, .max_s = 10, .fuse_minor = -1};
	const struct monitor_column *fio;
	struct monitor_cost cost = {0};
	struct step_record rec = {0};

	if (access("/usr/bin/fio", X_OK) < 0)
		return;
	watch("exec fio --name=x --ioengine=cpuio --cpuload=100 --numjobs=2 --runtime=1 "
	      "--time_based --output=/dev/null",
	      &req, 900, &rec, &cost);
	fio = column(&rec, "fio_cpu_ns_per_s");
	ok(fio && fio->peak > 0.1e9, "two job processes took up to %.2f CPU",
	   fio ? fio->peak / 1e9 : -1);
}

static void test_never_attached(void)
{
	struct monitor_req req = {.hz = 10, .max_s = 1, .fuse_minor = -1};
	struct step_record rec = {0};
	struct monitor *m = NULL;

	monitor_new(&req, &m, NULL);
	monitor_stop(m);
	monitor_stats(m, &rec);
	monitor_write_csv(m, csv_path, NULL);
	ok(rec.monitor_samples == 0 && rec.n_columns == 0 &&
		   strcmp(read_csv(), header) == 0,
	   "never attached: the header alone");
	monitor_free(m);
	req.hz = 0;
	ok(monitor_new(&req, &m, NULL) == -EINVAL, "0 Hz is refused");
}

static void test_figures_of_known_rows(void)
{
	struct monitor_row r[4] = {{.t_ns = 1000000},
				   {.t_ns = 101000000},
				   {.t_ns = 201000000},
				   {.t_ns = 201001000}};
	struct monitor_rows rows = {.rows = r, .n = 4, .cap = 4};
	const struct monitor_column *c;
	struct step_record rec = {0};

	for (size_t i = 0; i < 4; i++)
		for (size_t f = 0; f < F_COUNT; f++)
			r[i].v[f] = MONITOR_NONE;
	r[0].v[F_NET_RX] = 5000;
	r[1].v[F_NET_RX] = 6000;
	r[2].v[F_NET_RX] = 9000;
	r[3].v[F_NET_RX] = 9500; /* 1 us later: no peak of its own */
	r[0].v[F_DIRTY] = 10;
	r[2].v[F_DIRTY] = 30;
	monitor_rows_stats(&rows, 100000000, &rec);
	c = column(&rec, "net_rx_bytes_per_s");
	ok(c && fabs(c->avg - 4500 / 0.200001) < 0.01 && fabs(c->peak - 30000) < 0.01,
	   "a counter's average and peak: %f %f", c ? c->avg : -1, c ? c->peak : -1);
	c = column(&rec, "dirty_bytes");
	ok(c && c->avg == 20 && c->peak == 30, "a gauge's, of the rows that have it");
	ok(rec.n_columns == 2 && rec.monitor_samples == 4,
	   "columns without values are left out");
	monitor_rows_write_csv(&rows, csv_path, NULL);
	ok(strstr(read_csv(), "\n101000000,,,,,,,,1000,,,,,\n") != NULL,
	   "CSV: from the first row on, empty where there is nothing");
}

int main(void)
{
	int fd = mkstemp(csv_path);

	proc_init(NULL);
	test_watch_a_busy_process();
	test_job_processes_count();
	test_real_fio_processes();
	test_never_attached();
	test_figures_of_known_rows();
	close(fd);
	unlink(csv_path);
	return done_testing();
}
