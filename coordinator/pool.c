// SPDX-License-Identifier: Apache-2.0
// The same small job for many objects.
#include "coordinator/pool.h"

#include <errno.h>
#include <pthread.h>

#include "coordinator/cmd.h"
#include "core/clock.h"

/* Small objects cost a round trip each, not bandwidth: this many at a time hide most of
 * it and stay far below what one client may ask of a bucket. Each costs about 300 KiB. */
enum { POOL_THREADS = 32, POOL_SHARE_MIN = 4 };

/* More than these only when they leave the processor idle: a near bucket keeps it busy,
 * and there every further thread costs more than it brings. */
enum { POOL_FIRST = 4, POOL_LOOK_EVERY = 4 };

/** struct pool - what the threads share; @lock guards what changes. */
struct pool {
	pool_fn *fn;
	void *arg;
	size_t n;
	pthread_mutex_t lock;
	size_t next;
	int r;
	struct err *err;
};

struct hand {
	struct pool *pool;
	struct store *store;
	pthread_t thread;
	bool is_started;
};

/** struct crew - the hands beyond the caller's own; only that one starts them. */
struct crew {
	const struct run_ref *ref;
	struct hand hands[POOL_THREADS - 1];
	size_t n;
	unsigned looks;
	int64_t wall_ns, processor_ns; /* when they were last counted */
};

static bool pool_take(struct pool *pool, size_t *ret)
{
	bool has;

	pthread_mutex_lock(&pool->lock);
	if (cmd_interrupted() && pool->r == 0 && pool->next < pool->n)
		pool->r = err_set(pool->err, -ECANCELED, "interrupted");
	has = pool->r == 0 && pool->next < pool->n;
	if (has)
		*ret = pool->next++;
	pthread_mutex_unlock(&pool->lock);
	return has;
}

static void hand_work(struct hand *hand, struct crew *crew);

static void *hand_run(void *arg)
{
	hand_work(arg, NULL);
	return NULL;
}

/* Hands beyond the first are a convenience: without a store or thread, fewer do. */
static void crew_grow(struct crew *crew, struct pool *pool, size_t n)
{
	size_t left = pool->n - pool->next;

	for (; n && crew->n < ARRAY_SIZE(crew->hands); n--) {
		struct hand *hand = &crew->hands[crew->n];

		if ((crew->n + 2) * POOL_SHARE_MIN > left)
			return;
		crew->n++;
		hand->pool = pool;
		if (run_open_store(crew->ref, &hand->store, NULL) == 0)
			hand->is_started =
				pthread_create(&hand->thread, NULL, hand_run, hand) == 0;
	}
}

/* Is less than half a processor at work? */
static void crew_look(struct crew *crew, struct pool *pool)
{
	int64_t wall_ns = clock_mono_ns(), processor_ns = clock_processor_ns();
	bool is_idle = (processor_ns - crew->processor_ns) * 2 < wall_ns - crew->wall_ns;

	crew->wall_ns = wall_ns;
	crew->processor_ns = processor_ns;
	if (!is_idle)
		return;
	pthread_mutex_lock(&pool->lock);
	crew_grow(crew, pool, POOL_FIRST);
	pthread_mutex_unlock(&pool->lock);
}

/* @crew: of the caller's own hand, else NULL. */
static void hand_work(struct hand *hand, struct crew *crew)
{
	struct pool *pool = hand->pool;
	size_t i;

	while (pool_take(pool, &i)) {
		struct err why = {0};
		int r = pool->fn(hand->store, i, pool->arg, &why);

		if (r < 0) {
			pthread_mutex_lock(&pool->lock);
			if (pool->r == 0)
				pool->r = err_set(pool->err, r, "%s", why.text);
			pthread_mutex_unlock(&pool->lock);
		}
		if (crew && ++crew->looks % POOL_LOOK_EVERY == 0)
			crew_look(crew, pool);
	}
}

int pool_run(struct run *run, size_t n, pool_fn *fn, void *arg, struct err *err)
{
	struct pool pool = {.fn = fn,
			    .arg = arg,
			    .n = n,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .err = err};
	struct hand own = {.pool = &pool, .store = run->store};
	struct crew crew = {.ref = &run->ref,
			    .wall_ns = clock_mono_ns(),
			    .processor_ns = clock_processor_ns()};

	crew_grow(&crew, &pool, POOL_FIRST - 1);
	hand_work(&own, &crew);
	for (size_t i = 0; i < crew.n; i++) {
		if (crew.hands[i].is_started)
			pthread_join(crew.hands[i].thread, NULL);
		store_close(crew.hands[i].store);
	}
	return pool.r;
}
