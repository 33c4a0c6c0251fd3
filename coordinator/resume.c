// SPDX-License-Identifier: Apache-2.0
// resume: what must move, again and again until nothing must.
#include "coordinator/resume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cmd.h"
#include "coordinator/cost.h"
#include "coordinator/fleet_load.h"
#include "coordinator/names.h"

enum { RESUME_LOOPS = 12 };

void resume_done(struct resume *resume)
{
	names_free(resume->names, resume->n_names);
	names_free(resume->gone, resume->n_gone);
	names_free(resume->start, resume->n_start);
	survey_done(&resume->survey);
	free(resume->moves);
	free(resume->losers);
	free(resume->rounds);
	free(resume->orders);
	*resume = (struct resume){0};
}

static bool is_in(char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/** struct decision - one plan and what it was made of. */
struct decision {
	struct replan_step *steps;
	struct replan_worker *workers;
	struct replan plan;
};

static void decision_done(struct decision *d)
{
	free(d->steps);
	free(d->workers);
	replan_done(&d->plan);
}

static void fill_workers(const struct resume *resume, struct decision *d)
{
	const struct fleet *fleet = &resume->survey.fleet;

	d->workers = xcalloc(fleet->n + 1, sizeof(*d->workers));
	for (size_t i = 0; i < fleet->n; i++) {
		const struct fleet_worker *w = &fleet->workers[i];
		struct replan_worker *to = &d->workers[i];

		to->is_named = is_in(resume->names, resume->n_names, w->name);
		to->role = replan_role(w);
		/* a stranger takes nothing unless it is asked for by name */
		if ((!w->is_planned && !to->is_named) ||
		    (to->role != REPLAN_LIVING &&
		     is_in(resume->gone, resume->n_gone, w->name)))
			to->role = REPLAN_DEAD;
	}
}

/* Who else has ended the step: the newest record of another lister, if that is final. */
static void find_final(const struct survey *survey, const struct step_entry *e,
		       struct replan_step *ret)
{
	for (size_t i = 0; i < e->n_found; i++) {
		const struct found_attempt *f = &e->found[i];

		if (strcmp(f->worker, e->owner) == 0 || !attempt_is_final(f->state) ||
		    f->state == ATTEMPT_CANCELLED || f->attempt < ret->final_attempt)
			continue;
		ret->final_by = (int)survey_worker(survey, f->worker);
		ret->final_attempt = f->attempt;
	}
}

static bool is_begun(const struct step_entry *e, const struct fleet_worker *owner)
{
	char id[STEP_ID_CAP];

	step_id_format(id, e->plan.matrix_id, e->plan.iteration);
	return strcmp(owner->hb.step, id) == 0 &&
	       owner->hb.attempt >= e->owning->plan.attempt;
}

static double share_left(const struct fleet_worker *w)
{
	return w->hb.total ? 1 - (double)w->hb.done / w->hb.total : 1;
}

static void fill_steps(const struct resume *resume, struct decision *d)
{
	const struct survey *survey = &resume->survey;
	const struct config *config = &resume->run->config;
	cleanup_free double *cost_s = xcalloc(config->n_cases + 1, sizeof(*cost_s));

	for (size_t c = 0; c < config->n_cases; c++)
		cost_s[c] = cost_case_s(config, &config->cases[c]);
	d->steps = xcalloc(survey->steps.n + 1, sizeof(*d->steps));
	for (size_t i = 0; i < survey->steps.n; i++) {
		const struct step_entry *e = &survey->steps.v[i];
		size_t owner = survey_worker(survey, e->owner);
		const struct fleet_worker *w = &survey->fleet.workers[owner];

		d->steps[i] = (struct replan_step){
			.plan = &e->plan,
			.view = e->view,
			.owner = owner,
			.known = survey->known[i],
			.is_begun = is_begun(e, w),
			.is_open = e->owning->is_open,
			.final_by = REPLAN_NOBODY,
			.cost_s = cost_s[(e->plan.matrix_id - 1) % config->n_cases],
		};
		find_final(survey, e, &d->steps[i]);
		/* unread: what it has done already is a share of each */
		if (!survey->is_read[owner])
			d->steps[i].cost_s *= share_left(w);
	}
}

static void decide(struct resume *resume, struct decision *d)
{
	struct replan_in in = {.n_steps = resume->survey.steps.n,
			       .n_workers = resume->survey.fleet.n};

	fill_workers(resume, d);
	fill_steps(resume, d);
	in.steps = d->steps;
	in.workers = d->workers;
	replan_make(&in, &d->plan);
}

static bool is_unfinished(const struct step_entry *e)
{
	return e->view == STEP_PENDING || e->view == STEP_CANCELLED;
}

static bool is_leader(const struct step_entry *e)
{
	return e->plan.matrix_id == e->owning->leader_matrix_id &&
	       e->plan.iteration == e->owning->leader_iteration;
}

static void add_loser(struct resume *resume, const struct fleet_worker *w,
		      enum replan_role role)
{
	for (size_t i = 0; i < resume->n_losers; i++)
		if (strcmp(resume->losers[i].worker.name, w->name) == 0)
			return;
	resume->losers =
		xrealloc(resume->losers, resume->n_losers + 1, sizeof(*resume->losers));
	resume->losers[resume->n_losers++] =
		(struct resume_loser){.worker = *w, .role = role};
}

static void add_gone(struct resume *resume, const char *name)
{
	if (is_in(resume->gone, resume->n_gone, name))
		return;
	resume->gone = xrealloc(resume->gone, resume->n_gone + 1, sizeof(char *));
	resume->gone[resume->n_gone++] = xstrdup(name);
}

/* What was written is told, and living receivers are remembered: one that turns out to
 * have ended never saw its steps. */
static void note_moves(struct resume *resume, const struct decision *d)
{
	const struct survey *survey = &resume->survey;
	const struct replan *plan = &d->plan;

	resume->moves = xrealloc(resume->moves, resume->n_moves + plan->n,
				 sizeof(*resume->moves));
	for (size_t i = 0; i < plan->n; i++) {
		const struct replan_move *m = &plan->moves[i];
		const struct step_entry *e = &survey->steps.v[m->step];
		const struct fleet_worker *to = &survey->fleet.workers[m->to];
		const struct replan_step *s = &d->steps[m->step];
		struct resume_move *told = &resume->moves[resume->n_moves++];

		*told = (struct resume_move){.attempt = m->attempt,
					     .is_return = m->is_return};
		step_id_format(told->step, e->plan.matrix_id, e->plan.iteration);
		str_copy(told->from, sizeof(told->from), e->owner);
		str_copy(told->to, sizeof(told->to), to->name);
		add_loser(resume, &survey->fleet.workers[s->owner],
			  d->workers[s->owner].role);
		if (d->workers[m->to].role == REPLAN_LIVING)
			add_gone(resume, to->name);
	}
}

/* Who has to be started, and how many steps are left. */
static void sum_up(struct resume *resume, const struct decision *d)
{
	const struct survey *survey = &resume->survey;
	cleanup_free bool *has = xcalloc(survey->fleet.n + 1, sizeof(*has));

	for (size_t i = 0; i < survey->steps.n; i++) {
		if (!is_unfinished(&survey->steps.v[i])) {
			resume->n_final++;
			continue;
		}
		resume->n_unfinished++;
		has[d->steps[i].owner] |= !d->plan.is_left[i];
		resume->n_left += d->plan.is_left[i] && is_leader(&survey->steps.v[i]);
	}
	/* what a dry run would move is where it would be */
	for (size_t i = 0; resume->is_dry && i < d->plan.n; i++)
		has[d->plan.moves[i].to] |= !d->plan.moves[i].is_return;
	for (size_t i = 0; i < survey->fleet.n; i++) {
		if (!has[i] || d->workers[i].role == REPLAN_LIVING ||
		    (resume->is_dry && d->workers[i].role == REPLAN_DEAD &&
		     !d->plan.is_restart && !d->workers[i].is_named))
			continue;
		resume->start =
			xrealloc(resume->start, resume->n_start + 1, sizeof(char *));
		resume->start[resume->n_start++] = xstrdup(survey->fleet.workers[i].name);
	}
}

static bool has_unfinished(const struct survey *survey)
{
	for (size_t i = 0; i < survey->steps.n; i++)
		if (is_unfinished(&survey->steps.v[i]))
			return true;
	return false;
}

/* Why they ended, where the heartbeats say it; what the listing told stays. */
static void add_reasons(struct resume *resume)
{
	for (size_t i = 0; i < resume->n_losers; i++) {
		struct fleet_worker *loser = &resume->losers[i].worker;
		const struct fleet_worker *w =
			fleet_find(&resume->survey.fleet, loser->name);

		if (w)
			str_copy(loser->hb.reason, sizeof(loser->hb.reason),
				 w->hb.reason);
	}
}

/* One look and what follows. 1 = that was all. -EEXIST: look again. */
static int resume_once(struct resume *resume, struct err *err)
{
	cleanup(decision_done) struct decision d = {0};
	struct survey *survey = &resume->survey;
	int r;

	survey_done(survey);
	r = survey_load(resume->run, SURVEY_NEEDED, resume->names, resume->n_names,
			survey, err);
	if (r == 0 && survey->n_bad)
		r = err_set(err, survey->bad.code, "%s", survey->bad.text);
	if (r < 0)
		return r;
	if (has_unfinished(survey) && order_log_is_stopped(&resume->run->orders)) {
		if (resume->is_dry)
			resume->has_lifted = true;
		else
			return resume_lift(resume, err);
	}
	decide(resume, &d);
	if (d.plan.n && !resume->is_dry) {
		r = resume_write(resume, &d.plan, err);
		if (r == 0)
			note_moves(resume, &d);
		return r;
	}
	if (d.plan.n)
		note_moves(resume, &d);
	sum_up(resume, &d);
	fleet_load_reasons(resume->run, &survey->fleet);
	add_reasons(resume);
	return 1;
}

int resume_run(struct resume *resume, enum resume_end *ret, struct err *err)
{
	for (unsigned i = 0; i < RESUME_LOOPS; i++) {
		int r = resume_once(resume, err);

		if (cmd_interrupted())
			return r < 0 ? r : err_set(err, -ECANCELED, "interrupted");
		if (r == 1) {
			*ret = RESUME_DONE;
			return 0;
		}
		if (r < 0 && r != -EEXIST)
			return r;
		err_clear(err);
	}
	*ret = RESUME_STUCK;
	return 0;
}
