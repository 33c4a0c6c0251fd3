// SPDX-License-Identifier: Apache-2.0
// The metadata server's notice that the cloud takes the machine back.
#ifndef WORKER_NOTICE_H
#define WORKER_NOTICE_H

#include <pthread.h>
#include <stdbool.h>

#include "core/err.h"
#include "worker/stop.h"

/** struct notice - zero = nobody watches. */
struct notice {
	struct stop *stop;
	int end_fd; /* eventfd: the thread shall leave */
	pthread_t thread;
	bool is_running;
};

/**
 * notice_start() - watch instance/preempted; stop_preempt() when it says TRUE.
 *
 * In a thread of its own, blocked in one request nearly always: the heartbeat thread's
 * own requests must not wait for this one. A machine without such a value (not a spot
 * one, not Google's) is looked at again and again in vain, twice a minute.
 */
int notice_start(struct notice *n, struct stop *stop, struct err *err);

/** notice_stop() - end the watch; harmless when there is none. */
void notice_stop(struct notice *n);

/** notice_says_preempted() - of the value's text. Pure. */
bool notice_says_preempted(const char *text);

/** notice_pause_s() - before the next request after @failures in a row. Pure. */
unsigned notice_pause_s(unsigned failures);

#endif
