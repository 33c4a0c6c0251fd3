// SPDX-License-Identifier: Apache-2.0
// Watching for a preemption.
#include "worker/notice.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/auth.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/retry.h"
#include "core/rng.h"

enum { NOTICE_MAX_BYTES = 256, NOTICE_DOUBLINGS = 3 };

static const int64_t gap_ns = NS_PER_S;

enum notice_word notice_read(const char *text)
{
	size_t n = strcspn(text, "\r\n");

	if (n == 4 && strncasecmp(text, "TRUE", n) == 0)
		return NOTICE_TRUE;
	return n == 5 && strncasecmp(text, "FALSE", n) == 0 ? NOTICE_FALSE
							    : NOTICE_UNCLEAR;
}

int64_t notice_pause_ns(const struct notice_look *look, double share)
{
	unsigned doublings = look->failures - 1;
	int64_t most_ns;

	if (look->failures == 0) {
		if (!look->has_etag)
			return gap_ns;
		if (!look->has_waited || look->took_ns >= gap_ns)
			return 0;
		return gap_ns - look->took_ns;
	}
	if (doublings > NOTICE_DOUBLINGS)
		doublings = NOTICE_DOUBLINGS;
	most_ns = look->base_ns << doublings;
	return most_ns / 2 + (int64_t)(share * (double)(most_ns - most_ns / 2));
}

/* One look; @etag is kept from one to the next, and forgotten with a failure. */
static enum notice_word look_once(struct notice *n, char etag[METADATA_ETAG_CAP],
				  struct err *err)
{
	cleanup_str struct str text = STR_INIT(NOTICE_MAX_BYTES);
	enum notice_word word = NOTICE_UNCLEAR;
	int r = metadata_watch(n->http, "instance/preempted", etag, NOTICE_MAX_BYTES,
			       n->cancel_fd, &text, err);

	if (r == 0) {
		word = notice_read(str_text(&text));
		if (word == NOTICE_UNCLEAR)
			err_set(err, -EBADMSG,
				"metadata server: instance/preempted is neither TRUE nor "
				"FALSE");
	}
	if (word == NOTICE_UNCLEAR)
		etag[0] = '\0';
	return word;
}

static void tell_change(bool was_well, const struct err *err)
{
	bool is_well = err->code == 0;

	if (was_well && !is_well)
		log_line(LOG_WARN, "a preemption would go unnoticed: %s", err->text);
	else if (!was_well && is_well)
		log_line(LOG_INFO, "the metadata server tells of preemptions again");
}

static void *notice_main(void *arg)
{
	struct notice *n = arg;
	struct notice_look look = {.base_ns = n->base_ns};
	char etag[METADATA_ETAG_CAP] = "";
	struct rng rng;

	rng_init(&rng, rng_entropy());
	do {
		int64_t start_ns = clock_mono_ns();
		struct err err = {0};
		enum notice_word word;

		look.has_waited = etag[0] != '\0';
		word = look_once(n, etag, &err);
		if (err.code == -ECANCELED)
			break;
		if (word == NOTICE_TRUE) {
			stop_preempt(n->stop);
			log_line(LOG_WARN, "%s", stop_text(n->stop));
			break;
		}
		tell_change(look.failures == 0, &err);
		look.failures = word == NOTICE_FALSE ? 0 : look.failures + 1;
		look.has_etag = etag[0] != '\0';
		look.took_ns = clock_mono_ns() - start_ns;
	} while (http_pause(clock_mono_ns() + notice_pause_ns(&look, rng_double(&rng)),
			    n->cancel_fd) == 0);
	return NULL;
}

static int start(struct notice *n, struct err *err)
{
	sigset_t all, was;
	int r;

	r = retry_base_from_env(&n->base_ns, err);
	if (r == 0)
		r = http_new(&n->http, err);
	if (r < 0)
		return r;
	n->base_ns = n->base_ns ? n->base_ns : NS_PER_S;
	n->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n->cancel_fd < 0)
		return err_errno(err, -errno, "eventfd");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	r = pthread_create(&n->thread, NULL, notice_main, n);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (r != 0)
		return err_errno(err, -r, "thread");
	n->is_running = true;
	return 0;
}

static void release(struct notice *n)
{
	http_free(n->http);
	if (n->cancel_fd >= 0)
		close(n->cancel_fd);
	*n = (struct notice){0};
}

void notice_start(struct notice *n, struct stop *stop)
{
	struct err err = {0};

	*n = (struct notice){.stop = stop, .cancel_fd = -1};
	if (start(n, &err) < 0) {
		tell_change(true, &err);
		release(n);
	}
}

void notice_finish(struct notice *n)
{
	const uint64_t one = 1;

	if (!n->is_running)
		return;
	if (write(n->cancel_fd, &one, sizeof(one)) < 0)
		log_line(LOG_DEBUG, "eventfd is full");
	pthread_join(n->thread, NULL);
	release(n);
}
