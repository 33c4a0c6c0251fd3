// SPDX-License-Identifier: Apache-2.0
// results.csv: one row per attempt, group and direction (RFC 4180, lines end in LF).
#include "coordinator/results_csv.h"

#include <inttypes.h>
#include <string.h>

static const char *const phase_names[PHASE_COUNT] = {"layout",	"mount", "warm",  "fio",
						     "unmount", "parse", "upload"};
static const double csv_percentiles[] = {50, 90, 99, 99.9};

static void csv_field(struct str *csv, const char *text)
{
	if (!strpbrk(text, "\",\r\n")) {
		str_add(csv, text);
		return;
	}
	str_addc(csv, '"');
	for (; *text; text++) {
		if (*text == '"')
			str_addc(csv, '"');
		str_addc(csv, *text);
	}
	str_addc(csv, '"');
}

static const json_t *first_params(const struct config *config)
{
	return config->n_cases ? config->cases[0].params : NULL;
}

void csv_head(const struct config *config, struct str *csv)
{
	const char *key;
	json_t *value;

	str_add(csv,
		"run,worker,step,matrix_id,test_id,config_id,label,iteration,block,pos,"
		"attempt,counts,state,reason,group,rw,ios,io_bytes,runtime_ns,"
		"bw_bytes_per_s,iops,short_ios,lat_n,lat_min_ns,lat_mean_ns,"
		"lat_stddev_ns,lat_p50_ns,lat_p90_ns,lat_p99_ns,lat_p99_9_ns,lat_max_ns");
	for (int i = 0; i < PHASE_COUNT; i++)
		str_addf(csv, ",%s_ns", phase_names[i]);
	str_add(csv, ",flags,version,gcsfuse_sha256,started,ended,barrier,start_late_ms");
	json_object_foreach ((json_t *)first_params(config), key, value) {
		cleanup_free char *name = xasprintf("param_%s", key);

		str_addc(csv, ',');
		csv_field(csv, name);
	}
	str_addc(csv, '\n');
}

/* lat_n … lat_max_ns: without bins nothing is known, and that is not zero. */
static void csv_latency(struct str *csv, const struct latency *l)
{
	if (!l->n) {
		str_add(csv, ",,,,,,,,,");
		return;
	}
	str_addf(csv, ",%" PRIu64 ",%" PRIu64 ",%.3f,%.3f", l->n, l->min_ns, l->mean_ns,
		 l->stddev_ns);
	for (size_t i = 0; i < ARRAY_SIZE(csv_percentiles); i++) {
		str_addc(csv, ',');
		latency_pct_text(latency_pct(l, csv_percentiles[i]), csv);
	}
	str_addf(csv, ",%" PRIu64, l->max_ns);
}

static void csv_figures(struct str *csv, const struct fio_result *f,
			const struct latency *latency)
{
	if (!f) {
		/* group … lat_max_ns: a step without figures has none, not zeros */
		str_add(csv, ",,,,,,,,,,,,,,,,,");
		return;
	}
	str_addf(csv, ",%u,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64, f->group,
		 fio_rw_name(f->rw), f->ios, f->io_bytes, f->runtime_ns);
	if (f->runtime_ns)
		str_addf(csv, ",%.3f,%.3f", f->bw_bytes_per_s, f->iops);
	else
		str_add(csv, ",,");
	str_addf(csv, ",%" PRIu64, f->short_ios);
	csv_latency(csv, latency);
}

static void csv_identity(struct str *csv, const struct csv_row *row)
{
	const struct step_record *record = row->record;
	const struct job_step *p = &row->step->plan;

	csv_field(csv, row->config->run);
	str_addf(csv, ",%s,%u-%u,%u,%u,%u,", record ? record->worker : row->step->owner,
		 p->matrix_id, p->iteration, p->matrix_id, p->test_id, p->config_id);
	csv_field(csv, row->cell ? row->cell->arm->label : "");
	str_addf(csv, ",%u,%u,%u,", p->iteration, p->block, p->pos);
	if (record)
		str_addf(csv, "%u,%s,%s,", record->attempt, row->counts ? "yes" : "no",
			 attempt_state_name(record->state));
	else
		str_add(csv, ",no,pending,");
	csv_field(csv, row->reason);
}

static void csv_start(struct str *csv, const struct csv_row *row)
{
	const struct step_start *start = row->record ? &row->record->sync : NULL;

	str_addc(csv, ',');
	if (row->step->plan.barrier)
		str_addf(csv, "%u", row->step->plan.barrier);
	str_addc(csv, ',');
	if (start && start->barrier)
		str_addf(csv, "%" PRIu64, start->late_by_ms);
}

static void csv_tail(struct str *csv, const struct csv_row *row)
{
	const struct step_record *record = row->record;
	const struct cell *cell = row->cell;
	const char *texts[] = {
		record && record->flags ? record->flags : "",
		cell && cell->arm->version ? cell->arm->version : "",
		record ? record->gcsfuse_sha256 : "",
		record ? record->started : "",
		record ? record->ended : "",
	};
	const char *key;
	json_t *value;

	for (int i = 0; i < PHASE_COUNT; i++) {
		str_addc(csv, ',');
		if (record && record->phase_ns[i] >= 0)
			str_addf(csv, "%" PRId64, record->phase_ns[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		str_addc(csv, ',');
		csv_field(csv, texts[i]);
	}
	csv_start(csv, row);
	json_object_foreach ((json_t *)first_params(row->config), key, value) {
		const json_t *params = cell ? cell->test->params : NULL;
		const char *text = json_string_value(json_object_get(params, key));

		str_addc(csv, ',');
		csv_field(csv, text ? text : "");
	}
	str_addc(csv, '\n');
}

void csv_rows(const struct csv_row *row, struct str *csv)
{
	size_t n = row->record ? row->record->n_results : 0;

	for (size_t i = 0; i < n || i == 0; i++) {
		csv_identity(csv, row);
		csv_figures(csv, i < n ? &row->record->results[i] : NULL,
			    &row->latencies[i]);
		csv_tail(csv, row);
	}
}
