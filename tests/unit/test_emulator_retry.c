// SPDX-License-Identifier: Apache-2.0
// Retry instructions: their text, what they strike, and their queues.
#include <string.h>

#include "core/json.h"
#include "core/str.h"
#include "emulator/retry_test.h"
#include "tests/unit/tap.h"

#define KIB 1024u

static const struct {
	const char *text;
	enum emu_fault kind; /* NONE = refused */
	enum emu_place place;
	uint64_t after_bytes;
	int status;
	double seconds;
} verbs[] = {
	{"return-503", EMU_FAULT_STATUS, EMU_AT_ONCE, 0, 503, 0},
	{"return-408", EMU_FAULT_STATUS, EMU_AT_ONCE, 0, 408, 0},
	{"return-503-after-256K", EMU_FAULT_STATUS, EMU_IN_DATA, 256 * KIB, 503, 0},
	{"return-503-after-8192K", EMU_FAULT_STATUS, EMU_IN_DATA, 8192 * KIB, 503, 0},
	{"return-reset-connection", EMU_FAULT_RESET, EMU_AT_ONCE, 0, 0, 0},
	{"return-broken-stream", EMU_FAULT_BROKEN, EMU_IN_REPLY, 4, 0, 0},
	{"return-broken-stream-after-256K", EMU_FAULT_BROKEN, EMU_IN_REPLY, 256 * KIB, 0,
	 0},
	{"return-broken-stream-final-chunk-after-9B", EMU_FAULT_BROKEN, EMU_IN_FINAL, 9,
	 0, 0},
	{"return-broken-stream-final-chunk-after-0B", EMU_FAULT_BROKEN, EMU_IN_FINAL, 0,
	 0, 0},
	{"stall-for-2s-after-128K", EMU_FAULT_STALL, EMU_IN_BODY, 128 * KIB, 0, 2},
	{"stall-for-0s-after-1K", EMU_FAULT_STALL, EMU_IN_BODY, KIB, 0, 0},
	{"", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-200", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-600", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-503 ", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-503-", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-503-after-256", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-503-after-0K", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-503-after-K", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-503-after-256KB", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-503-after-99999999999999999999K", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-broken-streams", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-broken-stream-final-chunk-after-9K", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-broken-stream-after-9B", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"return-reset", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"stall-for-2s", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"stall-for-s-after-1K", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"stall-for-2-after-1K", EMU_FAULT_NONE, 0, 0, 0, 0},
	{"stall-always", EMU_FAULT_NONE, 0, 0, 0, 0},
};

static void test_verbs(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct emu_verb v;
		int r = emu_verb_parse(verbs[i].text, &v);

		if (verbs[i].kind == EMU_FAULT_NONE)
			ok(r < 0, "refused: \"%s\"", verbs[i].text);
		else
			ok(r == 0 && v.hit.kind == verbs[i].kind &&
				   v.place == verbs[i].place &&
				   v.hit.after_bytes == verbs[i].after_bytes &&
				   v.hit.status == verbs[i].status &&
				   v.hit.seconds == verbs[i].seconds,
			   "%s", verbs[i].text);
	}
}

static void test_header_verbs(void)
{
	static const struct {
		const char *text;
		enum emu_fault kind;
		uint64_t after_bytes;
	} headers[] = {
		{"return-503-after-256K", EMU_FAULT_STATUS, 256 * KIB},
		{"return-broken-stream", EMU_FAULT_RESET, 1024 * KIB},
		{"return-corrupted-data", EMU_FAULT_CORRUPT, 0},
		{"stall-always", EMU_FAULT_STALL, 0},
		{"stall-at-256KiB", EMU_FAULT_STALL, 256 * KIB},
		{"inject-upload-data-error", EMU_FAULT_CORRUPT, 0},
	};
	struct emu_verb v;

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		ok(emu_verb_parse_header(headers[i].text, &v) == 0 &&
			   v.hit.kind == headers[i].kind &&
			   v.hit.after_bytes == headers[i].after_bytes,
		   "x-goog-emulator-instructions: %s", headers[i].text);
	ok(emu_verb_parse_header("return-503", &v) < 0, "another header's text");
}

static void test_data(void)
{
	static const struct {
		const char *text;
		bool is_upload, strikes;
		uint64_t start, end, after_bytes; /* within the body */
	} cases[] = {
		{"return-503", false, true, 0, 0, 0},
		{"return-503", true, true, 5, 9, 0},
		{"return-503-after-1K", true, true, 0, 4096, 1024},
		{"return-503-after-1K", true, true, 0, 1024, 1024},
		{"return-503-after-1K", true, false, 0, 1023, 0},
		{"return-503-after-2K", true, true, 1024, 4096, 1024},
		{"return-503-after-1K", true, false, 1024, 4096, 0},
		{"return-503-after-1K", true, false, 0, 0, 0},
		{"return-503-after-1K", false, false, 0, 4096, 0},
		{"stall-for-1s-after-1K", true, true, 0, 4096, 1024},
		{"stall-for-1s-after-1K", false, false, 0, 4096, 0},
		{"return-broken-stream", true, false, 0, 4096, 0},
		{"return-broken-stream-final-chunk-after-1B", true, false, 0, 4096, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct emu_span span = {cases[i].start, cases[i].end};
		struct emu_verb v;
		struct emu_hit hit;

		emu_verb_parse(cases[i].text, &v);
		ok(emu_verb_strikes_data(&v, cases[i].is_upload, span, &hit) ==
				   cases[i].strikes &&
			   (!cases[i].strikes || hit.after_bytes == cases[i].after_bytes),
		   "%s: %s of bytes %llu to %llu", cases[i].text,
		   cases[i].is_upload ? "upload" : "no upload",
		   (unsigned long long)cases[i].start, (unsigned long long)cases[i].end);
	}
}

static void test_reply(void)
{
	static const struct {
		const char *text;
		bool is_upload, strikes;
		int status;
		uint64_t bytes;
	} cases[] = {
		{"return-broken-stream", false, true, 200, 5},
		{"return-broken-stream", false, true, 206, 5},
		{"return-broken-stream", false, false, 200, 4},
		{"return-broken-stream", false, false, 404, 500},
		{"return-broken-stream-after-1K", false, true, 200, 1025},
		{"return-broken-stream-after-1K", false, false, 200, 1024},
		{"return-broken-stream-final-chunk-after-9B", true, true, 200, 500},
		{"return-broken-stream-final-chunk-after-9B", true, false, 200, 0},
		{"return-broken-stream-final-chunk-after-9B", false, false, 200, 500},
		{"stall-for-1s-after-1K", false, true, 200, 4096},
		{"stall-for-1s-after-1K", true, false, 200, 4096},
		{"return-503-after-1K", false, false, 200, 4096},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct emu_verb v;
		struct emu_hit hit;

		emu_verb_parse(cases[i].text, &v);
		ok(emu_verb_strikes_reply(&v, cases[i].is_upload, cases[i].status,
					  cases[i].bytes, &hit) == cases[i].strikes,
		   "%s: %s, %d, %llu bytes", cases[i].text,
		   cases[i].is_upload ? "upload" : "no upload", cases[i].status,
		   (unsigned long long)cases[i].bytes);
	}
}

static bool is_method(const char *name)
{
	return strcmp(name, "get") == 0 || strcmp(name, "insert") == 0;
}

static int add(struct emu_retry_tests *ts, const char *doc, json_t **ret)
{
	cleanup_json json_t *v = json_loads(doc, JSON_DECODE_ANY, NULL);
	struct emu_fail f = {0};

	return emu_retry_tests_add(ts, v, is_method, ret, &f);
}

static void test_refused(void)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"instructions\":{}}",
		"{\"instructions\":[]}",
		"{\"instructions\":{\"got\":[\"return-503\"]}}",
		"{\"instructions\":{\"get\":\"return-503\"}}",
		"{\"instructions\":{\"get\":[503]}}",
		"{\"instructions\":{\"get\":[\"return-503\",\"return-5\"]}}",
		"{\"instructions\":{\"get\":[\"return-503\"]},\"transport\":\"GRPC\"}",
	};
	struct emu_retry_tests *ts = emu_retry_tests_new();
	json_t *test = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(add(ts, bad[i], &test) == 400 && !test, "refused: %s", bad[i]);
	emu_retry_tests_free(ts);
}

static bool strikes(const struct emu_verb *verb, void *arg, struct emu_hit *ret)
{
	*ret = verb->hit;
	return *(bool *)arg;
}

/* Status of the next instruction's reply, -1 for a reset, 0 for none. */
static int take(struct emu_retry_tests *ts, const char *id, const char *method,
		bool does_strike)
{
	struct emu_fail f = {0};
	struct emu_hit hit;

	if (emu_retry_tests_take(ts, id, method, strikes, &does_strike, &hit, &f))
		return f.status;
	return hit.kind == EMU_FAULT_RESET ? -1 : hit.status;
}

static bool is_completed(struct emu_retry_tests *ts, const char *id)
{
	struct emu_fail f = {0};
	json_t *test = NULL;
	bool is;

	if (emu_retry_tests_get(ts, id, &test, &f))
		abort();
	is = json_is_true(json_object_get(test, "completed"));
	json_decref(test);
	return is;
}

static void test_queues(void)
{
	struct emu_retry_tests *ts = emu_retry_tests_new();
	json_t *test = NULL, *list;
	struct emu_fail f = {0};
	const char *id;

	ok(add(ts,
	       "{\"instructions\":{\"get\":[\"return-503\",\"return-reset-connection\"],"
	       "\"insert\":[\"return-429\"]},\"transport\":\"HTTP\"}",
	       &test) == 0 &&
		   json_is_false(json_object_get(test, "completed")),
	   "a test with two queues");
	id = json_string_value(json_object_get(test, "id"));
	ok(take(ts, id, "list", true) == 0, "a method without a queue");
	ok(take(ts, id, "get", false) == 0 && take(ts, id, "get", true) == 503,
	   "what does not strike stays the next");
	ok(take(ts, id, "get", true) == -1 && take(ts, id, "get", true) == 0,
	   "each strikes once, in order");
	ok(!is_completed(ts, id), "one queue is not empty: not completed");
	ok(take(ts, id, "insert", true) == 429 && is_completed(ts, id), "completed");
	ok(take(ts, "none", "get", true) == 404, "no such test");
	list = emu_retry_tests_list(ts);
	ok(json_array_size(json_object_get(list, "retry_test")) == 1, "it is listed");
	ok(emu_retry_tests_delete(ts, id, &f) == 0 &&
		   emu_retry_tests_delete(ts, id, &f) == 404 &&
		   take(ts, id, "get", true) == 404,
	   "deleted");
	json_decref(list);
	json_decref(test);
	emu_retry_tests_free(ts);
}

int main(void)
{
	test_verbs();
	test_header_verbs();
	test_data();
	test_reply();
	test_refused();
	test_queues();
	return done_testing();
}
