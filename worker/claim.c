// SPDX-License-Identifier: Apache-2.0
// Claims of units.
#include "worker/claim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/plant.h"
#include "worker/worker.h"

enum { CLAIMS_LIST_S = 120 };

static int by_place(const void *a, const void *b)
{
	const struct claim_ref *x = a, *y = b;

	if (x->round != y->round)
		return x->round < y->round ? -1 : 1;
	if (x->matrix_id != y->matrix_id)
		return x->matrix_id < y->matrix_id ? -1 : 1;
	return (x->iteration > y->iteration) - (x->iteration < y->iteration);
}

static void append(struct claims *c, const struct claim_ref *ref)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->v = xrealloc(c->v, c->cap, sizeof(*c->v));
	}
	c->v[c->n++] = *ref;
}

void claim_add(struct claims *c, const struct claim_ref *ref)
{
	const struct job_step leader = {.matrix_id = ref->matrix_id,
					.iteration = ref->iteration};
	size_t i = c->n;

	if (claim_find(c, ref->round, &leader))
		return;
	append(c, ref);
	for (; i > 0 && by_place(&c->v[i - 1], ref) > 0; i--)
		c->v[i] = c->v[i - 1];
	c->v[i] = *ref;
}

const struct claim_ref *claim_find(const struct claims *c, unsigned round,
				   const struct job_step *leader)
{
	const struct claim_ref want = {round, leader->matrix_id, leader->iteration,
				       false};

	return c->n ? bsearch(&want, c->v, c->n, sizeof(want), by_place) : NULL;
}

void claims_done(struct claims *c)
{
	free(c->v);
	*c = (struct claims){0};
}

static int claim_name(struct worker *w, const struct claim_ref *ref, char out[PATH_CAP],
		      struct err *err)
{
	return path_claim(out, &w->id.run, ref->matrix_id, ref->iteration, ref->round,
			  err);
}

int claim_fetch(struct worker *w, const struct claim_ref *ref, struct claim *ret,
		struct err *err)
{
	cleanup_str struct str text = STR_INIT(CLAIM_MAX_BYTES);
	cleanup_claim struct claim c = {0};
	struct obj_meta meta;
	char name[PATH_CAP];
	int r = claim_name(w, ref, name, err);

	if (r == 0)
		r = w->ctl->ops->get(w->ctl, name, CLAIM_MAX_BYTES, &text, &meta, err);
	if (r == 0)
		r = claim_parse(str_text(&text), text.len, &c, NULL, err);
	if (r < 0)
		return r;
	if (strcmp(c.run, w->id.run.run) != 0 || c.round != ref->round ||
	    c.matrix_id != ref->matrix_id || c.iteration != ref->iteration)
		return err_set(err, -EINVAL, "%s says it is another claim", name);
	*ret = c;
	c = (struct claim){0};
	return 0;
}

/* Whose is a claim that is there? What nobody can read is not ours. */
static int look(struct worker *w, struct claim_ref *ref, char holder[WORKER_CAP],
		struct err *err)
{
	cleanup_claim struct claim c = {0};
	struct err why = {0};
	int r = claim_fetch(w, ref, &c, &why);

	if (r == -EINVAL || r == -EFBIG) {
		log_line(LOG_WARN, "claim not readable: %s", why.text);
		str_copy(holder, WORKER_CAP, "somebody");
		return 0;
	}
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	str_copy(holder, WORKER_CAP, c.worker);
	ref->is_mine = strcmp(holder, w->id.worker) == 0 || plant_is("deaf");
	return 0;
}

struct listing {
	struct worker *w;
	struct claims found;
	size_t n_bare;
	struct claim_ref *bare; /* without the summary: a copied run, for instance */
};

static int note_claim(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct listing *l = arg;
	struct path_parts p;
	struct claim_ref ref;

	(void)err;
	path_parse(&l->w->id.run, meta->name, &p);
	if (p.kind != PATH_KIND_CLAIM)
		return 0;
	ref = (struct claim_ref){p.round, p.matrix_id, p.iteration,
				 strcmp(meta->summary, l->w->id.worker) == 0};
	if (meta->summary[0]) {
		append(&l->found, &ref);
		return 0;
	}
	l->bare = xrealloc(l->bare, l->n_bare + 1, sizeof(ref));
	l->bare[l->n_bare++] = ref;
	return 0;
}

int claims_list(struct worker *w, struct err *err)
{
	struct listing l = {.w = w};
	struct list_req req = {.on_object = note_claim, .arg = &l};
	char dir[PATH_CAP], holder[WORKER_CAP];
	int64_t date_ns = 0;
	int r = path_dir(dir, &w->id.run, PATH_CLAIMS, err);

	req.prefix = dir;
	worker_deadline(w, w->ctl, CLAIMS_LIST_S);
	if (r == 0)
		r = w->ctl->ops->list(w->ctl, &req, &date_ns, err);
	for (size_t i = 0; i < l.n_bare && r == 0; i++) {
		r = look(w, &l.bare[i], holder, err);
		append(&l.found, &l.bare[i]);
	}
	free(l.bare);
	if (r < 0) {
		claims_done(&l.found);
		return err_wrap(err, r, "list claims");
	}
	/* a listing is never behind what this worker wrote or read before it */
	if (l.found.n)
		qsort(l.found.v, l.found.n, sizeof(*l.found.v), by_place);
	claims_done(&w->steal.claims);
	w->steal.claims = l.found;
	return 0;
}

static int create(struct worker *w, const struct job *job, size_t first,
		  const struct claim_ref *ref, struct err *err)
{
	size_t end = job_unit_end(job->steps, job->n_steps, first);
	cleanup_str struct str text = STR_INIT(CLAIM_MAX_BYTES);
	cleanup_claim struct claim c = {.round = ref->round,
					.matrix_id = ref->matrix_id,
					.iteration = ref->iteration,
					.n_steps = end - first,
					.incarnation = w->board.hb.incarnation};
	struct put_req req = {.content_type = "application/json",
			      .precondition = PUT_CREATE,
			      .summary = w->id.worker};
	cleanup_json json_t *doc = NULL;
	char name[PATH_CAP];
	int r;

	str_copy(c.run, sizeof(c.run), job->run);
	if (plant_is("claimless"))
		req.summary = job->worker;
	str_copy(c.worker, sizeof(c.worker), req.summary);
	str_copy(c.from, sizeof(c.from), job->worker);
	clock_format(clock_real_ns(), c.at);
	c.steps = xcalloc(c.n_steps, sizeof(*c.steps));
	for (size_t i = first; i < end; i++)
		step_id_format(c.steps[i - first], job->steps[i].matrix_id,
			       job->steps[i].iteration);
	doc = claim_to_json(&c);
	r = json_dump(doc, &text, err);
	if (r == 0)
		r = claim_name(w, ref, name, err);
	if (r < 0)
		return r;
	req.data = str_text(&text);
	req.n = text.len;
	return w->ctl->ops->put(w->ctl, name, &req, NULL, err);
}

int claim_take(struct worker *w, const struct job *job, size_t first,
	       char holder[WORKER_CAP], struct err *err)
{
	const struct job_step *leader = &job->steps[first];
	const struct claim_ref *known = claim_find(&w->steal.claims, job->round, leader);
	struct claim_ref ref = {job->round, leader->matrix_id, leader->iteration, true};
	int r;

	str_copy(holder, WORKER_CAP, w->id.worker);
	if (known && known->is_mine)
		return 1;
	worker_deadline(w, w->ctl, job->settings.upload_timeout_s);
	r = known ? -EEXIST : create(w, job, first, &ref, err);
	if (r == -EEXIST) {
		/* an earlier incarnation's is ours too */
		err_clear(err);
		ref.is_mine = false;
		r = look(w, &ref, holder, err);
	}
	if (r < 0)
		return err_wrap(err, r, "claim of block %u-%u", leader->matrix_id,
				leader->iteration);
	claim_add(&w->steal.claims, &ref);
	return ref.is_mine;
}
