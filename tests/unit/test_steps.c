// SPDX-License-Identifier: Apache-2.0
// Which result of a step counts: rules one by one, then a small model exhaustively.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/claims.h"
#include "coordinator/steps.h"
#include "core/clock.h"
#include "core/str.h"
#include "tests/unit/tap.h"

static void add_job(struct steps *steps, const char *worker, unsigned round,
		    const struct job_step *plan, size_t n)
{
	struct job job = {.worker = worker,
			  .round = round,
			  .n_steps = n,
			  .steps = (struct job_step *)plan};
	struct err err = {0};

	if (steps_add_job(steps, &job, &err) < 0)
		ok(false, "%s", err.text);
}

static void reassign(struct steps *steps, const char *worker, const char *step,
		     unsigned round)
{
	struct control c = {.kind = CONTROL_REASSIGN,
			    .all_workers = !worker,
			    .n_workers = worker != NULL,
			    .workers = &worker,
			    .all_steps = !step,
			    .n_steps = step != NULL,
			    .steps = &step,
			    .round = round};

	steps_add_order(steps, &c);
}

static void found(struct steps *steps, unsigned matrix_id, const char *worker,
		  unsigned attempt, enum attempt_state state)
{
	struct step_entry *e = steps_find(steps, matrix_id, 1);
	struct found_attempt f = {
		.worker = steps_lister(e, worker), .attempt = attempt, .state = state};

	if (f.worker)
		steps_add_found(e, &f);
}

static const struct job_step one[] = {{.matrix_id = 1, .iteration = 1}};

static void test_plan(void)
{
	static const struct job_step a[] = {{10, 1, 1, 2, 1, 1, 1, 0, NULL},
					    {2, 1, 1, 1, 1, 2, 1, 0, NULL},
					    {2, 1, 1, 2, 1, 3, 1, 0, NULL}};
	static const struct job_step b[] = {{10, 1, 1, 1, 7, 1, 1, 0, NULL}};
	static const struct job_step again[] = {{2, 1, 1, 1, 1, 1, 2, 0, "w-1"}};
	cleanup_steps struct steps steps = {0};
	struct step_entry *e;

	add_job(&steps, "w-2", 2, again, 1);
	add_job(&steps, "w-2", 1, b, 1);
	add_job(&steps, "w-1", 1, a, 3);
	add_job(&steps, "w-3", 1, a, 0);
	reassign(&steps, "w-2", "2-1", 2);
	reassign(&steps, "w-1", "2-1", 1);
	steps_plan(&steps);
	ok(steps.n == 4, "a step of two rounds is one step");
	ok(steps.v[0].plan.matrix_id == 2 && steps.v[1].plan.iteration == 2 &&
		   steps.v[2].plan.matrix_id == 10 && steps.v[3].plan.iteration == 2,
	   "sorted by numbers");
	e = steps_find(&steps, 2, 1);
	ok(e && e->plan.attempt == 1 && e->plan.pos == 2 && strcmp(e->owner, "w-1") == 0,
	   "plan and owner are the first round's");
	ok(steps_lister(e, "w-1") && steps_lister(e, "w-2") && !steps_lister(e, "w-3"),
	   "who lists it");
	ok(!steps_find(&steps, 2, 3) && !steps_find(&steps, 1, 1) &&
		   !steps_find(&steps, 99, 1),
	   "what no job lists is not found");
}

/* Jobs of later rounds count by step, and only once an order names all three. */
static void test_uncommitted(void)
{
	static const struct job_step two[] = {{.matrix_id = 1, .iteration = 1},
					      {.matrix_id = 2, .iteration = 1}};
	cleanup_steps struct steps none = {0}, steps = {0};

	add_job(&none, "w-2", 2, two, 2);
	reassign(&none, "w-2", "1-1", 3);
	reassign(&none, "w-1", NULL, 2);
	steps_plan(&none);
	steps_derive(&none);
	ok(none.n == 0, "what only uncommitted jobs list does not exist");

	add_job(&steps, "w-1", 1, one, 1);
	add_job(&steps, "w-2", 2, two, 2);
	add_job(&steps, "w-3", 3, two, 2);
	reassign(&steps, "w-2", "2-1", 2);
	steps_plan(&steps);
	ok(steps.n == 2 && strcmp(steps.v[0].owner, "w-1") == 0 &&
		   strcmp(steps.v[1].owner, "w-2") == 0,
	   "a job is committed step by step");
	ok(!steps_lister(&steps.v[0], "w-2") && !steps_lister(&steps.v[1], "w-3"),
	   "what is not committed lists nothing");
}

/* A step that an order cancelled is pending again once its owner has it anew. */
static void test_given_again(void)
{
	static const struct job_step first[] = {
		{.matrix_id = 1, .iteration = 1, .attempt = 1}};
	static const struct job_step second[] = {
		{.matrix_id = 1, .iteration = 1, .attempt = 2}};
	static const enum attempt_state states[] = {ATTEMPT_CANCELLED, ATTEMPT_FAILED,
						    ATTEMPT_OK};
	static const enum step_view views[] = {STEP_PENDING, STEP_FAILED, STEP_OK};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		cleanup_steps struct steps steps = {0};

		add_job(&steps, "w-1", 1, first, 1);
		add_job(&steps, "w-1", 2, second, 1);
		reassign(&steps, "w-1", "1-1", 2);
		steps_plan(&steps);
		found(&steps, 1, "w-1", 1, states[i]);
		steps_derive(&steps);
		ok(steps.v[0].view == views[i] && !steps.v[0].interrupted &&
			   (steps.v[0].counting == 0) == (i > 0),
		   "given again after %s: %s", attempt_state_name(states[i]),
		   step_view_name(steps.v[0].view));
		found(&steps, 1, "w-1", 2, ATTEMPT_OK);
		steps_derive(&steps);
		ok(steps.v[0].view == STEP_OK && steps.v[0].found[1].attempt == 2 &&
			   steps.v[0].counting == 1,
		   "and then its next attempt decides");
	}
}

static void test_empty(void)
{
	cleanup_steps struct steps steps = {0};

	reassign(&steps, NULL, NULL, 2);
	steps_plan(&steps);
	steps_derive(&steps);
	ok(steps.n == 0 && !steps_find(&steps, 1, 1), "no jobs, no steps");
}

static void test_orders(void)
{
	static const struct {
		const char *name, *worker, *step;
		unsigned round;
		const char *owner;
	} rows[] = {
		{"named worker and step", "w-2", "1-1", 2, "w-2"},
		{"all workers", NULL, "1-1", 2, "w-2"},
		{"all steps", "w-2", NULL, 2, "w-2"},
		{"another step", "w-2", "1-2", 2, "w-1"},
		{"another worker", "w-9", "1-1", 2, "w-1"},
		{"a round nobody has", "w-2", "1-1", 3, "w-1"},
		{"no round", "w-2", "1-1", 0, "w-1"},
		{"a step that is none", "w-2", "1-x", 2, "w-1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_steps struct steps steps = {0};

		reassign(&steps, rows[i].worker, rows[i].step, rows[i].round);
		add_job(&steps, "w-1", 1, one, 1);
		add_job(&steps, "w-2", 2, one, 1);
		steps_plan(&steps);
		ok(strcmp(steps.v[0].owner, rows[i].owner) == 0, "reassign, %s: %s",
		   rows[i].name, steps.v[0].owner);
	}
}

/* Who has the second step of a block of two, which round 2 may list again alone. */
static void test_claimed(void)
{
	static const struct job_step block[] = {{1, 1, 1, 1, 1, 1, 1, 0, NULL},
						{2, 1, 2, 1, 1, 2, 1, 0, NULL}};
	static const struct {
		const char *name;
		struct {
			unsigned matrix_id, round;
			const char *worker, *from;
		} claims[2];
		bool is_reassigned;
		const char *owner, *others; /* whose records are read, and do not count */
	} rows[] = {
		{"unclaimed", {{0, 0, NULL, NULL}}, false, "w-1", ""},
		{"by its own worker", {{1, 1, "w-1", "w-1"}}, false, "w-1", ""},
		{"by a thief", {{1, 1, "w-3", "w-1"}}, false, "w-3", "w-1"},
		{"not by the leader's name", {{2, 1, "w-3", "w-1"}}, false, "w-1", ""},
		{"out of another's job", {{1, 1, "w-3", "w-2"}}, false, "w-1", ""},
		{"by a thief, then moved",
		 {{1, 1, "w-3", "w-1"}},
		 true,
		 "w-2",
		 "w-1 w-3"},
		{"moved, and taken there",
		 {{1, 1, "w-3", "w-1"}, {2, 2, "w-4", "w-2"}},
		 true,
		 "w-4",
		 "w-1 w-2 w-3"},
		{"claimed in a round that does not count",
		 {{1, 1, "w-3", "w-1"}, {2, 2, "w-4", "w-2"}},
		 false,
		 "w-3",
		 "w-1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_steps struct steps steps = {0};
		const struct step_entry *e;
		bool good = true;

		add_job(&steps, "w-1", 1, block, 2);
		add_job(&steps, "w-2", 2, &block[1], 1);
		add_job(&steps, "w-3", 1, block, 0);
		add_job(&steps, "w-4", 1, block, 0);
		if (rows[i].is_reassigned)
			reassign(&steps, "w-2", NULL, 2);
		for (size_t k = 0; k < 2 && rows[i].claims[k].round; k++) {
			struct claim c = {.matrix_id = rows[i].claims[k].matrix_id,
					  .iteration = 1,
					  .round = rows[i].claims[k].round};

			str_copy(c.worker, sizeof(c.worker), rows[i].claims[k].worker);
			str_copy(c.from, sizeof(c.from), rows[i].claims[k].from);
			good &= steps_add_claim(&steps, &c, NULL) == 0;
		}
		steps_plan(&steps);
		e = steps_find(&steps, 2, 1);
		for (unsigned w = 1; w <= 4; w++) {
			char name[8];
			bool is_read;

			snprintf(name, sizeof(name), "w-%u", w);
			is_read = strstr(rows[i].others, name) != NULL ||
				  strcmp(rows[i].owner, name) == 0;
			good &= !is_read || steps_lister(e, name) != NULL;
		}
		ok(good && strcmp(e->owner, rows[i].owner) == 0, "claimed, %s: %s",
		   rows[i].name, e->owner);
	}
}

/* Two units of w-1, of two steps and of one; o = open, - = not. */
static void test_open(void)
{
	static const struct job_step plan[] = {{1, 1, 1, 1, 1, 1, 1, 0, NULL},
					       {2, 1, 2, 1, 1, 2, 1, 0, NULL},
					       {3, 1, 1, 1, 2, 1, 1, 0, NULL}};
	static const struct {
		const char *name;
		const char *moved; /* to w-2, which lists 2-1 and 3-1; "" = no order */
		struct claim claim;
		const char *open;
	} rows[] = {
		{"nothing is claimed", "", {.round = 0}, "ooo"},
		{"one is", "", {.round = 1, .matrix_id = 1, .from = "w-1"}, "--o"},
		{"by a false claim",
		 "",
		 {.round = 1, .matrix_id = 1, .from = "w-2"},
		 "--o"},
		{"not under the leader's name",
		 "",
		 {.round = 1, .matrix_id = 2, .from = "w-1"},
		 "ooo"},
		{"part of it moves on", "2-1", {.round = 0}, "-oo"},
		{"and is claimed there",
		 "2-1",
		 {.round = 2, .matrix_id = 2, .from = "w-2"},
		 "--o"},
		{"a whole one moves on", "3-1", {.round = 0}, "ooo"},
		{"its old claim says nothing",
		 "3-1",
		 {.round = 1, .matrix_id = 3, .from = "w-1"},
		 "ooo"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_steps struct steps steps = {0};
		struct claim claim = rows[i].claim;
		char open[4] = "";

		add_job(&steps, "w-1", 1, plan, 3);
		add_job(&steps, "w-2", 2, &plan[1], 2);
		if (*rows[i].moved)
			reassign(&steps, "w-2", rows[i].moved, 2);
		claim.iteration = 1;
		str_copy(claim.worker, sizeof(claim.worker), "w-2");
		if (claim.round && steps_add_claim(&steps, &claim, NULL) < 0)
			ok(false, "the claim");
		steps_plan(&steps);
		claims_mark_open(&steps);
		for (size_t k = 0; k < steps.n; k++)
			open[k] = steps.v[k].owning->is_open ? 'o' : '-';
		ok(strcmp(open, rows[i].open) == 0, "open, %s: %s", rows[i].name, open);
	}
}

/* A job of a later round, of whose unit the orders have named a part only. */
static void test_half_committed(void)
{
	static const struct job_step unit[] = {{1, 1, 1, 1, 1, 1, 1, 0, NULL},
					       {2, 1, 2, 1, 1, 2, 1, 0, NULL}};
	cleanup_steps struct steps steps = {0}, whole = {0};

	add_job(&steps, "w-1", 1, unit, 2);
	add_job(&steps, "w-2", 2, unit, 2);
	reassign(&steps, "w-2", "1-1", 2);
	steps_plan(&steps);
	claims_mark_open(&steps);
	ok(!steps.v[0].owning->is_open && !steps.v[1].owning->is_open,
	   "a unit torn apart is nobody's to take");
	add_job(&whole, "w-1", 1, unit, 2);
	add_job(&whole, "w-2", 2, unit, 2);
	reassign(&whole, "w-2", "1-1", 2);
	reassign(&whole, "w-2", "2-1", 2);
	steps_plan(&whole);
	claims_mark_open(&whole);
	ok(whole.v[0].owning->is_open && whole.v[1].owning->is_open,
	   "committed by two orders it is whole");
}

static void test_claim_text(void)
{
	static const char text[] =
		"{\"schema\":\"muster/claim/"
		"1\",\"run\":\"r\",\"round\":1,\"step\":\"1-1\","
		"\"steps\":[\"1-1\"],\"worker\":\"w-1\",\"from\":\"w-1\",\"more\":1,"
		"\"incarnation\":{\"n\":1}}";
	const struct path_parts name = {.round = 1, .matrix_id = 1, .iteration = 1};
	const struct path_parts other = {.round = 2, .matrix_id = 1, .iteration = 1};
	cleanup_steps struct steps steps = {0};
	cleanup_str struct str s = STR_INIT(1024), bad = STR_INIT(1024);
	unsigned unknown = 0;

	str_add(&s, text);
	str_add(&bad, "{");
	add_job(&steps, "w-1", 1, one, 1);
	ok(claims_add_text(&steps, "r", &other, &s, &unknown, NULL) == -EINVAL &&
		   claims_add_text(&steps, "q", &name, &s, &unknown, NULL) == -EINVAL &&
		   claims_add_text(&steps, "r", &name, &bad, &unknown, NULL) < 0 &&
		   !steps.n_claims && !unknown,
	   "a claim of another round or run, and no claim");
	ok(claims_add_text(&steps, "r", &name, &s, &unknown, NULL) == 0 &&
		   steps.n_claims == 1 && unknown == 1,
	   "its own");
}

static void test_claims_refused(void)
{
	cleanup_steps struct steps steps = {0};
	const struct claim stranger = {.round = 1,
				       .matrix_id = 1,
				       .iteration = 1,
				       .worker = "w-9",
				       .from = "w-1"};
	struct err err = {0};

	ok(steps_add_claim(&steps, &stranger, NULL) == -EINVAL, "no jobs, no claims");
	add_job(&steps, "w-1", 1, one, 1);
	ok(steps_add_claim(&steps, &stranger, &err) == -EINVAL && strstr(err.text, "w-9"),
	   "a claim of a worker without a job: %s", err.text);
	steps_plan(&steps);
	ok(strcmp(steps.v[0].owner, "w-1") == 0 && !steps_lister(&steps.v[0], "w-9"),
	   "its records stay refused");
}

static void test_newest_order(void)
{
	cleanup_steps struct steps steps = {0};
	struct control drain = {.kind = CONTROL_DRAIN,
				.all_workers = true,
				.all_steps = true,
				.round = 1};

	for (unsigned round = 1; round <= 3; round++) {
		char name[8];

		snprintf(name, sizeof(name), "w-%u", round);
		add_job(&steps, name, round, one, 1);
	}
	reassign(&steps, "w-3", "1-1", 3);
	reassign(&steps, "w-2", "1-1", 2);
	steps_add_order(&steps, &drain);
	steps_plan(&steps);
	ok(strcmp(steps.v[0].owner, "w-2") == 0,
	   "the newest order decides, not the round");
}

static void test_attempts(void)
{
	static const struct {
		const char *name;
		enum attempt_state first, second, others; /* PENDING = no record */
		enum step_view view;
		int counting; /* attempt */
		unsigned interrupted;
	} rows[] = {
		{"nothing", 0, 0, 0, STEP_PENDING, 0, 0},
		{"ok", ATTEMPT_OK, 0, 0, STEP_OK, 1, 0},
		{"failed", ATTEMPT_FAILED, 0, 0, STEP_FAILED, 1, 0},
		{"timeout", ATTEMPT_TIMEOUT, 0, 0, STEP_TIMEOUT, 1, 0},
		{"invalid", ATTEMPT_INVALID, 0, 0, STEP_INVALID, 1, 0},
		{"cancelled", ATTEMPT_CANCELLED, 0, 0, STEP_CANCELLED, 1, 0},
		{"interrupted", ATTEMPT_INTERRUPTED, 0, 0, STEP_PENDING, 0, 1},
		{"then ok", ATTEMPT_INTERRUPTED, ATTEMPT_OK, 0, STEP_OK, 2, 0},
		{"twice", ATTEMPT_INTERRUPTED, ATTEMPT_INTERRUPTED, 0, STEP_PENDING, 0,
		 2},
		{"ok, then failed", ATTEMPT_OK, ATTEMPT_FAILED, 0, STEP_FAILED, 2, 0},
		{"cancelled, then ok", ATTEMPT_CANCELLED, ATTEMPT_OK, 0, STEP_OK, 2, 0},
		{"the second alone", 0, ATTEMPT_OK, 0, STEP_OK, 2, 0},
		{"another's ok", 0, 0, ATTEMPT_OK, STEP_PENDING, 0, 0},
		{"another's higher", ATTEMPT_FAILED, 0, ATTEMPT_OK, STEP_FAILED, 1, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_steps struct steps steps = {0};
		struct step_entry *e;

		add_job(&steps, "w-1", 1, one, 1);
		add_job(&steps, "w-2", 2, one, 1);
		steps_plan(&steps);
		e = &steps.v[0];
		/* in an order that says nothing */
		if (rows[i].second)
			found(&steps, 1, "w-1", 2, rows[i].second);
		if (rows[i].others)
			found(&steps, 1, "w-2", 3, rows[i].others);
		if (rows[i].first)
			found(&steps, 1, "w-1", 1, rows[i].first);
		steps_derive(&steps);
		ok(e->view == rows[i].view && e->interrupted == rows[i].interrupted &&
			   (e->counting < 0 ? 0 : (int)e->found[e->counting].attempt) ==
				   rows[i].counting,
		   "attempts, %s: %s", rows[i].name, step_view_name(e->view));
	}
}

/*
 * The model: one step, three jobs (w-1 round 1, w-2 round 2, w-1 round 3), up to two
 * orders out of six, and of each worker two attempts that are absent, ok, failed or
 * interrupted. What must come out is said here in the words of the contract.
 */
static const struct model_order {
	const char *worker, *step;
	unsigned round;
} model_orders[] = {
	{NULL, NULL, 0}, /* no order */
	{"w-2", "1-1", 2}, {NULL, NULL, 2},   {"w-1", "1-1", 3},
	{"w-1", "1-1", 2}, {"w-2", "1-2", 2}, {NULL, "1-1", 1},
};

static const char *model_owner(const struct model_order *o, const char *before)
{
	const char *lister = o->round == 2 ? "w-2" : o->round ? "w-1" : NULL;

	if (!lister || (o->worker && strcmp(o->worker, lister) != 0))
		return before;
	return o->step && strcmp(o->step, "1-1") != 0 ? before : lister;
}

static bool model_agrees(size_t first, size_t second, unsigned digits)
{
	static const enum attempt_state states[] = {ATTEMPT_PENDING, ATTEMPT_OK,
						    ATTEMPT_FAILED, ATTEMPT_INTERRUPTED};
	const struct model_order *a = &model_orders[first], *b = &model_orders[second];
	const char *owner = model_owner(b, model_owner(a, "w-1"));
	enum attempt_state s[4], *own = owner[2] == '1' ? s : s + 2, newest;
	cleanup_steps struct steps steps = {0};
	const struct step_entry *e;

	add_job(&steps, "w-1", 3, one, 1);
	add_job(&steps, "w-1", 1, one, 1);
	add_job(&steps, "w-2", 2, one, 1);
	if (a->round)
		reassign(&steps, a->worker, a->step, a->round);
	if (b->round)
		reassign(&steps, b->worker, b->step, b->round);
	steps_plan(&steps);
	for (unsigned i = 0; i < 4; i++) {
		s[i] = states[digits >> (2 * i) & 3];
		if (s[i])
			found(&steps, 1, i < 2 ? "w-1" : "w-2", i % 2 + 1, s[i]);
	}
	steps_derive(&steps);
	e = &steps.v[0];
	newest = own[1] ? own[1] : own[0];
	if (strcmp(e->owner, owner) != 0)
		return false;
	if (newest == ATTEMPT_PENDING || newest == ATTEMPT_INTERRUPTED)
		return e->view == STEP_PENDING && e->counting == -1 &&
		       e->interrupted == (newest ? own[1] ? 2u : 1u : 0u);
	return e->view == (newest == ATTEMPT_OK ? STEP_OK : STEP_FAILED) &&
	       e->counting >= 0 && !e->interrupted &&
	       strcmp(e->found[e->counting].worker, owner) == 0 &&
	       e->found[e->counting].attempt == (own[1] ? 2u : 1u);
}

static void test_model(void)
{
	size_t n = ARRAY_SIZE(model_orders), tried = 0, wrong = 0;

	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < n; b++)
			for (unsigned digits = 0; digits < 256; digits++, tried++)
				wrong += !model_agrees(a, b, digits);
	ok(!wrong && tried == 49 * 256, "the model agrees in %zu of %zu cases",
	   tried - wrong, tried);
}

static void test_large(void)
{
	enum { N = 200000 };
	struct job_step *plan = xcalloc(N, sizeof(*plan));
	char(*ids)[STEP_ID_CAP] = xcalloc(5000, sizeof(*ids));
	const char **steps_of = xcalloc(5000, sizeof(*steps_of));
	struct control c = {.kind = CONTROL_REASSIGN,
			    .all_workers = true,
			    .n_steps = 5000,
			    .steps = steps_of,
			    .round = 2};
	cleanup_steps struct steps steps = {0};
	int64_t began_ns = clock_mono_ns(), took_ns;
	size_t moved = 0;

	for (unsigned i = 0; i < N; i++)
		plan[i] = (struct job_step){.matrix_id = (unsigned)(i * 7919ULL % N) + 1,
					    .iteration = 1};
	for (unsigned i = 0; i < 5000; i++) {
		step_id_format(ids[i], i * 3 + 1, 1);
		steps_of[i] = ids[i];
	}
	add_job(&steps, "w-1", 1, plan, N);
	add_job(&steps, "w-2", 2, plan, N);
	steps_add_order(&steps, &c);
	steps_plan(&steps);
	steps_derive(&steps);
	for (size_t i = 0; i < steps.n; i++)
		moved += strcmp(steps.v[i].owner, "w-2") == 0;
	took_ns = clock_mono_ns() - began_ns;
	ok(steps.n == N && moved == 5000, "%zu steps, %zu moved", steps.n, moved);
	ok(took_ns < 5LL * NS_PER_S, "in %lld ms", (long long)(took_ns / NS_PER_MS));
	free(plan);
	free(ids);
	free(steps_of);
}

int main(void)
{
	test_plan();
	test_empty();
	test_uncommitted();
	test_given_again();
	test_orders();
	test_claimed();
	test_claims_refused();
	test_open();
	test_half_committed();
	test_claim_text();
	test_newest_order();
	test_attempts();
	test_model();
	test_large();
	return done_testing();
}
