// SPDX-License-Identifier: Apache-2.0
// The orders: job, config, control and the VM's own, read strictly.
#include "tests/unit/golden.h"

/* "key": what is wrong with it; the error names the field */
static const struct spoil job_spoils[] = {
	{"schema", "\"muster/job/2\"", "job: schema: is \"muster/job/2\""},
	{"schema", "\"muster/config/1\"", "job: schema: is"},
	{"schema", NULL, "job: schema: missing"},
	{"extra", "1", "job: extra: unknown key"},
	{"worker", NULL, "job: worker: missing"},
	{"worker", "null", "job: worker: must not be null"},
	{"worker", "1", "job: worker: not a string"},
	{"worker", "\"../w\"", "job: worker: \"../w\" is not a worker's name"},
	{"worker", "\"W\\n1\"", "job: worker: \"W\\x0a1\" is not"},
	{"run", "\"../r1\"", "job: run:"},
	{"run", "\"r2\"", "job.control: url: does not end in the run \"r2\""},
	{"round", "0", "job: round: 0 is not between 1"},
	{"round", "1.0", "job: round: not a whole number"},
	{"round", "-1", "job: round: must not be negative"},
	{"config_sha256", "\"abc\"", "job: config_sha256:"},
	{"control", "{}", "job.control: url: missing"},
	{"control.url", "\"gs://ctl/../r1\"", "job.control: url:"},
	{"control.url", "\"gs://ctl/prefix/r1/\"", "job.control: url:"},
	{"control.url", "\"http://ctl/r1\"", "job.control: url:"},
	{"control.token", "\"x\"", "job.control: token: unknown key"},
	{"data.bucket", "\"../b\"", "job.data: bucket:"},
	{"data.prefix", "\"a/../b\"", "job.data: prefix:"},
	{"data.prefix", "\"../a\"", "job.data: prefix:"},
	{"data.prefix", "\"/a\"", "job.data: prefix:"},
	{"data.prefix", "\"a/\"", "job.data: prefix:"},
	{"data.prefix", "\"a:b\"", "job.data: prefix:"},
	{"data.prefix", "\"\"", NULL},
	{"data.endpoint", "null", NULL},
	{"data.endpoint", "\"ftp://x\"", "job.data: endpoint:"},
	{"data.endpoint", "\"http://\"", "job.data: endpoint:"},
	{"data.endpoint", "\"http://u@h\"", "job.data: endpoint:"},
	{"data.endpoint", "\"http://h/\"", "job.data: endpoint:"},
	{"data.endpoint", "\"http://h/a b\"", "job.data: endpoint:"},
	{"data.endpoint", "\"http://[::1]:4443\"", NULL},
	{"data.auth", "\"token\"", "job.data: auth: \"token\" is none of adc, anonymous"},
	{"settings.heartbeat_s", "0", "job.settings: heartbeat_s: 0 is not between"},
	{"settings.heartbeat_s", "120", "job.settings: stale_s: must be more than"},
	{"settings.stale_s", "86401", "job.settings: stale_s: 86401 is not between"},
	{"settings.monitor_hz", "101", "job.settings: monitor_hz:"},
	{"settings.monitor_hz", "0", "job.settings: monitor_hz:"},
	{"settings.max_attempts", "101", "job.settings: max_attempts:"},
	{"settings.mount_timeout_s", "604801", "job.settings: mount_timeout_s:"},
	{"settings.layout_timeout_s", "0", "job.settings: layout_timeout_s:"},
	{"settings.upload_timeout_s", "5000000000", "job.settings: upload_timeout_s:"},
	{"settings.drop_caches", "1", "job.settings: drop_caches: not true or false"},
	{"settings.keep_data", NULL, "job.settings: keep_data: missing"},
	{"settings.sleep_s", "1", "job.settings: sleep_s: unknown key"},
	{"settings.allow_options", "[\"zonemode\"]", NULL},
	{"settings.allow_options", "[]", "job.settings: allow_options:"},
	{"settings.allow_options", "null", "job.settings: allow_options:"},
	{"settings.allow_options", "[\"a\",\"a\"]", "allow_options: has an entry twice"},
	{"settings.allow_options", "[\"../x\"]",
	 "allow_options: [0] is not a fio option"},
	{"settings.allow_options", "\"zonemode\"", "job.settings: allow_options:"},
	{"arms", "{}", "job: arms: not an array"},
	{"arms.0", "1", "job.arms[0]: not an object"},
	{"arms.0.config_id", "2", "job: arms: two have the same config_id"},
	{"arms.0.config_id", "0", "job: arms: config_id 0 is for a single arm"},
	{"arms.0.label", "\"dir\"", "job: arms: two have the same label"},
	{"arms.0.label", "\"../x\"", "job.arms[0]: label: \"../x\" is not a label"},
	{"arms.0.label", "\"\"", "job.arms[0]: label:"},
	{"arms.0.kind", "\"nfs\"", "job.arms[0]: kind: \"nfs\" is none of gcsfuse, dir"},
	{"arms.0.kind", "\"dir\"", "job.arms[0]: kind: a \"dir\" has no pin"},
	{"arms.2.role", "\"fetch\"", "job.arms[2]: kind: a \"dir\" has no pin"},
	{"arms.2.requested", "\"/mnt/x\"", NULL},
	{"arms.0.requested", "\"a/../b\"", "job.arms[0]: requested:"},
	{"arms.0.module", "\"github.com/../x\"", "job.arms[0]: module:"},
	{"arms.0.module", "\"-x\"", "job.arms[0]: module:"},
	{"arms.0.module", "\"a b\"", "job.arms[0]: module:"},
	{"arms.0.module", "\"\"", "job.arms[0]: module:"},
	{"arms.0.module", "\"a@v1\"", "job.arms[0]: module:"},
	{"arms.0.version", "\"-v1\"", "job.arms[0]: version:"},
	{"arms.0.version", "\"v1 -exec=x\"", "job.arms[0]: version:"},
	{"arms.0.version", "\"v1/../v2\"", "job.arms[0]: version:"},
	{"arms.0.version", "\"v3.0.0-20261120140506-0123456789ab+dirty\"", NULL},
	{"arms.0.version", "null", "job.arms[0]: role: building needs module, version"},
	{"arms.0.go", "\"go1.27\"", NULL},
	{"arms.0.go", "\"go1\"", "job.arms[0]: go:"},
	{"arms.0.go", "\"go2.1.1\"", "job.arms[0]: go:"},
	{"arms.0.go", "\"go1.27.2.1\"", "job.arms[0]: go:"},
	{"arms.0.go", "\"go1.27+path\"", "job.arms[0]: go:"},
	{"arms.0.go", "\"local\"", "job.arms[0]: go:"},
	{"arms.0.h1", "\"sha256:abc\"", "job.arms[0]: h1:"},
	{"arms.0.h1", "\"h1:\"", "job.arms[0]: h1:"},
	{"arms.0.h1", "null", NULL},
	{"arms.0.commit", "\"abc\"", "job.arms[0]: commit:"},
	{"arms.0.key", "\"0123\"", "job.arms[0]: key:"},
	{"arms.0.key", "\"../../../../../../../../\"", "job.arms[0]: key:"},
	{"arms.0.key", "null", "job.arms[0]: key: must not be null for gcsfuse"},
	{"arms.0.sha256", "\"ABC\"", "job.arms[0]: sha256:"},
	{"arms.0.role", "null", "job.arms[0]: role: must not be null for gcsfuse"},
	{"arms.0.role", "\"steal\"", "job.arms[0]: role: is none of"},
	{"arms.0.role", NULL, "job.arms[0]: role: missing"},
	{"arms.0.mount_args", "\"-o ro\"", "job.arms[0]: mount_args: not an array"},
	{"arms.0.mount_args.0", "1", "job.arms[0]: mount_args: [0] is not"},
	{"arms.0.mount_args.0", "\"--only-dir=../x\"", "job.arms[0]: mount_args: [0]"},
	{"arms.0.mount_args.0", "\"a b\\n\\u0001\"", NULL},
	{"arms.0.config_file", "1", "job.arms[0]: config_file: not a string"},
	{"arms.0.env", "[\"A=1\"]", "job.arms[0]: env: not an object"},
	{"arms.0.env", "{\"A=B\":\"1\"}",
	 "job.arms[0]: env: \"A=B\" is not a variable's"},
	{"arms.0.env", "{\"1A\":\"1\"}", "job.arms[0]: env: \"1A\""},
	{"arms.0.env", "{\"\":\"1\"}", "job.arms[0]: env: \"\""},
	{"arms.0.env", "{\"A\":1}", "job.arms[0]: env: A is not a string"},
	{"arms.0.env", "{\"A\":\"/x/../y\"}", "job.arms[0]: env: A is not a string free"},
	{"arms.0.shell", "\"sh\"", "job.arms[0]: shell: unknown key"},
	{"cases.0.test_id", "0", "job.cases[0]: test_id:"},
	{"cases.0.test_id", "7", "job: cases: two have the same test_id"},
	{"cases.0.params", "[]", "job.cases[0]: params: not an object"},
	{"cases.0.params.bs", "1", "job.cases[0]: params: bs is not a string"},
	{"cases.0.fio_job", "\"\"", "job.cases[0]: fio_job: must not be empty"},
	{"cases.0.fio_job", "null", "job.cases[0]: fio_job: must not be null"},
	{"cases.0.writes", "0", "job.cases[0]: writes: not true or false"},
	{"cases.0.data_bytes", "-1", "job.cases[0]: data_bytes: must not be negative"},
	{"cases.0.io_bytes", "\"1\"", "job.cases[0]: io_bytes: not a whole number"},
	{"cases.0.io_bytes", "0", NULL},
	{"cases.0.data_key", "\"../x\"", "job.cases[0]: data_key:"},
	{"cases.0.timeout_s", "0", "job.cases[0]: timeout_s:"},
	{"steps.0.step", "\"1-2\"", "job.steps[0]: step: is not \"1-1\""},
	{"steps.0.step", "\"../1-1\"", "job.steps[0]: step: is not \"1-1\""},
	{"steps.0.matrix_id", "0", "job.steps[0]: matrix_id:"},
	{"steps.0.iteration", "0", "job.steps[0]: iteration:"},
	{"steps.0.attempt", "0", "job.steps[0]: attempt:"},
	{"steps.0.test_id", "2", "job: steps: [0]: no case has test_id 2"},
	{"steps.0.config_id", "9", "job: steps: [0]: no arm has config_id 9"},
	{"steps.0.node", "1", "job.steps[0]: node: unknown key"},
	{"steps.0", "null", "job.steps[0]: not an object"},
	{"steps.0",
	 "{\"step\":\"3-1\",\"matrix_id\":3,\"test_id\":1,\"config_id\":2,\"iteration\":"
	 "1,"
	 "\"block\":1,\"pos\":2,\"attempt\":1}",
	 "job: steps: 3-1 is there twice"},
};

static const struct spoil together_spoils[] = {
	{"settings.barrier", NULL, "job: steps: [0]: a barrier without its settings"},
	{"settings.barrier", "null", "job.settings: barrier: must not be null"},
	{"settings.barrier.policy", "\"some\"",
	 "job.settings.barrier: policy: \"some\" is none of all, majority, best-effort"},
	{"settings.barrier.timeout_s", "0", "job.settings.barrier: timeout_s: 0 is not"},
	{"settings.barrier.lead_ms", "0", "job.settings.barrier: lead_ms: 0 is not"},
	{"settings.barrier.lead_ms", NULL, "job.settings.barrier: lead_ms: missing"},
	{"settings.barrier.members", "[]",
	 "job.settings.barrier: members: is not a sorted list"},
	{"settings.barrier.members", "[\"w-2\",\"w-1\"]",
	 "job.settings.barrier: members: is not a sorted list"},
	{"settings.barrier.members", "[\"w-1\",\"w-1\"]",
	 "job.settings.barrier: members: has an entry twice"},
	{"settings.barrier.members", "[\"../x\"]",
	 "job.settings.barrier: members: [0] is not a worker's name"},
	{"settings.barrier.quorum", "2", "job.settings.barrier: quorum: unknown key"},
	{"steps.0.barrier", "0", "job.steps[0]: barrier: 0 is not between"},
	{"steps.0.barrier", "null", "job.steps[0]: barrier: must not be null"},
	{"steps.0.barrier", NULL, NULL},
};

static const struct spoil verdict_spoils[] = {
	{"decision", "\"wait\"", "verdict: decision: \"wait\" is none of abort, go"},
	{"decision", "\"abort\"",
	 "verdict: go_server_ns: is a time for go, null for abort"},
	{"go_server_ns", "null",
	 "verdict: go_server_ns: is a time for go, null for abort"},
	{"go_server_ns", "-1", "verdict: go_server_ns: must not be negative"},
	{"reason", "\"x\"", "verdict: reason: is null for go, a text for abort"},
	{"barrier", "0", "verdict: barrier: 0 is not between"},
	{"policy", "\"any\"", "verdict: policy: is none of"},
	{"members", "[\"w-1\",\"w-1\"]", "verdict: members: has an entry twice"},
	{"worker", "\"../w\"", "verdict: worker:"},
	{"run", NULL, "verdict: run: missing"},
	{"quorum", "2", "verdict: quorum: unknown key"},
};

static const struct spoil config_spoils[] = {
	{"schema", "\"muster/config/0\"", "config: schema: is"},
	{"nonce", "\"x\"", "config: nonce: unknown key"},
	{"inputs.tests", "null", "config.inputs: tests: must not be null"},
	{"inputs.configs", "null", NULL},
	{"inputs.fio", "\"../x\"", "config.inputs: fio:"},
	{"inputs.csv", "\"\"", "config.inputs: csv: unknown key"},
	{"design", "\"sideways\"",
	 "config: design: \"sideways\" is none of blocks, spread, together"},
	{"design", "\"together\"",
	 "config: design: settings.barrier is of design together only"},
	{"settings.barrier",
	 "{\"policy\":\"all\",\"timeout_s\":1,\"lead_ms\":1,\"members\":[\"w-1\"]}",
	 "config: design: settings.barrier is of design together only"},
	{"seed", "null", "config: seed: must not be null"},
	{"seed", "-1", "config: seed: must not be negative"},
	{"seed", "\"1\"", "config: seed: not a whole number"},
	{"seed", "9223372036854775807", NULL},
	{"iterations", "0", "config: iterations:"},
	{"replicas", "0", "config: replicas:"},
	{"looks", "[0]", "config: looks: [0] is not between"},
	{"looks", "[1.5]", "config: looks: [0] is not between"},
	{"workers", "[]", "config: workers: must not be empty"},
	{"workers", "null", "config: workers: must not be null"},
	{"workers.1", "\"w-1\"", "config: workers: has an entry twice"},
	{"workers.1", "\"../w\"", "config: workers: [1] is not a worker's name"},
	{"arms", "[]", "config: arms: 0 entries, not 1 to"},
	{"arms.0.role", "\"build\"", "config.arms[0]: role: unknown key"},
	{"arms.0.label", "\"../x\"", "config.arms[0]: label:"},
	{"cases", "[]", "config: cases: must not be empty"},
	{"data.prefix", "\"../x\"", "config.data: prefix:"},
	{"settings.stale_s", "1", "config.settings: stale_s: must be more than"},
};

static const struct spoil control_spoils[] = {
	{"schema", "\"muster/control/2\"", "control: schema: is"},
	{"kind", "\"halt\"", "control: kind: \"halt\" is none of drain, abort, resume"},
	{"kind", NULL, "control: kind: missing"},
	{"workers", NULL, "control: workers: missing"},
	{"workers", "null", NULL},
	{"workers", "\"w-1\"", "control: workers: not an array"},
	{"workers.0", "\"../w\"", "control: workers: [0] is not a worker's name"},
	{"workers.0", "\"w-2\"", "control: workers: has an entry twice"},
	{"steps.0", "\"../1\"", "control: steps: [0] is not a step"},
	{"steps.0", "\"01-1\"", "control: steps: [0] is not a step"},
	{"round", "0", "control: round:"},
	{"round", "4294967296", "control: round:"},
	{"round", "\"2\"", "control: round: not a whole number"},
	{"reason", "1", "control: reason: not a string"},
	{"at", "\"now\"", "control: at: unknown key"},
};

static const struct spoil vm_spoils[] = {
	{"schema", "\"muster/vm/9\"", "vm: schema: is"},
	{"run_url", "\"gs://ctl/../r1\"", "vm: run_url:"},
	{"run_url", NULL, NULL},
	{"worker", "\"../w\"", "vm: worker:"},
	{"worker", NULL, NULL},
	{"endpoint", "\"localhost:4443\"", "vm: endpoint:"},
	{"endpoint", "null", NULL},
	{"debug", "\"yes\"", "vm: debug: not true or false"},
	{"debug", NULL, NULL},
	{"token", "\"x\"", "vm: token: unknown key"},
};

static void test_golden(void)
{
	static const struct {
		enum document kind;
		const char *name;
	} docs[] = {
		{DOC_JOB, "job-1"},	    {DOC_JOB, "job-2"},
		{DOC_CONFIG, "config-1"},   {DOC_CONFIG, "config-2"},
		{DOC_JOB, "job-3"},	    {DOC_CONFIG, "config-3"},
		{DOC_VERDICT, "verdict-1"}, {DOC_VERDICT, "verdict-2"},
		{DOC_CONTROL, "control-1"}, {DOC_CONTROL, "control-2"},
		{DOC_CONTROL, "control-3"}, {DOC_CONTROL, "control-4"},
		{DOC_VM, "vm-1"},	    {DOC_VM, "vm-2"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		golden_returns(docs[i].kind, docs[i].name);
		golden_cut(docs[i].kind, docs[i].name);
	}
}

static void test_spoils(enum document kind, const char *name, const struct spoil *s,
			size_t n)
{
	for (size_t i = 0; i < n; i++)
		golden_spoil(kind, name, &s[i]);
}

/* What the JSON reader refuses before any field is looked at. */
static void test_not_documents(void)
{
	static const char *const texts[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"schema\":\"muster/job/1\"}x",
		"{\"schema\":\"muster/job/1\",\"schema\":\"muster/job/1\"}",
		"{\"schema\":\"muster/job/1\",\"run\":\"r\\u0000\"}",
		"\xff\xfe{}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (unsigned k = DOC_JOB; k <= DOC_VM; k++) {
			cleanup_str struct str again = STR_INIT(1 << 20);
			struct err err = {0};
			int r = document_again(k, texts[i], strlen(texts[i]), &again,
					       NULL, &err);

			ok(r == -EINVAL && err.text[0] && !strchr(err.text, '\n'),
			   "text %zu is no %s: %s", i, document_names[k], err.text);
		}
}

static void test_fields(void)
{
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_json json_t *doc = golden_load("job-1");
	cleanup_job struct job job = {0};
	const struct arm *arm;

	json_dump(doc, &text, NULL);
	ok(job_parse(str_text(&text), text.len, &job, NULL) == 0, "the sample job");
	arm = job_find_arm(&job, 1);
	ok(arm && arm->n_args == 5 && !*arm->args[2] && arm->role == ROLE_WAIT &&
		   strcmp(arm->args[3], "it's \"quoted\" = ü") == 0,
	   "arguments keep quotes, blanks and order");
	ok(arm && arm->n_env == 3 && strcmp(arm->env[0], "A=") == 0 &&
		   strcmp(arm->env[1], "GODEBUG=x=1,y=2") == 0,
	   "the environment is NAME=value, by name");
	ok(!job_find_arm(&job, 4) && !job_find_case(&job, 2) && job_find_case(&job, 7),
	   "arms and cases are found by id");
	ok(job.cases[0].has_io_bytes && job.cases[0].io_bytes == 10485760 &&
		   !job.cases[1].has_io_bytes && job.cases[1].data_bytes == INT64_MAX,
	   "known and unknown I/O");
	ok(job.steps[2].iteration == UINT32_MAX && job.steps[2].attempt == 3,
	   "a step's numbers");
	ok(job.data.auth == STORE_AUTH_ANONYMOUS && job.settings.power_off &&
		   !job.settings.keep_data,
	   "data and settings");
}

static void test_env_order(void)
{
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_json json_t *doc = golden_load("job-1");
	cleanup_job struct job job = {0};

	golden_edit(doc, "arms.0.env",
		    "{\"B\":\"\",\"AB\":\"2\",\"A\":\"=1\",\"A_\":\"3\"}");
	json_dump(doc, &text, NULL);
	ok(job_parse(str_text(&text), text.len, &job, NULL) == 0 &&
		   strcmp(job.arms[0].env[0], "A==1") == 0 &&
		   strcmp(job.arms[0].env[1], "AB=2") == 0 &&
		   strcmp(job.arms[0].env[2], "A_=3") == 0 &&
		   strcmp(job.arms[0].env[3], "B=") == 0,
	   "names are sorted, whatever follows them");
}

/* A document built by hand: nothing of it is freed, and it can be read. */
static void test_by_hand(void)
{
	const char *args[] = {"--implicit-dirs"}, *env[] = {"A=1"},
		   *allowed[] = {"zonemode"};
	struct arm arm = {.config_id = 0,
			  .label = "default",
			  .kind = ARM_DIR,
			  .n_args = 1,
			  .args = args,
			  .n_env = 1,
			  .env = env};
	struct test_case c = {.test_id = 3,
			      .fio_job = "[j]\n",
			      .timeout_s = 1,
			      .data_key = "0123456789abcdef01234567"};
	struct job_step step = {3, 3, 0, 1, 1, 1, 1, 0, "w-9"};
	struct job job = {.run = "r",
			  .worker = "w",
			  .round = 1,
			  .control_url = "gs://c/r",
			  .data = {.bucket = "b", .prefix = ""},
			  .settings = job_settings_default(),
			  .n_arms = 1,
			  .arms = &arm,
			  .n_cases = 1,
			  .cases = &c,
			  .n_steps = 1,
			  .steps = &step,
			  .allowed_options = allowed,
			  .n_allowed_options = 1};
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_job struct job again = {0};
	cleanup_json json_t *doc = NULL;
	struct err err = {0};

	ok(!job_to_json(&(struct job){.run = "\xff"}),
	   "a text that is not UTF-8: no job");
	job.config_sha256 =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	doc = job_to_json(&job);
	json_dump(doc, &text, NULL);
	ok(job_parse(str_text(&text), text.len, &again, &err) == 0, "by hand: read %s",
	   err.text);
	ok(again.n_steps == 1 &&
		   memcmp(&again.steps[0], &step, offsetof(struct job_step, from)) == 0 &&
		   strcmp(again.steps[0].from, "w-9") == 0 &&
		   again.n_allowed_options == 1 && again.arms[0].config_id == 0 &&
		   again.cases[0].test_id == 3 && again.settings.layout_timeout_s == 7200,
	   "by hand: the same");
	job_done(&job);
	ok(!job.run, "by hand: done");
}

static void test_control_names(void)
{
	const char *names[] = {"w-1", "w-2"};
	struct control some = {.n_workers = 2, .workers = names}, none = {0};
	struct control all = {.all_workers = true};

	ok(control_names(&some, "w-1") && control_names(&some, "w-2") &&
		   !control_names(&some, "w-3") && !control_names(&some, "w"),
	   "an order names its workers");
	ok(control_names(&all, "w-3"), "null names them all");
	ok(!control_names(&none, "w-1"), "an empty list names none");
}

static void test_seed_past_63_bits(void)
{
	struct config config = {.run = "r", .seed = (uint64_t)INT64_MAX + 1};

	ok(!config_to_json(&config), "a seed past 63 bits is not written");
}

static void test_untouched_on_failure(void)
{
	struct job job = {.round = 77};
	struct config config = {.replicas = 77};
	struct control control = {.round = 77};
	struct vm_config vm = {.debug = true};
	struct err err = {0};

	ok(job_parse("{", 1, &job, &err) < 0 && config_parse("{", 1, &config, NULL) < 0 &&
		   control_parse("{", 1, &control, NULL) < 0 &&
		   vm_config_parse("{", 1, &vm, NULL) < 0 && job.round == 77 &&
		   config.replicas == 77 && control.round == 77 && vm.debug,
	   "outputs are untouched on a failure");
}

int main(void)
{
	test_golden();
	test_spoils(DOC_JOB, "job-1", job_spoils, ARRAY_SIZE(job_spoils));
	test_spoils(DOC_JOB, "job-3", together_spoils, ARRAY_SIZE(together_spoils));
	test_spoils(DOC_VERDICT, "verdict-1", verdict_spoils, ARRAY_SIZE(verdict_spoils));
	test_spoils(DOC_CONFIG, "config-1", config_spoils, ARRAY_SIZE(config_spoils));
	test_spoils(DOC_CONTROL, "control-1", control_spoils, ARRAY_SIZE(control_spoils));
	test_spoils(DOC_VM, "vm-1", vm_spoils, ARRAY_SIZE(vm_spoils));
	test_not_documents();
	test_fields();
	test_env_order();
	test_by_hand();
	test_control_names();
	test_seed_past_63_bits();
	test_untouched_on_failure();
	return done_testing();
}
