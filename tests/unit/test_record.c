// SPDX-License-Identifier: Apache-2.0
// The records: heartbeat, manifest and step, read leniently.
#include <math.h>

#include "tests/unit/golden.h"

static void test_golden(void)
{
	static const struct {
		enum document kind;
		const char *name;
	} docs[] = {
		{DOC_WORKER, "worker-1"},     {DOC_WORKER, "worker-2"},
		{DOC_MANIFEST, "manifest-1"}, {DOC_MANIFEST, "manifest-2"},
		{DOC_STEP, "step-1"},	      {DOC_STEP, "step-2"},
		{DOC_STEP, "step-3"},	      {DOC_ARRIVAL, "arrival-1"},
		{DOC_ARRIVAL, "arrival-2"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		golden_returns(docs[i].kind, docs[i].name);
		golden_cut(docs[i].kind, docs[i].name);
	}
}

static const struct spoil start_spoils[] = {
	{"start", "null", NULL},
	{"start", "7", "step: start: not an object"},
	{"start.barrier", "0", "step.start: barrier: 0 is not between"},
	{"start.go_server_ns", NULL, "step.start: go_server_ns: missing"},
	{"start.bound_ns", "-1", "step.start: bound_ns: must not be negative"},
	{"start.members", NULL, NULL},
	{"start.weather", "\"fine\"", NULL},
};

static const struct spoil arrival_spoils[] = {
	{"worker", "\"../w\"", "arrival: worker:"},
	{"barrier", "0", "arrival: barrier: 0 is not between"},
	{"step", "\"1\"", "arrival: step:"},
	{"offset_ns", NULL, NULL},
	{"offset_ns", "-5", NULL},
	{"offset_ns", "\"1\"", "arrival: offset_ns: not a whole number"},
	{"weather", "\"fine\"", NULL},
};

static const struct spoil worker_spoils[] = {
	{"schema", "\"muster/worker/2\"", "worker: schema: is"},
	{"run", "\"../r1\"", "worker: run:"},
	{"run", NULL, "worker: run: missing"},
	{"worker", "\"../w\"", "worker: worker:"},
	{"worker", "null", "worker: worker: must not be null"},
	{"incarnation", "null", "worker: incarnation: must not be null"},
	{"incarnation.n", "0", "worker.incarnation: n: 0 is not between"},
	{"incarnation.n", "1.5", "worker.incarnation: n: not a whole number"},
	{"incarnation.nonce", "1", "worker.incarnation: nonce: not a string"},
	{"state", "\"asleep\"", "worker: state: \"asleep\" is not a state of a worker"},
	{"state", "null", "worker: state: must not be null"},
	{"reason", "7", "worker: reason: not a string"},
	{"reason", NULL, NULL},
	{"step", "\"../1\"", "worker: step:"},
	{"attempt", "-1", "worker: attempt: must not be negative"},
	{"done", "\"1\"", "worker: done: not a whole number"},
	{"total", "1e300", "worker: total: not a whole number"},
	{"mood", "[1,{}]", NULL},
};

static const struct spoil manifest_spoils[] = {
	{"schema", "\"muster/manifest/2\"", "manifest: schema: is"},
	{"worker", "\"a/b\"", "manifest: worker:"},
	{"round", "0", "manifest: round:"},
	{"state", "\"\"", "manifest: state:"},
	{"provenance", "null", "manifest: provenance: must not be null"},
	{"provenance.cpus", "\"96\"", "manifest.provenance: cpus: not a whole number"},
	{"provenance.cpus", NULL, NULL},
	{"provenance.flags", "\"x\"", "manifest.provenance: flags: not an array"},
	{"provenance.flags", "[1]", "manifest.provenance: flags: [0] is not a string"},
	{"provenance.seed", "-1", "manifest.provenance: seed: must not be negative"},
	{"provenance.gcsfuse.0", "1", "manifest.provenance.gcsfuse[0]: not an object"},
	{"provenance.fio_geometry", "[]",
	 "manifest.provenance: fio_geometry: not an object"},
	{"provenance.fio_geometry", "null", NULL},
	{"provenance.muster", "null", NULL},
	{"provenance.shared_host", "0", "manifest.provenance: shared_host: not true or"},
	{"steps", "null", "manifest: steps: must not be null"},
	{"steps.0", "null", "manifest.steps[0]: not an object"},
	{"steps.0.step", "\"1\"", "manifest.steps[0]: step:"},
	{"steps.0.attempt", "0", "manifest.steps[0]: attempt:"},
	{"steps.0.state", "\"stale\"", "manifest.steps[0]: state:"},
	{"steps.0.summary", "[]", "manifest.steps[0]: summary: not an object"},
	{"steps.0.summary.iops", "\"1\"", "manifest.steps[].summary: iops: not a number"},
	{"steps.0.summary.iops", "null", NULL},
};

static const struct spoil step_spoils[] = {
	{"schema", "\"muster/step/2\"", "step: schema: is"},
	{"step", "\"17-4\"", "step: step: is not \"17-3\""},
	{"matrix_id", "0", "step: matrix_id:"},
	{"attempt", "0", "step: attempt:"},
	{"state", "\"running\"", "step: state: \"running\" is not an end"},
	{"state", "\"superseded\"", "step: state: \"superseded\" is not a state"},
	{"exit_status", "256", "step: exit_status: is not between"},
	{"signal", "9.5", "step: signal: not a whole number"},
	{"phase_ns", "[]", "step: phase_ns: not an object"},
	{"phase_ns", "null", NULL},
	{"phase_ns.fio", "-1", "step.phase_ns: fio: must not be negative"},
	{"phase_ns.sleep", "1", NULL},
	{"effective.gcsfuse", "\"x\"", "step.effective: gcsfuse: not an object"},
	{"effective.start", "7", "step.effective: start: not an object"},
	{"effective.end.max_background", "\"12\"", "step.effective.end: max_background:"},
	{"host.clock_step_ns", "-9", NULL},
	{"host.oom_kill", "true", "step.host: oom_kill: not a whole number"},
	{"gcsfuse_log.errors", "-1", "step.gcsfuse_log: errors: must not be negative"},
	{"monitor.samples", "\"1\"", "step.monitor: samples:"},
	{"monitor.net_rx_bytes_per_s", "1",
	 "step.monitor: net_rx_bytes_per_s: not an object"},
	{"monitor.net_rx_bytes_per_s", "null", "net_rx_bytes_per_s: must not be null"},
	{"monitor.net_rx_bytes_per_s.avg", "\"1\"",
	 "step.monitor.net_rx_bytes_per_s: avg:"},
	{"flags", "{}", "step: flags: not an array"},
	{"flags", "null", NULL},
	{"results", "{}", "step: results: not an array"},
	{"results.0.rw", "\"erase\"", "step: results:"},
	{"results.0.lat.n", "4", "step: results:"},
	{"files.0.name", "\"../passwd\"", "step.files[0]: name:"},
	{"files.0.name", "\".hidden\"", "step.files[0]: name:"},
	{"files.0.name", "\"a/b\"", "step.files[0]: name:"},
	{"files.0.crc32c", "\"xyz\"", "step.files[0]: crc32c:"},
	{"files.0.bytes", "null", "step.files[0]: bytes: must not be null"},
	{"files.0.generation", "\"1\"", "step.files[0]: generation: not a whole number"},
	{"files", "[{},{},{},{},{},{},{},{},{}]", "step: files: more than 8"},
};

static void test_spoils(enum document kind, const char *name, const struct spoil *s,
			size_t n)
{
	for (size_t i = 0; i < n; i++)
		golden_spoil(kind, name, &s[i]);
}

static void load_text(const char *name, struct str *ret)
{
	cleanup_json json_t *doc = golden_load(name);

	json_dump(doc, ret, NULL);
}

static void test_lenient_worker(void)
{
	cleanup_str struct str text = STR_INIT(1 << 20);
	struct heartbeat hb = {0};
	unsigned unknown = 77;

	load_text("lenient-worker", &text);
	ok(heartbeat_parse(str_text(&text), text.len, &hb, &unknown, NULL) == 0,
	   "a heartbeat with strange keys and reals is read");
	ok(unknown == 2, "its unknown keys are counted: %u", unknown);
	ok(hb.attempt == 1 && !hb.reason[0] && !hb.at[0],
	   "a whole real is a number, an absent key is no value");
	ok(strlen(hb.progress) == 62 && str_is_utf8(hb.progress, 62),
	   "text is cut at a whole character");
}

static void test_lenient_manifest(void)
{
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_manifest struct manifest m = {0};
	unsigned unknown = 0;

	load_text("lenient-manifest", &text);
	ok(manifest_parse(str_text(&text), text.len, &m, &unknown, NULL) == 0,
	   "a manifest with strange keys and reals is read");
	ok(unknown == 2 && m.provenance.cpus == 96 && m.steps[0].lat_p50_ns == 1003520 &&
		   !m.provenance.has_seed,
	   "its numbers are right, its unknown keys counted");
	ok(m.provenance.flags && strcmp(m.provenance.flags, "two_words") == 0,
	   "a flag is one word");
}

static void test_lenient_step(void)
{
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_step_record struct step_record rec = {0};
	unsigned unknown = 0;

	load_text("lenient-step", &text);
	ok(step_record_parse(str_text(&text), text.len, &rec, &unknown, NULL) == 0,
	   "a step with strange keys and reals is read");
	ok(unknown == 4 && rec.exit_status == 0 && rec.host.pswpin == 1000,
	   "its numbers are right, its unknown keys counted: %u", unknown);
	ok(rec.n_columns == 3 && rec.columns[2].avg == 1 && isnan(rec.columns[2].peak),
	   "a column of another program is a column");
	ok(str_starts(rec.reason, "first second  ü") && strlen(rec.reason) < REASON_CAP &&
		   str_is_utf8(rec.reason, strlen(rec.reason)),
	   "a reason is one line of whole characters");
}

static void test_step_fields(void)
{
	cleanup_str struct str text = STR_INIT(1 << 20);
	cleanup_step_record struct step_record rec = {0};

	load_text("step-1", &text);
	ok(step_record_parse(str_text(&text), text.len, &rec, NULL, NULL) == 0,
	   "the sample step");
	ok(rec.state == ATTEMPT_OK && rec.signal == 0 && rec.phase_ns[PHASE_WARM] == -1 &&
		   rec.phase_ns[PHASE_FIO] == 60000000000,
	   "state and phases");
	ok(rec.start.max_pages_limit == 256 && rec.end.max_pages_limit == UINT64_MAX &&
		   json_object_size(rec.gcsfuse_config) == 2,
	   "what was in effect");
	ok(rec.host.clock_step_ns == -1500 && rec.gcsfuse_log.retries == 1 &&
		   rec.n_columns == 2 && rec.monitor_lost == 1,
	   "host, log and monitor");
	ok(strcmp(rec.flags, "max_pages_limit_changed shared_host") == 0, "flags");
	ok(rec.n_results == 1 && rec.results[0].lat.n == 3 && rec.results[0].ios == 3,
	   "results");
	ok(rec.n_files == 2 && rec.files[0].crc32c == 0xe3069283 && rec.files[1].is_cut &&
		   rec.files[1].generation == INT64_MAX,
	   "files");
}

/* A record built by hand, all null: written, read, the same. */
static void test_null_step(void)
{
	cleanup_str struct str text = STR_INIT(1 << 20), twice = STR_INIT(1 << 20);
	cleanup_step_record struct step_record rec = {0}, again = {0};
	cleanup_json json_t *doc = NULL, *doc2 = NULL;

	step_record_init(&rec);
	str_copy(rec.run, sizeof(rec.run), "r1");
	str_copy(rec.worker, sizeof(rec.worker), "w-1");
	rec.incarnation.n = rec.matrix_id = rec.test_id = rec.iteration = rec.attempt = 1;
	rec.state = ATTEMPT_CANCELLED;
	doc = step_record_to_json(&rec);
	json_dump(doc, &text, NULL);
	ok(step_record_parse(str_text(&text), text.len, &again, NULL, NULL) == 0,
	   "a step of nulls is read");
	doc2 = step_record_to_json(&again);
	json_dump(doc2, &twice, NULL);
	ok(strcmp(str_text(&text), str_text(&twice)) == 0 && again.exit_status == -1 &&
		   again.host.oom_kill == INT64_MIN && again.gcsfuse_log.requests == -1,
	   "and is all null again");
}

static void fill(char *out, size_t cap, const char *with)
{
	size_t n = strlen(with);

	for (size_t i = 0; i + 1 < cap; i++)
		out[i] = with[i % n];
	out[cap - 1] = '\0';
}

/* The largest heartbeat, with the text that grows most in JSON, stays within 2 KiB. */
static void test_heartbeat_size(void)
{
	static const char *const texts[] = {"x", "\"", "\n", "\xff", "\\\"", "ü"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_str struct str text = STR_INIT(1 << 20);
		cleanup_json json_t *doc = NULL;
		struct heartbeat hb = {.state = WORKER_INTERRUPTED}, again;
		struct err err = {0};

		fill(hb.run, sizeof(hb.run), "r");
		fill(hb.worker, sizeof(hb.worker), "w");
		fill(hb.incarnation.nonce, sizeof(hb.incarnation.nonce), "f");
		fill(hb.incarnation.boot_id, sizeof(hb.incarnation.boot_id), "b");
		fill(hb.incarnation.instance_id, sizeof(hb.incarnation.instance_id), "i");
		fill(hb.progress, sizeof(hb.progress), "p");
		fill(hb.worker_build, sizeof(hb.worker_build), "v");
		fill(hb.at, sizeof(hb.at), "2");
		fill(hb.reason, sizeof(hb.reason), texts[i]);
		step_id_format(hb.step, UINT32_MAX, UINT32_MAX);
		hb.incarnation.n = hb.attempt = hb.done = hb.total = UINT32_MAX;
		doc = heartbeat_to_json(&hb);
		json_dump(doc, &text, NULL);
		ok(text.len <= 2048, "a heartbeat full of text %zu has %zu bytes", i,
		   text.len);
		ok(heartbeat_parse(str_text(&text), text.len, &again, NULL, &err) == 0,
		   "and is read: %s", err.text);
	}
}

static void test_summary(void)
{
	struct heartbeat hb = {.state = WORKER_RUNNING,
			       .step = "17-1",
			       .attempt = 2,
			       .done = 3,
			       .total = 12,
			       .incarnation = {.n = 3}},
			 again = {0};
	static const char *const strange[] = {
		"",
		"running",
		"running 17-1 2 3",
		"running 17-1 2 3/12 ",
		" running 17-1 2 3/12",
		"running  17-1 2 3/12",
		"asleep 17-1 2 3/12",
		"running ../1 2 3/12",
		"running 17-1 -2 3/12",
		"running 17-1 02 3/12",
		"running 17-1 2 3/4294967296",
		"running 17-1 2 3/12/4",
		"running 17-1 2 3/12\n",
		"running 17-1 2 3/12 0",
		"running 17-1 2 3/12 1 2",
		"running 17-1 2 3/12 1 ",
		"running 17-1 2 3/12 one",
	};
	char line[STORE_SUMMARY_CAP];

	heartbeat_summary(&hb, line);
	ok(strcmp(line, "running 17-1 2 3/12 3") == 0, "summary: %s", line);
	ok(heartbeat_from_summary(line, &again, NULL) == 0 &&
		   again.state == WORKER_RUNNING && strcmp(again.step, "17-1") == 0 &&
		   again.attempt == 2 && again.done == 3 && again.total == 12 &&
		   again.incarnation.n == 3,
	   "and back");
	ok(heartbeat_from_summary("running 17-1 2 3/12", &again, NULL) == 0 &&
		   again.total == 12 && again.incarnation.n == 0,
	   "one without the incarnation");
	for (unsigned s = 0; s < WORKER_STATE_COUNT; s++) {
		hb = (struct heartbeat){.state = s};
		heartbeat_summary(&hb, line);
		ok(heartbeat_from_summary(line, &again, NULL) == 0 && again.state == s &&
			   !again.step[0],
		   "summary: %s", line);
	}
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
		ok(heartbeat_from_summary(strange[i], &again, NULL) == -EINVAL,
		   "summary: strange text %zu is not ours", i);
}

static void test_not_documents(void)
{
	static const char *const texts[] = {
		"", "null", "[]", "{}", "\xff", "{\"run\":\"a\",\"run\":\"b\"}"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (unsigned k = DOC_WORKER; k < DOC_COUNT; k++) {
			cleanup_str struct str again = STR_INIT(1 << 20);
			struct err err = {0};
			int r = document_again(k, texts[i], strlen(texts[i]), &again,
					       NULL, &err);

			ok(r == -EINVAL && err.text[0] && !strchr(err.text, '\n'),
			   "text %zu is no %s: %s", i, document_names[k], err.text);
		}
}

static void test_too_large(void)
{
	static char text[HEARTBEAT_MAX_BYTES + 1];
	struct heartbeat hb;

	memset(text, ' ', sizeof(text));
	ok(heartbeat_parse(text, sizeof(text), &hb, NULL, NULL) == -EFBIG,
	   "a heartbeat past its limit is not read");
}

int main(void)
{
	test_golden();
	test_spoils(DOC_WORKER, "worker-1", worker_spoils, ARRAY_SIZE(worker_spoils));
	test_spoils(DOC_MANIFEST, "manifest-1", manifest_spoils,
		    ARRAY_SIZE(manifest_spoils));
	test_spoils(DOC_STEP, "step-3", start_spoils, ARRAY_SIZE(start_spoils));
	test_spoils(DOC_ARRIVAL, "arrival-1", arrival_spoils, ARRAY_SIZE(arrival_spoils));
	test_spoils(DOC_STEP, "step-1", step_spoils, ARRAY_SIZE(step_spoils));
	test_lenient_worker();
	test_lenient_manifest();
	test_lenient_step();
	test_step_fields();
	test_null_step();
	test_heartbeat_size();
	test_summary();
	test_not_documents();
	test_too_large();
	return done_testing();
}
