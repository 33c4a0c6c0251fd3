// SPDX-License-Identifier: Apache-2.0
// Why and when the worker has to stop, as descriptors every wait can poll.
#ifndef WORKER_STOP_H
#define WORKER_STOP_H

#include <stdint.h>

#include "core/err.h"

enum stop_why {
	STOP_NONE,
	STOP_ABORT,  /* a control order; resume lifts it */
	STOP_SIGNAL, /* SIGTERM, SIGINT, SIGHUP; or the cloud's notice of a preemption */
	STOP_FENCED, /* another worker owns the name: write nothing more */
};

/**
 * struct stop - eventfds, level-triggered: readable while the reason stands.
 *
 * measure_run() gives fio 10 s after @order_fd and 5 s after @term_fd, so these two are
 * apart; every other wait takes @any_fd. What may still be written after an order or a
 * signal ends at @fence_fd.
 */
struct stop {
	int any_fd;
	int order_fd; /* abort, fenced */
	int term_fd;  /* a signal, a notice */
	int fence_fd; /* fenced */
};

/** stop_init() - make the descriptors and install the signal handlers; once a process. */
int stop_init(struct stop *s, struct err *err);

/** stop_raise() - from any thread; the gravest reason stands. */
void stop_raise(struct stop *s, enum stop_why why);

/** stop_preempt() - the machine is about to be taken away: as a signal, from any thread.
 */
void stop_preempt(struct stop *s);

/** stop_lift() - an abort is lifted; a signal or fencing is not. */
void stop_lift(struct stop *s);

/** stop_why() - the gravest reason so far. Any thread. */
enum stop_why stop_why(const struct stop *s);

/** stop_since_ns() - CLOCK_MONOTONIC of the signal or notice; 0 = none came. */
int64_t stop_since_ns(const struct stop *s);

/** stop_text() - what records call a STOP_SIGNAL; a notice explains the signal that came
 * with it. */
const char *stop_text(const struct stop *s);

/** stop_pause() - wait @ns, or less when there is a reason to stop: then -ECANCELED. */
int stop_pause(const struct stop *s, int64_t ns);

#endif
