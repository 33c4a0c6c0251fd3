// SPDX-License-Identifier: Apache-2.0
// What a thief takes: units, claims, which of others' units are open, and the choice.
#include <stdio.h>
#include <string.h>

#include "tests/unit/tap.h"
#include "worker/steal_view.h"

/* A step as "test.block.pos". */
static struct job_step step(unsigned test_id, unsigned block, unsigned pos)
{
	return (struct job_step){.matrix_id = test_id * 10 + pos,
				 .test_id = test_id,
				 .iteration = block ? block : 1,
				 .block = block,
				 .pos = pos,
				 .attempt = 1};
}

static void test_units(void)
{
	static const struct {
		const char *name;
		unsigned places[6][3];
		const char *units; /* the unit each step is in */
	} rows[] = {
		{"blocks of two", {{1, 1, 1}, {1, 1, 2}, {1, 2, 1}, {1, 2, 2}}, "aabb"},
		{"a single arm", {{1, 1, 1}, {1, 2, 1}, {1, 3, 1}}, "abc"},
		{"other test cases between", {{1, 1, 1}, {2, 1, 1}, {1, 1, 2}}, "abc"},
		{"spread: cells of one case", {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}, "abc"},
		{"no blocks", {{1, 0, 1}, {1, 0, 2}}, "ab"},
		{"what is left of a block", {{1, 1, 2}, {1, 1, 4}, {2, 1, 4}}, "aab"},
		{"the place goes back", {{1, 1, 2}, {1, 1, 1}}, "ab"},
		{"one step", {{1, 1, 1}}, "a"},
	};

	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct job_step steps[6];
		size_t n = strlen(rows[r].units);
		bool good = true;

		for (size_t i = 0; i < n; i++)
			steps[i] = step(rows[r].places[i][0], rows[r].places[i][1],
					rows[r].places[i][2]);
		for (size_t i = 0; i < n; i++) {
			const char *u = rows[r].units;
			size_t begin = (size_t)(strchr(u, u[i]) - u);
			size_t end = (size_t)(strrchr(u, u[i]) - u) + 1;

			good &= job_unit_begin(steps, i) == begin &&
				job_unit_end(steps, n, begin) == end;
		}
		ok(good, "units: %s", rows[r].name);
	}
}

static void test_claims(void)
{
	struct claims c = {0};
	bool good = true;
	struct job_step s;

	/* in an order that is none: 7 is prime to 60 */
	for (unsigned i = 0; i < 60; i++) {
		unsigned k = i * 7 % 60;
		const struct claim_ref ref = {k % 3 + 1, k / 3 + 1, k % 5 + 1, k % 2};

		claim_add(&c, &ref);
		claim_add(&c, &ref);
	}
	ok(c.n == 60, "each claim once (%zu)", c.n);
	for (unsigned k = 0; k < 60; k++) {
		const struct claim_ref *found;

		s = (struct job_step){.matrix_id = k / 3 + 1, .iteration = k % 5 + 1};
		found = claim_find(&c, k % 3 + 1, &s);
		good &= found && found->is_mine == (k % 2 == 1);
	}
	s = (struct job_step){.matrix_id = 1, .iteration = 9};
	ok(good && !claim_find(&c, 1, &s) && !claim_find(&c, 9, &s), "found again");
	claims_done(&c);
	ok(!claim_find(&c, 1, &s), "nothing in an empty set");
}

/*
 * All of the choice's rules on every pattern of open units of three jobs of three, from
 * every start and with every skip.
 */
static void test_choose(void)
{
	unsigned wrong = 0, none = 0, ties[3] = {0};

	for (unsigned bits = 0; bits < 512; bits++) {
		bool open[9];
		struct steal_view views[3];
		size_t n_open[3] = {0}, most = 0;

		for (unsigned i = 0; i < 9; i++) {
			open[i] = bits >> i & 1;
			n_open[i / 3] += open[i];
		}
		for (unsigned j = 0; j < 3; j++) {
			views[j] = (struct steal_view){3, &open[j * 3]};
			most = n_open[j] > most ? n_open[j] : most;
		}
		for (unsigned start = 0; start < 3; start++) {
			for (size_t skip = 0; skip < 4; skip++) {
				size_t job = 9, unit = 9, want = start, later = 0;
				bool found = steal_choose(views, 3, start + 3000000, skip,
							  &job, &unit);

				if (!most) {
					none++;
					wrong += found || job != 9 || unit != 9;
					continue;
				}
				while (n_open[want] != most)
					want = (want + 1) % 3;
				if (!found || job != want || !views[job].is_open[unit]) {
					wrong++;
					continue;
				}
				for (size_t u = unit + 1; u < 3; u++)
					later += views[job].is_open[u];
				wrong += later != skip % most;
				ties[job] +=
					n_open[0] == n_open[1] && n_open[1] == n_open[2];
			}
		}
	}
	ok(!wrong && none == 12, "3 jobs of 3 units: %u wrong", wrong);
	ok(ties[0] == ties[1] && ties[1] == ties[2] && ties[0], "ties are spread");
	ok(!steal_choose(NULL, 0, 5, 0, NULL, NULL), "no jobs at all");
}

/* Two jobs of round 1 and one of round 2, one step a unit. */
struct scene {
	struct job_step steps[3][2];
	struct steal_unit units[3][2];
	struct steal_job jobs[3];
	struct order_commit commit;
	struct steal s;
};

static void scene_set(struct scene *v)
{
	static const char *const names[] = {"w-1", "w-2", "w-2"};

	*v = (struct scene){0};
	for (unsigned j = 0; j < 3; j++) {
		for (unsigned i = 0; i < 2; i++) {
			v->steps[j][i] = step(j == 2 ? 1 : j + 1, i + 1, 1);
			v->units[j][i] = (struct steal_unit){.first = i, .n = 1};
		}
		v->jobs[j] = (struct steal_job){.round = j == 2 ? 2 : 1,
						.is_listed = true,
						.n_steps = 2,
						.steps = v->steps[j],
						.n_units = 2,
						.units = v->units[j]};
		str_copy(v->jobs[j].worker, WORKER_CAP, names[j]);
	}
	v->s = (struct steal){.n_jobs = 3, .jobs = v->jobs};
}

static void is_open(struct scene *v, const char *want, const char *name)
{
	char got[7] = "";
	bool open[2];

	steal_index(&v->s);
	for (unsigned j = 0; j < 3; j++) {
		steal_open(&v->s, j, open);
		for (unsigned i = 0; i < 2; i++)
			got[j * 2 + i] = open[i] ? 'o' : '-';
	}
	ok(strcmp(got, want) == 0, "open: %s: %s", name, got);
}

static void test_open(void)
{
	char *w2 = (char[]){"w-2"}, *w3 = (char[]){"w-3"};
	uint64_t key = 11ull << 32 | 1;
	struct claim_ref ref = {1, 11, 2, false};
	struct scene v;

	scene_set(&v);
	is_open(&v, "oooo--", "no order: round 2 does not count");
	v.commit =
		(struct order_commit){.round = 2, .all_workers = true, .all_steps = true};
	v.s.commits = &v.commit;
	v.s.n_commits = 1;
	is_open(&v, "--oooo", "a reassign of all: moved to round 2");
	v.commit.all_steps = false;
	v.commit.steps = &key;
	v.commit.n_steps = 1;
	is_open(&v, "-oooo-", "of one step");
	v.commit.all_workers = false;
	v.commit.workers = &w2;
	v.commit.n_workers = 1;
	is_open(&v, "-oooo-", "to w-2");
	v.commit.workers = &w3;
	is_open(&v, "oooo--", "to another worker");
	v.commit.workers = &w2;
	v.commit.round = 3;
	is_open(&v, "oooo--", "of another round");
	claim_add(&v.s.claims, &ref);
	is_open(&v, "o-oo--", "a claimed unit");
	v.commit.round = 2;
	v.commit.all_steps = true;
	is_open(&v, "--oooo", "its claim of round 1 is not one of round 2");
	claims_done(&v.s.claims);
	free(v.s.later);
	scene_set(&v);
	v.units[0][1].is_barred = true;
	v.jobs[1].is_own = true;
	is_open(&v, "o-----", "barred, and our own");
	v.jobs[0].is_useless = true;
	v.jobs[1].is_own = false;
	v.jobs[1].is_listed = false;
	is_open(&v, "------", "unreadable, and gone");
	free(v.s.later);
}

static void test_orders(void)
{
	const char *workers[] = {"w-2"}, *steps[] = {"11-1", "3-2"};
	const struct control give = {.kind = CONTROL_REASSIGN,
				     .n_workers = 1,
				     .workers = workers,
				     .n_steps = 2,
				     .steps = steps,
				     .round = 2};
	const struct control bare = {.kind = CONTROL_REASSIGN, .all_workers = true};
	const struct control drain = {
		.kind = CONTROL_DRAIN, .all_workers = true, .round = 2};
	struct orders o = {0}, merged = {0}, taken = {0};

	orders_apply(&o, &give, "w-9");
	orders_apply(&o, &bare, "w-9");
	orders_apply(&o, &drain, "w-9");
	ok(o.n_commits == 1 && o.n_moves == 1,
	   "a reassign of a round is kept, whoever it names");
	orders_merge(&merged, &o);
	orders_merge(&merged, &o);
	orders_take(&merged, &taken);
	ok(taken.n_commits == 1 && !merged.n_commits && !o.n_commits,
	   "and handed on once");
	ok(order_commit_gives(&taken.commits[0], "w-2", 2, 11, 1) &&
		   order_commit_gives(&taken.commits[0], "w-2", 2, 3, 2) &&
		   !order_commit_gives(&taken.commits[0], "w-2", 2, 3, 1) &&
		   !order_commit_gives(&taken.commits[0], "w-1", 2, 11, 1) &&
		   !order_commit_gives(&taken.commits[0], "w-2", 3, 11, 1),
	   "it gives these steps of this round to this worker");
	orders_done(&o);
	orders_done(&merged);
	orders_done(&taken);
}

int main(void)
{
	test_units();
	test_claims();
	test_choose();
	test_open();
	test_orders();
	return done_testing();
}
