// SPDX-License-Identifier: Apache-2.0
// The heartbeat thread's last writes: the index first, and again for as long as there is
// time.
#include <string.h>

#include "core/clock.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/tap.h"
#include "worker/beat.h"
#include "worker/stop.h"

enum { TIME_S = 15 };

#define FORBIDDEN REPLY("403 No", "", "0", "")

static struct board board;
static struct stop stopped;

static void begin(struct beat *beat, struct fake *fake)
{
	serve(fake);
	if (board_init(&board, NULL) < 0 ||
	    run_ref_parse("gs://bkt/r", &beat->run, NULL) < 0)
		abort();
	str_copy(beat->worker, sizeof(beat->worker), "w-1");
	str_copy(beat->lease, sizeof(beat->lease), "r/workers/w-1.json");
	beat->store = store;
	board.hb.state = board.manifest.state = WORKER_DONE;
	board.hb_changed = board.manifest_changed = board.is_over = true;
	board.heartbeat_s = 30;
	beat->over_ns = clock_mono_ns() + (int64_t)TIME_S * NS_PER_S;
}

/* Is the i-th request a write of the object @name? */
static bool wrote(const struct fake *fake, size_t i, const char *name)
{
	const char *text = fake->n_requests > i ? fake_request(fake, i) : "";
	const char *end = strchr(text, '\n');

	return str_starts(text, "POST ") && end &&
	       memmem(text, (size_t)(end - text), name, strlen(name));
}

static void test_end(void)
{
	static const char lease[] = "w-1.json", index[] = "manifest.json";
	struct fake fake = {.replies = {FORBIDDEN, META, FORBIDDEN, META}};
	struct beat beat = {.board = &board,
			    .stop = &stopped,
			    .lease_generation = 1,
			    .manifest_generation = 1};

	begin(&beat, &fake);
	if (beat_start(&beat, NULL) < 0)
		abort();
	pthread_join(beat.thread, NULL);
	ok(wrote(&fake, 0, index) && wrote(&fake, 1, lease),
	   "the index is written first, and the lease even if that fails");
	ok(wrote(&fake, 2, index) && wrote(&fake, 3, index) && fake.n_requests == 4,
	   "the index is tried again until it is there, and then no more: %u requests",
	   fake.n_requests);
	ok(!board.hb_changed && !board.manifest_changed, "nothing is left to be told");
	stop(&fake);
	board_done(&board);
}

int main(void)
{
	if (stop_init(&stopped, NULL) < 0)
		abort();
	test_end();
	return done_testing();
}
