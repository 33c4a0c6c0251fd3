// SPDX-License-Identifier: Apache-2.0
// results.csv: one row per step, group and direction.
#include "coordinator/results.h"

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

static void csv_head(struct str *csv, const struct config *config)
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
	str_add(csv, ",flags,version,gcsfuse_sha256,started,ended");
	json_object_foreach ((json_t *)first_params(config), key, value) {
		cleanup_free char *name = xasprintf("param_%s", key);

		str_addc(csv, ',');
		csv_field(csv, name);
	}
	str_addc(csv, '\n');
}

void results_init(struct results *results, const struct config *config)
{
	*results = (struct results){
		.config = config,
		.csv = STR_INIT(RESULTS_MAX_BYTES),
		.steps = json_array(),
	};
	csv_head(&results->csv, config);
}

void results_done(struct results *results)
{
	str_done(&results->csv);
	json_decref(results->steps);
	*results = (struct results){0};
}

static const struct arm *find_arm(const struct config *config, unsigned config_id)
{
	for (size_t i = 0; i < config->n_arms; i++)
		if (config->arms[i].config_id == config_id)
			return &config->arms[i];
	return NULL;
}

static const struct test_case *find_case(const struct config *config, unsigned test_id)
{
	for (size_t i = 0; i < config->n_cases; i++)
		if (config->cases[i].test_id == test_id)
			return &config->cases[i];
	return NULL;
}

void results_pct_text(const struct hist_pct *pct, struct str *ret)
{
	if (pct->is_censored)
		str_addf(ret, ">=%" PRIu64, pct->ns);
	else
		str_addf(ret, "%" PRIu64, pct->ns);
}

static void csv_latency(struct str *csv, const struct hist *lat)
{
	if (!lat->n) {
		str_add(csv, ",0,,,,,,,,");
		return;
	}
	str_addf(csv, ",%" PRIu64 ",%" PRIu64 ",%.3f,%.3f", lat->n, lat->min_ns,
		 lat->mean_ns, hist_stddev_ns(lat));
	for (size_t i = 0; i < ARRAY_SIZE(csv_percentiles); i++) {
		struct hist_pct pct = {0};

		str_addc(csv, ',');
		if (hist_percentile(lat, csv_percentiles[i], &pct, NULL) == 0)
			results_pct_text(&pct, csv);
	}
	str_addf(csv, ",%" PRIu64, lat->max_ns);
}

static void csv_figures(struct str *csv, const struct fio_result *f)
{
	if (!f) {
		/* group … lat_max_ns: a step without figures has none, not zeros */
		str_add(csv, ",,,,,,,,,,,,,,,,,");
		return;
	}
	str_addf(csv, ",%u,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.3f,%.3f,%" PRIu64,
		 f->group, fio_rw_name(f->rw), f->ios, f->io_bytes, f->runtime_ns,
		 f->bw_bytes_per_s, f->iops, f->short_ios);
	csv_latency(csv, &f->lat);
}

static void csv_identity(struct str *csv, const struct results *results,
			 const struct step_entry *step, const struct step_record *record,
			 bool counts)
{
	const struct job_step *p = &step->plan;
	const struct arm *arm = find_arm(results->config, p->config_id);

	csv_field(csv, results->config->run);
	str_addf(csv, ",%s,%u-%u,%u,%u,%u,", record ? record->worker : step->owner,
		 p->matrix_id, p->iteration, p->matrix_id, p->test_id, p->config_id);
	csv_field(csv, arm ? arm->label : "");
	str_addf(csv, ",%u,%u,%u,", p->iteration, p->block, p->pos);
	if (record)
		str_addf(csv, "%u,%s,%s,", record->attempt, counts ? "yes" : "no",
			 attempt_state_name(record->state));
	else
		str_add(csv, ",no,pending,");
	csv_field(csv, record ? record->reason : "");
}

static void csv_tail(struct str *csv, const struct results *results,
		     const struct step_entry *step, const struct step_record *record)
{
	const struct arm *arm = find_arm(results->config, step->plan.config_id);
	const struct test_case *test = find_case(results->config, step->plan.test_id);
	const char *key;
	json_t *value;

	for (int i = 0; i < PHASE_COUNT; i++) {
		str_addc(csv, ',');
		if (record && record->phase_ns[i] >= 0)
			str_addf(csv, "%" PRId64, record->phase_ns[i]);
	}
	str_addc(csv, ',');
	csv_field(csv, record && record->flags ? record->flags : "");
	str_addc(csv, ',');
	csv_field(csv, arm && arm->version ? arm->version : "");
	str_addf(csv, ",%s,%s,%s", record ? record->gcsfuse_sha256 : "",
		 record ? record->started : "", record ? record->ended : "");
	json_object_foreach ((json_t *)first_params(results->config), key, value) {
		const char *text =
			test ? json_string_value(json_object_get(test->params, key))
			     : NULL;

		str_addc(csv, ',');
		csv_field(csv, text ? text : "");
	}
	str_addc(csv, '\n');
}

static void csv_add(struct results *results, const struct step_entry *step,
		    const struct step_record *record, bool counts)
{
	size_t n = record ? record->n_results : 0;

	for (size_t i = 0; i < n || i == 0; i++) {
		csv_identity(&results->csv, results, step, record, counts);
		csv_figures(&results->csv, i < n ? &record->results[i] : NULL);
		csv_tail(&results->csv, results, step, record);
	}
}

/* The record without its bins: raw/ has those; merged percentiles say what they say. */
static json_t *record_entry(const struct step_record *record)
{
	json_t *entry = step_record_to_json(record);
	json_t *list = json_object_get(entry, "results");

	for (size_t i = 0; i < record->n_results && i < json_array_size(list); i++)
		json_object_set_new(json_array_get(list, i), "lat",
				    results_latency_json(&record->results[i].lat));
	return entry;
}

void results_add(struct results *results, const struct step_entry *step,
		 const struct step_record *record, bool counts)
{
	char id[STEP_ID_CAP];
	json_t *entry;

	csv_add(results, step, record, counts);
	step_id_format(id, step->plan.matrix_id, step->plan.iteration);
	if (record)
		entry = record_entry(record);
	else
		entry = json_pack(
			"{s:s, s:s, s:i, s:i, s:i, s:i, s:s}", "step", id, "worker",
			step->owner, "matrix_id", (int)step->plan.matrix_id, "test_id",
			(int)step->plan.test_id, "config_id", (int)step->plan.config_id,
			"iteration", (int)step->plan.iteration, "state", "pending");
	json_object_set_new(entry, "counts", json_boolean(record && counts));
	json_array_append_new(results->steps, entry);
}
