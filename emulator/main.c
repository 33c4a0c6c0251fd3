// SPDX-License-Identifier: Apache-2.0
// muster-emulator: options, start, wait for a signal, end.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "core/json.h"
#include "core/log.h"
#include "core/str.h"
#include "emulator/disk.h"
#include "emulator/metadata.h"
#include "emulator/server.h"

static const char help[] =
	"Usage: muster-emulator [OPTION]...\n"
	"A Cloud Storage bucket server for tests, demos and fleets on one machine.\n"
	"It prints its URL on standard output when it is ready, and runs until SIGTERM.\n"
	"\n"
	"  --listen ADDR      address to listen on (default 127.0.0.1)\n"
	"  --port N           port; 0 is any free one (default 0)\n"
	"  --data DIR         keep objects in DIR and read them back at the next start;\n"
	"                     without it they live in memory\n"
	"  --bucket NAME      a bucket that exists at the start; may be repeated\n"
	"  --max-object SIZE  largest object (default 8g)\n"
	"  --rate-limit       refuse more than one write a second to an object with 429\n"
	"  --fault SPEC       let requests fail; may be repeated (see below)\n"
	"  --seed N           seed of the faults (default 1)\n"
	"  --metadata-port N  answer as Google Cloud's metadata server too, on this "
	"port\n"
	"                     (0 is any); its HOST:PORT is the second line printed\n"
	"  --metadata-listen ADDR  its address (default that of --listen)\n"
	"  --help, --version\n"
	"\n"
	"A client finds it through STORAGE_EMULATOR_HOST=<URL>; any credential is "
	"taken.\n"
	"gcsfuse: --custom-endpoint=<URL>/storage/v1/ --anonymous-access\n"
	"         --enable-hns=false --client-protocol=http1\n"
	"\n"
	"SPEC is KIND[,key=value]... with KIND one of\n"
	"  400 to 599   an error reply, before anything is done\n"
	"  reset        the connection is reset\n"
	"  lost         everything is done, then the connection is reset\n"
	"  stall        nothing happens for seconds=S, then all goes well\n"
	"  slow         bodies pass at bytes_per_s=N\n"
	"  truncate     half of the reply's body, then the connection is closed\n"
	"  broken-stream  after_bytes=N of the reply's body, then it is closed\n"
	"  corrupt      the first byte of the data, sent or received, is another\n"
	"and keys probability (default 1), count (strikes; default no end), skip "
	"(requests\n"
	"that pass first), method, match (part of path or query). With after_bytes=N a\n"
	"status, reset or stall strikes within the request's body, a reset or stall "
	"else\n"
	"within the reply's; whole 256 KiB units of a resumable upload that came before\n"
	"are kept.\n"
	"  muster-emulator --bucket data --fault 503,probability=0.1 --fault "
	"lost,method=POST\n"
	"\n"
	"A request may bring its own faults: storage-testbench's retry API (POST "
	"/retry_test,\n"
	"GET, DELETE /retry_test/ID, GET /retry_tests, header x-retry-test-id) and its\n"
	"header x-goog-emulator-instructions.\n"
	"\n"
	"While it runs: GET, POST, DELETE /_emulator/faults {\"seed\",\"rules\":[...]},\n"
	"GET, DELETE /_emulator/requests (the last 100,000), GET /_emulator/stats.\n"
	"\n"
	"Machines of the metadata server, told apart by the address they connect from:\n"
	"GET /_emulator/instances, PUT, DELETE /_emulator/instances/NAME, POST "
	".../preempt.\n"
	"PUT takes "
	"{\"address\",\"id\",\"zone\",\"machine_type\",\"image\",\"cpu_platform\",\n"
	"\"project\",\"attributes\"}, each of them optional; they live in memory.\n"
	"  GCE_METADATA_HOST=<HOST:PORT> lets a client find it.\n";

enum { BUCKETS_MAX = 256, FAULTS_MAX = 64 };

struct options {
	struct emu_listen listen, metadata;
	const char *data;
	uint64_t max_object_bytes, seed;
	bool is_limited, has_metadata;
	bool is_done; /* help or version was printed */
	size_t n_buckets, n_faults;
	const char *buckets[BUCKETS_MAX], *faults[FAULTS_MAX];
};

static const char *const names[] = {
	"--listen",	"--port",    "--data", "--bucket",	  "--max-object",
	"--rate-limit", "--fault",   "--seed", "--metadata-port", "--metadata-listen",
	"--help",	"--version", NULL,
};

static void complain(const char *text)
{
	cleanup_str struct str s = STR_INIT(8192);

	str_add_escaped(&s, text, strlen(text));
	fprintf(stderr, "muster-emulator: %s\n", str_text(&s));
}

static int take_value(struct options *o, const char *name, const char *value,
		      struct err *err)
{
	uint64_t n = 0;
	int r = 0;

	if (strcmp(name, "--listen") == 0) {
		o->listen.address = value;
	} else if (strcmp(name, "--port") == 0) {
		r = parse_u64_range("--port", value, 0, 65535, &n, err);
		o->listen.port = (uint16_t)n;
	} else if (strcmp(name, "--metadata-listen") == 0) {
		o->metadata.address = value;
	} else if (strcmp(name, "--metadata-port") == 0) {
		r = parse_u64_range("--metadata-port", value, 0, 65535, &n, err);
		o->metadata.port = (uint16_t)n;
		o->has_metadata = true;
	} else if (strcmp(name, "--data") == 0) {
		o->data = value;
	} else if (strcmp(name, "--max-object") == 0) {
		r = parse_size(value, &o->max_object_bytes, err);
	} else if (strcmp(name, "--seed") == 0) {
		r = parse_u64_range("--seed", value, 0, INT64_MAX, &o->seed, err);
	} else if (strcmp(name, "--bucket") == 0 && o->n_buckets < BUCKETS_MAX) {
		o->buckets[o->n_buckets++] = value;
	} else if (strcmp(name, "--fault") == 0 && o->n_faults < FAULTS_MAX) {
		o->faults[o->n_faults++] = value;
	} else {
		r = err_set(err, -EINVAL, "%s: given too often", name);
	}
	return r;
}

static int unknown(const char *arg, struct err *err)
{
	const char *near = str_nearest(arg, names);

	if (arg[0] != '-')
		return err_set(err, -EINVAL, "unexpected argument: %s", arg);
	if (near)
		return err_set(err, -EINVAL, "unknown option %s; did you mean %s?", arg,
			       near);
	return err_set(err, -EINVAL, "unknown option %s; see --help", arg);
}

/* One option at argv[*i]; steps on when it takes the next word. */
static int take_option(struct options *o, char **argv, int *i, struct err *err)
{
	const char *eq = strchr(argv[*i], '=');
	cleanup_free char *name =
		eq ? xstrndup(argv[*i], (size_t)(eq - argv[*i])) : xstrdup(argv[*i]);
	size_t k = 0;

	while (names[k] && strcmp(names[k], name) != 0)
		k++;
	if (!names[k])
		return unknown(name, err);
	if (strcmp(name, "--help") == 0 || strcmp(name, "--version") == 0) {
		fputs(name[2] == 'h' ? help : "muster-emulator " MUSTER_VERSION "\n",
		      stdout);
		o->is_done = true;
		return 0;
	}
	if (strcmp(name, "--rate-limit") == 0) {
		o->is_limited = true;
		return eq ? err_set(err, -EINVAL, "%s takes no value", name) : 0;
	}
	if (eq)
		return take_value(o, names[k], eq + 1, err);
	if (!argv[*i + 1])
		return err_set(err, -EINVAL, "%s needs a value", name);
	return take_value(o, names[k], argv[++*i], err);
}

static int read_options(struct options *o, char **argv, struct err *err)
{
	*o = (struct options){.listen = {.address = "127.0.0.1"},
			      .max_object_bytes = 8ull << 30,
			      .seed = 1};
	for (int i = 1; argv[i] && !o->is_done; i++) {
		int r = take_option(o, argv, &i, err);

		if (r < 0)
			return r;
	}
	if (!o->is_done && o->metadata.address && !o->has_metadata)
		return err_set(err, -EINVAL, "--metadata-listen needs --metadata-port");
	if (!o->metadata.address)
		o->metadata.address = o->listen.address;
	return 0;
}

static int add_buckets(struct emu_store *s, const struct options *o, struct err *err)
{
	for (size_t i = 0; i < o->n_buckets; i++) {
		struct emu_fail f = {0};

		/* it may exist already: from the data folder, or named twice */
		if (emu_bucket_create(s, o->buckets[i], &f) && f.status != 409)
			return err_set(err, -EINVAL, "--bucket: %s", f.message);
	}
	return 0;
}

static int prepare(struct emu_server *s, const struct options *o, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->n_faults; i++)
		r = emu_faults_add(s->faults, o->faults[i], err);
	if (r == 0 && o->data)
		r = emu_disk_open(o->data, &s->store.disk, err);
	if (r == 0 && o->data)
		r = emu_disk_load(s->store.disk, &s->store, err);
	return r == 0 ? add_buckets(&s->store, o, err) : r;
}

static int wait_for_end(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return sigwait(&set, &sig);
}

/* Before any thread: signals go to sigwait() only, and many connections are allowed. */
static void set_up_process(void)
{
	struct rlimit files;
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	json_object_seed(0);
}

static void print_line(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	fprintf(stderr, "muster-emulator: %s\n", line);
}

static int run(struct emu_server *s, const struct options *o, struct err *err)
{
	struct emu_metadata metadata = {.instances = s->instances};
	int r = prepare(s, o, err);

	if (r < 0)
		return r;
	r = emu_server_start(s, &o->listen, err);
	if (r < 0)
		return r;
	r = o->has_metadata ? emu_metadata_start(&metadata, &o->metadata, err) : 0;
	if (r < 0) {
		emu_server_stop(s);
		return r;
	}
	fprintf(stderr, "muster-emulator: seed of faults: %llu\n",
		(unsigned long long)o->seed);
	printf("%s\n", s->url);
	if (o->has_metadata)
		printf("metadata %s\n", emu_metadata_host(&metadata));
	fflush(stdout);
	wait_for_end();
	emu_metadata_stop(&metadata);
	emu_server_stop(s);
	return 0;
}

int main(int argc, char **argv)
{
	struct emu_server server = {0};
	struct options o;
	struct err err = {0};
	int r = read_options(&o, argv, &err);

	(void)argc;
	if (r < 0) {
		complain(err.text);
		return 2;
	}
	if (o.is_done)
		return 0;
	set_up_process();
	log_set_sink(print_line, NULL, LOG_INFO);
	server.max_object_bytes = o.max_object_bytes;
	server.faults = emu_faults_new(o.seed);
	server.retry_tests = emu_retry_tests_new();
	server.instances = emu_instances_new();
	emu_store_init(&server.store, NULL, o.is_limited);
	r = run(&server, &o, &err);
	if (server.store.disk)
		server.store.disk->is_closing = true;
	emu_store_done(&server.store);
	emu_disk_close(server.store.disk);
	emu_faults_free(server.faults);
	emu_retry_tests_free(server.retry_tests);
	emu_instances_free(server.instances);
	if (r < 0)
		complain(err.text);
	return r == -EINVAL ? 2 : r < 0;
}
