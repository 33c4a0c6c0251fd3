// SPDX-License-Identifier: Apache-2.0
// Fuzzer: fio's output, read, written as a step's results, and read again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/fio_json.h"
#include "core/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds for every output that was accepted. */
static void check_results(const struct fio_output *out)
{
	for (size_t i = 0; i < out->n; i++) {
		const struct hist *h = &out->results[i].lat;
		struct hist_pct half = {0}, all = {0};
		uint64_t sum = 0;

		for (unsigned j = 0; h->n && j < h->groups << h->bits; j++)
			sum += h->count[j];
		if (sum != h->n)
			abort();
		if (!h->n)
			continue;
		if (hist_percentile(h, 50, &half, NULL) < 0 ||
		    hist_percentile(h, 100, &all, NULL) < 0 || half.ns > all.ns)
			abort();
	}
}

static void check_round_trip(const struct fio_output *out)
{
	cleanup_json json_t *first = fio_results_to_json(out->results, out->n);
	cleanup_json json_t *loaded = NULL, *second = NULL;
	cleanup_str struct str text = STR_INIT(SIZE_MAX / 4);
	struct fio_result *back = NULL;
	size_t n = 0;

	/* through the text, as a record goes */
	if (json_dump(first, &text, NULL) < 0 ||
	    json_load(str_text(&text), text.len, SIZE_MAX, "results", &loaded, NULL) < 0)
		abort();
	if (fio_results_from_json(loaded, &back, &n, NULL) < 0 || n != out->n)
		abort();
	second = fio_results_to_json(back, n);
	fio_results_free(back, n);
	if (!json_equal(first, second))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fio_output out;
	struct err err = {0};
	int r = fio_json_read((const char *)data, size, &out, &err);

	if (r != err.code || (r < 0) != (err.text[0] != '\0') || !out.message)
		abort();
	if (r < 0 && (out.n || out.results))
		abort();
	if (r == 0) {
		check_results(&out);
		check_round_trip(&out);
	}
	fio_output_done(&out);
	return 0;
}
