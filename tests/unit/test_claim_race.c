// SPDX-License-Identifier: Apache-2.0
// Sixteen workers claim the same units while replies are lost: one holder each, it knows,
// and the others know who it is. Some are restarted in between and still hold what is
// theirs.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "core/http.h"
#include "tests/unit/emulator.h"
#include "tests/unit/tap.h"
#include "worker/worker.h"

enum { THIEVES = 16, UNITS = 240, UNIT_STEPS = 2, AGAIN_EVERY = 5 };

struct outcome {
	signed char first,
		again; /* claim_take()'s; again: as a later incarnation, or -1 */
	char holder[WORKER_CAP];
};

static struct emulator emulator;
static _Atomic unsigned *arrived; /* thieves at each unit; shared */

static void set_faults(const char *rules)
{
	cleanup_free char *url = xasprintf("%s/_emulator/faults", emulator.url);
	cleanup_response struct http_response resp = {0};
	cleanup_http struct http *http = NULL;
	struct http_request req = {.method = "POST",
				   .url = url,
				   .headers = {"Content-Type: application/json"},
				   .parts = {{.data = rules, .n = strlen(rules)}}};

	if (http_new(&http, NULL) < 0 || http_do(http, &req, &resp, NULL) < 0 ||
	    resp.status != 200)
		abort();
}

/* A worker as claim.c sees it: a name, a run, a store. */
static void worker_begin(struct worker *w, unsigned me)
{
	const struct store_opts opts = {.bucket = "data", .endpoint = emulator.url};

	*w = (struct worker){0};
	if (stop_init(&w->stop, NULL) < 0 || store_gcs_open(&opts, &w->ctl, NULL) < 0 ||
	    run_ref_parse("gs://data/p/r1", &w->id.run, NULL) < 0)
		abort();
	snprintf(w->id.worker, sizeof(w->id.worker), "w-%u", me);
	w->board.hb.incarnation.n = 1;
	rng_nonce(w->board.hb.incarnation.nonce);
}

static void worker_end(struct worker *w)
{
	store_close(w->ctl);
	steal_done(&w->steal);
}

/* The next incarnation knows what one LIST says. */
static signed char take_again(unsigned me, const struct job *job, size_t first)
{
	char holder[WORKER_CAP];
	struct worker w;
	int r;

	worker_begin(&w, me);
	w.board.hb.incarnation.n = 2;
	r = claims_list(&w, NULL);
	if (r == 0)
		r = claim_take(&w, job, first, holder, NULL);
	worker_end(&w);
	return (signed char)(r < 0 ? -2 : r);
}

/* All sixteen at once, unit by unit. */
static void meet(unsigned u)
{
	arrived[u]++;
	for (unsigned i = 0; arrived[u] < THIEVES && i < 200000; i++)
		usleep(20);
}

static void thief(unsigned me, const struct job *job,
		  struct outcome outcomes[UNITS][THIEVES])
{
	struct worker w;

	worker_begin(&w, me);
	for (unsigned u = 0; u < UNITS; u++) {
		struct outcome *o = &outcomes[u][me];
		struct err err = {0};

		meet(u);
		o->first = (signed char)claim_take(&w, job, (size_t)u * UNIT_STEPS,
						   o->holder, &err);
		o->again = -1;
		if (o->first < 0)
			fprintf(stderr, "# w-%u, unit %u: %s\n", me, u, err.text);
		if (u % AGAIN_EVERY == me % AGAIN_EVERY)
			o->again = take_again(me, job, (size_t)u * UNIT_STEPS);
	}
	worker_end(&w);
}

struct seen {
	unsigned good, torn, n_again;
};

static void judge(struct worker *w, const struct job *job, unsigned u,
		  const struct outcome outcomes[THIEVES], struct seen *seen)
{
	const struct job_step *leader = &job->steps[u * UNIT_STEPS];
	const struct claim_ref ref = {1, leader->matrix_id, leader->iteration, false};
	cleanup_claim struct claim c = {0};
	unsigned holders = 0, losers = 0, holder = 0, agree = 0, same = 0, again = 0;

	for (unsigned i = 0; i < THIEVES; i++) {
		holders += outcomes[i].first == 1;
		losers += outcomes[i].first == 0;
		if (outcomes[i].first == 1)
			holder = i;
	}
	if (claim_fetch(w, &ref, &c, NULL) < 0)
		return;
	for (unsigned i = 0; i < THIEVES; i++) {
		agree += strcmp(outcomes[i].holder, c.worker) == 0;
		again += outcomes[i].again != -1;
		same += outcomes[i].again == outcomes[i].first;
	}
	seen->n_again += again;
	seen->torn += holders != 1;
	seen->good += holders == 1 && losers == THIEVES - 1 && agree == THIEVES &&
		      same == again && strcmp(outcomes[holder].holder, c.worker) == 0 &&
		      c.n_steps == UNIT_STEPS && strcmp(c.from, "w-0") == 0;
}

static void test_race(const struct job *job)
{
	struct outcome(*outcomes)[THIEVES] =
		mmap(NULL, sizeof(struct outcome) * UNITS * THIEVES,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned counts[THIEVES] = {0}, idle = 0;
	struct seen seen = {0};
	struct worker w;
	int r;

	arrived = mmap(NULL, sizeof(*arrived) * UNITS, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcomes == MAP_FAILED || arrived == MAP_FAILED)
		abort();
	set_faults("{\"seed\":11,\"rules\":["
		   "{\"kind\":\"lost\",\"probability\":0.3,\"method\":\"POST\"},"
		   "{\"kind\":\"429\",\"probability\":0.02},"
		   "{\"kind\":\"503\",\"probability\":0.1},"
		   "{\"kind\":\"reset\",\"probability\":0.05}]}");
	fflush(stdout);
	for (unsigned i = 0; i < THIEVES; i++) {
		if (fork() == 0) {
			thief(i, job, outcomes);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < THIEVES; i++)
		wait(NULL);
	set_faults("{\"seed\":1,\"rules\":[]}");
	worker_begin(&w, 99);
	for (unsigned u = 0; u < UNITS; u++) {
		judge(&w, job, u, outcomes[u], &seen);
		for (unsigned i = 0; i < THIEVES; i++)
			counts[i] += outcomes[u][i].first == 1;
	}
	for (unsigned i = 0; i < THIEVES; i++)
		idle += counts[i] == 0;
	ok(seen.good == UNITS && seen.torn == 0,
	   "%d units, %d thieves: one holder each, everybody knows it (%u good, %u torn)",
	   UNITS, THIEVES, seen.good, seen.torn);
	ok(seen.n_again > UNITS, "%u later incarnations hold what their name holds",
	   seen.n_again);
	ok(idle == 0, "it was a race: %u of %d won nothing", idle, THIEVES);
	r = claims_list(&w, NULL);
	ok(r == 0 && w.steal.claims.n == UNITS, "one listing shows them all (%zu)",
	   w.steal.claims.n);
	worker_end(&w);
	munmap(outcomes, sizeof(struct outcome) * UNITS * THIEVES);
}

int main(int argc, char **argv)
{
	static struct job_step steps[UNITS * UNIT_STEPS];
	const struct job job = {.run = "r1",
				.worker = "w-0",
				.round = 1,
				.settings = {.upload_timeout_s = 120, .steal = true},
				.n_steps = ARRAY_SIZE(steps),
				.steps = steps};

	(void)argc;
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++)
		steps[i] = (struct job_step){.matrix_id = i % UNIT_STEPS + 1,
					     .test_id = 1,
					     .iteration = i / UNIT_STEPS + 1,
					     .block = i / UNIT_STEPS + 1,
					     .pos = i % UNIT_STEPS + 1,
					     .attempt = 1};
	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "2", 1);
	if (!emulator_start(argv[0], &emulator)) {
		printf("1..0 # SKIP no muster-emulator in $BUILD\n");
		return 0;
	}
	test_race(&job);
	emulator_stop(&emulator);
	return done_testing();
}
