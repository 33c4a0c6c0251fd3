// SPDX-License-Identifier: Apache-2.0
// What resume tells.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coordinator/resume.h"
#include "core/str.h"
#include "tests/unit/tap.h"

static void test_text(void)
{
	struct resume_move moves[] = {
		{"1-1", "b", "z", 1, false}, {"1-2", "a", "z", 1, false},
		{"1-3", "b", "a", 1, true},  {"1-4", "b", "z", 1, false},
		{"1-5", "b", "b", 2, false}, {"1-6", "a", "z", 1, false},
		{"1-7", "b", "a", 1, false}, {"1-8", "a-1", "z", 1, false},
	};
	struct resume_loser losers[] = {
		{{.name = "b", .view = FLEET_MISSING}, REPLAN_DEAD},
		{{.name = "a", .view = FLEET_MISSING}, REPLAN_DEAD},
		{{.name = "nobody", .view = FLEET_MISSING}, REPLAN_DEAD},
	};
	struct resume resume = {.n_moves = ARRAY_SIZE(moves),
				.moves = moves,
				.n_losers = ARRAY_SIZE(losers),
				.losers = losers};
	cleanup_str struct str text = STR_INIT(4096);

	resume_text(&resume, &text);
	ok(strcmp(str_text(&text),
		  "b has never been seen: 2 steps to z, 1 step back to a, which has "
		  "ended it, 1 step to it again, 1 step to a\n"
		  "a has never been seen: 2 steps to z\n"
		  "nobody has never been seen:\n8 steps moved\n") == 0,
	   "each receiver once, in the order of the moves");
}

static double cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* Every move is of a pair of its own, which was the slowest case. */
static void test_large(void)
{
	enum { LOSERS = 6000, EACH = 10, MOVES = LOSERS * EACH };
	cleanup_free struct resume_move *moves = xcalloc(MOVES, sizeof(*moves));
	cleanup_free struct resume_loser *losers = xcalloc(LOSERS, sizeof(*losers));
	struct run run = {.ref.run = "r"};
	struct resume resume = {.run = &run,
				.n_moves = MOVES,
				.moves = moves,
				.n_losers = LOSERS,
				.losers = losers};
	cleanup_str struct str text = STR_INIT(64 << 20);
	double began_s = cpu_s();
	size_t n_steps = 0;
	json_t *doc;

	for (unsigned i = 0; i < MOVES; i++) {
		snprintf(moves[i].step, STEP_ID_CAP, "%u-1", i + 1);
		snprintf(moves[i].from, WORKER_CAP, "w-%u", i % LOSERS);
		snprintf(moves[i].to, WORKER_CAP, "x-%u", i);
	}
	for (unsigned i = 0; i < LOSERS; i++)
		snprintf(losers[i].worker.name, WORKER_CAP, "w-%u", i);
	resume_text(&resume, &text);
	doc = resume_json(&resume);
	for (unsigned i = 0; i < LOSERS; i++) {
		json_t *o = json_array_get(json_object_get(doc, "workers"), i);

		n_steps += (size_t)json_integer_value(json_object_get(o, "steps"));
	}
	json_decref(doc);
	ok(n_steps == MOVES && strstr(str_text(&text), "1 step to x-59999\n"),
	   "60,000 moves are all told");
	ok(cpu_s() - began_s < 3, "in %.2f s", cpu_s() - began_s);
}

int main(void)
{
	test_text();
	test_large();
	return done_testing();
}
