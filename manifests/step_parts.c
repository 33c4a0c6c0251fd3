// SPDX-License-Identifier: Apache-2.0
// The parts of a step record that are objects of their own.
#include "manifests/step_parts.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/crc32c.h"

static const char *const phase_names[PHASE_COUNT] = {
	[PHASE_LAYOUT] = "layout", [PHASE_MOUNT] = "mount",	[PHASE_WARM] = "warm",
	[PHASE_FIO] = "fio",	   [PHASE_UNMOUNT] = "unmount", [PHASE_PARSE] = "parse",
	[PHASE_UPLOAD] = "upload",
};

void step_phases_in(struct json_in *in, struct step_record *ret)
{
	struct json_in sub;

	if (!field_sub(in, "phase_ns", JSON_MAY, "step.phase_ns", &sub))
		return;
	for (unsigned i = 0; i < PHASE_COUNT; i++) {
		uint64_t ns = UINT64_MAX;

		json_in_u64(&sub, phase_names[i], JSON_MAY, &ns);
		ret->phase_ns[i] = ns == UINT64_MAX ? -1 : (int64_t)ns;
	}
	field_sub_end(in, &sub);
}

void step_phases_out(struct json_out *out, const struct step_record *rec)
{
	struct json_out sub = out_begin();

	for (unsigned i = 0; i < PHASE_COUNT; i++)
		out_int_or(&sub, phase_names[i], rec->phase_ns[i], -1);
	out_put(out, "phase_ns", sub.obj);
}

static void kernel_in(struct json_in *in, const char *key, const char *where,
		      struct kernel_settings *ret)
{
	struct json_in sub;

	if (!field_sub(in, key, JSON_MAY, where, &sub))
		return;
	json_in_u64(&sub, "read_ahead_kb", JSON_MAY, &ret->read_ahead_kb);
	json_in_u64(&sub, "max_background", JSON_MAY, &ret->max_background);
	json_in_u64(&sub, "congestion_threshold", JSON_MAY, &ret->congestion_threshold);
	json_in_u64(&sub, "max_pages_limit", JSON_MAY, &ret->max_pages_limit);
	field_sub_end(in, &sub);
}

void step_effective_in(struct json_in *in, struct step_record *ret)
{
	const json_t *config = NULL;
	struct json_in sub;

	if (!field_sub(in, "effective", JSON_MAY, "step.effective", &sub))
		return;
	json_in_obj(&sub, "gcsfuse", JSON_MAY, &config);
	ret->gcsfuse_config = json_incref((json_t *)config);
	field_text(&sub, "gcsfuse_sha256", ret->gcsfuse_sha256,
		   sizeof(ret->gcsfuse_sha256));
	kernel_in(&sub, "start", "step.effective.start", &ret->start);
	kernel_in(&sub, "end", "step.effective.end", &ret->end);
	field_sub_end(in, &sub);
}

static json_t *kernel_out(const struct kernel_settings *k)
{
	struct json_out out = out_begin();

	out_num_or(&out, "read_ahead_kb", k->read_ahead_kb, UINT64_MAX);
	out_num_or(&out, "max_background", k->max_background, UINT64_MAX);
	out_num_or(&out, "congestion_threshold", k->congestion_threshold, UINT64_MAX);
	out_num_or(&out, "max_pages_limit", k->max_pages_limit, UINT64_MAX);
	return out.obj;
}

void step_effective_out(struct json_out *out, const struct step_record *rec)
{
	struct json_out sub = out_begin();

	out_put(&sub, "gcsfuse",
		rec->gcsfuse_config ? json_incref(rec->gcsfuse_config) : json_null());
	out_text(&sub, "gcsfuse_sha256", rec->gcsfuse_sha256,
		 sizeof(rec->gcsfuse_sha256));
	out_put(&sub, "start", kernel_out(&rec->start));
	out_put(&sub, "end", kernel_out(&rec->end));
	out_put(out, "effective", sub.obj);
}

/* name and place of each of the host's deltas */
#define HOST(field)                                                                      \
	{                                                                                \
#field, offsetof(struct step_record, host.field)                         \
	}
static const struct {
	const char *name;
	size_t at;
} host_fields[] = {
	HOST(oom_kill),	    HOST(pswpin),	    HOST(pswpout),	 HOST(pgmajfault),
	HOST(tcp_out_segs), HOST(tcp_retrans_segs), HOST(clock_step_ns),
};
#undef HOST

void step_host_in(struct json_in *in, struct step_record *ret)
{
	struct json_in sub;

	if (!field_sub(in, "host", JSON_MAY, "step.host", &sub))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(host_fields); i++)
		json_in_i64(&sub, host_fields[i].name, JSON_MAY,
			    (int64_t *)((char *)ret + host_fields[i].at));
	field_sub_end(in, &sub);
}

void step_host_out(struct json_out *out, const struct step_record *rec)
{
	struct json_out sub = out_begin();

	for (size_t i = 0; i < ARRAY_SIZE(host_fields); i++)
		out_int_or(&sub, host_fields[i].name,
			   *(const int64_t *)((const char *)rec + host_fields[i].at),
			   INT64_MIN);
	out_put(out, "host", sub.obj);
}

static void count_in(struct json_in *in, const char *key, int64_t *ret)
{
	uint64_t v = UINT64_MAX;

	json_in_u64(in, key, JSON_MAY, &v);
	if (v != UINT64_MAX)
		*ret = (int64_t)v;
}

void step_gcsfuse_log_in(struct json_in *in, struct step_record *ret)
{
	struct json_in sub;

	if (!field_sub(in, "gcsfuse_log", JSON_MAY, "step.gcsfuse_log", &sub))
		return;
	count_in(&sub, "requests", &ret->gcsfuse_log.requests);
	count_in(&sub, "errors", &ret->gcsfuse_log.errors);
	count_in(&sub, "retries", &ret->gcsfuse_log.retries);
	count_in(&sub, "http_429", &ret->gcsfuse_log.http_429);
	field_sub_end(in, &sub);
}

void step_gcsfuse_log_out(struct json_out *out, const struct step_record *rec)
{
	struct json_out sub = out_begin();

	out_int_or(&sub, "requests", rec->gcsfuse_log.requests, -1);
	out_int_or(&sub, "errors", rec->gcsfuse_log.errors, -1);
	out_int_or(&sub, "retries", rec->gcsfuse_log.retries, -1);
	out_int_or(&sub, "http_429", rec->gcsfuse_log.http_429, -1);
	out_put(out, "gcsfuse_log", sub.obj);
}

static void column_in(struct json_in *in, const char *name, struct monitor_column *ret)
{
	char where[WHERE_CAP];
	struct json_in sub;

	snprintf(where, sizeof(where), "step.monitor.%s", name);
	if (!field_sub(in, name, JSON_MUST, where, &sub))
		return;
	str_copy(ret->name, sizeof(ret->name), name);
	ret->avg = ret->peak = NAN;
	json_in_f64(&sub, "avg", JSON_MAY, &ret->avg);
	json_in_f64(&sub, "peak", JSON_MAY, &ret->peak);
	field_sub_end(in, &sub);
}

static bool is_column(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n && !name[n] && n < sizeof(((struct monitor_column *)0)->name) &&
	       strcmp(name, "samples") != 0 && strcmp(name, "lost") != 0;
}

/* The columns are keys of their own; those past the array count as unknown. */
void step_monitor_in(struct json_in *in, struct step_record *ret)
{
	struct json_in sub;
	const char *name;
	json_t *column;

	if (!field_sub(in, "monitor", JSON_MAY, "step.monitor", &sub))
		return;
	json_in_uint(&sub, "samples", JSON_MAY, &ret->monitor_samples);
	json_in_uint(&sub, "lost", JSON_MAY, &ret->monitor_lost);
	json_object_foreach ((json_t *)sub.obj, name, column)
		if (is_column(name) && ret->n_columns < MONITOR_COLUMNS)
			column_in(&sub, name, &ret->columns[ret->n_columns++]);
	field_sub_end(in, &sub);
}

void step_monitor_out(struct json_out *out, const struct step_record *rec)
{
	struct json_out sub = out_begin();

	out_num(&sub, "samples", rec->monitor_samples);
	out_num(&sub, "lost", rec->monitor_lost);
	for (size_t i = 0; i < rec->n_columns; i++) {
		struct json_out column = out_begin();

		out_put(&column, "avg", json_f64(rec->columns[i].avg));
		out_put(&column, "peak", json_f64(rec->columns[i].peak));
		out_put(&sub, rec->columns[i].name, column.obj);
	}
	out_put(out, "monitor", sub.obj);
}

void step_start_in(struct json_in *in, struct step_record *ret)
{
	struct step_start *s = &ret->sync;
	uint64_t go_ns = 0, at_ns = 0;
	struct json_in sub;

	if (!field_sub(in, "start", JSON_MAY, "step.start", &sub))
		return;
	field_range(&sub, "barrier", 1, UINT32_MAX, &s->barrier);
	json_in_u64(&sub, "go_server_ns", JSON_MUST, &go_ns);
	json_in_u64(&sub, "at_server_ns", JSON_MUST, &at_ns);
	json_in_u64(&sub, "bound_ns", JSON_MUST, &s->bound_ns);
	json_in_u64(&sub, "late_by_ms", JSON_MUST, &s->late_by_ms);
	json_in_uint(&sub, "members", JSON_MAY, &s->members);
	s->go_server_ns = (int64_t)go_ns;
	s->at_server_ns = (int64_t)at_ns;
	field_sub_end(in, &sub);
}

void step_start_out(struct json_out *out, const struct step_record *rec)
{
	const struct step_start *s = &rec->sync;
	struct json_out sub;

	if (!s->barrier)
		return;
	sub = out_begin();
	out_num(&sub, "barrier", s->barrier);
	out_num(&sub, "go_server_ns", (uint64_t)s->go_server_ns);
	out_num(&sub, "at_server_ns", (uint64_t)s->at_server_ns);
	out_num(&sub, "bound_ns", s->bound_ns);
	out_num(&sub, "late_by_ms", s->late_by_ms);
	out_num(&sub, "members", s->members);
	out_put(out, "start", sub.obj);
}

/* A file beside the record: nothing that could lead out of its folder. */
static bool is_file_name(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				"0123456789._-");

	return n && !name[n] && name[0] != '.';
}

static void file_in(struct json_in *in, struct step_file_ref *ret)
{
	const char *sum = NULL;

	field_name(in, "name", is_file_name, "a file's name", ret->name,
		   sizeof(ret->name));
	json_in_u64(in, "bytes", JSON_MUST, &ret->bytes);
	json_in_str(in, "crc32c", JSON_MUST, &sum);
	if (sum && crc32c_parse(sum, &ret->crc32c, NULL) < 0)
		json_in_fail(in, "crc32c", "not 8 characters of base64");
	json_in_u64(in, "generation", JSON_MUST, &ret->generation);
	json_in_bool(in, "cut", JSON_MAY, &ret->is_cut);
}

void step_files_in(struct json_in *in, struct step_record *ret)
{
	const json_t *v = NULL;

	json_in_arr(in, "files", JSON_MUST, &v);
	if (!v)
		return;
	if (json_array_size(v) > STEP_FILES) {
		json_in_fail(in, "files", "more than %d", STEP_FILES);
		return;
	}
	ret->n_files = json_array_size(v);
	for (size_t i = 0; i < ret->n_files && in->r == 0; i++) {
		char where[WHERE_CAP];
		struct json_in item;

		snprintf(where, sizeof(where), "step.files[%zu]", i);
		json_in_init(&item, json_array_get(v, i), in->mode, where, in->unknown,
			     in->err);
		file_in(&item, &ret->files[i]);
		field_sub_end(in, &item);
	}
}

void step_files_out(struct json_out *out, const struct step_record *rec)
{
	json_t *array = json_array();

	for (size_t i = 0; i < rec->n_files; i++) {
		const struct step_file_ref *f = &rec->files[i];
		struct json_out file = out_begin();
		char sum[CRC32C_B64_CAP];

		crc32c_base64(f->crc32c, sum);
		out_str(&file, "name", f->name);
		out_num(&file, "bytes", f->bytes);
		out_str(&file, "crc32c", sum);
		out_num(&file, "generation", f->generation);
		out_bool(&file, "cut", f->is_cut);
		array_put(&array, file.obj);
	}
	out_put(out, "files", array);
}
