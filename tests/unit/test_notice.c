// SPDX-License-Identifier: Apache-2.0
// The notice of preemption: its value, the pauses, an end at once.
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/http.h"
#include "tests/unit/tap.h"
#include "worker/notice.h"

static void values(void)
{
	ok(notice_says_preempted("TRUE"), "TRUE says so");
	ok(notice_says_preempted("true"), "in any case");
	ok(!notice_says_preempted("FALSE"), "FALSE does not");
	ok(!notice_says_preempted(""), "nor does nothing");
	ok(!notice_says_preempted("TRUE or so"), "nor does other text");
}

static void pauses(void)
{
	unsigned longest = 0;

	for (unsigned i = 0; i < 100; i++) {
		unsigned s = notice_pause_s(i);

		if (s < 1 || s > 30)
			longest = 1000;
		else if (s > longest)
			longest = s;
	}
	ok(notice_pause_s(0) == 1, "a second after the first failure");
	ok(longest == 30, "at most half a minute after many, never none");
}

/* Nobody listens on port 9 (discard): the watch fails, pauses, and must end at once. */
static void ends(void)
{
	struct notice n = {0};
	struct stop stop = {0};
	struct err err = {0};
	int64_t begin_ns;

	setenv("GCE_METADATA_HOST", "127.0.0.1:9", 1);
	ok(stop_init(&stop, &err) == 0 && notice_start(&n, &stop, &err) == 0, "starts%s",
	   err.text);
	http_pause(clock_mono_ns() + 200 * NS_PER_MS, -1);
	begin_ns = clock_mono_ns();
	notice_stop(&n);
	ok(clock_mono_ns() - begin_ns < NS_PER_S, "ends within a second");
	ok(stop_why(&stop) == STOP_NONE, "a server that is not there is no preemption");
	notice_stop(&n);
	ok(!n.is_running, "a second end is harmless");
	stop_preempt(&stop);
	ok(stop_why(&stop) == STOP_SIGNAL && stop_since_ns(&stop) > 0,
	   "a preemption counts as a signal");
	ok(strstr(stop_text(&stop), "preempted") != NULL, "with a reason of its own");
}

int main(void)
{
	values();
	pauses();
	ends();
	return done_testing();
}
