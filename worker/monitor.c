// SPDX-License-Identifier: Apache-2.0
// The monitor's thread: rows at fixed times from fio's fork, into memory reserved before.
#include "worker/monitor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/str.h"
#include "worker/monitor_read.h"
#include "worker/monitor_rows.h"

/* fio may need this long after its timeout to end (the kill sequence). */
enum { AFTER_TIMEOUT_S = 30 };
/* New fio processes are looked for at every row this long, then once a second. */
static const int64_t discover_ns = 2LL * NS_PER_S;
enum { WAKE_AGAIN_MS = 20 };

struct monitor {
	struct monitor_rows rows;
	struct monitor_source source;
	int64_t period_ns, fork_ns;
	pid_t fio_pid;
	struct monitor_cost cost;
	pthread_t thread;
	bool is_running, is_attached;
	sem_t begin;
	atomic_bool must_stop;
	int ended_fd; /* readable once the thread has nothing left to do */
};

/* Its arrival ends the sleep; there is nothing else to do. */
static void on_wake(int sig)
{
	(void)sig;
}

static int64_t thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void take_row(struct monitor *m, int64_t due_ns, enum monitor_reading what)
{
	struct monitor_row *row;
	int64_t now_ns = clock_mono_ns();

	if (m->rows.n == m->rows.cap) {
		m->rows.lost++;
		return;
	}
	row = &m->rows.rows[m->rows.n++];
	row->t_ns = now_ns - m->fork_ns;
	row->late_ns = due_ns > 0 ? now_ns - due_ns : -1;
	monitor_source_read(&m->source, what, row->v);
}

static void sample_until_stopped(struct monitor *m)
{
	int64_t next_look_ns = 0;
	uint64_t tick = 0;

	while (!atomic_load_explicit(&m->must_stop, memory_order_acquire)) {
		int64_t due_ns = m->fork_ns + (int64_t)tick * m->period_ns;
		int64_t now_ns = clock_mono_ns();
		uint64_t reached;

		/* the first row is due when we are told, not at the fork before */
		if (now_ns - m->fork_ns >= next_look_ns) {
			monitor_source_discover(&m->source);
			next_look_ns = now_ns - m->fork_ns;
			next_look_ns += next_look_ns < discover_ns ? 0 : NS_PER_S;
		}
		take_row(m, tick ? due_ns : -1, tick % 2 ? READ_CHEAP : READ_ALL);
		reached = (uint64_t)((clock_mono_ns() - m->fork_ns) / m->period_ns);
		if (reached > tick) {
			m->rows.lost += (unsigned)(reached - tick);
			tick = reached;
		}
		tick++;
		clock_sleep_until(m->fork_ns + (int64_t)tick * m->period_ns);
	}
	take_row(m, -1, READ_ALL);
}

static void say_ended(struct monitor *m)
{
	const uint64_t one = 1;

	if (write(m->ended_fd, &one, sizeof(one)) < 0) {
		/* only a full counter refuses, and this is the one write to it */
	}
}

static void *monitor_main(void *arg)
{
	struct monitor *m = arg;
	int64_t start_ns, cpu_ns;

	while (sem_wait(&m->begin) < 0)
		;
	if (!m->is_attached) {
		say_ended(m);
		return NULL;
	}
	start_ns = clock_mono_ns();
	cpu_ns = thread_cpu_ns();
	monitor_source_fio(&m->source, m->fio_pid);
	sample_until_stopped(m);
	m->cost.cpu_ns = thread_cpu_ns() - cpu_ns;
	m->cost.wall_ns = clock_mono_ns() - start_ns;
	say_ended(m);
	return NULL;
}

static int start_thread(struct monitor *m, struct err *err)
{
	struct sched_param first = {.sched_priority = 1};
	struct sigaction wake = {.sa_handler = on_wake};
	sigset_t all_but_wake, before;
	int r;

	sigaction(SIGRTMIN, &wake, NULL);
	sigfillset(&all_but_wake);
	sigdelset(&all_but_wake, SIGRTMIN);
	pthread_sigmask(SIG_SETMASK, &all_but_wake, &before);
	r = pthread_create(&m->thread, NULL, monitor_main, m);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return err_errno(err, -r, "start the monitor");
	pthread_setname_np(m->thread, "muster-monitor");
	/* to be on time among fio's threads; without the right to it, rows come as they
	 * may */
	pthread_setschedparam(m->thread, SCHED_FIFO, &first);
	m->is_running = true;
	return 0;
}

int monitor_new(const struct monitor_req *req, struct monitor **ret, struct err *err)
{
	uint64_t want = ((uint64_t)req->max_s + AFTER_TIMEOUT_S) * req->hz + 2;
	struct monitor *m;
	int r;

	if (req->hz < 1 || req->hz > MONITOR_HZ_MAX)
		return err_set(err, -EINVAL, "monitor: %u Hz", req->hz);
	m = xcalloc(1, sizeof(*m));
	m->ended_fd = eventfd(0, EFD_CLOEXEC);
	r = m->ended_fd < 0
		    ? err_errno(err, -errno, "eventfd")
		    : monitor_rows_init(&m->rows,
					want < MONITOR_ROWS_MAX ? want : MONITOR_ROWS_MAX,
					err);
	if (r < 0) {
		if (m->ended_fd >= 0)
			close(m->ended_fd);
		free(m);
		return r;
	}
	m->period_ns = NS_PER_S / req->hz;
	sem_init(&m->begin, 0, 0);
	monitor_source_init(&m->source, req->gcsfuse_pid, req->fuse_minor);
	r = start_thread(m, err);
	if (r < 0) {
		monitor_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void monitor_attach(struct monitor *m, pid_t fio_pid, int64_t fork_ns)
{
	m->fio_pid = fio_pid;
	m->fork_ns = fork_ns;
	m->is_attached = true;
	sem_post(&m->begin);
}

void monitor_stop(struct monitor *m)
{
	struct pollfd ended = {.fd = m->ended_fd, .events = POLLIN};

	if (!m->is_running)
		return;
	atomic_store_explicit(&m->must_stop, true, memory_order_release);
	if (!m->is_attached)
		sem_post(&m->begin);
	/* a signal between the thread's check and its sleep is lost: wake it again. Not
	 * by a timed join: its clock is the wall's, which may be stepped */
	do
		pthread_kill(m->thread, SIGRTMIN);
	while (poll(&ended, 1, WAKE_AGAIN_MS) <= 0);
	pthread_join(m->thread, NULL);
	m->is_running = false;
	monitor_rows_jitter(&m->rows, &m->cost);
}

int monitor_write_csv(const struct monitor *m, const char *path, struct err *err)
{
	return monitor_rows_write_csv(&m->rows, path, err);
}

void monitor_stats(const struct monitor *m, struct step_record *rec)
{
	monitor_rows_stats(&m->rows, m->period_ns, rec);
}

void monitor_cost(const struct monitor *m, struct monitor_cost *ret)
{
	*ret = m->cost;
}

void monitor_free(struct monitor *m)
{
	if (!m)
		return;
	monitor_stop(m);
	monitor_source_done(&m->source);
	monitor_rows_done(&m->rows);
	sem_destroy(&m->begin);
	close(m->ended_fd);
	free(m);
}
