// SPDX-License-Identifier: Apache-2.0
// The first look for orders: nothing is known, and nothing begins, before it has been
// answered whole.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/str.h"
#include "tests/unit/tap.h"
#include "worker/job.h"
#include "worker/worker.h"

static const char drain[] = "{\"schema\":\"muster/control/1\",\"kind\":\"drain\","
			    "\"workers\":null,\"steps\":null,\"round\":null,"
			    "\"reason\":\"enough\"}";

/* What the bucket says to one look after the other; afterwards -EAGAIN. */
static const struct {
	int r;
	const char *name; /* ends so */
} replies[] = {
	{-EAGAIN, "0001.json"}, /* the first look */
	{0, "0001.json"},	/* the second: an order, */
	{-EACCES, "0002.json"}, /* but are there more? */
	{-ENOENT, "0002.json"}, /* the third */
};
static size_t n_gets, n_strays;
static struct worker w;

static int fake_get(struct store *s, const char *name, uint64_t max_bytes,
		    struct str *ret, struct obj_meta *meta, struct err *err)
{
	size_t i = n_gets++;

	(void)s, (void)max_bytes, (void)meta;
	if (i >= ARRAY_SIZE(replies))
		return err_set(err, -EAGAIN, "away");
	n_strays += !str_ends(name, replies[i].name);
	if (replies[i].r < 0)
		return err_set(err, replies[i].r, "reply %zu", i);
	str_add(ret, drain);
	return 0;
}

static int fake_put(struct store *s, const char *name, const struct put_req *req,
		    struct obj_meta *meta, struct err *err)
{
	(void)s, (void)name, (void)req, (void)err;
	meta->generation = 1;
	return 0;
}

static void fake_close(struct store *s)
{
	(void)s;
}

static const struct store_ops ops = {
	.get = fake_get, .put = fake_put, .close = fake_close};
static struct store store = {.ops = &ops};

static void test_looks(void)
{
	cleanup_orders struct orders o = {0};

	ok(!board_orders(&w.board, &o) && !o.drain, "the store is away: nothing known");
	ok(!board_orders(&w.board, &o) && !o.drain,
	   "an order that may not be the last is not in force");
	ok(board_orders(&w.board, &o) && o.drain, "the third look is whole");
	ok(board_orders(&w.board, &o) && o.drain && n_gets == 5 && !n_strays,
	   "a later one that fails takes nothing back");
}

/* Before the first look a worker waits; a signal ends that, and so does its limit. */
static void test_waiting(void)
{
	int64_t begin_ns = clock_mono_ns();
	struct err err = {0};

	pthread_mutex_lock(&w.board.lock);
	w.board.has_looked = false;
	pthread_mutex_unlock(&w.board.lock);
#ifdef MUSTER_TESTING
	setenv("MUSTER_JOB_WAIT_S", "1", 1);
	setenv("MUSTER_JOB_LOOK_MS", "100", 1);
	ok(job_take_orders(&w, &err) == -EAGAIN &&
		   clock_mono_ns() - begin_ns > (int64_t)NS_PER_S && n_gets > 8,
	   "asked again until the limit: %s", err.text);
	err_clear(&err);
#endif
	raise(SIGTERM);
	begin_ns = clock_mono_ns();
	ok(job_take_orders(&w, &err) == 0 &&
		   clock_mono_ns() - begin_ns < (int64_t)NS_PER_S,
	   "a signal ends the waiting %s", err.text);
}

int main(void)
{
	if (stop_init(&w.stop, NULL) < 0 || board_init(&w.board, NULL) < 0 ||
	    run_ref_parse("gs://bkt/r", &w.beat.run, NULL) < 0)
		return 1;
	str_copy(w.id.url, sizeof(w.id.url), "gs://bkt/r");
	str_copy(w.beat.worker, sizeof(w.beat.worker), "w-1");
	w.beat.board = &w.board;
	w.beat.stop = &w.stop;
	w.beat.store = &store;
	if (beat_start(&w.beat, NULL) < 0)
		return 1;
	test_looks();
	test_waiting();
	beat_finish(&w.beat);
	board_done(&w.board);
	return done_testing();
}
