// SPDX-License-Identifier: Apache-2.0
// Who a worker is: which source wins, what is refused.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/str.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/tap.h"
#include "worker/finish.h"
#include "worker/identity.h"
#include "worker/worker.h"

static void part(struct identity_part *p, const char *run, const char *worker,
		 const char *endpoint)
{
	*p = (struct identity_part){.run = run ? xstrdup(run) : NULL,
				    .worker = worker ? xstrdup(worker) : NULL,
				    .endpoint = endpoint ? xstrdup(endpoint) : NULL};
}

static const struct merge {
	const char *name;
	const char
		*parts[4][3]; /* run, worker, endpoint: flags, file, metadata, instance */
	const char *url, *worker, *endpoint; /* NULL url = refused */
} merges[] = {
	{"flags alone", {{"gs://b/r1", "w-1", NULL}}, "gs://b/r1", "w-1", NULL},
	{"flags win over everything",
	 {{"gs://b/r1", "w-1", "http://localhost:1"},
	  {"gs://x/r9", "w-9", "http://localhost:9"}},
	 "gs://b/r1",
	 "w-1",
	 "http://localhost:1"},
	{"each field by itself: run from the file, worker from metadata",
	 {{NULL, NULL, NULL}, {"gs://b/p/r2", NULL, NULL}, {"gs://x/r9", "w-2", NULL}},
	 "gs://b/p/r2",
	 "w-2",
	 NULL},
	{"the instance's name comes last",
	 {{"gs://b/r1", NULL, NULL}, {0}, {0}, {NULL, "vm-7", NULL}},
	 "gs://b/r1",
	 "vm-7",
	 NULL},
	{"metadata's worker wins over the instance's name",
	 {{"gs://b/r1", NULL, NULL}, {0}, {NULL, "w-3", NULL}, {NULL, "vm-7", NULL}},
	 "gs://b/r1",
	 "w-3",
	 NULL},
	{"no run", {{NULL, "w-1", NULL}}, NULL, NULL, NULL},
	{"no worker", {{"gs://b/r1", NULL, NULL}}, NULL, NULL, NULL},
	{"a run that is no URL", {{"b/r1", "w-1", NULL}}, NULL, NULL, NULL},
	{"a run id in capitals", {{"gs://b/R1", "w-1", NULL}}, NULL, NULL, NULL},
	{"a worker with a slash", {{"gs://b/r1", "a/b", NULL}}, NULL, NULL, NULL},
	{"a worker with dots", {{"gs://b/r1", "..", NULL}}, NULL, NULL, NULL},
	{"a worker in capitals", {{"gs://b/r1", "W-1", NULL}}, NULL, NULL, NULL},
	{"an empty worker", {{"gs://b/r1", "", NULL}}, NULL, NULL, NULL},
};

static void test_merge(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(merges); i++) {
		const struct merge *m = &merges[i];
		struct identity_part parts[4];
		struct identity id = {0};
		struct err err = {0};
		int r;

		for (size_t k = 0; k < 4; k++)
			part(&parts[k], m->parts[k][0], m->parts[k][1], m->parts[k][2]);
		r = identity_merge(parts, 4, &id, &err);
		if (!m->url)
			ok(r < 0 && err.code == r && err.text[0], "%s is refused",
			   m->name);
		else
			ok(r == 0 && strcmp(id.url, m->url) == 0 &&
				   strcmp(id.worker, m->worker) == 0 &&
				   (m->endpoint ? id.endpoint && strcmp(id.endpoint,
									m->endpoint) == 0
						: !id.endpoint),
			   "%s", m->name);
		for (size_t k = 0; k < 4; k++)
			identity_part_done(&parts[k]);
		identity_done(&id);
	}
}

static int read_file(const char *text, struct identity_part *ret, struct err *err)
{
	char path[] = "/tmp/muster-identity-XXXXXX";
	int fd = mkstemp(path), r;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -1;
	close(fd);
	r = identity_file(path, ret, err);
	unlink(path);
	return r;
}

static void test_file(void)
{
	struct identity_part p = {0};
	struct err err = {0};

	ok(identity_file("/nonexistent/worker.json", &p, &err) == 0 && !p.run,
	   "no file is no error");
	ok(read_file("{\"schema\":\"muster/vm/1\",\"run_url\":\"gs://b/r1\",\"worker\":"
		     "\"w-1\",\"endpoint\":null,\"debug\":true}",
		     &p, &err) == 0 &&
		   p.run && strcmp(p.run, "gs://b/r1") == 0 && p.debug,
	   "a file is read");
	identity_part_done(&p);
	ok(read_file("{\"schema\":\"muster/vm/1\",\"run_url\":\"gs://b/r1\",\"worker\":"
		     "\"w-1\",\"endpoint\":null,\"debug\":false,\"shell\":\"x\"}",
		     &p, &err) < 0 &&
		   strstr(err.text, "shell"),
	   "an unknown key is refused and named");
	identity_part_done(&p);
	ok(read_file("{\"schema\":\"muster/vm/1\",\"debug\":true,\"worker\":\"W 1\"}", &p,
		     NULL) < 0 &&
		   !p.run && p.debug,
	   "of one that is refused debug is kept");
	identity_part_done(&p);
	ok(read_file("{\"schema\":\"muster/vm/1\",\"debug\":\"true\"}", &p, NULL) < 0 &&
		   !p.debug,
	   "unless it is what is wrong");
	identity_part_done(&p);
	ok(read_file("{\"debug\":true,", &p, NULL) < 0 && !p.debug,
	   "or the file is no JSON");
	identity_part_done(&p);
}

/* What decides about power after a failure. */
static void find(const char *name, const struct identity_flags *flags,
		 const char *metadata, bool debug, const char *reason)
{
	struct identity id;
	struct err err = {0};

	if (metadata)
		setenv("GCE_METADATA_HOST", metadata, 1);
	ok(identity_find(flags, &id, &err) < 0 && strstr(err.text, reason) &&
		   id.power_off == flags->power_off && id.debug == debug &&
		   (id.is_on_gce || !metadata),
	   "%s: %s", name, err.text);
	identity_done(&id);
	unsetenv("GCE_METADATA_HOST");
}

#define VALUE(text)                                                                      \
	"HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\nContent-Length: *\r\n\r\n" text
#define NO_VALUE "HTTP/1.1 404 No\r\nMetadata-Flavor: Google\r\nContent-Length: 0\r\n\r\n"

static void test_find(void)
{
	struct fake fake = {.replies = {NO_VALUE, VALUE("w-1"), NO_VALUE, VALUE("true"),
					VALUE("vm-1"), VALUE("77"), NO_VALUE, NO_VALUE,
					NO_VALUE, NO_VALUE}};
	const struct identity_flags flags = {.power_off = true};
	const struct identity_flags debug = {.power_off = true, .debug = true};
	char host[64];

	fake_start(&fake);
	snprintf(host, sizeof(host), "127.0.0.1:%u", fake.port);
	find("no run attribute", &flags, host, true, "muster-run");
	fake_stop(&fake);
	fake = (struct fake){.replies = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
	fake_start(&fake);
	snprintf(host, sizeof(host), "127.0.0.1:%u", fake.port);
	find("another web server", &flags, host, false, "no metadata server");
	fake_stop(&fake);
	find("debug as a flag", &debug, NULL, true, "no run");
}

static void test_machine(void)
{
	char a[INSTANCE_CAP], b[INSTANCE_CAP], c[INSTANCE_CAP];

	identity_machine("0123", "/ws1", a);
	identity_machine("0123", "/ws2", b);
	identity_machine("4567", "/ws1", c);
	ok(str_is_hex(a, 64), "an instance id is a sha256");
	ok(strcmp(a, b) != 0 && strcmp(a, c) != 0,
	   "machine and workspace both tell instances apart");
}

static const struct {
	const char *name;
	struct finish_in in;
	int code;
	enum worker_state state;
} ends[] = {
	{"all ok", {0}, 0, WORKER_DONE},
	{"a step is not ok", {.n_not_ok = 1}, 1, WORKER_DONE},
	{"a bad job", {.exit_code = 2, .has_failed = true}, 2, WORKER_FAILED},
	{"a boot step failed", {.has_failed = true}, 2, WORKER_FAILED},
	{"a record was not written",
	 {.has_failed = true, .is_recordless = true},
	 1,
	 WORKER_FAILED},
	{"drained",
	 {.is_draining = true, .n_cancelled = 3, .n_not_ok = 3},
	 3,
	 WORKER_CANCELLED},
	{"aborted before there was a job",
	 {.why = STOP_ABORT, .has_failed = true},
	 3,
	 WORKER_CANCELLED},
	{"a signal",
	 {.why = STOP_SIGNAL, .has_failed = true, .n_not_ok = 2},
	 3,
	 WORKER_INTERRUPTED},
	{"a duplicate", {.exit_code = 5, .has_failed = true}, 5, WORKER_FAILED},
	{"fenced out", {.why = STOP_FENCED, .n_not_ok = 1}, 5, WORKER_FAILED},
};

static void test_finish(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		enum worker_state state;
		int code = finish_decide(&ends[i].in, &state);

		ok(code == ends[i].code && state == ends[i].state, "%s: exit %d, %s",
		   ends[i].name, ends[i].code, worker_state_name(ends[i].state));
	}
}

static void test_power(void)
{
	static struct worker w;

	w.settings = job_settings_default();
	ok(!finish_may_power_off(&w), "a worker started by hand never powers off");
	w.id.power_off = true;
	ok(finish_may_power_off(&w), "with --power-off it does, also without a job");
	w.id.debug = true;
	ok(!finish_may_power_off(&w), "not with debug");
	w.id.debug = false;
	w.queue.n_jobs = 1;
	w.settings.power_off = false;
	ok(!finish_may_power_off(&w), "not when the job says no");
	w.settings.power_off = true;
	w.queue.n_jobs = 0;
	w.exit_code = WORKER_EXIT_CONFIG;
	ok(finish_may_power_off(&w), "it does when it does not know who it is");
	w.exit_code = WORKER_EXIT_DUPLICATE;
	ok(!finish_may_power_off(&w), "not while another worker may live here");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "10", 1);
	test_merge();
	test_file();
	test_find();
	test_machine();
	test_finish();
	test_power();
	return done_testing();
}
