// SPDX-License-Identifier: Apache-2.0
// The fleet's derived states.
#include "coordinator/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"

void fleet_done(struct fleet *fleet)
{
	free(fleet->workers);
	free(fleet->slots);
	*fleet = (struct fleet){0};
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/: names differ in few digits */
static size_t name_hash(const char *name)
{
	uint64_t h = 14695981039346656037u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return (size_t)(h ^ h >> 32);
}

/* The slot of @name, or the free one where it belongs. */
static unsigned *fleet_slot(const struct fleet *fleet, const char *name)
{
	size_t at = name_hash(name) & (fleet->n_slots - 1);

	while (fleet->slots[at] &&
	       strcmp(fleet->workers[fleet->slots[at] - 1].name, name) != 0)
		at = (at + 1) & (fleet->n_slots - 1);
	return &fleet->slots[at];
}

/* At most half full, so that probing ends soon. */
static void fleet_index(struct fleet *fleet)
{
	size_t n = fleet->n_slots ? fleet->n_slots : 64;

	while (n < 2 * (fleet->n + 1))
		n *= 2;
	free(fleet->slots);
	fleet->slots = xcalloc(n, sizeof(*fleet->slots));
	fleet->n_slots = n;
	for (size_t i = 0; i < fleet->n; i++)
		*fleet_slot(fleet, fleet->workers[i].name) = (unsigned)i + 1;
}

struct fleet_worker *fleet_worker(struct fleet *fleet, const char *name)
{
	struct fleet_worker *w;
	unsigned *slot;

	if (fleet->n_slots < 2 * (fleet->n + 1))
		fleet_index(fleet);
	slot = fleet_slot(fleet, name);
	if (*slot)
		return &fleet->workers[*slot - 1];
	if (fleet->n == fleet->cap) {
		fleet->cap = fleet->cap ? fleet->cap * 2 : 16;
		fleet->workers = xrealloc(fleet->workers, fleet->cap, sizeof(*w));
	}
	w = &fleet->workers[fleet->n++];
	*slot = (unsigned)fleet->n;
	*w = (struct fleet_worker){0};
	str_copy(w->name, sizeof(w->name), name);
	return w;
}

struct fleet_worker *fleet_find(const struct fleet *fleet, const char *name)
{
	unsigned at = fleet->n_slots ? *fleet_slot(fleet, name) : 0;

	return at ? &fleet->workers[at - 1] : NULL;
}

bool fleet_jobless(const struct fleet *fleet, char first[JOB_STEM_CAP],
		   char last[JOB_STEM_CAP])
{
	bool has = false;

	for (size_t i = 0; i < fleet->n; i++) {
		const struct fleet_worker *w = &fleet->workers[i];
		char stem[JOB_STEM_CAP];

		if (w->has_heartbeat && w->is_planned)
			continue;
		/* with its dot: "a-1.json" is before "a.json", "a" is before "a-1" */
		snprintf(stem, sizeof(stem), "%s.", w->name);
		if (!has || strcmp(stem, first) < 0)
			str_copy(first, JOB_STEM_CAP, stem);
		if (!has || strcmp(stem, last) > 0)
			str_copy(last, JOB_STEM_CAP, stem);
		has = true;
	}
	return has;
}

static int by_name(const void *a, const void *b)
{
	const struct fleet_worker *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void fleet_add_job(struct fleet_worker *w, unsigned round, int64_t created_ns)
{
	if (round > w->rounds)
		w->rounds = round;
	if (created_ns > w->job_created_ns)
		w->job_created_ns = created_ns;
	if (!w->first_job_ns || created_ns < w->first_job_ns)
		w->first_job_ns = created_ns;
}

bool fleet_may_wait(const struct fleet_worker *w, int64_t now_ns, unsigned stale_s,
		    int64_t order_ns)
{
	int64_t newest_ns = order_ns + NS_PER_S;

	if (!w->has_heartbeat)
		return true;
	if (!worker_is_end(w->hb.state) &&
	    now_ns - w->updated_ns <= (int64_t)stale_s * NS_PER_S)
		return false;
	return w->updated_ns < newest_ns &&
	       now_ns - newest_ns <= (int64_t)FLEET_BOOT_S * NS_PER_S;
}

static enum fleet_view derive_one(struct fleet_worker *w, int64_t now_ns,
				  unsigned stale_s, int64_t watch_started_ns)
{
	int64_t born_ns = w->job_created_ns;
	int64_t boot_ns = (int64_t)FLEET_BOOT_S * NS_PER_S;

	if (w->has_heartbeat) {
		/* "Date" has whole seconds: a fresh heartbeat may be ahead of it */
		w->age_ns = now_ns > w->updated_ns ? now_ns - w->updated_ns : 0;
		if (!worker_is_end(w->hb.state) &&
		    w->age_ns <= (int64_t)stale_s * NS_PER_S)
			return FLEET_ALIVE;
		if (born_ns > w->updated_ns && now_ns - born_ns <= boot_ns)
			return FLEET_WAITING;
		return worker_is_end(w->hb.state) ? FLEET_ENDED : FLEET_STALE;
	}
	w->age_ns = !born_ns ? -1 : now_ns > born_ns ? now_ns - born_ns : 0;
	if (watch_started_ns > born_ns)
		born_ns = watch_started_ns;
	return now_ns - born_ns > boot_ns ? FLEET_MISSING : FLEET_WAITING;
}

void fleet_derive(struct fleet *fleet, unsigned stale_s, int64_t watch_started_ns)
{
	if (fleet->n)
		qsort(fleet->workers, fleet->n, sizeof(*fleet->workers), by_name);
	fleet_index(fleet);
	for (size_t i = 0; i < fleet->n; i++)
		fleet->workers[i].view =
			derive_one(&fleet->workers[i], fleet->server_now_ns, stale_s,
				   watch_started_ns);
}

const char *fleet_view_name(enum fleet_view view)
{
	static const char *const names[] = {"waiting", "missing", "alive", "stale",
					    "ended"};

	return names[view];
}

static void count_ended(struct fleet_counts *c, const struct fleet_worker *w)
{
	enum worker_state state = w->hb.state;

	c->ended++;
	c->done += state == WORKER_DONE;
	c->failed += state == WORKER_FAILED;
	c->cancelled += state == WORKER_CANCELLED;
	c->interrupted += state == WORKER_INTERRUPTED;
}

struct fleet_counts fleet_count(const struct fleet *fleet)
{
	struct fleet_counts c = {0};

	for (size_t i = 0; i < fleet->n; i++) {
		const struct fleet_worker *w = &fleet->workers[i];

		if (!w->is_planned) {
			c.strangers++;
			continue;
		}
		c.steps_done += w->hb.done;
		c.steps_total += w->hb.total;
		if (w->is_relieved && w->view != FLEET_ALIVE && w->view != FLEET_ENDED) {
			c.relieved++;
			continue;
		}
		c.waiting += w->view == FLEET_WAITING;
		c.missing += w->view == FLEET_MISSING;
		c.alive += w->view == FLEET_ALIVE;
		c.stale += w->view == FLEET_STALE;
		c.steps_not_ok += w->steps_not_ok;
		c.steps_invalid += w->steps_invalid;
		if (w->view == FLEET_ENDED)
			count_ended(&c, w);
	}
	if (fleet->steps.is_known) {
		c.steps_total = fleet->steps.total;
		c.steps_done = c.steps_total - fleet->steps.pending;
		c.steps_not_ok = fleet->steps.not_ok;
		c.steps_invalid = fleet->steps.invalid;
		return c;
	}
	/* totals move with the steps, and those of the dead stand still */
	if (fleet->n_planned_steps) {
		c.steps_total = fleet->n_planned_steps;
		c.is_complete = c.steps_done >= c.steps_total;
	}
	for (size_t i = 0; i < fleet->n; i++) {
		const struct fleet_worker *w = &fleet->workers[i];

		c.unjudged += w->is_planned && !w->has_verdict &&
			      fleet_is_judged(w, c.is_complete);
	}
	return c;
}

bool fleet_is_judged(const struct fleet_worker *w, bool is_complete)
{
	if (w->view == FLEET_ENDED)
		return w->hb.total > 0;
	return is_complete && w->view == FLEET_STALE && w->hb.done > 0;
}

bool fleet_is_over(const struct fleet_counts *c)
{
	return !c->alive && (c->is_complete || (!c->waiting && !c->missing && !c->stale));
}

bool fleet_is_stuck(const struct fleet_counts *c)
{
	return !fleet_is_over(c) && !c->alive && !c->waiting;
}
