// SPDX-License-Identifier: Apache-2.0
// Retry tests. Each is kept as the document that is shown of it.
#include "emulator/retry_test.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "core/json.h"
#include "core/str.h"

enum { TESTS_MAX = 10000, ID_BYTES = 16 };

struct emu_retry_tests {
	pthread_mutex_t mu;
	json_t *by_id; /* in the order of their creation */
};

struct emu_retry_tests *emu_retry_tests_new(void)
{
	struct emu_retry_tests *ts = xcalloc(1, sizeof(*ts));

	pthread_mutex_init(&ts->mu, NULL);
	ts->by_id = json_object();
	return ts;
}

void emu_retry_tests_free(struct emu_retry_tests *ts)
{
	if (!ts)
		return;
	json_decref(ts->by_id);
	pthread_mutex_destroy(&ts->mu);
	free(ts);
}

static int check_queue(const char *method, const json_t *queue,
		       bool (*is_method)(const char *), struct emu_fail *f)
{
	struct emu_verb verb;
	const json_t *v;
	size_t i;

	if (!is_method(method))
		return emu_fail(f, 400, "invalid", "No such method: \"%.80s\".", method);
	if (!json_is_array(queue))
		return emu_fail(f, 400, "invalid", "The instructions of %s are no list.",
				method);
	json_array_foreach (queue, i, v) {
		const char *text = json_string_value(v);

		if (!text || emu_verb_parse(text, &verb) < 0)
			return emu_fail(f, 400, "invalid",
					"No such instruction of %s: \"%.80s\".", method,
					text ? text : "");
	}
	return 0;
}

static int check(const json_t *doc, bool (*is_method)(const char *), struct emu_fail *f)
{
	json_t *queues = json_object_get(doc, "instructions");
	const json_t *transport = json_object_get(doc, "transport");
	int status = 0;

	if (transport && (!json_is_string(transport) ||
			  strcmp(json_string_value(transport), "HTTP") != 0))
		return emu_fail(f, 400, "invalid", "The transport is not HTTP.");
	if (!json_object_size(queues))
		return emu_fail(f, 400, "invalid", "instructions is not defined");
	for (void *at = json_object_iter(queues); at && !status;
	     at = json_object_iter_next(queues, at))
		status = check_queue(json_object_iter_key(at), json_object_iter_value(at),
				     is_method, f);
	return status;
}

static void make_id(char id[2 * ID_BYTES + 1])
{
	cleanup_str struct str hex = STR_INIT(2 * ID_BYTES);
	unsigned char raw[ID_BYTES];

	while (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		;
	str_add_hex(&hex, raw, sizeof(raw));
	str_copy(id, 2 * ID_BYTES + 1, str_text(&hex));
}

static bool is_completed(json_t *queues)
{
	for (void *at = json_object_iter(queues); at;
	     at = json_object_iter_next(queues, at))
		if (json_array_size(json_object_iter_value(at)))
			return false;
	return true;
}

int emu_retry_tests_add(struct emu_retry_tests *ts, const json_t *doc,
			bool (*is_method)(const char *), json_t **ret, struct emu_fail *f)
{
	json_t *queues = json_object_get(doc, "instructions");
	char id[2 * ID_BYTES + 1];
	json_t *test;
	int status = check(doc, is_method, f);

	if (status)
		return status;
	make_id(id);
	test = json_pack("{s:s, s:o, s:s, s:b}", "id", id, "instructions",
			 json_deep_copy(queues), "transport", "HTTP", "completed",
			 is_completed(queues));
	*ret = json_deep_copy(test);
	pthread_mutex_lock(&ts->mu);
	if (json_object_size(ts->by_id) >= TESTS_MAX)
		json_object_del(ts->by_id,
				json_object_iter_key(json_object_iter(ts->by_id)));
	json_object_set_new(ts->by_id, id, test);
	pthread_mutex_unlock(&ts->mu);
	return 0;
}

static int not_there(const char *id, struct emu_fail *f)
{
	return emu_fail(f, 404, "notFound", "Retry Test %.80s", id);
}

int emu_retry_tests_get(struct emu_retry_tests *ts, const char *id, json_t **ret,
			struct emu_fail *f)
{
	json_t *v;

	pthread_mutex_lock(&ts->mu);
	v = json_deep_copy(json_object_get(ts->by_id, id));
	pthread_mutex_unlock(&ts->mu);
	if (!v)
		return not_there(id, f);
	*ret = v;
	return 0;
}

int emu_retry_tests_delete(struct emu_retry_tests *ts, const char *id, struct emu_fail *f)
{
	int r;

	pthread_mutex_lock(&ts->mu);
	r = json_object_del(ts->by_id, id);
	pthread_mutex_unlock(&ts->mu);
	return r < 0 ? not_there(id, f) : 0;
}

json_t *emu_retry_tests_list(struct emu_retry_tests *ts)
{
	json_t *list = json_array();

	pthread_mutex_lock(&ts->mu);
	for (void *at = json_object_iter(ts->by_id); at;
	     at = json_object_iter_next(ts->by_id, at))
		json_array_append_new(list, json_deep_copy(json_object_iter_value(at)));
	pthread_mutex_unlock(&ts->mu);
	return json_pack("{s:o}", "retry_test", list);
}

/* The lock is held. */
static void take(json_t *test, const char *method, emu_retry_strikes_fn *strikes,
		 void *arg, struct emu_hit *ret)
{
	json_t *queues = json_object_get(test, "instructions");
	json_t *queue = json_object_get(queues, method);
	const char *text = json_string_value(json_array_get(queue, 0));
	struct emu_verb verb;
	struct emu_hit hit;

	if (!text || emu_verb_parse(text, &verb) < 0 || !strikes(&verb, arg, &hit))
		return;
	*ret = hit;
	json_array_remove(queue, 0);
	if (is_completed(queues))
		json_object_set_new(test, "completed", json_true());
}

int emu_retry_tests_take(struct emu_retry_tests *ts, const char *id, const char *method,
			 emu_retry_strikes_fn *strikes, void *arg, struct emu_hit *ret,
			 struct emu_fail *f)
{
	json_t *test;

	*ret = (struct emu_hit){.kind = EMU_FAULT_NONE};
	pthread_mutex_lock(&ts->mu);
	test = json_object_get(ts->by_id, id);
	if (test)
		take(test, method, strikes, arg, ret);
	pthread_mutex_unlock(&ts->mu);
	return test ? 0 : not_there(id, f);
}
