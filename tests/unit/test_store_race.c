// SPDX-License-Identifier: Apache-2.0
// Sixteen clients create the same names while replies are lost: one winner each, and it
// knows. Whole transfers through a server that breaks connections. RACE_ROUNDS is the
// number of names (default 40).
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "core/http.h"
#include "core/json.h"
#include "core/store.h"
#include "tests/unit/tap.h"

enum { CLIENTS = 16, ROUNDS = 40, ROUNDS_MAX = 1000000, BIG_BYTES = 9 * 1024 * 1024 };

struct outcome {
	int r;
	uint64_t generation;
	char nonce[NONCE_CAP];
};

/* Shared by the clients. */
struct race {
	pthread_barrier_t start; /* of each round: all claim at once */
	struct outcome outcomes[][CLIENTS];
};

static pid_t emulator = -1;
static char endpoint[128];

/* The emulator of this build; its first line of output is its URL. */
static bool start_emulator(void)
{
	const char *build = getenv("BUILD");
	cleanup_free char *path =
		xasprintf("%s/muster-emulator", build && *build ? build : "build");
	int out[2];
	ssize_t n;

	if (access(path, X_OK) < 0 || pipe(out) < 0)
		return false;
	emulator = fork();
	if (emulator == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execl(path, path, "--bucket", "bkt", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	n = read(out[0], endpoint, sizeof(endpoint) - 1);
	close(out[0]);
	if (n <= 0)
		return false;
	endpoint[strcspn(endpoint, "\n")] = '\0';
	return true;
}

static struct store *open_store(void)
{
	struct store_opts opts = {.bucket = "bkt", .endpoint = endpoint};
	struct store *store = NULL;

	if (store_gcs_open(&opts, &store, NULL) < 0)
		abort();
	return store;
}

static void set_faults(const char *rules)
{
	cleanup_free char *url = xasprintf("%s/_emulator/faults", endpoint);
	cleanup_response struct http_response resp = {0};
	cleanup_http struct http *http = NULL;
	struct http_request req = {.method = "POST",
				   .url = url,
				   .headers = {"Content-Type: application/json"},
				   .parts = {{.data = rules, .n = strlen(rules)}}};

	if (http_new(&http, NULL) < 0 || http_do(http, &req, &resp, NULL) < 0 ||
	    resp.status != 200)
		abort();
}

static void client(struct race *race, unsigned me, unsigned rounds)
{
	struct store *store = open_store();

	for (unsigned round = 0; round < rounds; round++) {
		cleanup_free char *name = xasprintf("claim-%u", round);
		cleanup_free char *text = xasprintf("client %u", me);
		struct put_req req = {.data = text,
				      .n = strlen(text),
				      .precondition = PUT_CREATE,
				      .is_resumable = round % 3 == 2};
		struct obj_meta meta = {0};
		struct outcome *o = &race->outcomes[round][me];

		pthread_barrier_wait(&race->start);
		o->r = store->ops->put(store, name, &req, &meta, NULL);
		o->generation = meta.generation;
		memcpy(o->nonce, meta.nonce, sizeof(o->nonce));
	}
	store_close(store);
}

/* One winner, who has the object's generation and nonce; all others know they lost. */
static bool is_fair(struct store *store, unsigned round,
		    const struct outcome outcomes[CLIENTS])
{
	cleanup_free char *name = xasprintf("claim-%u", round);
	unsigned winners = 0, losers = 0, winner = 0;
	struct obj_meta meta = {0};

	for (unsigned i = 0; i < CLIENTS; i++) {
		winners += outcomes[i].r == 0;
		losers += outcomes[i].r == -EEXIST;
		if (outcomes[i].r == 0)
			winner = i;
	}
	store->ops->stat(store, name, &meta, NULL);
	if (winners == 1 && losers == CLIENTS - 1 && meta.generation &&
	    outcomes[winner].generation == meta.generation &&
	    strcmp(outcomes[winner].nonce, meta.nonce) == 0)
		return true;
	printf("# round %u: %u winners, %u losers, generation %" PRIu64 " of %" PRIu64
	       "\n",
	       round, winners, losers, outcomes[winner].generation, meta.generation);
	return false;
}

/* How often the rules of that kind struck. */
static uint64_t strikes(const char *kind)
{
	cleanup_free char *url = xasprintf("%s/_emulator/faults", endpoint);
	cleanup_str struct str body = STR_INIT(65536);
	cleanup_http struct http *http = NULL;
	cleanup_json json_t *doc = NULL;
	uint64_t sum = 0;
	long status;
	json_t *rule;
	size_t i;

	if (http_new(&http, NULL) < 0 ||
	    http_get(http, url, 65536, &body, &status, NULL) < 0)
		abort();
	doc = json_loads(str_text(&body), 0, NULL);
	json_array_foreach (json_object_get(doc, "rules"), i, rule) {
		const char *text = json_string_value(json_object_get(rule, "kind"));

		if (text && strcmp(text, kind) == 0)
			sum += (uint64_t)json_integer_value(
				json_object_get(rule, "struck"));
	}
	return sum;
}

static struct race *race_new(unsigned rounds)
{
	size_t n = sizeof(struct race) + sizeof(struct outcome) * CLIENTS * rounds;
	struct race *race =
		mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t attr;

	if (race == MAP_FAILED)
		abort();
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&race->start, &attr, CLIENTS);
	pthread_barrierattr_destroy(&attr);
	return race;
}

static void run_clients(struct race *race, unsigned rounds)
{
	fflush(stdout);
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			client(race, i, rounds);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		wait(NULL);
}

static void test_race(unsigned rounds)
{
	struct race *race = race_new(rounds);
	int64_t start_ns = clock_mono_ns();
	struct store *store;
	uint64_t lost;
	unsigned fair = 0;
	double spent_s;

	set_faults("{\"seed\":7,\"rules\":["
		   "{\"kind\":\"lost\",\"probability\":0.4,\"method\":\"POST\"},"
		   "{\"kind\":\"lost\",\"probability\":0.4,\"method\":\"PUT\"},"
		   "{\"kind\":\"503\",\"probability\":0.2},"
		   "{\"kind\":\"reset\",\"probability\":0.1}]}");
	run_clients(race, rounds);
	spent_s = (double)(clock_mono_ns() - start_ns) / NS_PER_S;
	lost = strikes("lost");
	printf("# %u rounds of %d clients: %" PRIu64 " lost replies, %" PRIu64
	       " times 503, %" PRIu64 " resets in %.1f s\n",
	       rounds, CLIENTS, lost, strikes("503"), strikes("reset"), spent_s);
	set_faults("{\"seed\":1,\"rules\":[]}");
	store = open_store();
	for (unsigned round = 0; round < rounds; round++)
		fair += is_fair(store, round, race->outcomes[round]);
	store_close(store);
	ok(fair == rounds,
	   "one of %d wins and knows it, the others know it too: %u of %u", CLIENTS, fair,
	   rounds);
	ok(lost > rounds, "replies were lost");
}

static FILE *make_file(uint64_t seed)
{
	FILE *file = tmpfile();
	struct rng rng;

	rng_init(&rng, seed);
	for (unsigned i = 0; i < BIG_BYTES / 8; i++) {
		uint64_t word = rng_next(&rng);

		if (fwrite(&word, sizeof(word), 1, file) != 1)
			abort();
	}
	fflush(file);
	return file;
}

static bool same_bytes(FILE *a, FILE *b)
{
	char one[4096], two[4096];
	size_t n;

	rewind(a);
	rewind(b);
	do {
		n = fread(one, 1, sizeof(one), a);
		if (fread(two, 1, sizeof(two), b) != n || memcmp(one, two, n) != 0)
			return false;
	} while (n);
	return true;
}

/* There and back through resets, lost replies, errors and truncated bodies. */
static void test_transfers(void)
{
	static const char *const rules[] = {
		"{\"seed\":1,\"rules\":[{\"kind\":\"reset\",\"method\":\"PUT\",\"count\":"
		"1,"
		"\"after_bytes\":8000000}]}",
		"{\"seed\":1,\"rules\":[{\"kind\":\"lost\",\"method\":\"PUT\",\"count\":"
		"1}]}",
		"{\"seed\":1,\"rules\":[{\"kind\":\"503\",\"method\":\"PUT\",\"count\":2}"
		","
		"{\"kind\":\"410\",\"method\":\"PUT\",\"count\":1}]}",
		"{\"seed\":1,\"rules\":[{\"kind\":\"truncate\",\"method\":\"GET\","
		"\"count\":3},"
		"{\"kind\":\"503\",\"method\":\"GET\",\"count\":1,\"skip\":1}]}",
		"{\"seed\":5,\"rules\":[{\"kind\":\"429\",\"probability\":0.3},"
		"{\"kind\":\"lost\",\"probability\":0.3},"
		"{\"kind\":\"truncate\",\"probability\":0.3,\"method\":\"GET\"}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		cleanup_store struct store *store = open_store();
		cleanup_file FILE *sent = make_file(i);
		cleanup_file FILE *got = tmpfile();
		cleanup_free char *name = xasprintf("big-%zu", i);
		struct put_req req = {.fd = fileno(sent),
				      .file_bytes = BIG_BYTES,
				      .precondition = PUT_CREATE};
		struct obj_meta meta = {0};
		struct err err = {0};
		bool good;

		set_faults(rules[i]);
		good = store->ops->put(store, name, &req, &meta, &err) == 0 &&
		       store->ops->get_file(store, name, BIG_BYTES, fileno(got), NULL,
					    &err) == 0 &&
		       same_bytes(sent, got);
		ok(good, "9 MiB there and back, faults %zu (%" PRIu64 " retries) %s", i,
		   store->retries, err.text);
		ok(store->retries > 0, "the faults struck");
		ok(i != 0 || store->bytes_sent < 3 * BIG_BYTES / 2,
		   "what the server kept is not sent again (%" PRIu64 " bytes)",
		   store->bytes_sent);
	}
	set_faults("{\"seed\":1,\"rules\":[]}");
}

int main(void)
{
	const char *text = getenv("RACE_ROUNDS");
	uint64_t rounds = ROUNDS;

	signal(SIGPIPE, SIG_IGN);
	setenv("MUSTER_RETRY_BASE_MS", "1", 0);
	if (text &&
	    parse_u64_range("RACE_ROUNDS", text, 1, ROUNDS_MAX, &rounds, NULL) < 0)
		return 2;
	if (!start_emulator()) {
		printf("1..0 # SKIP no muster-emulator in $BUILD\n");
		return 0;
	}
	test_race((unsigned)rounds);
	test_transfers();
	kill(emulator, SIGTERM);
	waitpid(emulator, NULL, 0);
	return done_testing();
}
