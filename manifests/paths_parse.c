// SPDX-License-Identifier: Apache-2.0
// The bucket layout: taking names apart. A name is scanned loosely, then built again from
// what was found; only equal bytes count, so every object has one spelling.
#include "manifests/paths.h"

#include <errno.h>
#include <string.h>

/* Steps over @word when the text at *@p begins with it. */
static bool scan_word(const char **p, const char *word)
{
	if (!str_starts(*p, word))
		return false;
	*p += strlen(word);
	return true;
}

static bool scan_number(const char **p, unsigned *ret)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; (*p)[n] >= '0' && (*p)[n] <= '9'; n++) {
		v = v * 10 + (uint64_t)((*p)[n] - '0');
		if (v > UINT32_MAX)
			return false;
	}
	*p += n;
	*ret = (unsigned)v;
	return n > 0;
}

/* Copies what comes before any of @stops, which must come. */
static bool scan_until(const char **p, const char *stops, char *out, size_t cap)
{
	size_t n = strcspn(*p, stops);

	if (!(*p)[n] || n >= cap)
		return false;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p += n;
	return true;
}

/* Steps over ".r<k>", which may be missing: round 1 has none. */
static bool scan_round(const char **p, unsigned *ret)
{
	*ret = 1;
	return !scan_word(p, ".r") || (scan_number(p, ret) && *ret >= 2);
}

static bool parse_job(const char *p, struct path_parts *ret)
{
	ret->kind = PATH_KIND_JOB;
	return scan_word(&p, "jobs/") && scan_until(&p, ".", ret->worker, WORKER_CAP) &&
	       scan_round(&p, &ret->round) && strcmp(p, ".json") == 0;
}

static bool parse_claim(const char *p, struct path_parts *ret)
{
	ret->kind = PATH_KIND_CLAIM;
	return scan_word(&p, "claims/") && scan_number(&p, &ret->matrix_id) &&
	       scan_word(&p, "-") && scan_number(&p, &ret->iteration) &&
	       scan_round(&p, &ret->round) && strcmp(p, ".json") == 0;
}

static bool parse_step_file(const char *p, struct path_parts *ret)
{
	char again[PATH_CAP];

	for (unsigned f = 0; f < STEP_FILE_COUNT; f++) {
		const char *digits = p + strcspn(p, "0123456789");

		ret->file = f;
		if (scan_number(&digits, &ret->iteration) &&
		    path_step_file(again, f, ret->iteration, NULL) == 0 &&
		    strcmp(again, p) == 0)
			return true;
	}
	return false;
}

static bool parse_results(const char *p, struct path_parts *ret)
{
	if (!scan_word(&p, "results/") || !scan_until(&p, "/", ret->worker, WORKER_CAP) ||
	    !scan_word(&p, "/"))
		return false;
	ret->kind = strcmp(p, "manifest.json") == 0 ? PATH_KIND_MANIFEST
		    : strcmp(p, "worker.log") == 0  ? PATH_KIND_WORKER_LOG
						    : PATH_KIND_STEP_FILE;
	if (ret->kind != PATH_KIND_STEP_FILE)
		return true;
	ret->attempt = 1;
	if (!scan_word(&p, "test-") || !scan_number(&p, &ret->matrix_id) ||
	    !scan_word(&p, "/"))
		return false;
	if (scan_word(&p, "attempt-") &&
	    (!scan_number(&p, &ret->attempt) || !scan_word(&p, "/")))
		return false;
	return parse_step_file(p, ret);
}

static bool parse_binary(const char *p, struct path_parts *ret)
{
	ret->kind = PATH_KIND_BINARY;
	if (!scan_word(&p, "binaries/") || !scan_until(&p, "/", ret->key, BINARY_KEY_CAP))
		return false;
	ret->binary = strcmp(p, "/gcsfuse") == 0 ? BINARY_GCSFUSE : BINARY_JSON;
	return true;
}

static bool parse_barrier(const char *p, struct path_parts *ret)
{
	ret->kind = PATH_KIND_VERDICT;
	if (!scan_word(&p, "barriers/") || !scan_number(&p, &ret->barrier))
		return false;
	if (strcmp(p, "/verdict.json") == 0)
		return true;
	ret->kind = PATH_KIND_ARRIVAL;
	return scan_word(&p, "/arrive/") && scan_until(&p, ".", ret->worker, WORKER_CAP);
}

static bool parse_top(const char *p, struct path_parts *ret)
{
	static const char *const inputs[] = {
		[INPUT_TESTS_CSV] = "test-cases.csv",
		[INPUT_CONFIGS_CSV] = "mount-configs.csv",
		[INPUT_JOBFILE] = "jobfile.fio",
	};

	ret->kind = PATH_KIND_CONFIG;
	if (strcmp(p, "config.json") == 0)
		return true;
	ret->kind = PATH_KIND_INPUT;
	for (unsigned i = 0; i < ARRAY_SIZE(inputs); i++) {
		ret->input = i;
		if (strcmp(p, inputs[i]) == 0)
			return true;
	}
	ret->kind = PATH_KIND_REPORT;
	return scan_word(&p, "report/");
}

static bool parse_relative(const char *p, struct path_parts *ret)
{
	const char *rest = p;

	if (str_starts(p, "jobs/"))
		return parse_job(p, ret);
	if (str_starts(p, "results/"))
		return parse_results(p, ret);
	if (str_starts(p, "binaries/"))
		return parse_binary(p, ret);
	if (str_starts(p, "claims/"))
		return parse_claim(p, ret);
	if (str_starts(p, "barriers/"))
		return parse_barrier(p, ret);
	if (scan_word(&rest, "control/")) {
		ret->kind = PATH_KIND_CONTROL;
		return scan_number(&rest, &ret->seq);
	}
	if (scan_word(&rest, "workers/")) {
		ret->kind = PATH_KIND_WORKER;
		return scan_until(&rest, ".", ret->worker, WORKER_CAP);
	}
	return parse_top(p, ret);
}

static int build_input(PATH_ARGS, enum path_input input)
{
	switch (input) {
	case INPUT_TESTS_CSV:
		return path_tests_csv(out, run, NULL);
	case INPUT_CONFIGS_CSV:
		return path_configs_csv(out, run, NULL);
	case INPUT_JOBFILE:
		break;
	}
	return path_jobfile(out, run, NULL);
}

/* The name that @parts stand for; @relative: where a report's own name is taken from. */
static int build(PATH_ARGS, const struct path_parts *parts, const char *relative)
{
	struct attempt_ref at = {parts->worker, parts->matrix_id, parts->iteration,
				 parts->attempt};

	switch (parts->kind) {
	case PATH_KIND_NONE:
		break;
	case PATH_KIND_CONFIG:
		return path_config(out, run, NULL);
	case PATH_KIND_INPUT:
		return build_input(out, run, parts->input);
	case PATH_KIND_JOB:
		return path_job(out, run, parts->worker, parts->round, NULL);
	case PATH_KIND_CONTROL:
		return path_control(out, run, parts->seq, NULL);
	case PATH_KIND_WORKER:
		return path_worker(out, run, parts->worker, NULL);
	case PATH_KIND_MANIFEST:
		return path_manifest(out, run, parts->worker, NULL);
	case PATH_KIND_WORKER_LOG:
		return path_worker_log(out, run, parts->worker, NULL);
	case PATH_KIND_STEP_FILE:
		return path_step(out, run, &at, parts->file, NULL);
	case PATH_KIND_BINARY:
		return path_binary(out, run, parts->key, parts->binary, NULL);
	case PATH_KIND_CLAIM:
		return path_claim(out, run, parts->matrix_id, parts->iteration,
				  parts->round, NULL);
	case PATH_KIND_REPORT:
		return path_report(out, run, relative + strlen("report/"), NULL);
	case PATH_KIND_ARRIVAL:
		return path_arrival(out, run, parts->barrier, parts->worker, NULL);
	case PATH_KIND_VERDICT:
		return path_verdict(out, run, parts->barrier, NULL);
	}
	return -EINVAL;
}

void path_parse(const struct run_ref *run, const char *name, struct path_parts *ret)
{
	struct path_parts parts = {0};
	char base[PATH_CAP], again[PATH_CAP];
	const char *rest = name;

	*ret = (struct path_parts){0};
	if (path_dir(base, run, PATH_RUN, NULL) < 0 || !scan_word(&rest, base) ||
	    !parse_relative(rest, &parts) || build(again, run, &parts, rest) < 0 ||
	    strcmp(again, name) != 0)
		return;
	parts.relative = rest;
	*ret = parts;
}
