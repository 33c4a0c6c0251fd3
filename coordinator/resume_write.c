// SPDX-License-Identifier: Apache-2.0
// resume: claims of what moves, the jobs of a round, then the orders that commit them.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/cmd.h"
#include "coordinator/resume.h"
#include "core/json.h"
#include "core/plant.h"

/* An order must stay below CONTROL_MAX_BYTES, whatever else it says. */
enum { ORDER_ROOM_BYTES = CONTROL_MAX_BYTES - 4096 };

/* Tests end the program after a given number of writes, as a power cut would. */
static void may_die(struct resume *resume)
{
	unsigned written = __atomic_add_fetch(&resume->n_written, 1, __ATOMIC_SEQ_CST);
#ifdef MUSTER_TESTING
	const char *text = getenv("MUSTER_DIE_AFTER_WRITES");
	uint64_t n = 0;

	if (text && parse_u64(text, &n, NULL) == 0 && written >= n)
		_exit(137);
#else
	(void)written;
#endif
}

int resume_put_new(struct resume *resume, struct store *store, const char *name,
		   const struct str *text, const char *summary, struct err *err)
{
	const struct put_req req = {.data = str_text(text),
				    .n = text->len,
				    .content_type = "application/json",
				    .precondition = PUT_CREATE,
				    .summary = summary};
	struct obj_meta meta = {0};
	struct err why = {0};
	int r = store->ops->put(store, name, &req, &meta, &why);

	if (r == -EEXIST && plant_is("mixed"))
		return 0;
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	may_die(resume);
	return 0;
}

static int put_new(struct resume *resume, const char *name, const struct str *text,
		   const char *summary, struct err *err)
{
	return resume_put_new(resume, resume->run->store, name, text, summary, err);
}

/** struct writing - one round on its way into the bucket. */
struct writing {
	struct resume *resume;
	const struct replan *plan;
	unsigned round;
	char *url;
	bool *is_builder; /* per arm: has somebody been told to build it? */
	/* for one job at a time */
	struct job_step *steps;
	struct test_case *cases;
	struct arm *arms;
};

static void writing_done(struct writing *w)
{
	free(w->url);
	free(w->is_builder);
	free(w->steps);
	free(w->cases);
	free(w->arms);
}

static const char *name_of(const struct writing *w, size_t worker)
{
	return w->resume->survey.fleet.workers[worker].name;
}

static void writing_steps(struct writing *w, const struct replan_move *moves, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct step_entry *e = &w->resume->survey.steps.v[moves[i].step];

		w->steps[i] = e->plan;
		w->steps[i].attempt = moves[i].attempt;
		w->steps[i].from = e->owner;
		/* the others' start is past: this one is nobody's partner any more */
		w->steps[i].barrier = 0;
		if (strcmp(e->owner, name_of(w, moves[i].to)) == 0)
			w->steps[i].from = NULL;
	}
}

static size_t writing_cases(struct writing *w, size_t n_steps)
{
	const struct config *config = &w->resume->run->config;
	cleanup_free bool *is_used = xcalloc(config->n_cases + 1, sizeof(*is_used));
	size_t n = 0;

	for (size_t i = 0; i < n_steps; i++)
		is_used[(w->steps[i].matrix_id - 1) % config->n_cases] = true;
	for (size_t i = 0; i < config->n_cases; i++)
		if (is_used[i])
			w->cases[n++] = config->cases[i];
	return n;
}

/* The first who has an arm builds what nobody has built; the others wait for it. */
static size_t writing_arms(struct writing *w, size_t n_steps)
{
	const struct config *config = &w->resume->run->config;
	cleanup_free bool *is_used = xcalloc(config->n_arms + 1, sizeof(*is_used));
	size_t n = 0;

	for (size_t i = 0; i < n_steps; i++)
		for (size_t a = 0; a < config->n_arms; a++)
			is_used[a] |= config->arms[a].config_id == w->steps[i].config_id;
	for (size_t a = 0; a < config->n_arms; a++) {
		if (!is_used[a])
			continue;
		w->arms[n] = config->arms[a];
		w->arms[n].role = w->is_builder[a] ? ROLE_WAIT : ROLE_BUILD;
		if (config->arms[a].sha256)
			w->arms[n].role = ROLE_FETCH;
		if (config->arms[a].kind == ARM_DIR)
			w->arms[n].role = ROLE_NONE;
		w->is_builder[a] = true;
		n++;
	}
	return n;
}

static int job_text(struct writing *w, const char *worker, size_t n_steps,
		    struct str *ret, struct err *err)
{
	const struct run *run = w->resume->run;
	const struct config *config = &run->config;
	struct job job = {
		.run = run->ref.run,
		.worker = worker,
		.round = w->round,
		.config_sha256 = run->config_sha256,
		.control_url = w->url,
		.data = config->data,
		.settings = config->settings,
		.allowed_options = config->allowed_options,
		.n_allowed_options = config->n_allowed_options,
		.n_steps = n_steps,
		.steps = w->steps,
		.n_cases = writing_cases(w, n_steps),
		.cases = w->cases,
		.n_arms = writing_arms(w, n_steps),
		.arms = w->arms,
	};
	cleanup_json json_t *doc = job_to_json(&job);
	cleanup_job struct job again = {0};
	int r = doc ? json_dump(doc, ret, err) : err_set(err, -ENOMEM, "a job");

	/* what no worker would read is not written */
	if (r == 0)
		r = job_parse(str_text(ret), ret->len, &again, err);
	return r < 0 ? err_wrap(err, r, "the job of %s", worker) : 0;
}

/* A worker that has none yet looks for its job under the first round's name. */
static unsigned name_round(const struct writing *w, const char *worker)
{
	const struct survey *survey = &w->resume->survey;

	for (size_t i = 0; i < survey->n_jobs; i++)
		if (survey->jobs[i].round == 1 &&
		    strcmp(survey->jobs[i].worker, worker) == 0)
			return w->round;
	return 1;
}

static int write_job(struct writing *w, const char *worker,
		     const struct replan_move *moves, size_t n, struct err *err)
{
	cleanup_str struct str text = STR_INIT(JOB_MAX_BYTES);
	char name[PATH_CAP];
	int r;

	writing_steps(w, moves, n);
	r = job_text(w, worker, n, &text, err);
	if (r == 0)
		r = path_job(name, &w->resume->run->ref, worker, name_round(w, worker),
			     err);
	return r < 0 ? r
		     : put_new(w->resume, name, &text, n ? NULL : JOB_CLAIM_SUMMARY, err);
}

/* The moves of one receiver, from @first on. */
static size_t receiver_moves(const struct replan *plan, size_t first)
{
	size_t n = 1;

	while (first + n < plan->n && plan->moves[first + n].to == plan->moves[first].to)
		n++;
	return n;
}

/*
 * The round is claimed by the job of the config's first worker, with steps or without:
 * all who resume a run at once want that name, and one gets it. So all jobs of a round
 * are of one plan, and an order of that plan cannot commit those of another.
 */
static int write_jobs(struct writing *w, struct err *err)
{
	const char *claim = w->resume->run->config.workers[0];
	const struct replan *plan = w->plan;
	size_t first = 0, n = 0;
	int r;

	while (first < plan->n && strcmp(name_of(w, plan->moves[first].to), claim) != 0)
		first += receiver_moves(plan, first);
	if (first < plan->n)
		n = receiver_moves(plan, first);
	r = write_job(w, claim, &plan->moves[n ? first : 0], n, err);
	for (size_t i = 0; i < plan->n && r == 0;) {
		size_t some = receiver_moves(plan, i);

		if (!n || i != first)
			r = write_job(w, name_of(w, plan->moves[i].to), &plan->moves[i],
				      some, err);
		i += some;
	}
	return r;
}

/* Exactly the next number: if it is taken, somebody has decided something meanwhile. */
static int write_order(struct resume *resume, const struct control *order,
		       struct err *err)
{
	unsigned seq = (unsigned)resume->run->orders.n + resume->n_ahead + 1;
	cleanup_str struct str text = STR_INIT(CONTROL_MAX_BYTES);
	cleanup_json json_t *doc = control_to_json(order);
	cleanup_control struct control again = {0};
	char name[PATH_CAP];
	int r = doc ? json_dump(doc, &text, err) : err_set(err, -ENOMEM, "an order");

	/* an order that its readers would refuse stops them */
	if (r == 0)
		r = control_parse(str_text(&text), text.len, &again, err);
	if (r == 0)
		r = path_control(name, &resume->run->ref, seq, err);
	if (r == 0)
		r = put_new(resume, name, &text, NULL, err);
	if (r < 0)
		return r;
	resume->n_ahead++;
	resume->orders = xrealloc(resume->orders, resume->n_orders + 1, sizeof(unsigned));
	resume->orders[resume->n_orders++] = seq;
	return 0;
}

int resume_lift(struct resume *resume, struct err *err)
{
	const struct control order = {.kind = CONTROL_RESUME,
				      .all_workers = true,
				      .all_steps = true,
				      .reason = "muster resume"};
	int r;

	resume->n_ahead = 0;
	r = write_order(resume, &order, err);
	if (r == 0)
		resume->has_lifted = true;
	return r;
}

/** struct chunk - as many moves as one order can name. */
struct chunk {
	size_t n_workers, n_steps, bytes;
	const char **workers;
	const char **steps;
	char (*ids)[STEP_ID_CAP];
	bool *is_named; /* per worker of the fleet */
};

static void chunk_begin(struct chunk *c)
{
	c->n_workers = 0;
	c->n_steps = 0;
	c->bytes = 0;
}

static void chunk_name(const struct writing *w, struct chunk *c, size_t worker)
{
	if (c->is_named[worker])
		return;
	c->is_named[worker] = true;
	c->workers[c->n_workers++] = name_of(w, worker);
	c->bytes += strlen(name_of(w, worker)) + 4;
}

static int chunk_write(struct writing *w, struct chunk *c, struct err *err)
{
	const struct control order = {.kind = CONTROL_REASSIGN,
				      .n_workers = c->n_workers,
				      .workers = c->workers,
				      .n_steps = c->n_steps,
				      .steps = c->steps,
				      .round = w->round,
				      .reason = "muster resume"};
	bool is_none = !c->n_steps || plant_is("orphan");
	int r = is_none ? 0 : write_order(w->resume, &order, err);

	memset(c->is_named, 0, w->resume->survey.fleet.n * sizeof(*c->is_named));
	chunk_begin(c);
	return r;
}

static int write_orders(struct writing *w, struct err *err)
{
	const struct survey *survey = &w->resume->survey;
	size_t n = w->plan->n, fleet_n = survey->fleet.n;
	cleanup_free const char **workers = xcalloc(fleet_n + 1, sizeof(*workers));
	cleanup_free const char **steps = xcalloc(n + 1, sizeof(*steps));
	cleanup_free char(*ids)[STEP_ID_CAP] = xcalloc(n + 1, sizeof(*ids));
	cleanup_free bool *is_named = xcalloc(fleet_n + 1, sizeof(*is_named));
	struct chunk c = {
		.workers = workers, .steps = steps, .ids = ids, .is_named = is_named};
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct replan_move *m = &w->plan->moves[i];
		const struct step_entry *e = &survey->steps.v[m->step];

		step_id_format(ids[i], e->plan.matrix_id, e->plan.iteration);
		chunk_name(w, &c, survey_worker(survey, e->owner));
		chunk_name(w, &c, m->to);
		c.steps[c.n_steps++] = ids[i];
		c.bytes += strlen(ids[i]) + 4;
		if (c.bytes > ORDER_ROOM_BYTES)
			r = chunk_write(w, &c, err);
	}
	return r < 0 ? r : chunk_write(w, &c, err);
}

int resume_write(struct resume *resume, const struct replan *plan, struct err *err)
{
	const struct config *config = &resume->run->config;
	cleanup(writing_done) struct writing w = {
		.resume = resume,
		.plan = plan,
		.round = resume->survey.round_max + 1,
		.is_builder = xcalloc(config->n_arms + 1, sizeof(bool)),
		.steps = xcalloc(plan->n + 1, sizeof(struct job_step)),
		.cases = xcalloc(config->n_cases + 1, sizeof(struct test_case)),
		.arms = xcalloc(config->n_arms + 1, sizeof(struct arm)),
	};
	struct str url = STR_INIT(PATH_CAP + 256);
	int r;

	run_ref_url(&resume->run->ref, &url);
	w.url = str_steal(&url);
	resume->n_ahead = 0;
	r = resume_claim(resume, plan, err);
	if (r == 0)
		r = write_jobs(&w, err);
	if (r == 0) {
		resume->rounds =
			xrealloc(resume->rounds, resume->n_rounds + 1, sizeof(unsigned));
		resume->rounds[resume->n_rounds++] = w.round;
		r = write_orders(&w, err);
	}
	return r;
}
