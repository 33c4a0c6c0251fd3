// SPDX-License-Identifier: Apache-2.0
// Synchronised starts of a run.
#include "coordinator/starts.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/str.h"

void starts_done(struct starts *starts)
{
	for (size_t i = 0; i < starts->n; i++) {
		for (size_t k = 0; k < starts->v[i].n_figures; k++)
			free(starts->v[i].figures[k].spans);
		free(starts->v[i].figures);
	}
	free(starts->v);
	*starts = (struct starts){0};
}

/* In the order of cells and iterations the steps of a start are neighbours. */
static struct start *start_of(struct starts *starts, const struct job_step *plan)
{
	if (starts->n && starts->v[starts->n - 1].barrier == plan->barrier)
		return &starts->v[starts->n - 1];
	if (starts->n == starts->cap) {
		starts->cap = starts->cap ? 2 * starts->cap : 16;
		starts->v = xrealloc(starts->v, starts->cap, sizeof(*starts->v));
	}
	starts->v[starts->n] = (struct start){
		.barrier = plan->barrier,
		.matrix_id = plan->matrix_id,
		.test_id = plan->test_id,
		.config_id = plan->config_id,
		.block = plan->block,
		.pos = plan->pos,
	};
	return &starts->v[starts->n++];
}

static struct start_figure *figure_of(struct start *s, const struct fio_result *result)
{
	struct start_figure *f;
	size_t at = 0;

	for (; at < s->n_figures; at++) {
		f = &s->figures[at];
		if (f->group == result->group && f->rw == result->rw)
			return f;
		if (f->group > result->group ||
		    (f->group == result->group && f->rw > result->rw))
			break;
	}
	s->figures = xrealloc(s->figures, s->n_figures + 1, sizeof(*f));
	f = &s->figures[at];
	memmove(f + 1, f, (s->n_figures - at) * sizeof(*f));
	s->n_figures++;
	*f = (struct start_figure){.group = result->group, .rw = result->rw};
	return f;
}

static void figure_add(struct start_figure *f, const struct start_span *span)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 8;
		f->spans = xrealloc(f->spans, f->cap, sizeof(*f->spans));
	}
	f->spans[f->n++] = *span;
}

/* Where it would end; false when the record's numbers cannot be times. */
static bool end_of(int64_t begin_ns, uint64_t runtime_ns, int64_t *ret_ns)
{
	return !__builtin_add_overflow(begin_ns, runtime_ns, ret_ns);
}

/* Groups run one after the other: each begins when the longest of the one before ends. */
static void add_results(struct start *s, const struct step_record *record)
{
	int64_t begin_ns = record->sync.at_server_ns, next_ns = begin_ns;

	for (size_t i = 0; i < record->n_results; i++) {
		const struct fio_result *result = &record->results[i];
		struct start_span span = {.io_bytes = result->io_bytes};

		if (i && result->group != result[-1].group)
			begin_ns = next_ns;
		span.begin_ns = begin_ns;
		/* fio counts in ms: nothing is known of a rate over less than one */
		if (!result->runtime_ns ||
		    !end_of(begin_ns, result->runtime_ns, &span.end_ns))
			continue;
		if (span.end_ns > next_ns)
			next_ns = span.end_ns;
		figure_add(figure_of(s, result), &span);
	}
}

static void add_begin(struct start *s, const struct step_start *sync)
{
	if (!s->started || sync->at_server_ns < s->first_ns) {
		s->first_ns = sync->at_server_ns;
		s->first_bound_ns = sync->bound_ns;
	}
	if (!s->started || sync->at_server_ns > s->last_ns) {
		s->last_ns = sync->at_server_ns;
		s->last_bound_ns = sync->bound_ns;
	}
	s->started++;
}

static bool is_late(const struct step_record *record)
{
	static const char word[] = "late_start";
	const char *at = record->flags ? strstr(record->flags, word) : NULL;

	return at && (at == record->flags || at[-1] == ' ') &&
	       (!at[strlen(word)] || at[strlen(word)] == ' ');
}

void starts_add(struct starts *starts, const struct job_step *plan,
		const struct step_record *record)
{
	struct start *s;

	if (!plan->barrier)
		return;
	s = start_of(starts, plan);
	s->planned++;
	if (!record || record->sync.barrier != plan->barrier)
		return;
	add_begin(s, &record->sync);
	s->late += is_late(record);
	if (record->state != ATTEMPT_OK)
		return;
	s->ok++;
	add_results(s, record);
}

static void figure_finish(struct start_figure *f)
{
	int64_t first_begin_ns = INT64_MAX, last_begin_ns = INT64_MIN;
	int64_t first_end_ns = INT64_MAX, last_end_ns = INT64_MIN;
	double all_bytes = 0, common_bytes = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct start_span *s = &f->spans[i];

		first_begin_ns =
			s->begin_ns < first_begin_ns ? s->begin_ns : first_begin_ns;
		last_begin_ns = s->begin_ns > last_begin_ns ? s->begin_ns : last_begin_ns;
		first_end_ns = s->end_ns < first_end_ns ? s->end_ns : first_end_ns;
		last_end_ns = s->end_ns > last_end_ns ? s->end_ns : last_end_ns;
		all_bytes += (double)s->io_bytes;
	}
	f->whole_ns = last_end_ns - first_begin_ns;
	f->whole_bytes_per_s = all_bytes * 1e9 / (double)f->whole_ns;
	if (first_end_ns <= last_begin_ns)
		return;
	f->common_ns = first_end_ns - last_begin_ns;
	for (size_t i = 0; i < f->n; i++)
		common_bytes += (double)f->spans[i].io_bytes * (double)f->common_ns /
				(double)(f->spans[i].end_ns - f->spans[i].begin_ns);
	f->common_bytes_per_s = common_bytes * 1e9 / (double)f->common_ns;
}

static int by_barrier(const void *a, const void *b)
{
	const struct start *x = a, *y = b;

	return (x->barrier > y->barrier) - (x->barrier < y->barrier);
}

void starts_finish(struct starts *starts)
{
	if (starts->n)
		qsort(starts->v, starts->n, sizeof(*starts->v), by_barrier);
	for (size_t i = 0; i < starts->n; i++)
		for (size_t k = 0; k < starts->v[i].n_figures; k++)
			figure_finish(&starts->v[i].figures[k]);
}

void starts_add_verdict(struct starts *starts, const struct verdict_doc *verdict)
{
	const struct start key = {.barrier = verdict->barrier};
	struct start *s =
		starts->n ? bsearch(&key, starts->v, starts->n, sizeof(key), by_barrier)
			  : NULL;

	if (!s)
		return;
	s->has_verdict = true;
	s->is_go = verdict->is_go;
	s->arrived = verdict->n_members;
	str_copy(s->reason, sizeof(s->reason), verdict->reason ? verdict->reason : "");
}

int64_t start_spread_ns(const struct start *start)
{
	return start->last_ns - start->first_ns;
}

uint64_t start_spread_bound_ns(const struct start *start)
{
	return start->started > 1 ? start->first_bound_ns + start->last_bound_ns : 0;
}

static json_t *figure_json(const struct start_figure *f)
{
	json_t *o = json_object();
	bool is_common = f->common_ns > 0;

	json_object_set_new(o, "group", json_integer(f->group));
	json_object_set_new(o, "rw", json_string(fio_rw_name(f->rw)));
	json_object_set_new(o, "steps", json_u64(f->n));
	json_object_set_new(o, "common_ns",
			    is_common ? json_integer(f->common_ns) : json_null());
	json_object_set_new(o, "common_bytes_per_s",
			    is_common ? json_f64(f->common_bytes_per_s) : json_null());
	json_object_set_new(o, "whole_ns", json_integer(f->whole_ns));
	json_object_set_new(o, "whole_bytes_per_s", json_f64(f->whole_bytes_per_s));
	return o;
}

json_t *starts_json(const struct start *s, const char *label)
{
	json_t *o = json_object(), *figures = json_array();
	bool has_spread = s->started > 0;

	for (size_t i = 0; i < s->n_figures; i++)
		json_array_append_new(figures, figure_json(&s->figures[i]));
	json_object_set_new(o, "barrier", json_integer(s->barrier));
	json_object_set_new(o, "matrix_id", json_integer(s->matrix_id));
	json_object_set_new(o, "test_id", json_integer(s->test_id));
	json_object_set_new(o, "config_id", json_integer(s->config_id));
	json_object_set_new(o, "label", json_text(label));
	json_object_set_new(o, "block", json_integer(s->block));
	json_object_set_new(o, "pos", json_integer(s->pos));
	json_object_set_new(o, "decision",
			    s->has_verdict ? json_string(s->is_go ? "go" : "abort")
					   : json_null());
	json_object_set_new(o, "reason",
			    s->reason[0] ? json_text(s->reason) : json_null());
	json_object_set_new(o, "planned", json_u64(s->planned));
	json_object_set_new(o, "arrived",
			    s->has_verdict ? json_u64(s->arrived) : json_null());
	json_object_set_new(o, "started", json_u64(s->started));
	json_object_set_new(o, "ok", json_u64(s->ok));
	json_object_set_new(o, "late", json_u64(s->late));
	json_object_set_new(o, "spread_ns",
			    has_spread ? json_integer(start_spread_ns(s)) : json_null());
	json_object_set_new(o, "spread_bound_ns",
			    has_spread ? json_u64(start_spread_bound_ns(s))
				       : json_null());
	json_object_set_new(o, "figures", figures);
	return o;
}
