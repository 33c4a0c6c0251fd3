// SPDX-License-Identifier: Apache-2.0
// Reasons to stop, and the signals that are one.
#include "worker/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"

/* What a signal handler may touch: descriptors made before it was installed, and
 * lock-free atomics. */
static struct stop handled;
static atomic_int reason;
static atomic_llong signalled_ns;
static atomic_bool is_preempted;

static void make_readable(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0) {
		/* only a full counter refuses, and then it is readable already */
	}
}

static void raise_why(const struct stop *s, enum stop_why why)
{
	int was = atomic_load(&reason);

	while (was < (int)why && !atomic_compare_exchange_weak(&reason, &was, why))
		;
	make_readable(why == STOP_SIGNAL ? s->term_fd : s->order_fd);
	if (why == STOP_FENCED)
		make_readable(s->fence_fd);
	make_readable(s->any_fd);
}

/* The first one sets the clock: the 25 s do not begin anew. */
static void raise_signal(const struct stop *s)
{
	long long none = 0;

	atomic_compare_exchange_strong(&signalled_ns, &none, clock_mono_ns());
	raise_why(s, STOP_SIGNAL);
}

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	raise_signal(&handled);
	errno = saved;
}

int stop_init(struct stop *s, struct err *err)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	s->any_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->order_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->term_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->fence_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->any_fd < 0 || s->order_fd < 0 || s->term_fd < 0 || s->fence_fd < 0)
		return err_errno(err, -errno, "eventfd");
	handled = *s;
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &sa, NULL) < 0)
			return err_errno(err, -errno, "sigaction");
	sa.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &sa, NULL) < 0)
		return err_errno(err, -errno, "sigaction");
	return 0;
}

void stop_raise(struct stop *s, enum stop_why why)
{
	raise_why(s, why);
}

void stop_preempt(struct stop *s)
{
	atomic_store(&is_preempted, true);
	raise_signal(s);
}

static void make_quiet(int fd)
{
	uint64_t count;

	while (read(fd, &count, sizeof(count)) > 0)
		;
}

void stop_lift(struct stop *s)
{
	int abort_order = STOP_ABORT;

	if (!atomic_compare_exchange_strong(&reason, &abort_order, STOP_NONE))
		return;
	make_quiet(s->order_fd);
	make_quiet(s->any_fd);
	/* a signal that came in between must not be lost with the abort */
	if (atomic_load(&reason) != STOP_NONE)
		make_readable(s->any_fd);
}

enum stop_why stop_why(const struct stop *s)
{
	(void)s;
	return (enum stop_why)atomic_load(&reason);
}

int64_t stop_since_ns(const struct stop *s)
{
	(void)s;
	return atomic_load(&signalled_ns);
}

const char *stop_text(const struct stop *s)
{
	(void)s;
	return atomic_load(&is_preempted) ? "preempted: the cloud takes this machine back"
					  : "stopped by a signal";
}

int stop_pause(const struct stop *s, int64_t ns)
{
	int64_t end_ns = clock_mono_ns() + ns;

	for (;;) {
		struct pollfd p = {.fd = s->any_fd, .events = POLLIN};
		int64_t left_ns = end_ns - clock_mono_ns();
		struct timespec ts;

		if (left_ns <= 0)
			return 0;
		ts = (struct timespec){.tv_sec = left_ns / NS_PER_S,
				       .tv_nsec = left_ns % NS_PER_S};
		if (ppoll(&p, 1, &ts, NULL) > 0)
			return -ECANCELED;
	}
}
