// SPDX-License-Identifier: Apache-2.0
// Figures of the Cloud Storage client against a server of this machine:
//   bench_store ENDPOINT BUCKET     small objects a second, MiB/s, CPU time
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "core/clock.h"
#include "core/store.h"

enum { SMALL = 500, SMALL_BYTES = 4096, BIG_BYTES = 256 * 1024 * 1024 };

static double cpu_s(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static int small_objects(struct store *store, const char *data, struct err *err)
{
	struct str got = STR_INIT(SMALL_BYTES);
	int64_t start_ns = clock_mono_ns(), mid_ns;
	int r = 0;

	for (unsigned i = 0; i < SMALL && r == 0; i++) {
		cleanup_free char *name = xasprintf("bench/%u", i);
		struct put_req req = {
			.data = data, .n = SMALL_BYTES, .precondition = PUT_ANY};

		r = store->ops->put(store, name, &req, NULL, err);
	}
	mid_ns = clock_mono_ns();
	for (unsigned i = 0; i < SMALL && r == 0; i++) {
		cleanup_free char *name = xasprintf("bench/%u", i);

		str_reset(&got);
		r = store->ops->get(store, name, SMALL_BYTES, &got, NULL, err);
	}
	printf("%d-byte objects: %.0f writes/s, %.0f reads/s, one at a time\n",
	       SMALL_BYTES, SMALL * 1e9 / (double)(mid_ns - start_ns),
	       SMALL * 1e9 / (double)(clock_mono_ns() - mid_ns));
	str_done(&got);
	return r;
}

static void report(const char *what, int64_t start_ns, double start_cpu_s)
{
	double s = (double)(clock_mono_ns() - start_ns) / 1e9;
	double gib = BIG_BYTES / 1073741824.0;

	printf("%s: %.0f MiB/s, %.2f CPU seconds a GiB\n", what, gib * 1024 / s,
	       (cpu_s() - start_cpu_s) / gib);
}

static int big_object(struct store *store, const char *data, struct err *err)
{
	struct put_req req = {.data = data, .n = BIG_BYTES, .precondition = PUT_ANY};
	cleanup_file FILE *file = tmpfile();
	int64_t start_ns = clock_mono_ns();
	double start_cpu_s = cpu_s();
	int r = store->ops->put(store, "bench/big", &req, NULL, err);

	if (r < 0 || !file)
		return r < 0 ? r : err_set(err, -1, "no temporary file");
	report("one large object, up", start_ns, start_cpu_s);
	start_ns = clock_mono_ns();
	start_cpu_s = cpu_s();
	r = store->ops->get_file(store, "bench/big", BIG_BYTES, fileno(file), NULL, err);
	report("one large object, down", start_ns, start_cpu_s);
	return r;
}

int main(int argc, char **argv)
{
	cleanup_store struct store *store = NULL;
	cleanup_free char *data = xcalloc(1, BIG_BYTES);
	struct store_opts opts = {0};
	struct err err = {0};

	if (argc != 3) {
		fprintf(stderr, "usage: bench_store ENDPOINT BUCKET\n");
		return 2;
	}
	opts.endpoint = argv[1];
	opts.bucket = argv[2];
	if (store_gcs_open(&opts, &store, &err) < 0 ||
	    small_objects(store, data, &err) < 0 || big_object(store, data, &err) < 0) {
		fprintf(stderr, "bench_store: %s\n", err.text);
		return 1;
	}
	return 0;
}
