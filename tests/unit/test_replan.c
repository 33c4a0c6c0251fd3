// SPDX-License-Identifier: Apache-2.0
// Who gets unfinished steps: one step in every situation, then properties of many.
#include <stdio.h>
#include <string.h>

#include "coordinator/cost.h"
#include "coordinator/replan.h"
#include "core/clock.h"
#include "core/rng.h"
#include "core/str.h"
#include "tests/unit/tap.h"

static const struct job_step one = {.matrix_id = 1, .test_id = 1, .iteration = 1};

/** struct situation - digits of a number, one a question. */
struct situation {
	struct replan_worker workers[3];
	struct replan_step step;
};

static unsigned digit(unsigned *rest, unsigned base)
{
	unsigned d = *rest % base;

	*rest /= base;
	return d;
}

enum { SITUATIONS = 3 * 3 * 3 * 2 * 2 * 2 * 6 * 2 * 2 * 3 * 2 };

/* The step is worker 0's; worker 1 or 2 may have ended it. */
static struct situation situation(unsigned number)
{
	struct situation s = {.step = {.plan = &one, .cost_s = 1}};

	for (unsigned i = 0; i < 3; i++)
		s.workers[i].role = digit(&number, 3);
	for (unsigned i = 0; i < 3; i++)
		s.workers[i].is_named = digit(&number, 2);
	s.step.view = digit(&number, 6);
	s.step.is_begun = digit(&number, 2);
	s.step.known = digit(&number, 2) * 3;
	s.step.final_by = (int)digit(&number, 3);
	if (!s.step.final_by)
		s.step.final_by = REPLAN_NOBODY;
	s.step.final_attempt = 7;
	s.step.is_open = digit(&number, 2);
	return s;
}

enum { STAYS = -1, LEFT = -2 };

/* What the header says, in other words: the receiver, or that there is none. */
static int expected(const struct situation *s, bool *ret_returned)
{
	enum replan_role role = s->workers[0].role;
	bool is_ended = s->step.view != STEP_PENDING && s->step.view != STEP_CANCELLED;
	unsigned n_living = 0, n_named = 0;

	for (int i = 0; i < 3; i++) {
		n_living += s->workers[i].role == REPLAN_LIVING;
		n_named += s->workers[i].is_named;
	}
	*ret_returned = false;
	if (is_ended)
		return STAYS;
	if (s->step.final_by > 0 && (role != REPLAN_LIVING || !s->step.is_begun)) {
		*ret_returned = true;
		return s->step.final_by;
	}
	if (role != REPLAN_DEAD)
		return s->step.view == STEP_CANCELLED ? 0 : STAYS;
	if (s->step.is_open && n_living && !n_named)
		return LEFT;
	for (int i = 0; i < 3; i++)
		if (s->workers[i].is_named || s->workers[i].role == REPLAN_LIVING)
			return i;
	return 0;
}

static void test_one_step(void)
{
	unsigned wrong = 0, moved = 0, left = 0;

	for (unsigned number = 0; number < SITUATIONS; number++) {
		struct situation s = situation(number);
		const struct replan_in in = {1, 3, &s.step, s.workers};
		cleanup_replan struct replan plan = {0};
		bool is_returned, is_restart = s.workers[0].role == REPLAN_DEAD;
		int to = expected(&s, &is_returned);
		const struct replan_move *m;

		replan_make(&in, &plan);
		m = plan.moves;
		moved += plan.n > 0;
		left += to == LEFT;
		wrong += plan.is_left[0] != (to == LEFT);
		if (to < 0) {
			wrong += plan.n != 0 || plan.is_restart;
			continue;
		}
		for (unsigned i = 0; i < 3; i++)
			is_restart &= !s.workers[i].is_named &&
				      s.workers[i].role != REPLAN_LIVING;
		wrong += plan.n != 1 || m->to != (size_t)to || m->step != 0 ||
			 m->is_return != is_returned ||
			 plan.is_restart != (is_restart && !is_returned) ||
			 m->attempt != (is_returned ? 7 : s.step.known + 1);
	}
	ok(!wrong && moved && left, "%d situations of one step, %u wrong", SITUATIONS,
	   wrong);
}

/* Open blocks weigh on nobody: who takes them is not known. */
static void test_left(void)
{
	const struct job_step plans[] = {{.matrix_id = 1, .iteration = 1, .test_id = 1},
					 {.matrix_id = 2, .iteration = 1, .test_id = 2}};
	const struct replan_step steps[] = {
		{.plan = &plans[0],
		 .is_open = true,
		 .final_by = REPLAN_NOBODY,
		 .cost_s = 9},
		{.plan = &plans[1], .known = 1, .final_by = REPLAN_NOBODY, .cost_s = 1}};
	const struct replan_worker workers[] = {
		{REPLAN_DEAD, false}, {REPLAN_EXPECTED, false}, {REPLAN_LIVING, false}};
	const struct replan_in in = {2, 3, steps, workers}, dead = {2, 2, steps, workers};
	cleanup_replan struct replan plan = {0}, all = {0};

	replan_make(&in, &plan);
	ok(plan.n == 1 && plan.moves[0].step == 1 && plan.moves[0].to == 2 &&
		   plan.is_left[0] && !plan.is_left[1],
	   "somebody lives: only the claimed step moves");
	replan_make(&dead, &all);
	ok(all.n == 2 && all.is_restart && !all.is_left[0],
	   "nobody lives: both, also when somebody is expected");
}

static void test_role(void)
{
	static const struct {
		enum fleet_view view;
		enum worker_state state;
		bool is_job_newer;
		enum replan_role role;
	} rows[] = {
		{FLEET_WAITING, WORKER_BOOT, true, REPLAN_EXPECTED},
		{FLEET_MISSING, WORKER_BOOT, true, REPLAN_DEAD},
		{FLEET_STALE, WORKER_RUNNING, false, REPLAN_DEAD},
		{FLEET_ENDED, WORKER_DONE, false, REPLAN_DEAD},
		{FLEET_ALIVE, WORKER_NOJOB, true, REPLAN_LIVING},
		{FLEET_ALIVE, WORKER_RUNNING, true, REPLAN_LIVING},
		{FLEET_ALIVE, WORKER_RUNNING, false, REPLAN_LIVING},
		{FLEET_ALIVE, WORKER_FINISHING, false, REPLAN_DEAD},
		{FLEET_ALIVE, WORKER_FINISHING, true, REPLAN_EXPECTED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fleet_worker w = {.view = rows[i].view,
					 .has_heartbeat = true,
					 .updated_ns = 10,
					 .hb.state = rows[i].state,
					 .job_created_ns = rows[i].is_job_newer ? 11 : 9};

		ok(replan_role(&w) == rows[i].role, "%s and %s, job %s",
		   fleet_view_name(rows[i].view), worker_state_name(rows[i].state),
		   rows[i].is_job_newer ? "newer" : "older");
	}
}

enum { MANY = 60, WORKERS = 7 };

/** struct many - a random run. */
struct many {
	struct job_step plans[MANY];
	struct replan_step steps[MANY];
	struct replan_worker workers[WORKERS];
	struct replan_in in;
};

static void make_many(struct many *m, uint64_t seed)
{
	struct rng rng;

	rng_init(&rng, seed);
	*m = (struct many){.in = {MANY, WORKERS, m->steps, m->workers}};
	for (unsigned i = 0; i < WORKERS; i++)
		m->workers[i] = (struct replan_worker){
			.role = (enum replan_role)rng_below(&rng, 3),
			.is_named = rng_below(&rng, 4) == 0};
	for (unsigned i = 0; i < MANY; i++) {
		m->plans[i] =
			(struct job_step){.matrix_id = i + 1,
					  .iteration = 1,
					  .test_id = 1 + (unsigned)rng_below(&rng, 3),
					  .block = (unsigned)rng_below(&rng, 4),
					  .pos = 1 + (unsigned)rng_below(&rng, 4)};
		m->steps[i] =
			(struct replan_step){.plan = &m->plans[i],
					     .owner = rng_below(&rng, WORKERS),
					     .view = (enum step_view)rng_below(&rng, 6),
					     .known = (unsigned)rng_below(&rng, 3),
					     .final_by = REPLAN_NOBODY,
					     .cost_s = 1 + (double)rng_below(&rng, 9)};
	}
}

static bool is_together(const struct many *m, const struct replan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct replan_step *x = &m->steps[plan->moves[i].step];
			const struct replan_step *y = &m->steps[plan->moves[k].step];
			bool same = x->owner == y->owner && x->plan->block &&
				    x->plan->block == y->plan->block &&
				    x->plan->test_id == y->plan->test_id;

			if (same && plan->moves[i].to != plan->moves[k].to)
				return false;
			/* moves are in the order of execution */
			if (same && x->plan->pos < y->plan->pos)
				return false;
		}
	return true;
}

/* No target ends more than one block above the least loaded one. */
static bool is_balanced(const struct many *m, const struct replan *plan)
{
	double load_s[WORKERS] = {0}, block_s[MANY] = {0}, longest_s = 0, least_s = 1e9;
	bool is_target[WORKERS];

	for (unsigned i = 0; i < WORKERS; i++)
		is_target[i] =
			m->workers[i].role == REPLAN_LIVING || m->workers[i].is_named;
	for (size_t i = 0; i < plan->n; i++) {
		const struct replan_move *move = &plan->moves[i];
		const struct replan_step *s = &m->steps[move->step];
		unsigned block = s->plan->block ? (unsigned)s->owner * 12 +
							  s->plan->test_id * 4 +
							  s->plan->block - 5
						: 0;

		if (move->to != s->owner || m->workers[s->owner].role == REPLAN_DEAD)
			load_s[move->to] += s->cost_s;
		block_s[block % MANY] += s->cost_s;
	}
	for (unsigned i = 0; i < MANY; i++)
		longest_s = block_s[i] > longest_s ? block_s[i] : longest_s;
	for (unsigned i = 0; i < MANY; i++) {
		const struct replan_step *s = &m->steps[i];

		if ((s->view == STEP_PENDING || s->view == STEP_CANCELLED) &&
		    m->workers[s->owner].role != REPLAN_DEAD)
			load_s[s->owner] += s->cost_s;
	}
	for (unsigned i = 0; i < WORKERS; i++)
		if (is_target[i] && load_s[i] < least_s)
			least_s = load_s[i];
	for (size_t i = 0; i < plan->n; i++) {
		const struct replan_move *move = &plan->moves[i];

		if (m->workers[m->steps[move->step].owner].role == REPLAN_DEAD &&
		    is_target[move->to] && load_s[move->to] > least_s + longest_s + 1e-9)
			return false;
	}
	return true;
}

/* After the plan has been carried out there is nothing left to plan. */
static bool is_settled(struct many *m, const struct replan *plan)
{
	cleanup_replan struct replan again = {0};

	for (size_t i = 0; i < plan->n; i++) {
		const struct replan_move *move = &plan->moves[i];

		m->steps[move->step].owner = move->to;
		m->steps[move->step].view = STEP_PENDING;
		if (m->workers[move->to].role == REPLAN_DEAD)
			m->workers[move->to].role = REPLAN_EXPECTED;
	}
	replan_make(&m->in, &again);
	return again.n == 0;
}

static void test_many(void)
{
	unsigned apart = 0, uneven = 0, unsettled = 0, differ = 0, moved = 0;
	static struct many m;

	for (uint64_t seed = 1; seed <= 2000; seed++) {
		cleanup_replan struct replan plan = {0}, same = {0};

		make_many(&m, seed);
		replan_make(&m.in, &plan);
		replan_make(&m.in, &same);
		differ += plan.n != same.n || memcmp(plan.moves, same.moves,
						     plan.n * sizeof(*plan.moves)) != 0;
		moved += plan.n > 0;
		apart += !is_together(&m, &plan);
		uneven += !is_balanced(&m, &plan);
		unsettled += !is_settled(&m, &plan);
	}
	ok(moved > 1500 && !differ, "the same input, the same plan (%u moved)", moved);
	ok(!apart, "blocks stay together and in order (%u do not)", apart);
	ok(!uneven, "the least loaded takes the next block (%u uneven)", uneven);
	ok(!unsettled, "once carried out, nothing is left to do (%u)", unsettled);
}

static void test_large(void)
{
	enum { N = 300000, W = 10000 };
	struct job_step *plans = xcalloc(N, sizeof(*plans));
	struct replan_step *steps = xcalloc(N, sizeof(*steps));
	struct replan_worker *workers = xcalloc(W, sizeof(*workers));
	const struct replan_in in = {N, W, steps, workers};
	cleanup_replan struct replan plan = {0};
	int64_t began_ns = clock_mono_ns(), took_ns;

	for (unsigned i = 0; i < W; i++)
		workers[i].role = i % 2 ? REPLAN_DEAD : REPLAN_LIVING;
	for (unsigned i = 0; i < N; i++) {
		plans[i] = (struct job_step){
			.matrix_id = i + 1, .iteration = 1, .test_id = 1};
		steps[i] = (struct replan_step){.plan = &plans[i],
						.owner = i % W,
						.final_by = REPLAN_NOBODY,
						.cost_s = 1};
	}
	replan_make(&in, &plan);
	took_ns = clock_mono_ns() - began_ns;
	ok(plan.n == N / 2, "%zu steps of 5,000 dead workers", plan.n);
	ok(took_ns < 5LL * NS_PER_S, "in %lld ms", (long long)(took_ns / NS_PER_MS));
	free(plans);
	free(steps);
	free(workers);
}

static void test_cost(void)
{
	const struct config config = {0};
	struct test_case c = {.data_bytes = 500000000, .fio_job = "not fio's"};
	double moving_s = cost_case_s(&config, &c);
	const struct fio_facts timed = {
		.is_time_based = true, .runtime_ns = 60000000000ull, .data_bytes = 1};

	ok(moving_s > 9 && moving_s < 11, "a text that is not understood: its bytes");
	ok(cost_step_s(&timed) > 60, "time_based: its runtime");
}

int main(void)
{
	test_one_step();
	test_left();
	test_role();
	test_many();
	test_large();
	test_cost();
	return done_testing();
}
