// SPDX-License-Identifier: Apache-2.0
// The same small job for many objects.
#include "coordinator/pool.h"

#include <errno.h>
#include <pthread.h>

#include "coordinator/cmd.h"

/* Small objects cost a round trip each, not bandwidth: this many at a time hide most of
 * it and stay far below what one client may ask of a bucket. Each costs about 300 KiB. */
enum { POOL_THREADS = 32, POOL_SHARE_MIN = 4 };

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

static void *hand_run(void *arg)
{
	struct hand *hand = arg;
	struct pool *pool = hand->pool;
	size_t i;

	while (pool_take(pool, &i)) {
		struct err why = {0};
		int r = pool->fn(hand->store, i, pool->arg, &why);

		if (r == 0)
			continue;
		pthread_mutex_lock(&pool->lock);
		if (pool->r == 0)
			pool->r = err_set(pool->err, r, "%s", why.text);
		pthread_mutex_unlock(&pool->lock);
	}
	return NULL;
}

int pool_run(struct run *run, size_t n, pool_fn *fn, void *arg, struct err *err)
{
	struct pool pool = {.fn = fn,
			    .arg = arg,
			    .n = n,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .err = err};
	struct hand own = {.pool = &pool, .store = run->store};
	struct hand more[POOL_THREADS - 1] = {0};

	/* hands beyond the first are a convenience: without a store or thread, fewer do
	 */
	for (size_t i = 0; i < ARRAY_SIZE(more) && (i + 2) * POOL_SHARE_MIN <= n; i++) {
		more[i].pool = &pool;
		if (run_open_store(&run->ref, &more[i].store, NULL) == 0)
			more[i].is_started = pthread_create(&more[i].thread, NULL,
							    hand_run, &more[i]) == 0;
	}
	hand_run(&own);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		if (more[i].is_started)
			pthread_join(more[i].thread, NULL);
		store_close(more[i].store);
	}
	return pool.r;
}
