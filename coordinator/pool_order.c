// SPDX-License-Identifier: Apache-2.0
// Work that is prepared in parallel and done in order.
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/pool.h"

enum { THREADS_MAX = 8 };

/** struct order - a ring of items; @lock guards all but the items themselves. */
struct order {
	const struct pool_line *line;
	size_t n;
	pthread_mutex_t lock;
	pthread_cond_t has_room, has_item;
	size_t next, taken; /* to be prepared, to be taken: next - taken <= POOL_AHEAD */
	bool is_ready[POOL_AHEAD];
	bool is_over;
	char *items;
};

static void *item_at(const struct order *o, size_t index)
{
	return o->items + index % POOL_AHEAD * o->line->item_bytes;
}

static bool begin_next(struct order *o, size_t *ret)
{
	bool has;

	pthread_mutex_lock(&o->lock);
	while (!o->is_over && o->next < o->n && o->next - o->taken == POOL_AHEAD)
		pthread_cond_wait(&o->has_room, &o->lock);
	has = !o->is_over && o->next < o->n;
	if (has)
		*ret = o->next++;
	pthread_mutex_unlock(&o->lock);
	return has;
}

static void prepare(struct order *o, size_t index)
{
	memset(item_at(o, index), 0, o->line->item_bytes);
	o->line->prepare(index, item_at(o, index), o->line->arg);
	pthread_mutex_lock(&o->lock);
	o->is_ready[index % POOL_AHEAD] = true;
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
	while (!o->is_ready[index % POOL_AHEAD])
		pthread_cond_wait(&o->has_item, &o->lock);
	pthread_mutex_unlock(&o->lock);
}

static void free_slot(struct order *o, size_t index)
{
	o->line->release(item_at(o, index));
	pthread_mutex_lock(&o->lock);
	o->is_ready[index % POOL_AHEAD] = false;
	o->taken++;
	pthread_cond_signal(&o->has_room);
	pthread_mutex_unlock(&o->lock);
}

static int take_all(struct order *o, bool is_alone, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < o->n && r == 0; i++) {
		await(o, i, is_alone);
		r = o->line->take(i, item_at(o, i), o->line->arg, err);
		free_slot(o, i);
	}
	return r;
}

int pool_in_order(const struct pool_line *line, size_t n, struct err *err)
{
	struct order o = {.line = line,
			  .n = n,
			  .lock = PTHREAD_MUTEX_INITIALIZER,
			  .has_room = PTHREAD_COND_INITIALIZER,
			  .has_item = PTHREAD_COND_INITIALIZER,
			  .items = xcalloc(POOL_AHEAD, line->item_bytes)};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX];
	size_t n_threads = 0;
	int r;

	for (long i = 0; i < cpus && i < THREADS_MAX && (size_t)i < n; i++)
		n_threads += pthread_create(&threads[n_threads], NULL, hand_run, &o) == 0;
	r = take_all(&o, n_threads == 0, err);
	pthread_mutex_lock(&o.lock);
	o.is_over = true;
	pthread_cond_broadcast(&o.has_room);
	pthread_mutex_unlock(&o.lock);
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = o.taken; i < o.next; i++)
		line->release(item_at(&o, i));
	free(o.items);
	return r;
}
