// SPDX-License-Identifier: Apache-2.0
// A step whose last attempt left no record, when its turn comes: failed, or what a record
// says that came after all.
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/tap.h"
#include "worker/worker.h"

static struct worker w;
static struct job job = {.run = "r"};
static const struct job_step plan = {.matrix_id = 17, .iteration = 3, .attempt = 1};

static void begin(struct fake *fake)
{
	struct manifest_step line = {.step = "17-3", .state = ATTEMPT_PREPARING};

	w = (struct worker){0};
	if (stop_init(&w.stop, NULL) < 0 || board_init(&w.board, NULL) < 0 ||
	    run_ref_parse("gs://bkt/r", &w.id.run, NULL) < 0)
		abort();
	str_copy(w.id.worker, sizeof(w.id.worker), "w-1");
	w.settings = job.settings = job_settings_default();
	w.queue.steps = xcalloc(1, sizeof(*w.queue.steps));
	w.queue.steps[w.queue.n++] = (struct queue_step){
		.job = &job, .plan = &plan, .attempt = 2, .is_lost = true};
	board_add(&w.board, &line);
	serve(fake);
	w.ctl = store;
}

static void end(struct fake *fake)
{
	stop(fake);
	queue_done(&w.queue);
	board_done(&w.board);
}

static void test_failed(void)
{
	struct fake fake = {.replies = {META}};

	begin(&fake);
	ok(queue_give_up(&w, 0, NULL) == 0 && queue_next(&w.queue) == 1 &&
		   w.queue.steps[0].state == ATTEMPT_FAILED,
	   "it failed, and nothing of it is to come");
	ok(strcmp(w.board.manifest.steps[0].step, "17-3") == 0 &&
		   w.board.manifest.steps[0].state == ATTEMPT_FAILED &&
		   strstr(w.board.manifest.steps[0].reason, "interrupted 2 times") &&
		   w.board.hb.done == 1,
	   "the manifest says so: %s", w.board.manifest.steps[0].reason);
	end(&fake);
}

/* The record of another incarnation, written since the bucket was looked at. */
static void test_found(void)
{
	static char text[1 << 16], reply[(1 << 16) + 512];
	struct fake fake = {.replies = {NO_MATCH, reply}};
	FILE *f = fopen("tests/data/documents/step-1.json", "re");
	char sum[CRC32C_B64_CAP];
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (!n || fclose(f) != 0)
		abort();
	crc32c_base64(crc32c_update(0, text, n), sum);
	snprintf(reply, sizeof(reply),
		 "HTTP/1.1 200 OK\r\nx-goog-generation: 7\r\nx-goog-hash: crc32c=%s\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 sum, n, text);
	begin(&fake);
	ok(queue_give_up(&w, 0, NULL) == 0 && w.queue.steps[0].state == ATTEMPT_OK,
	   "a record that came after all counts");
	ok(w.board.manifest.steps[0].has_summary && w.board.hb.done == 1,
	   "with its figures");
	end(&fake);
}

static void test_unreadable(void)
{
	struct fake fake = {.replies = {NO_MATCH, REPLY("200 OK", HEAD, "*", "hello")}};

	begin(&fake);
	ok(queue_give_up(&w, 0, NULL) == 0 && queue_next(&w.queue) == 0 &&
		   w.queue.steps[0].attempt == 3 && !w.queue.steps[0].is_lost,
	   "after one that nobody can read comes the next attempt");
	end(&fake);
}

int main(void)
{
	test_failed();
	test_found();
	test_unreadable();
	return done_testing();
}
