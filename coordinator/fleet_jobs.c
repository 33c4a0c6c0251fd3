// SPDX-License-Identifier: Apache-2.0
// Asking for single jobs.
#include "coordinator/fleet_jobs.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "coordinator/pool.h"
#include "core/str.h"

/** struct asking - @asks are answered by several threads; @lock guards the fleet. */
struct asking {
	struct run *run;
	struct fleet *fleet;
	unsigned *round; /* per worker: the newest one not to be asked for again */
	bool *is_first;	 /* per worker: its first name is among the asks */
	size_t n;	 /* may be one past the room: too many */
	struct ask {
		size_t worker;
		unsigned round;
	} asks[FLEET_ASKED_MAX];
	pthread_mutex_t lock;
};

static void add(struct asking *a, size_t worker, unsigned round)
{
	if (a->n < FLEET_ASKED_MAX)
		a->asks[a->n] = (struct ask){worker, round};
	a->n++;
}

/* Without a round: the job under the first name, also a newcomer's of a later round. */
static void add_first(struct asking *a, size_t worker)
{
	if (!a->is_first[worker])
		add(a, worker, 1);
	a->is_first[worker] = true;
}

/* Those who lose steps are named too: their job may not be there. */
static void add_order(struct asking *a, size_t index, size_t worker)
{
	const struct order_log *log = &a->run->orders;
	const struct fleet *fleet = a->fleet;
	unsigned round = log->v[index].round;
	int64_t order_ns = log->written_ns[index];

	/* several orders of a round come one after the other */
	if (a->round[worker] == round ||
	    !fleet_may_wait(&fleet->workers[worker], fleet->server_now_ns,
			    a->run->config.settings.stale_s,
			    order_ns ? order_ns : fleet->server_now_ns))
		return;
	a->round[worker] = round;
	add(a, worker, round);
	if (worker >= a->run->config.n_workers)
		add_first(a, worker);
}

static void gather(struct asking *a)
{
	const struct order_log *log = &a->run->orders;
	const struct fleet *fleet = a->fleet;

	for (size_t i = 0; i < fleet->n; i++)
		if (fleet->workers[i].is_planned && !fleet->workers[i].has_heartbeat)
			add_first(a, i);
	for (size_t i = log->n; i > 0 && a->n <= FLEET_ASKED_MAX; i--) {
		const struct control *c = &log->v[i - 1];

		if (c->kind != CONTROL_REASSIGN || !c->round)
			continue;
		for (size_t k = 0; k < fleet->n && c->all_workers; k++)
			add_order(a, i - 1, k);
		for (size_t k = 0; k < c->n_workers; k++)
			add_order(a, i - 1,
				  (size_t)(fleet_find(fleet, c->workers[k]) -
					   fleet->workers));
	}
}

static int ask(struct store *store, size_t index, void *arg, struct err *err)
{
	struct asking *a = arg;
	struct fleet_worker *w = &a->fleet->workers[a->asks[index].worker];
	unsigned round = a->asks[index].round;
	struct obj_meta meta = {0};
	char name[PATH_CAP];
	int r = path_job(name, &a->run->ref, w->name, round, err);

	if (r == 0)
		r = store->ops->stat(store, name, &meta, err);
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0 || strcmp(meta.summary, JOB_CLAIM_SUMMARY) == 0)
		return r;
	pthread_mutex_lock(&a->lock);
	fleet_add_job(w, round, meta.created_ns);
	pthread_mutex_unlock(&a->lock);
	return 0;
}

int fleet_ask_jobs(struct run *run, struct fleet *fleet, struct err *err)
{
	cleanup_free unsigned *round = xcalloc(fleet->n + 1, sizeof(*round));
	cleanup_free bool *is_first = xcalloc(fleet->n + 1, sizeof(*is_first));
	struct asking a = {.run = run,
			   .fleet = fleet,
			   .round = round,
			   .is_first = is_first,
			   .lock = PTHREAD_MUTEX_INITIALIZER};
	int r;

	gather(&a);
	if (a.n > FLEET_ASKED_MAX)
		return 0;
	r = pool_run(run, a.n, ask, &a, err);
	return r < 0 ? r : 1;
}
