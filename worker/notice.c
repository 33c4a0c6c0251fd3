// SPDX-License-Identifier: Apache-2.0
// Watching for preemption.
#include "worker/notice.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/auth.h"
#include "core/clock.h"
#include "core/log.h"

/*
 * Long-polling: a request is answered at the change, so its length costs no time. Below
 * the minute after which a silent exchange counts as stalled (core/http.h).
 */
enum { WAIT_S = 45, PAUSE_MAX_S = 30, VALUE_MAX_BYTES = 64 };
static const char path[] = "instance/preempted";

bool notice_says_preempted(const char *text)
{
	return strcasecmp(text, "TRUE") == 0;
}

unsigned notice_pause_s(unsigned failures)
{
	return failures < 5 ? 1U << failures : PAUSE_MAX_S;
}

/* One request: 1 = preempted, 0 = not, negative = could not be asked. */
static int look(struct http *http, int end_fd, char etag[METADATA_ETAG_CAP],
		struct err *err)
{
	cleanup_str struct str value = STR_INIT(VALUE_MAX_BYTES);
	bool was_asked_before = etag[0];
	int r = metadata_watch(http, path, WAIT_S, end_fd, etag, &value, err);

	if (r < 0)
		return r;
	if (notice_says_preempted(str_text(&value)))
		return 1;
	/* without an ETag there is no waiting at the server: wait here */
	if (etag[0] || !was_asked_before)
		return 0;
	return err_set(err, -EAGAIN, "the metadata server gives no ETag");
}

static void *watch(void *arg)
{
	struct notice *n = arg;
	char etag[METADATA_ETAG_CAP] = "";
	struct http *http = NULL;
	unsigned failures = 0;
	struct err err = {0};
	int r = http_new(&http, &err);

	while (r >= 0) {
		err_clear(&err);
		r = look(http, n->end_fd, etag, &err);
		if (r == 1 || r == -ECANCELED)
			break;
		if (r == 0 && etag[0]) {
			failures = 0;
			continue;
		}
		if (failures == 0 && r < 0)
			log_line(LOG_INFO, "preemption is not watched for now: %s",
				 err.text);
		r = http_pause(clock_mono_ns() +
				       (int64_t)notice_pause_s(failures++) * NS_PER_S,
			       n->end_fd);
	}
	if (r == 1) {
		log_line(LOG_WARN, "the metadata server says that this machine is "
				   "preempted");
		stop_preempt(n->stop);
	}
	http_free(http);
	return NULL;
}

int notice_start(struct notice *n, struct stop *stop, struct err *err)
{
	sigset_t all, was;
	int r;

	n->stop = stop;
	n->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n->end_fd < 0)
		return err_errno(err, -errno, "eventfd");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	r = pthread_create(&n->thread, NULL, watch, n);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (r != 0) {
		close(n->end_fd);
		return err_errno(err, -r, "thread that watches for preemption");
	}
	n->is_running = true;
	return 0;
}

void notice_stop(struct notice *n)
{
	const uint64_t one = 1;

	if (!n->is_running)
		return;
	if (write(n->end_fd, &one, sizeof(one)) < 0) {
		/* only a full counter refuses, and then it is readable already */
	}
	pthread_join(n->thread, NULL);
	close(n->end_fd);
	n->is_running = false;
}
