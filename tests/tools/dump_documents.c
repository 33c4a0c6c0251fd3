// SPDX-License-Identifier: Apache-2.0
// Documents by hand, for tests of the schemas:
//   dump_documents print KIND   one document of that kind, written by the C code
//   dump_documents check KIND   reads documents from stdin, one a line; says "ok" or why
//                               not, one line each
#include <stdio.h>

#include "tests/tools/documents.h"

#define KEY "0123456789abcdef01234567"
#define SHA KEY KEY "0123456789abcdef"

static const char *const args[] = {"--implicit-dirs", "a \"b\" = 'c'", ""};
static const char *const env[] = {"A=1", "B=x=y"};
static const char *const workers[] = {"w-1", "w-2"};
static const char *const steps[] = {"2-1", "4-10"};
static const char *const allowed[] = {"zonemode"};
static unsigned looks[] = {4, 8};

static struct arm arms[] = {
	{.config_id = 1,
	 .label = "grpc",
	 .requested = "master",
	 .module = "github.com/googlecloudplatform/gcsfuse/v3",
	 .version = "v3.13.0",
	 .h1 = "h1:AAAA=",
	 .go = "go1.27.2",
	 .key = KEY,
	 .role = ROLE_BUILD,
	 .n_args = ARRAY_SIZE(args),
	 .args = (const char **)args,
	 .n_env = ARRAY_SIZE(env),
	 .env = (const char **)env},
	{.config_id = 2, .label = "local", .kind = ARM_DIR},
};
static struct test_case cases[] = {
	{.test_id = 1,
	 .fio_job = "[j]\ndirectory=${MUSTER_DIR}\n",
	 .data_bytes = 1 << 20,
	 .has_io_bytes = true,
	 .io_bytes = 1 << 20,
	 .data_key = KEY,
	 .timeout_s = 60},
	{.test_id = 2,
	 .fio_job = "[j]\n",
	 .writes = true,
	 .data_key = KEY,
	 .timeout_s = 60},
};
static struct job_step plan[] = {{2, 2, 1, 1, 1, 1, 1, 0, NULL},
				 {4, 2, 2, 10, 1, 2, 1, 0, "w-2"}};

static json_t *make_job(void)
{
	struct job job = {
		.run = "r1",
		.worker = "w-1",
		.round = 1,
		.config_sha256 = SHA,
		.control_url = "gs://ctl/r1",
		.data = {.bucket = "b", .prefix = "a/b", .endpoint = "http://h:1"},
		.settings = job_settings_default(),
		.n_arms = ARRAY_SIZE(arms),
		.arms = arms,
		.n_cases = ARRAY_SIZE(cases),
		.cases = cases,
		.n_steps = ARRAY_SIZE(plan),
		.steps = plan,
		.n_allowed_options = ARRAY_SIZE(allowed),
		.allowed_options = (const char **)allowed,
	};

	return job_to_json(&job);
}

static json_t *make_config(void)
{
	struct config config = {
		.run = "r1",
		.tests_sha256 = SHA,
		.fio_sha256 = SHA,
		.design = DESIGN_SPREAD,
		.seed = INT64_MAX,
		.iterations = 10,
		.replicas = 1,
		.n_looks = ARRAY_SIZE(looks),
		.looks = looks,
		.n_workers = ARRAY_SIZE(workers),
		.workers = (const char **)workers,
		.data = {.bucket = "b", .prefix = ""},
		.settings = job_settings_default(),
		.n_arms = ARRAY_SIZE(arms),
		.arms = arms,
		.n_cases = ARRAY_SIZE(cases),
		.cases = cases,
	};

	return config_to_json(&config);
}

static json_t *make_control(void)
{
	struct control control = {
		.kind = CONTROL_REASSIGN,
		.n_workers = ARRAY_SIZE(workers),
		.workers = (const char **)workers,
		.n_steps = ARRAY_SIZE(steps),
		.steps = (const char **)steps,
		.round = 2,
		.reason = "w-1 is stale",
	};

	return control_to_json(&control);
}

static json_t *make_worker(void)
{
	struct heartbeat hb = {
		.run = "r1",
		.worker = "w-1",
		.incarnation = {1, "00112233445566778899aabbccddeeff", "boot", "42"},
		.state = WORKER_RUNNING,
		.step = "2-1",
		.attempt = 1,
		.total = 2,
		.progress = "mount",
		.at = "2026-11-20T14:05:06.123Z",
	};

	return heartbeat_to_json(&hb);
}

static json_t *make_manifest(void)
{
	struct manifest_step lines[] = {
		{.step = "2-1",
		 .attempt = 1,
		 .state = ATTEMPT_OK,
		 .has_summary = true,
		 .bw_bytes_per_s = 1e9,
		 .iops = 0.5,
		 .lat_p50_ns = 1,
		 .lat_p99_ns = 2},
		{.step = "4-10", .attempt = 1, .reason = "not yet"},
	};
	struct manifest m = {
		.run = "r1",
		.worker = "w-1",
		.round = 1,
		.incarnation = {.n = 1},
		.provenance = {.kernel = "6.12", .cpus = 2, .flags = (char[]){"a b"}},
		.n_steps = ARRAY_SIZE(lines),
		.steps = lines,
	};

	return manifest_to_json(&m);
}

static json_t *make_step(void)
{
	struct step_record rec;

	step_record_init(&rec);
	str_copy(rec.run, sizeof(rec.run), "r1");
	str_copy(rec.worker, sizeof(rec.worker), "w-1");
	rec.incarnation.n = 1;
	rec.matrix_id = rec.test_id = rec.iteration = rec.attempt = 2;
	rec.state = ATTEMPT_TIMEOUT;
	rec.signal = 9;
	rec.phase_ns[PHASE_MOUNT] = 12345;
	rec.start.max_background = 12;
	rec.host.clock_step_ns = -1;
	rec.n_columns = 1;
	rec.columns[0] = (struct monitor_column){"fuse_waiting", 0.25, 3};
	rec.n_files = 1;
	rec.files[0] = (struct step_file_ref){"job_2.fio", 80, 1, 0xe3069283, false};
	return step_record_to_json(&rec);
}

static json_t *make_claim(void)
{
	char ids[][STEP_ID_CAP] = {"2-1", "4-10"};
	struct claim claim = {
		.run = "r1",
		.round = 2,
		.matrix_id = 2,
		.iteration = 1,
		.n_steps = ARRAY_SIZE(ids),
		.steps = ids,
		.worker = "w-3",
		.incarnation = {.n = 1},
		.from = "w-1",
	};

	return claim_to_json(&claim);
}

static json_t *make_arrival(void)
{
	struct arrival a = {
		.run = "r1",
		.worker = "w-1",
		.incarnation = {.n = 1},
		.barrier = 2,
		.step = "2-1",
		.attempt = 1,
		.has_offset = true,
		.offset_ns = -5,
		.bound_ns = 1000,
	};

	return arrival_to_json(&a);
}

static json_t *make_verdict(void)
{
	struct verdict_doc v = {
		.run = "r1",
		.barrier = 2,
		.is_go = true,
		.go_server_ns = 12345,
		.policy = BARRIER_BEST_EFFORT,
		.n_members = ARRAY_SIZE(workers),
		.members = (const char **)workers,
		.worker = "w-2",
	};

	return verdict_to_json(&v);
}

static int print(enum document kind)
{
	static json_t *(*const make[DOC_COUNT])(void) = {
		[DOC_JOB] = make_job,		[DOC_CONFIG] = make_config,
		[DOC_CONTROL] = make_control,	[DOC_WORKER] = make_worker,
		[DOC_MANIFEST] = make_manifest, [DOC_STEP] = make_step,
		[DOC_CLAIM] = make_claim,	[DOC_ARRIVAL] = make_arrival,
		[DOC_VERDICT] = make_verdict,
	};
	struct vm_config vm = {.run_url = "gs://ctl/a/r1", .debug = true};
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_json json_t *doc = kind == DOC_VM ? vm_config_to_json(&vm) : make[kind]();
	struct err err = {0};

	if (json_dump(doc, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	fputs(str_text(&text), stdout);
	return 0;
}

static int check(enum document kind)
{
	cleanup_free char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) >= 0) {
		cleanup_str struct str again = STR_INIT(1 << 20);
		struct err err = {0};

		if (document_again(kind, line, (size_t)n, &again, NULL, &err) == 0)
			puts("ok");
		else
			puts(err.text[0] ? err.text : "could not be written again");
	}
	return 0;
}

int main(int argc, char **argv)
{
	enum document kind = argc == 3 ? document_find(argv[2]) : DOC_COUNT;

	if (kind < DOC_COUNT && strcmp(argv[1], "print") == 0)
		return print(kind);
	if (kind < DOC_COUNT && strcmp(argv[1], "check") == 0)
		return check(kind);
	fprintf(stderr, "usage: dump_documents print|check KIND\n");
	return 2;
}
