// SPDX-License-Identifier: Apache-2.0
// The fleet's derived states.
#include <stdio.h>
#include <string.h>

#include "coordinator/fleet.h"
#include "coordinator/fleet_slow.h"
#include "core/str.h"
#include "tests/unit/tap.h"

enum { STALE_S = 120 };
static const int64_t now_ns = 1700000000LL * NS_PER_S;

static int64_t ago(int64_t s)
{
	return now_ns - s * NS_PER_S;
}

static void test_jobless(void)
{
	static const struct {
		const char *what, *first, *last;
		const char *awaited[3], *strangers[2], *heard[2];
	} rows[] = {
		{"nobody", NULL, NULL, {0}, {0}, {0}},
		{"all are heard of", NULL, NULL, {0}, {0}, {"a", "b"}},
		{"one awaited", "b.", "b.", {"b"}, {0}, {"a", "c"}},
		{"two awaited", "a.", "c.", {"c", "a"}, {0}, {"b", "d"}},
		{"a dash is before the dot", "a-1.", "a.", {"a", "a-1"}, {0}, {0}},
		{"a digit is after it", "a.", "a1.", {"a1", "a"}, {0}, {0}},
		{"a stranger", "x.", "x.", {0}, {"x"}, {"a"}},
		{"one of each", "b.", "x.", {"b"}, {"x"}, {"a"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_fleet struct fleet fleet = {0};
		char first[JOB_STEM_CAP] = "", last[JOB_STEM_CAP] = "";
		bool has;

		for (size_t k = 0; k < 3 && rows[i].awaited[k]; k++)
			fleet_worker(&fleet, rows[i].awaited[k])->is_planned = true;
		for (size_t k = 0; k < 2 && rows[i].strangers[k]; k++)
			fleet_worker(&fleet, rows[i].strangers[k])->has_heartbeat = true;
		for (size_t k = 0; k < 2 && rows[i].heard[k]; k++) {
			struct fleet_worker *w = fleet_worker(&fleet, rows[i].heard[k]);

			w->is_planned = w->has_heartbeat = true;
		}
		has = fleet_jobless(&fleet, first, last);
		ok(has == (rows[i].first != NULL) &&
			   (!has || (strcmp(first, rows[i].first) == 0 &&
				     strcmp(last, rows[i].last) == 0)),
		   "jobs to look at, %s: %s to %s", rows[i].what, first, last);
	}
}

static void test_views(void)
{
	static const struct {
		const char *name;
		enum fleet_view view;
		int64_t job_s, heard_s; /* ago; -1 = none */
		enum worker_state state;
		int64_t watched_s; /* ago; -1 = not watching */
	} rows[] = {
		{"just split", FLEET_WAITING, 0, -1, 0, -1},
		{"at the boot deadline", FLEET_WAITING, FLEET_BOOT_S, -1, 0, -1},
		{"past it", FLEET_MISSING, FLEET_BOOT_S + 1, -1, 0, -1},
		{"an old job, watching just begun", FLEET_WAITING, 86400, -1, 0, 0},
		{"an old job, watched to the deadline", FLEET_WAITING, 86400, -1, 0, 900},
		{"an old job, watched longer", FLEET_MISSING, 86400, -1, 0, 901},
		{"a new job, watched for long", FLEET_WAITING, 10, -1, 0, 86400},
		{"no job", FLEET_MISSING, -1, -1, 0, -1},
		{"no job, watching just begun", FLEET_WAITING, -1, -1, 0, 1},
		{"heard of now", FLEET_ALIVE, 500, 0, WORKER_RUNNING, -1},
		{"exactly stale_s ago", FLEET_ALIVE, 500, STALE_S, WORKER_RUNNING, -1},
		{"longer ago", FLEET_STALE, 500, STALE_S + 1, WORKER_RUNNING, -1},
		{"in the future by rounding", FLEET_ALIVE, 500, -2, WORKER_BOOT, -1},
		{"waiting for its job", FLEET_ALIVE, -1, 3, WORKER_NOJOB, -1},
		{"done long ago", FLEET_ENDED, 86400, 80000, WORKER_DONE, -1},
		{"failed", FLEET_ENDED, 500, 300, WORKER_FAILED, -1},
		{"cancelled", FLEET_ENDED, 500, 300, WORKER_CANCELLED, -1},
		{"interrupted", FLEET_ENDED, 500, 300, WORKER_INTERRUPTED, -1},
		{"ended, a job since", FLEET_WAITING, 299, 300, WORKER_DONE, -1},
		{"ended, a job at that time", FLEET_ENDED, 300, 300, WORKER_DONE, -1},
		{"ended, a job since, at the deadline", FLEET_WAITING, 900, 1000,
		 WORKER_FAILED, -1},
		{"ended, a job since, past it", FLEET_ENDED, 901, 1000, WORKER_FAILED,
		 -1},
		{"stale, a job since", FLEET_WAITING, 10, 300, WORKER_RUNNING, -1},
		{"stale, a job since, past it", FLEET_STALE, 901, 1000, WORKER_RUNNING,
		 -1},
		{"alive, a job since", FLEET_ALIVE, 1, 5, WORKER_RUNNING, -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_fleet struct fleet fleet = {.server_now_ns = now_ns};
		struct fleet_worker *w = fleet_worker(&fleet, "w-1");
		int64_t heard_s = rows[i].heard_s;

		w->job_created_ns = rows[i].job_s < 0 ? 0 : ago(rows[i].job_s);
		w->has_heartbeat = heard_s != -1;
		w->updated_ns = heard_s == -1 ? 0 : ago(heard_s);
		w->hb.state = rows[i].state;
		fleet_derive(&fleet, STALE_S,
			     rows[i].watched_s < 0 ? 0 : ago(rows[i].watched_s));
		ok(fleet.workers[0].view == rows[i].view, "%s: %s", rows[i].name,
		   fleet_view_name(fleet.workers[0].view));
	}
}

/* Whatever waits because of a job was worth a look at that job. */
static void test_may_wait(void)
{
	static const int64_t s[] = {0,	 1,   5,   119, 120, 121,
				    300, 899, 900, 901, 902, 5000};
	static const enum worker_state states[] = {WORKER_RUNNING, WORKER_DONE};
	const size_t n = ARRAY_SIZE(s);
	size_t n_missed = 0, n_asked = 0;

	for (size_t i = 0; i < 2 * n * n * n; i++) {
		struct fleet fleet = {.server_now_ns = now_ns};
		struct fleet_worker *w = fleet_worker(&fleet, "w");
		int64_t order_ns = ago(s[i / n % n]);
		bool may_wait;

		w->has_heartbeat = true;
		w->hb.state = states[i / n / n / n];
		w->updated_ns = ago(s[i / n / n % n]) + 1;
		/* as old as the order, whose second began before */
		w->job_created_ns = order_ns + 999999999 - s[i % n] * NS_PER_S;
		may_wait = fleet_may_wait(w, now_ns, STALE_S, order_ns);
		fleet_derive(&fleet, STALE_S, 0);
		n_missed += fleet.workers[0].view == FLEET_WAITING && !may_wait;
		n_asked += may_wait;
		fleet_done(&fleet);
	}
	ok(n_missed == 0, "every job that makes a worker waiting is asked for");
	ok(n_asked < n * n * n, "and not every one: %zu of %zu", n_asked, 2 * n * n * n);
}

static void test_age(void)
{
	cleanup_fleet struct fleet fleet = {.server_now_ns = now_ns};

	fleet_worker(&fleet, "c-nojob");
	fleet_worker(&fleet, "b-waits")->job_created_ns = ago(7);
	fleet_worker(&fleet, "a-alive")->updated_ns = ago(3);
	fleet_worker(&fleet, "a-alive")->has_heartbeat = true;
	fleet_derive(&fleet, STALE_S, ago(5));
	ok(strcmp(fleet.workers[0].name, "a-alive") == 0 &&
		   strcmp(fleet.workers[2].name, "c-nojob") == 0,
	   "sorted by name");
	ok(fleet.workers[0].age_ns == 3LL * NS_PER_S, "age of a heartbeat");
	ok(fleet.workers[1].age_ns == 7LL * NS_PER_S, "age of a job");
	ok(fleet.workers[2].age_ns == -1, "no age without either");
	fleet.server_now_ns = ago(3600);
	fleet_derive(&fleet, STALE_S, 0);
	ok(fleet.workers[0].age_ns == 0 && fleet.workers[1].age_ns == 0 &&
		   fleet.workers[0].view == FLEET_ALIVE,
	   "no age is below 0");
	ok(fleet_worker(&fleet, "b-waits") == &fleet.workers[1], "found after sorting");
	ok(fleet_worker(&fleet, "d")->rounds == 0 && fleet.n == 4, "added after sorting");
}

static void add(struct fleet *fleet, enum fleet_view view, enum worker_state state)
{
	char name[WORKER_CAP];
	struct fleet_worker *w;

	snprintf(name, sizeof(name), "w-%zu", fleet->n);
	w = fleet_worker(fleet, name);
	w->is_planned = true;
	w->view = view;
	w->hb.state = state;
	w->hb.done = 2;
	w->hb.total = 5;
}

static void test_counts(void)
{
	cleanup_fleet struct fleet fleet = {0};
	struct fleet_counts c;

	add(&fleet, FLEET_WAITING, 0);
	add(&fleet, FLEET_MISSING, 0);
	add(&fleet, FLEET_ALIVE, WORKER_RUNNING);
	add(&fleet, FLEET_STALE, WORKER_RUNNING);
	add(&fleet, FLEET_ENDED, WORKER_DONE);
	add(&fleet, FLEET_ENDED, WORKER_DONE);
	add(&fleet, FLEET_ENDED, WORKER_FAILED);
	add(&fleet, FLEET_ENDED, WORKER_CANCELLED);
	add(&fleet, FLEET_ENDED, WORKER_INTERRUPTED);
	add(&fleet, FLEET_ALIVE, WORKER_NOJOB);
	fleet.workers[9].is_planned = false;
	c = fleet_count(&fleet);
	ok(c.waiting == 1 && c.missing == 1 && c.alive == 1 && c.stale == 1 &&
		   c.ended == 5,
	   "views are counted");
	ok(c.done == 2 && c.failed == 1 && c.cancelled == 1 && c.interrupted == 1,
	   "ends are counted");
	ok(c.strangers == 1, "a stranger is counted apart");
	ok(c.steps_done == 18 && c.steps_total == 45, "steps without the stranger's");
}

static void test_over(void)
{
	static const struct {
		const char *views;
		bool over, stuck;
	} rows[] = {
		{"e", true, false},   {"ee", true, false},  {"ea", false, false},
		{"ew", false, false}, {"es", false, true},  {"em", false, true},
		{"esm", false, true}, {"sa", false, false}, {"mw", false, false},
		{"sx", false, true},  {"ex", true, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_fleet struct fleet fleet = {0};
		struct fleet_counts c;

		for (const char *v = rows[i].views; *v; v++) {
			add(&fleet,
			    *v == 'e'	? FLEET_ENDED
			    : *v == 'w' ? FLEET_WAITING
			    : *v == 's' ? FLEET_STALE
			    : *v == 'm' ? FLEET_MISSING
					: FLEET_ALIVE,
			    *v == 'e' ? WORKER_DONE : WORKER_RUNNING);
			fleet.workers[fleet.n - 1].is_planned = *v != 'x';
		}
		c = fleet_count(&fleet);
		ok(fleet_is_over(&c) == rows[i].over &&
			   fleet_is_stuck(&c) == rows[i].stuck,
		   "%s: over %d, stuck %d", rows[i].views, fleet_is_over(&c),
		   fleet_is_stuck(&c));
	}
}

/* Nobody misses a dead worker whose steps are others'; and steps judge a moved run. */
static void test_relieved(void)
{
	cleanup_fleet struct fleet fleet = {.server_now_ns = now_ns};
	struct fleet_worker *w = fleet_worker(&fleet, "w-1");
	struct fleet_counts c;

	w->is_planned = true;
	w->has_heartbeat = true;
	w->updated_ns = ago(500);
	w->job_created_ns = ago(1000);
	w->hb.state = WORKER_RUNNING;
	w->hb.done = 1;
	w->hb.total = 4;
	fleet_derive(&fleet, STALE_S, 0);
	c = fleet_count(&fleet);
	ok(c.stale == 1 && !c.relieved && fleet_is_stuck(&c) && c.steps_total == 4,
	   "a stale worker with steps is missed");
	fleet.workers[0].is_relieved = true;
	fleet.steps = (struct fleet_steps){true, 12, 2, 3, 1};
	c = fleet_count(&fleet);
	ok(!c.stale && c.relieved == 1 && fleet_is_over(&c) && !fleet_is_stuck(&c),
	   "one without is not");
	ok(c.steps_total == 12 && c.steps_done == 10 && c.steps_not_ok == 3 &&
		   c.steps_invalid == 1,
	   "the steps' own counts");
	fleet.workers[0].view = FLEET_ALIVE;
	c = fleet_count(&fleet);
	ok(c.alive == 1 && !c.relieved, "one that lives still has to end");
}

/** struct pace - a worker of a fleet that began @began_s ago. */
struct pace {
	unsigned done, total;
	enum fleet_view view;
	int64_t began_s;
	bool is_slow;
};

static bool paces_agree(const struct pace *paces, size_t n)
{
	cleanup_fleet struct fleet fleet = {.server_now_ns = now_ns};
	bool agree = true;
	char name[WORKER_CAP];

	for (size_t i = 0; i < n; i++) {
		struct fleet_worker *w;

		snprintf(name, sizeof(name), "w-%zu", i);
		w = fleet_worker(&fleet, name);
		w->is_planned = true;
		w->has_heartbeat = true;
		w->view = paces[i].view;
		w->hb.done = paces[i].done;
		w->hb.total = paces[i].total;
		w->first_job_ns = ago(paces[i].began_s);
	}
	fleet_mark_slow(&fleet);
	for (size_t i = 0; i < n; i++)
		agree &= fleet.workers[i].is_slow == paces[i].is_slow;
	return agree;
}

static void test_slow(void)
{
	static const struct {
		const char *name;
		struct pace v[5];
	} rows[] = {
		{"all alike",
		 {{10, 20, FLEET_ALIVE, 1000, false},
		  {11, 20, FLEET_ALIVE, 1000, false},
		  {9, 20, FLEET_ALIVE, 1000, false}}},
		{"one far behind",
		 {{10, 20, FLEET_ALIVE, 1000, false},
		  {2, 20, FLEET_ALIVE, 1000, true},
		  {11, 20, FLEET_ALIVE, 1000, false}}},
		{"too early to say",
		 {{1, 4, FLEET_ALIVE, 1000, false},
		  {0, 20, FLEET_ALIVE, 1000, false},
		  {0, 4, FLEET_ALIVE, 1000, false}}},
		{"not one who began later",
		 {{10, 20, FLEET_ALIVE, 1000, false},
		  {2, 20, FLEET_ALIVE, 100, false},
		  {11, 20, FLEET_ALIVE, 1000, false}}},
		{"its last step is no matter",
		 {{20, 20, FLEET_ENDED, 1000, false},
		  {19, 20, FLEET_ALIVE, 1000, false},
		  {20, 20, FLEET_ENDED, 1000, false}}},
		{"two left when most have ended",
		 {{20, 20, FLEET_ENDED, 1000, false},
		  {18, 20, FLEET_ALIVE, 1000, true},
		  {20, 20, FLEET_ENDED, 1000, false}}},
		{"less than a minute is no matter",
		 {{20, 20, FLEET_ENDED, 400, false},
		  {18, 20, FLEET_ALIVE, 400, false},
		  {20, 20, FLEET_ENDED, 400, false}}},
		{"the dead are not slow",
		 {{10, 20, FLEET_ALIVE, 1000, false},
		  {2, 20, FLEET_STALE, 1000, false},
		  {11, 20, FLEET_ALIVE, 1000, false},
		  {12, 20, FLEET_ALIVE, 1000, false}}},
		{"short plans beside long ones",
		 {{1, 3, FLEET_ALIVE, 1000, false},
		  {7, 20, FLEET_ALIVE, 1000, false},
		  {2, 5, FLEET_ALIVE, 1000, false}}},
		{"no fleet",
		 {{10, 20, FLEET_ALIVE, 1000, false}, {1, 20, FLEET_ALIVE, 1000, false}}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = 0;

		while (n < ARRAY_SIZE(rows[i].v) && rows[i].v[n].total)
			n++;
		ok(paces_agree(rows[i].v, n), "slow: %s", rows[i].name);
	}
}

/* With stealing the run's steps are counted, wherever they ended. */
static void test_complete(void)
{
	static const struct {
		const char *views; /* each worker has 2 of 5 done */
		unsigned planned;
		bool over, stuck, complete;
		unsigned unjudged;
	} rows[] = {
		{"ee", 4, true, false, true, 2},   {"ee", 5, true, false, false, 2},
		{"em", 4, true, false, true, 1},   {"es", 4, true, false, true, 2},
		{"es", 5, false, true, false, 1},  {"ew", 4, true, false, true, 1},
		{"ea", 4, false, false, true, 1},  {"es", 0, false, true, false, 1},
		{"esx", 6, false, true, false, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_fleet struct fleet fleet = {.n_planned_steps = rows[i].planned};
		struct fleet_counts c;

		for (const char *v = rows[i].views; *v; v++) {
			add(&fleet,
			    *v == 'e'	? FLEET_ENDED
			    : *v == 'w' ? FLEET_WAITING
			    : *v == 's' ? FLEET_STALE
			    : *v == 'm' ? FLEET_MISSING
					: FLEET_ALIVE,
			    *v == 'e' ? WORKER_INTERRUPTED : WORKER_RUNNING);
			fleet.workers[fleet.n - 1].is_planned = *v != 'x';
		}
		c = fleet_count(&fleet);
		ok(fleet_is_over(&c) == rows[i].over &&
			   fleet_is_stuck(&c) == rows[i].stuck &&
			   c.is_complete == rows[i].complete &&
			   c.unjudged == rows[i].unjudged &&
			   (!rows[i].planned || c.steps_total == rows[i].planned),
		   "stealing, %s of %u: over %d, stuck %d, complete %d, unjudged %zu",
		   rows[i].views, rows[i].planned, fleet_is_over(&c), fleet_is_stuck(&c),
		   c.is_complete, c.unjudged);
	}
}

static void test_large(void)
{
	cleanup_fleet struct fleet fleet = {.server_now_ns = now_ns};
	enum { N = 10000 };
	int64_t began_ns = clock_mono_ns(), took_ns;
	size_t wrong = 0;

	/* an order that is no order: 7919 and N have no common divisor */
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < N; i++) {
			char name[WORKER_CAP];

			snprintf(name, sizeof(name), "w-%u", i * 7919 % N);
			fleet_worker(&fleet, name)->rounds++;
		}
	fleet_derive(&fleet, STALE_S, 0);
	took_ns = clock_mono_ns() - began_ns;
	for (size_t i = 0; i < fleet.n; i++)
		wrong += fleet.workers[i].rounds != 3 ||
			 (i &&
			  strcmp(fleet.workers[i - 1].name, fleet.workers[i].name) >= 0);
	ok(fleet.n == N && !wrong, "%zu workers, each once, sorted", fleet.n);
	ok(took_ns < 2LL * NS_PER_S, "in %lld ms", (long long)(took_ns / NS_PER_MS));
}

int main(void)
{
	test_views();
	test_jobless();
	test_may_wait();
	test_age();
	test_counts();
	test_over();
	test_relieved();
	test_slow();
	test_complete();
	test_large();
	return done_testing();
}
