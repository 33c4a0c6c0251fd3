// SPDX-License-Identifier: Apache-2.0
// The fleet's derived states.
#include <stdio.h>
#include <string.h>

#include "coordinator/fleet.h"
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
	test_age();
	test_counts();
	test_over();
	test_large();
	return done_testing();
}
