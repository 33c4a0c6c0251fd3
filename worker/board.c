// SPDX-License-Identifier: Apache-2.0
// The shared state of the two threads.
#include "worker/board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/hist.h"
#include "core/str.h"

enum { BOARD_POLL_WAIT_S = 15 };

static void unlock(pthread_mutex_t **m)
{
	pthread_mutex_unlock(*m);
}

/* Hold the board's lock until the end of the scope. */
#define HOLD(b)                                                                          \
	pthread_mutex_t *held cleanup(unlock) = &(b)->lock;                              \
	pthread_mutex_lock(held)

int board_init(struct board *b, struct err *err)
{
	pthread_condattr_t attr;

	*b = (struct board){.heartbeat_s = 30, .is_ended = true};
	b->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->wake_fd < 0)
		return err_errno(err, -errno, "eventfd");
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->answered, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

void board_done(struct board *b)
{
	orders_done(&b->orders);
	manifest_done(&b->manifest);
	if (b->wake_fd > 0)
		close(b->wake_fd);
}

void board_wake(struct board *b)
{
	const uint64_t one = 1;

	if (write(b->wake_fd, &one, sizeof(one)) < 0) {
		/* only a full counter refuses, and then the thread is woken already */
	}
}

void reason_set(char out[REASON_CAP], const char *reason)
{
	snprintf(out, REASON_CAP, "%s", reason ? reason : "");
}

void board_state(struct board *b, enum worker_state state, const char *reason)
{
	HOLD(b);

	if (b->hb.state != state && !worker_may(b->hb.state, state))
		return;
	b->hb.state = state;
	b->manifest.state = state;
	reason_set(b->hb.reason, reason);
	reason_set(b->manifest.reason, reason);
	b->hb_changed = true;
	b->manifest_changed = true;
	board_wake(b);
}

static void count_done(struct board *b)
{
	b->hb.done = 0;
	b->hb.total = (unsigned)b->manifest.n_steps;
	for (size_t i = 0; i < b->manifest.n_steps; i++)
		b->hb.done += attempt_is_final(b->manifest.steps[i].state);
}

void board_step(struct board *b, size_t i, enum attempt_state state, unsigned attempt,
		const char *reason)
{
	HOLD(b);
	struct manifest_step *line = &b->manifest.steps[i];

	b->hb.done += attempt_is_final(state) - attempt_is_final(line->state);
	line->state = state;
	line->attempt = attempt;
	reason_set(line->reason, reason);
	b->hb_changed = true;
	b->manifest_changed = true;
	board_wake(b);
}

void summary_set(struct manifest_step *line, const struct fio_result *result)
{
	struct hist_pct p50 = {0}, p99 = {0};

	line->has_summary = hist_percentile(&result->lat, 50, &p50, NULL) == 0 &&
			    hist_percentile(&result->lat, 99, &p99, NULL) == 0;
	line->bw_bytes_per_s = result->bw_bytes_per_s;
	line->iops = result->iops;
	line->lat_p50_ns = p50.ns;
	line->lat_p99_ns = p99.ns;
}

void board_line(struct board *b, size_t i, const struct manifest_step *line)
{
	HOLD(b);
	struct manifest_step *to = &b->manifest.steps[i];
	struct manifest_step whole = *line;

	str_copy(whole.step, sizeof(whole.step), to->step);
	b->hb.done += attempt_is_final(line->state) - attempt_is_final(to->state);
	*to = whole;
	b->hb_changed = true;
	b->manifest_changed = true;
	board_wake(b);
}

void board_summary(struct board *b, size_t i, const struct fio_result *result)
{
	HOLD(b);

	summary_set(&b->manifest.steps[i], result);
}

void board_inflight(struct board *b, const char *step, unsigned attempt)
{
	HOLD(b);

	str_copy(b->hb.step, sizeof(b->hb.step), step);
	b->hb.attempt = attempt;
	b->hb.progress[0] = '\0';
}

void board_progress(struct board *b, const char *phase)
{
	HOLD(b);

	str_copy(b->hb.progress, sizeof(b->hb.progress), phase);
}

void board_clear(struct board *b)
{
	HOLD(b);

	b->manifest.n_steps = 0;
	b->hb.done = 0;
	b->hb.total = 0;
}

void board_add(struct board *b, const struct manifest_step *line)
{
	HOLD(b);
	struct manifest *m = &b->manifest;

	m->steps = xrealloc(m->steps, m->n_steps + 1, sizeof(*m->steps));
	m->steps[m->n_steps++] = *line;
	b->hb.total++;
	b->hb.done += attempt_is_final(line->state);
	b->manifest_changed = true;
}

void board_remove(struct board *b, size_t i)
{
	HOLD(b);
	struct manifest *m = &b->manifest;

	memmove(&m->steps[i], &m->steps[i + 1], (m->n_steps - i - 1) * sizeof(*m->steps));
	m->n_steps--;
	count_done(b);
	b->manifest_changed = true;
}

bool flags_add(char **flags, const char *word)
{
	cleanup_free char *all = xasprintf(" %s ", *flags ? *flags : "");
	cleanup_free char *one = xasprintf(" %s ", word);
	char *longer;

	if (strstr(all, one))
		return false;
	longer = *flags ? xasprintf("%s %s", *flags, word) : xstrdup(word);
	free(*flags);
	*flags = longer;
	return true;
}

void board_flag(struct board *b, const char *word)
{
	HOLD(b);
	char **flags = &b->manifest.provenance.flags;

	b->manifest_changed |= flags_add(flags, word);
}

/* Let the thread look for orders now. The lock is held. */
static void poll_orders(struct board *b)
{
	unsigned ticket = ++b->polls_asked;
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += BOARD_POLL_WAIT_S;
	board_wake(b);
	while (b->polls_done < ticket && !b->is_ended)
		if (pthread_cond_timedwait(&b->answered, &b->lock, &end) == ETIMEDOUT)
			break;
}

bool board_orders(struct board *b, struct orders *ret)
{
	HOLD(b);

	poll_orders(b);
	orders_take(&b->orders, ret);
	return b->has_looked;
}

size_t board_rounds(struct board *b, unsigned *out, size_t cap)
{
	HOLD(b);
	size_t n = 0;

	poll_orders(b);
	for (size_t i = b->orders.n_moves; i > 0 && n < cap; i--) {
		unsigned round = b->orders.moves[i - 1].round;
		size_t k = 0;

		while (k < n && out[k] != round)
			k++;
		if (k == n && round)
			out[n++] = round;
	}
	return n;
}
