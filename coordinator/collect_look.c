// SPDX-License-Identifier: Apache-2.0
// The first look at jobs and records, by the threads that fetch them.
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/collect.h"
#include "core/json_scratch.h"

/* The record in @text, checked against its own name. */
static int parse_record(const struct collected *c, const struct run_object *object,
			const struct str *text, struct step_record *ret,
			unsigned *ret_unknown, struct err *err)
{
	struct path_parts p;
	int r = step_record_parse(str_text(text), text->len, ret, ret_unknown, err);

	if (r < 0)
		return r;
	run_object_parts(c->run, object, &p);
	if (strcmp(ret->run, c->run->config.run) != 0 ||
	    strcmp(ret->worker, p.worker) != 0 || ret->matrix_id != p.matrix_id ||
	    ret->iteration != p.iteration || ret->attempt != p.attempt)
		return err_set(err, -EINVAL,
			       "says it is another run's, worker's or step's");
	return 0;
}

/* As the worker writes them: by group, then direction, each once. */
static bool is_in_order(const struct step_record *record)
{
	for (size_t i = 1; i < record->n_results; i++) {
		const struct fio_result *a = &record->results[i - 1], *b = a + 1;

		if (a->group > b->group || (a->group == b->group && a->rw >= b->rw))
			return false;
	}
	return true;
}

/* Takes @look->refused. */
static void look_add(struct collected *c, const struct collect_look *look)
{
	if (c->n_looks == c->cap_looks) {
		c->cap_looks = c->cap_looks ? c->cap_looks * 2 : 256;
		c->looks = xrealloc(c->looks, c->cap_looks, sizeof(*c->looks));
	}
	c->looks[c->n_looks++] = *look;
}

static void look_record(struct collected *c, size_t index, const struct str *text)
{
	JSON_SCRATCH;
	cleanup_step_record struct step_record record = {0};
	struct collect_look look = {.object = index};
	struct err why = {0};
	unsigned unknown = 0;

	step_record_init(&record);
	if (parse_record(c, &c->objects.v[index], text, &record, &unknown, &why) == 0)
		look.place = record_spool_put(&c->spool, &record);
	else
		look.refused = xstrdup(why.text);
	look.state = record.state;
	look.test_id = record.test_id;
	look.config_id = record.config_id;
	look.has_results = record.n_results > 0;
	look.is_in_order = is_in_order(&record);
	pthread_mutex_lock(&c->lock);
	c->n_unknown += look.refused ? 0 : unknown;
	look_add(c, &look);
	pthread_mutex_unlock(&c->lock);
}

static bool parse_like(struct collected *c, const struct str *text, struct job *ret)
{
	for (size_t i = 0; i < COLLECT_LIKES; i++) {
		const struct job_like *like = atomic_load(&c->likes[i]);

		if (!like)
			return false;
		if (job_like_parse(like, str_text(text), text->len, ret))
			return true;
	}
	return false;
}

/* Outside JSON_SCRATCH: it stays. */
static void keep_like(struct collected *c, const struct str *text)
{
	struct job_like *none, *like;

	if (atomic_load(&c->likes[COLLECT_LIKES - 1]))
		return;
	like = job_like_new(str_text(text), text->len);
	for (size_t i = 0; i < COLLECT_LIKES && like; i++) {
		none = NULL;
		if (atomic_compare_exchange_strong(&c->likes[i], &none, like))
			like = NULL;
	}
	job_like_free(like);
}

/* The order in which jobs come does not matter: the plan sorts what they list. False: it
 * was like no other. */
static bool look_job(struct collected *c, size_t index, const struct str *text)
{
	JSON_SCRATCH;
	struct collect_look look = {.object = index};
	cleanup_job struct job job = {0};
	struct err why = {0};
	bool is_like = parse_like(c, text, &job);
	int r = is_like ? 0 : job_parse(str_text(text), text->len, &job, &why);

	if (r == 0)
		r = collect_check_job(c, &c->objects.v[index], &job, &why);
	pthread_mutex_lock(&c->lock);
	if (r < 0) {
		look.refused = xstrdup(why.text);
		look_add(c, &look);
	} else if (steps_add_job(&c->steps, &job, &why) < 0 && !c->failed.code) {
		c->failed = why;
	}
	pthread_mutex_unlock(&c->lock);
	return is_like;
}

void collect_look_text(size_t index, const struct str *text, void *arg)
{
	struct collected *c = arg;

	if (c->objects.v[index].is_record)
		look_record(c, index, text);
	else if (!look_job(c, index, text))
		keep_like(c, text);
}

static void look_file(struct collected *c, size_t index)
{
	const struct run_object *object = &c->objects.v[index];
	size_t max_bytes = object->is_record ? STEP_MAX_BYTES : JOB_MAX_BYTES;
	cleanup_str struct str text = STR_INIT(max_bytes);
	struct collect_look look = {.object = index};
	struct err why = {0};

	if (fetch_read(&c->fetch, object, max_bytes, &text, &why) == 0) {
		collect_look_text(index, &text, c);
		return;
	}
	look.refused = xstrdup(why.text);
	look_add(c, &look);
}

static int by_object(const void *a, const void *b)
{
	const struct collect_look *x = a, *y = b;

	return (x->object > y->object) - (x->object < y->object);
}

int collect_look_rest(struct collected *c, struct err *err)
{
	for (size_t i = 0; i < c->objects.n; i++) {
		const struct run_object *object = &c->objects.v[i];

		if (object->is_here && !object->is_told &&
		    (object->is_record || object->kind == PATH_KIND_JOB))
			look_file(c, i);
	}
	if (c->failed.code)
		return err_set(err, c->failed.code, "%s", c->failed.text);
	if (c->n_looks)
		qsort(c->looks, c->n_looks, sizeof(*c->looks), by_object);
	return 0;
}

const struct collect_look *collect_look_at(const struct collected *c, size_t index)
{
	const struct collect_look key = {.object = index};

	if (!c->n_looks)
		return NULL;
	return bsearch(&key, c->looks, c->n_looks, sizeof(key), by_object);
}

int collect_record_again(const struct collected *c, size_t index, struct step_record *ret,
			 struct err *err)
{
	const struct run_object *object = &c->objects.v[index];
	const struct collect_look *look = collect_look_at(c, index);
	cleanup_str struct str text = STR_INIT(STEP_MAX_BYTES);
	int r;

	if (look && record_spool_get(&c->spool, look->place, ret))
		return 0;
	r = fetch_read(&c->fetch, object, STEP_MAX_BYTES, &text, err);
	return r < 0 ? r : parse_record(c, object, &text, ret, NULL, err);
}
