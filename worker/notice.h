// SPDX-License-Identifier: Apache-2.0
// The cloud's notice that it takes this machine back.
#ifndef WORKER_NOTICE_H
#define WORKER_NOTICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/http.h"
#include "worker/stop.h"

/** struct notice - a thread that asks the metadata server; zero = none. */
struct notice {
	struct stop *stop;
	struct http *http; /* the thread's; owned */
	int cancel_fd;	   /* eventfd: leave */
	int64_t base_ns;   /* of the pause after a failure */
	pthread_t thread;
	bool is_running;
};

/**
 * notice_start() - stop_preempt(@stop) as soon as instance/preempted is TRUE, also when
 * it is so already.
 *
 * A server that errs, hangs or is gone is asked again and again, with one line in the
 * log when that begins and one when it ends. No failure of a notice is one of the
 * worker. Start it after the guardian was forked, which is to inherit no thread.
 */
void notice_start(struct notice *n, struct stop *stop);

/** notice_finish() - end the thread at once. Harmless when it was never started. */
void notice_finish(struct notice *n);

enum notice_word { NOTICE_FALSE, NOTICE_TRUE, NOTICE_UNCLEAR };

/** notice_read() - what a value says; pure. */
enum notice_word notice_read(const char *text);

/** struct notice_look - how the last look at the value went. */
struct notice_look {
	unsigned failures; /* in a row */
	bool has_waited;   /* the server was asked to wait for a change */
	bool has_etag;	   /* and can be asked to do so next */
	int64_t took_ns;
	int64_t base_ns;
};

/**
 * notice_pause_ns() - before the next look; pure. @share is uniform in [0, 1).
 *
 * Failures: half to all of base · min(2^(failures - 1), 8). A server that cannot wait for
 * a change is asked every second.
 */
int64_t notice_pause_ns(const struct notice_look *look, double share);

#endif
