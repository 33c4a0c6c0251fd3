// SPDX-License-Identifier: Apache-2.0
// Work that is prepared in parallel and done in order.
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/pool.h"

enum { THREADS_MAX = 8, BUNDLE_ITEMS = 8, BUNDLES = POOL_AHEAD / BUNDLE_ITEMS };

/** struct order - a ring of bundles of items, so that threads meet less often than once
 * an item; @lock guards all but the items themselves. */
struct order {
	const struct pool_line *line;
	size_t n, n_items; /* bundles; the last one may be short */
	pthread_mutex_t lock;
	pthread_cond_t has_room, has_item;
	size_t next, taken; /* to be prepared, to be taken: next - taken <= BUNDLES */
	bool is_ready[BUNDLES];
	bool is_over;
	char *items;
};

static void *item_at(const struct order *o, size_t item)
{
	return o->items + item % POOL_AHEAD * o->line->item_bytes;
}

/* The first item after bundle @index. */
static size_t end_of(const struct order *o, size_t index)
{
	size_t end = (index + 1) * BUNDLE_ITEMS;

	return end < o->n_items ? end : o->n_items;
}

static bool begin_next(struct order *o, size_t *ret)
{
	bool has;

	pthread_mutex_lock(&o->lock);
	while (!o->is_over && o->next < o->n && o->next - o->taken == BUNDLES)
		pthread_cond_wait(&o->has_room, &o->lock);
	has = !o->is_over && o->next < o->n;
	if (has)
		*ret = o->next++;
	pthread_mutex_unlock(&o->lock);
	return has;
}

static void prepare(struct order *o, size_t index)
{
	for (size_t i = index * BUNDLE_ITEMS; i < end_of(o, index); i++) {
		memset(item_at(o, i), 0, o->line->item_bytes);
		o->line->prepare(i, item_at(o, i), o->line->arg);
	}
	pthread_mutex_lock(&o->lock);
	o->is_ready[index % BUNDLES] = true;
	if (index == o->taken)
		pthread_cond_signal(&o->has_item);
	pthread_mutex_unlock(&o->lock);
}

static void *hand_run(void *arg)
{
	struct order *o = arg;
	size_t index;

	while (begin_next(o, &index))
		prepare(o, index);
	return NULL;
}

/* Without a thread the caller prepares what it takes. */
static void await(struct order *o, size_t index, bool is_alone)
{
	size_t next;

	if (is_alone && begin_next(o, &next))
		prepare(o, next);
	pthread_mutex_lock(&o->lock);
	while (!o->is_ready[index % BUNDLES])
		pthread_cond_wait(&o->has_item, &o->lock);
	pthread_mutex_unlock(&o->lock);
}

static void release(const struct order *o, size_t index)
{
	for (size_t i = index * BUNDLE_ITEMS; i < end_of(o, index); i++)
		o->line->release(item_at(o, i));
}

static void free_slot(struct order *o, size_t index)
{
	release(o, index);
	pthread_mutex_lock(&o->lock);
	o->is_ready[index % BUNDLES] = false;
	o->taken++;
	pthread_cond_signal(&o->has_room);
	pthread_mutex_unlock(&o->lock);
}

static int take_all(struct order *o, bool is_alone, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < o->n && r == 0; i++) {
		await(o, i, is_alone);
		for (size_t j = i * BUNDLE_ITEMS; j < end_of(o, i) && r == 0; j++)
			r = o->line->take(j, item_at(o, j), o->line->arg, err);
		free_slot(o, i);
	}
	return r;
}

int pool_in_order(const struct pool_line *line, size_t n, struct err *err)
{
	struct order o = {.line = line,
			  .n = (n + BUNDLE_ITEMS - 1) / BUNDLE_ITEMS,
			  .n_items = n,
			  .lock = PTHREAD_MUTEX_INITIALIZER,
			  .has_room = PTHREAD_COND_INITIALIZER,
			  .has_item = PTHREAD_COND_INITIALIZER,
			  .items = xcalloc(POOL_AHEAD, line->item_bytes)};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX];
	size_t n_threads = 0;
	int r;

	for (long i = 0; i < cpus && i < THREADS_MAX && (size_t)i < o.n; i++)
		n_threads += pthread_create(&threads[n_threads], NULL, hand_run, &o) == 0;
	r = take_all(&o, n_threads == 0, err);
	pthread_mutex_lock(&o.lock);
	o.is_over = true;
	pthread_cond_broadcast(&o.has_room);
	pthread_mutex_unlock(&o.lock);
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = o.taken; i < o.next; i++)
		release(&o, i);
	free(o.items);
	return r;
}
