// SPDX-License-Identifier: Apache-2.0
// The bucket layout: every name, taken apart again; names that are not the layout's.
#include "manifests/paths.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/tap.h"

#define KEY "0123456789abcdef01234567"
#define W63 "w23456789-123456789-123456789-123456789-123456789-123456789-123"

static struct run_ref ref_of(const char *url)
{
	struct run_ref ref = {0};
	struct err err = {0};

	if (run_ref_parse(url, &ref, &err) < 0)
		printf("# %s\n", err.text);
	return ref;
}

static void test_literal_names(const struct run_ref *run)
{
	struct attempt_ref at = {"w-1", 17, 3, 1};
	char n[PATH_CAP];

	ok(path_config(n, run, NULL) == 0 && !strcmp(n, "p/q/r1/config.json"), "%s", n);
	ok(path_tests_csv(n, run, NULL) == 0 && !strcmp(n, "p/q/r1/test-cases.csv"), "%s",
	   n);
	ok(path_configs_csv(n, run, NULL) == 0 && !strcmp(n, "p/q/r1/mount-configs.csv"),
	   "%s", n);
	ok(path_jobfile(n, run, NULL) == 0 && !strcmp(n, "p/q/r1/jobfile.fio"), "%s", n);
	ok(path_job(n, run, "w-1", 1, NULL) == 0 && !strcmp(n, "p/q/r1/jobs/w-1.json"),
	   "%s", n);
	ok(path_job(n, run, "w-1", 2, NULL) == 0 && !strcmp(n, "p/q/r1/jobs/w-1.r2.json"),
	   "%s", n);
	ok(path_control(n, run, 1, NULL) == 0 && !strcmp(n, "p/q/r1/control/0001.json"),
	   "%s", n);
	ok(path_control(n, run, 9999, NULL) == 0 &&
		   !strcmp(n, "p/q/r1/control/9999.json"),
	   "%s", n);
	ok(path_control(n, run, 10000, NULL) == 0 &&
		   !strcmp(n, "p/q/r1/control/10000.json"),
	   "%s", n);
	ok(path_worker(n, run, "w-1", NULL) == 0 && !strcmp(n, "p/q/r1/workers/w-1.json"),
	   "%s", n);
	ok(path_manifest(n, run, "w-1", NULL) == 0 &&
		   !strcmp(n, "p/q/r1/results/w-1/manifest.json"),
	   "%s", n);
	ok(path_worker_log(n, run, "w-1", NULL) == 0 &&
		   !strcmp(n, "p/q/r1/results/w-1/worker.log"),
	   "%s", n);
	ok(path_binary(n, run, KEY, BINARY_GCSFUSE, NULL) == 0 &&
		   !strcmp(n, "p/q/r1/binaries/" KEY "/gcsfuse"),
	   "%s", n);
	ok(path_binary(n, run, KEY, BINARY_JSON, NULL) == 0 &&
		   !strcmp(n, "p/q/r1/binaries/" KEY "/gcsfuse.json"),
	   "%s", n);
	ok(path_cache(n, run, KEY, BINARY_GCSFUSE, NULL) == 0 &&
		   !strcmp(n, "p/q/_cache/gcsfuse/" KEY "/gcsfuse"),
	   "%s", n);
	ok(path_report(n, run, "summary.md", NULL) == 0 &&
		   !strcmp(n, "p/q/r1/report/summary.md"),
	   "%s", n);
	ok(path_step(n, run, &at, STEP_RECORD, NULL) == 0 &&
		   !strcmp(n, "p/q/r1/results/w-1/test-17/step_3.json"),
	   "%s", n);
	at.attempt = 2;
	ok(path_step(n, run, &at, STEP_RECORD, NULL) == 0 &&
		   !strcmp(n, "p/q/r1/results/w-1/test-17/attempt-2/step_3.json"),
	   "%s", n);
}

static void test_step_files(void)
{
	static const char *const names[STEP_FILE_COUNT] = {
		[STEP_JOB_FIO] = "job_3.fio",
		[STEP_FIO_OUTPUT] = "fio_output_3.json",
		[STEP_MONITOR] = "monitor_3.csv",
		[STEP_GCSFUSE_LOG] = "gcsfuse_mount_3.log.gz",
		[STEP_RECORD] = "step_3.json",
	};
	char n[PATH_CAP];

	for (unsigned f = 0; f < STEP_FILE_COUNT; f++)
		ok(path_step_file(n, f, 3, NULL) == 0 && strcmp(n, names[f]) == 0, "%s",
		   names[f]);
	ok(path_step_file(n, STEP_FILE_COUNT, 3, NULL) == -EINVAL,
	   "no file past the last");
	ok(path_step_file(n, STEP_RECORD, 0, NULL) == -EINVAL, "no iteration 0");
}

static void test_dirs(const struct run_ref *run)
{
	static const char *const names[] = {
		[PATH_RUN] = "p/q/r1/",
		[PATH_JOBS] = "p/q/r1/jobs/",
		[PATH_CONTROL] = "p/q/r1/control/",
		[PATH_WORKERS] = "p/q/r1/workers/",
		[PATH_RESULTS] = "p/q/r1/results/",
		[PATH_BINARIES] = "p/q/r1/binaries/",
		[PATH_CLAIMS] = "p/q/r1/claims/",
	};
	struct path_parts parts;
	char n[PATH_CAP];

	for (unsigned d = 0; d < ARRAY_SIZE(names); d++) {
		ok(path_dir(n, run, d, NULL) == 0 && strcmp(n, names[d]) == 0, "%s",
		   names[d]);
		path_parse(run, n, &parts);
		ok(parts.kind == PATH_KIND_NONE, "%s is no object", names[d]);
	}
	ok(path_dir(n, run, ARRAY_SIZE(names), NULL) == -EINVAL,
	   "no folder past the last");
}

static const unsigned numbers[] = {1,	 2,    9,     10,	  17,	     999,
				   1000, 9999, 10000, 2147483648, UINT32_MAX};
static const char *const workers[] = {"w", "w-1", "a0", "manifest", "r2", W63};

static bool is_at(const struct run_ref *run, const char *name, const char *relative,
		  struct path_parts *ret)
{
	path_parse(run, name, ret);
	return ret->relative && strcmp(ret->relative, relative) == 0 &&
	       name <= ret->relative && ret->relative <= name + strlen(name);
}

static bool worker_names_return(const struct run_ref *run, const char *w)
{
	struct path_parts p = {0};
	char n[PATH_CAP];
	bool good = true;

	path_worker(n, run, w, NULL);
	path_parse(run, n, &p);
	good &= p.kind == PATH_KIND_WORKER && !strcmp(p.worker, w);
	path_manifest(n, run, w, NULL);
	path_parse(run, n, &p);
	good &= p.kind == PATH_KIND_MANIFEST && !strcmp(p.worker, w);
	path_worker_log(n, run, w, NULL);
	path_parse(run, n, &p);
	good &= p.kind == PATH_KIND_WORKER_LOG && !strcmp(p.worker, w);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		path_job(n, run, w, numbers[i], NULL);
		path_parse(run, n, &p);
		good &= p.kind == PATH_KIND_JOB && !strcmp(p.worker, w) &&
			p.round == numbers[i];
		path_arrival(n, run, numbers[i], w, NULL);
		path_parse(run, n, &p);
		good &= p.kind == PATH_KIND_ARRIVAL && !strcmp(p.worker, w) &&
			p.barrier == numbers[i];
	}
	return good;
}

static bool step_names_return(const struct run_ref *run, const char *w, unsigned file)
{
	struct attempt_ref at = {.worker = w};
	struct path_parts p = {0};
	char n[PATH_CAP];
	bool good = true;

	for (size_t m = 0; m < ARRAY_SIZE(numbers); m++)
		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
			for (size_t a = 0; a < ARRAY_SIZE(numbers); a++) {
				at.matrix_id = numbers[m];
				at.iteration = numbers[i];
				at.attempt = numbers[a];
				good &= path_step(n, run, &at, file, NULL) == 0;
				path_parse(run, n, &p);
				good &= p.kind == PATH_KIND_STEP_FILE &&
					!strcmp(p.worker, w) && p.file == file &&
					p.matrix_id == numbers[m] &&
					p.iteration == numbers[i] &&
					p.attempt == numbers[a];
			}
	return good;
}

static void test_round_trip(const struct run_ref *run)
{
	struct path_parts p = {0};
	char n[PATH_CAP];

	for (size_t w = 0; w < ARRAY_SIZE(workers); w++) {
		ok(worker_names_return(run, workers[w]), "names of worker %s return",
		   workers[w]);
		for (unsigned f = 0; f < STEP_FILE_COUNT; f++)
			ok(step_names_return(run, workers[w], f),
			   "names of %s's step file %u return", workers[w], f);
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		path_control(n, run, numbers[i], NULL);
		path_parse(run, n, &p);
		ok(p.kind == PATH_KIND_CONTROL && p.seq == numbers[i],
		   "control order %u returns", numbers[i]);
		path_verdict(n, run, numbers[i], NULL);
		path_parse(run, n, &p);
		ok(p.kind == PATH_KIND_VERDICT && p.barrier == numbers[i],
		   "verdict %u returns", numbers[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const unsigned v = numbers[i], u = numbers[ARRAY_SIZE(numbers) - 1 - i];
		bool good = true;

		for (size_t k = 0; k < ARRAY_SIZE(numbers); k++) {
			path_claim(n, run, v, u, numbers[k], NULL);
			path_parse(run, n, &p);
			good &= p.kind == PATH_KIND_CLAIM && p.matrix_id == v &&
				p.iteration == u && p.round == numbers[k];
		}
		ok(good, "claims of %u-%u return", v, u);
	}
	path_claim(n, run, 17, 2, 1, NULL);
	ok(is_at(run, n, "claims/17-2.json", &p), "claim of round 1");
	path_claim(n, run, 17, 2, 3, NULL);
	ok(is_at(run, n, "claims/17-2.r3.json", &p), "claim of round 3");
	ok(path_claim(n, run, 0, 1, 1, NULL) == -EINVAL &&
		   path_claim(n, run, 1, 0, 1, NULL) == -EINVAL &&
		   path_claim(n, run, 1, 1, 0, NULL) == -EINVAL,
	   "claims are numbered from 1");
	path_config(n, run, NULL);
	ok(is_at(run, n, "config.json", &p) && p.kind == PATH_KIND_CONFIG, "config");
	path_tests_csv(n, run, NULL);
	ok(is_at(run, n, "test-cases.csv", &p) && p.kind == PATH_KIND_INPUT &&
		   p.input == INPUT_TESTS_CSV,
	   "test cases");
	path_configs_csv(n, run, NULL);
	ok(is_at(run, n, "mount-configs.csv", &p) && p.kind == PATH_KIND_INPUT &&
		   p.input == INPUT_CONFIGS_CSV,
	   "mount configs");
	path_jobfile(n, run, NULL);
	ok(is_at(run, n, "jobfile.fio", &p) && p.kind == PATH_KIND_INPUT &&
		   p.input == INPUT_JOBFILE,
	   "job file");
	for (unsigned b = BINARY_GCSFUSE; b <= BINARY_JSON; b++) {
		path_binary(n, run, KEY, b, NULL);
		path_parse(run, n, &p);
		ok(p.kind == PATH_KIND_BINARY && p.binary == b && !strcmp(p.key, KEY),
		   "binary %u", b);
	}
	path_report(n, run, "results.csv", NULL);
	ok(is_at(run, n, "report/results.csv", &p) && p.kind == PATH_KIND_REPORT,
	   "report");
}

/* What follows [prefix/]<run>/ and is none of the layout's. */
static const char *const strange[] = {
	"barriers/1",
	"barriers/1/",
	"barriers/0/verdict.json",
	"barriers/01/verdict.json",
	"barriers/1/verdict.json/",
	"barriers//verdict.json",
	"barriers/x/verdict.json",
	"barriers/4294967296/verdict.json",
	"barriers/1/arrive/",
	"barriers/1/arrive/w-1",
	"barriers/1/arrive/W.json",
	"barriers/1/arrive/w-1.r2.json",
	"barriers/1/arrive/../w-1.json",
	"",
	"/",
	"config.json/",
	"Config.json",
	"config.json\n",
	"config",
	"/config.json",
	"./config.json",
	"../r1/config.json",
	"x/../config.json",
	"jobs",
	"jobs/",
	"jobs/.json",
	"jobs/w-1",
	"jobs/w-1.json.json",
	"jobs/w-1.r1.json",
	"jobs/w-1.r0.json",
	"jobs/w-1.r02.json",
	"jobs/w-1.r.json",
	"jobs/w-1.r-2.json",
	"jobs/w-1.r2x.json",
	"jobs/w-1.r4294967296.json",
	"jobs/W.json",
	"jobs/1w.json",
	"jobs/w_1.json",
	"jobs/w-.json",
	"jobs/w/1.json",
	"jobs/../w.json",
	"jobs/%2e%2e.json",
	"jobs/..json",
	"jobs//w.json",
	"jobs/w 1.json",
	("jobs/w" W63 ".json"),
	"control/1.json",
	"control/001.json",
	"control/0000.json",
	"control/00001.json",
	"control/010000.json",
	"control/-001.json",
	"control/+0001.json",
	"control/0001.JSON",
	"control/0001.json~",
	"control/4294967296.json",
	"control/00010.json",
	"workers/w-1",
	"workers/w-1.r2.json",
	"workers/.json",
	"workers/w-1/x.json",
	"workers/w.1.json",
	"results/w-1/",
	"results/w-1/manifest.jsom",
	"results/manifest.json",
	"results//manifest.json",
	"results/../manifest.json",
	"results/w-1/worker.log.gz",
	"results/w-1/../w-2/manifest.json",
	"results/w-1/test-17/manifest.json",
	"results/w-1/test-17",
	"results/w-1/test-17/",
	"results/w-1/test-0/step_1.json",
	"results/w-1/test-017/step_1.json",
	"results/w-1/test-17/step_0.json",
	"results/w-1/test-17/step_01.json",
	"results/w-1/test-17/step_.json",
	"results/w-1/test-17/step_1.jso",
	"results/w-1/test-17/step_1.json.gz",
	"results/w-1/test-17/job_1.json",
	"results/w-1/test-17/fio_output_1.fio",
	"results/w-1/test-17/gcsfuse_mount_1.log",
	"results/w-1/test-17/monitor_1.csv\t",
	"results/w-1/test-17/attempt-1/step_1.json",
	"results/w-1/test-17/attempt-0/step_1.json",
	"results/w-1/test-17/attempt-02/step_1.json",
	"results/w-1/test-17/attempt-2/",
	"results/w-1/test-17/attempt-2",
	"results/w-1/test-17/attempt-2/attempt-3/step_1.json",
	"results/w-1/test-17/attempt-4294967296/step_1.json",
	"results/w-1/test-4294967296/step_1.json",
	"results/w-1/test--1/step_1.json",
	"results/w-1/test-17//step_1.json",
	"results/w-1//test-17/step_1.json",
	"results/w-1/test-17/../test-18/step_1.json",
	"results/w-1/test-%31/step_1.json",
	"results/w-1/test-17/passwd",
	"results/W/test-17/step_1.json",
	"binaries/" KEY,
	"binaries/" KEY "/",
	"binaries/" KEY "/gcsfuse2",
	"binaries/" KEY "/../gcsfuse",
	"binaries/" KEY "0/gcsfuse",
	"binaries/0123456789abcdef0123456/gcsfuse",
	"binaries/0123456789ABCDEF01234567/gcsfuse",
	"report/",
	"report/a/b",
	"report/..",
	"report/.x",
	"report/a\x01"
	"b",
	"report//a",
	"claims/x",
	"claims/1-1",
	"claims/1-1.r1.json",
	"claims/1-1.r02.json",
	"claims/01-1.json",
	"claims/1-0.json",
	"claims/1.json",
	"claims/1-1-1.json",
	"claims/1-1.json.json",
	"claims/1-1.r2.r2.json",
	"claims/4294967296-1.json",
	"barriers/x",
	"_cache/gcsfuse/" KEY "/gcsfuse",
	"worker.log",
	"test-cases.csv ",
};

static void test_strange_names(const struct run_ref *run)
{
	struct path_parts p;
	char n[2 * PATH_CAP];

	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		snprintf(n, sizeof(n), "p/q/r1/%s", strange[i]);
		memset(&p, 0xff, sizeof(p));
		path_parse(run, n, &p);
		ok(p.kind == PATH_KIND_NONE && !p.relative && !p.worker[0],
		   "strange name %zu is none of ours", i);
	}
	path_parse(run, "p/q/r2/config.json", &p);
	ok(p.kind == PATH_KIND_NONE, "another run's name is none of ours");
	path_parse(run, "r1/config.json", &p);
	ok(p.kind == PATH_KIND_NONE, "a name without the prefix is none of ours");
	path_parse(run, "p/q/_cache/gcsfuse/" KEY "/gcsfuse", &p);
	ok(p.kind == PATH_KIND_NONE, "the cache is outside the run");
	memset(n, 'a', sizeof(n) - 1);
	n[sizeof(n) - 1] = '\0';
	memcpy(n, "p/q/r1/report/", 14);
	path_parse(run, n, &p);
	ok(p.kind == PATH_KIND_NONE, "an over-long name is none of ours");
}

static void test_refused_parts(const struct run_ref *run)
{
	static const char *const names[] = {"",	   "W",	 "1w",	"w_1", "w-",	 "-w",
					    "a/b", "..", "a.b", "w\n", ("w" W63)};
	static const char *const labels[] = {"", "..", ".x", "a/b", "-x", "a b", "a\n"};
	struct run_ref odd = *run;
	char n[PATH_CAP] = "untouched";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct attempt_ref at = {names[i], 1, 1, 1};
		struct err err = {0};

		ok(path_job(n, run, names[i], 1, NULL) == -EINVAL &&
			   path_worker(n, run, names[i], NULL) == -EINVAL &&
			   path_manifest(n, run, names[i], NULL) == -EINVAL &&
			   path_worker_log(n, run, names[i], NULL) == -EINVAL &&
			   path_step(n, run, &at, STEP_RECORD, &err) == -EINVAL &&
			   err.text[0],
		   "bad worker name %zu is refused everywhere", i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		ok(path_report(n, run, labels[i], NULL) == -EINVAL,
		   "bad report name %zu is refused", i);
	for (unsigned zero = 0; zero < 3; zero++) {
		struct attempt_ref at = {"w", zero != 0, zero != 1, zero != 2};

		ok(path_step(n, run, &at, STEP_RECORD, NULL) == -EINVAL,
		   "a step with zero as number %u is refused", zero);
	}
	ok(path_job(n, run, "w", 0, NULL) == -EINVAL, "round 0 is refused");
	ok(path_control(n, run, 0, NULL) == -EINVAL, "order 0 is refused");
	ok(path_binary(n, run, "../../../../../../../../x", 0, NULL) == -EINVAL &&
		   path_cache(n, run, "xyz", 0, NULL) == -EINVAL,
	   "a bad key is refused");
	str_copy(odd.run, sizeof(odd.run), "..");
	ok(path_config(n, &odd, NULL) == -EINVAL, "a run that is no run is refused");
	odd = *run;
	str_copy(odd.prefix, sizeof(odd.prefix), "a/../b");
	ok(path_config(n, &odd, NULL) == -EINVAL &&
		   path_cache(n, &odd, KEY, 0, NULL) == -EINVAL,
	   "a prefix that is none is refused");
	ok(strcmp(n, "untouched") == 0, "nothing is written on a failure");
}

static void test_step_ids(void)
{
	static const char *const bad[] = {"",
					  "-",
					  "1",
					  "1-",
					  "-1",
					  "0-1",
					  "1-0",
					  "01-1",
					  "1-01",
					  "1-1-1",
					  "1--1",
					  "+1-1",
					  "1 -1",
					  "1-1 ",
					  "1-1\n",
					  "a-1",
					  "1-4294967296",
					  "4294967296-1",
					  "99999999999999999999-1",
					  "../1-1"};
	unsigned m = 0, i = 0;
	char id[STEP_ID_CAP];

	for (size_t a = 0; a < ARRAY_SIZE(numbers); a++)
		for (size_t b = 0; b < ARRAY_SIZE(numbers); b++) {
			step_id_format(id, numbers[a], numbers[b]);
			ok(step_id_parse(id, &m, &i, NULL) == 0 && m == numbers[a] &&
				   i == numbers[b],
			   "step %s and back", id);
		}
	for (size_t b = 0; b < ARRAY_SIZE(bad); b++) {
		struct err err = {0};

		ok(step_id_parse(bad[b], &m, &i, &err) == -EINVAL &&
			   !strchr(err.text, '\n'),
		   "bad step id %zu is refused", b);
	}
}

int main(void)
{
	struct run_ref run = ref_of("gs://ctl/p/q/r1"), bare = ref_of("gs://ctl/r1");
	char n[PATH_CAP];

	test_literal_names(&run);
	test_step_files();
	test_dirs(&run);
	test_round_trip(&run);
	test_round_trip(&bare);
	ok(path_cache(n, &bare, KEY, BINARY_JSON, NULL) == 0 &&
		   strcmp(n, "_cache/gcsfuse/" KEY "/gcsfuse.json") == 0,
	   "the cache of a run without a prefix");
	test_strange_names(&run);
	test_refused_parts(&run);
	test_step_ids();
	return done_testing();
}
