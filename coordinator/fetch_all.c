// SPDX-License-Identifier: Apache-2.0
// Fetching a run's objects over several connections at once.
#include <errno.h>
#include <pthread.h>

#include "coordinator/cmd.h"
#include "coordinator/fetch.h"

/* Small objects cost a round trip each, not bandwidth; a few dozen at once would begin to
 * meet the server's per-connection limits for no gain. */
enum { FETCH_THREADS = 8 };

/** struct pool - what the threads share; @lock guards all that changes. */
struct pool {
	const struct fetch *fetch;
	struct run_objects *objects;
	pthread_mutex_t lock;
	size_t next;
	int r;		 /* the first error that ends everything */
	struct err *err; /* of that */
	struct err *stopped;
};

struct fetcher {
	struct pool *pool;
	struct store *store;
	pthread_t thread;
	bool is_started;
};

/* The next object to fetch; NULL when there is none or an end was called. */
static struct run_object *pool_take(struct pool *pool)
{
	struct run_object *object = NULL;

	pthread_mutex_lock(&pool->lock);
	if (cmd_interrupted())
		err_set(pool->stopped, -ECANCELED, "interrupted");
	if (!pool->r && !pool->stopped->code && pool->next < pool->objects->n)
		object = &pool->objects->v[pool->next++];
	pthread_mutex_unlock(&pool->lock);
	return object;
}

static void pool_fail(struct pool *pool, int r, const struct err *why)
{
	pthread_mutex_lock(&pool->lock);
	if (r == -EAGAIN || r == -ECANCELED)
		err_set(pool->stopped, r, "%s", why->text);
	else if (!pool->r)
		pool->r = err_set(pool->err, r, "%s", why->text);
	pthread_mutex_unlock(&pool->lock);
}

static void *fetcher_run(void *arg)
{
	struct fetcher *f = arg;
	struct run_object *object;

	while ((object = pool_take(f->pool))) {
		struct err why = {0};
		int r = fetch_object(f->pool->fetch, f->store, object, &why);

		if (r < 0)
			pool_fail(f->pool, r, &why);
	}
	return NULL;
}

/* Threads beyond the first are a convenience: without a store or thread, fewer do. */
static void fetcher_start(struct fetcher *f, struct pool *pool)
{
	struct err why = {0};

	f->pool = pool;
	if (run_open_store(&pool->fetch->run->ref, &f->store, &why) == 0)
		f->is_started = pthread_create(&f->thread, NULL, fetcher_run, f) == 0;
}

int fetch_all(const struct fetch *fetch, struct run_objects *objects,
	      struct err *ret_stopped, struct err *err)
{
	struct pool pool = {.fetch = fetch,
			    .objects = objects,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .err = err,
			    .stopped = ret_stopped};
	struct fetcher own = {.pool = &pool, .store = fetch->run->store};
	struct fetcher more[FETCH_THREADS - 1] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(more) && i + 1 < objects->n / 4; i++)
		fetcher_start(&more[i], &pool);
	fetcher_run(&own);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		if (more[i].is_started)
			pthread_join(more[i].thread, NULL);
		store_close(more[i].store);
	}
	return pool.r;
}
