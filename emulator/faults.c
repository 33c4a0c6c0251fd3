// SPDX-License-Identifier: Apache-2.0
// Seeded faults. A rule says which requests it may strike and how.
#include "emulator/faults.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/str.h"

enum { RULES_MAX = 64 };

struct rule {
	char kind[16];
	struct emu_hit hit;
	double probability;
	uint64_t skip;	/* matching requests that pass before the rule wakes up */
	uint64_t count; /* strikes, then it is spent; 0 = no end */
	char *method;	/* NULL = any */
	char *match;	/* NULL = any */
	uint64_t state; /* of the rule's generator */
	uint64_t asked, struck;
};

struct emu_faults {
	pthread_mutex_t mu;
	pthread_cond_t ending;
	bool is_ending;
	uint64_t seed;
	size_t n;
	struct rule rules[RULES_MAX];
};

/* splitmix64 (Steele, Lea, Flood 2014): one 64-bit word of state for each rule. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void seed_rule(struct rule *r, uint64_t seed, size_t place)
{
	r->state = seed + place;
	r->state = next_random(&r->state);
}

struct emu_faults *emu_faults_new(uint64_t seed)
{
	struct emu_faults *fs = xcalloc(1, sizeof(*fs));
	pthread_condattr_t attr;

	fs->seed = seed;
	pthread_mutex_init(&fs->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&fs->ending, &attr);
	pthread_condattr_destroy(&attr);
	return fs;
}

static void rule_done(struct rule *r)
{
	free(r->method);
	free(r->match);
	*r = (struct rule){0};
}

void emu_faults_free(struct emu_faults *fs)
{
	if (!fs)
		return;
	for (size_t i = 0; i < fs->n; i++)
		rule_done(&fs->rules[i]);
	pthread_cond_destroy(&fs->ending);
	pthread_mutex_destroy(&fs->mu);
	free(fs);
}

static const char *const kinds[] = {
	[EMU_FAULT_STATUS] = "status",	   [EMU_FAULT_RESET] = "reset",
	[EMU_FAULT_LOST] = "lost",	   [EMU_FAULT_STALL] = "stall",
	[EMU_FAULT_TRUNCATE] = "truncate", [EMU_FAULT_BROKEN] = "broken-stream",
	[EMU_FAULT_SLOW] = "slow",	   [EMU_FAULT_CORRUPT] = "corrupt",
};

const char *emu_fault_name(enum emu_fault kind)
{
	return kinds[kind];
}

static int set_kind(struct rule *r, const char *kind, struct err *err)
{
	uint64_t status = 0;

	for (size_t i = EMU_FAULT_RESET; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			r->hit.kind = (enum emu_fault)i;
	if (r->hit.kind == EMU_FAULT_NONE) {
		if (parse_u64_range("kind", kind, 400, 599, &status, NULL) < 0)
			return err_set(err, -EINVAL,
				       "fault kind \"%.40s\": not reset, lost, stall, "
				       "truncate, broken-stream, slow, corrupt or a "
				       "status from 400 to 599",
				       kind);
		r->hit.kind = EMU_FAULT_STATUS;
		r->hit.status = (int)status;
	}
	str_copy(r->kind, sizeof(r->kind), kind);
	return 0;
}

static int check_rule(const struct rule *r, struct err *err)
{
	if (!(r->probability >= 0 && r->probability <= 1))
		return err_set(err, -EINVAL, "fault %s: probability is not in [0, 1]",
			       r->kind);
	if (!(r->hit.seconds >= 0 && r->hit.seconds <= 86400))
		return err_set(err, -EINVAL, "fault %s: seconds is not in [0, 86400]",
			       r->kind);
	if (r->hit.kind == EMU_FAULT_SLOW && !r->hit.bytes_per_s)
		return err_set(err, -EINVAL, "fault slow: bytes_per_s is missing");
	return 0;
}

static int read_rule(const json_t *v, struct rule *r, struct err *err)
{
	const char *kind = NULL, *method = NULL, *match = NULL;
	struct json_in in;
	int ret;

	*r = (struct rule){.probability = 1, .hit.seconds = 1};
	json_in_init(&in, v, JSON_ORDERS, "rule", NULL, err);
	json_in_str(&in, "kind", JSON_MUST, &kind);
	json_in_f64(&in, "probability", JSON_MAY, &r->probability);
	json_in_u64(&in, "count", JSON_MAY, &r->count);
	json_in_u64(&in, "skip", JSON_MAY, &r->skip);
	json_in_str(&in, "method", JSON_MAY, &method);
	json_in_str(&in, "match", JSON_MAY, &match);
	json_in_f64(&in, "seconds", JSON_MAY, &r->hit.seconds);
	json_in_u64(&in, "after_bytes", JSON_MAY, &r->hit.after_bytes);
	json_in_u64(&in, "bytes_per_s", JSON_MAY, &r->hit.bytes_per_s);
	ret = json_in_end(&in);
	if (ret == 0)
		ret = set_kind(r, kind, err);
	if (ret == 0)
		ret = check_rule(r, err);
	if (ret < 0)
		return ret;
	r->method = method ? xstrdup(method) : NULL;
	r->match = match ? xstrdup(match) : NULL;
	return 0;
}

/* Add one rule; the lock is held. */
static int add_rule(struct emu_faults *fs, const json_t *v, struct err *err)
{
	struct rule *r = &fs->rules[fs->n];
	int ret;

	if (fs->n == RULES_MAX)
		return err_set(err, -EINVAL, "more than %d rules", RULES_MAX);
	ret = read_rule(v, r, err);
	if (ret < 0)
		return ret;
	seed_rule(r, fs->seed, fs->n++);
	return 0;
}

static void drop_rules(struct emu_faults *fs)
{
	for (size_t i = 0; i < fs->n; i++)
		rule_done(&fs->rules[i]);
	fs->n = 0;
}

int emu_faults_set(struct emu_faults *fs, const json_t *doc, struct err *err)
{
	const json_t *rules = NULL;
	uint64_t seed;
	struct json_in in;
	int r;

	pthread_mutex_lock(&fs->mu);
	seed = fs->seed;
	json_in_init(&in, doc, JSON_ORDERS, "faults", NULL, err);
	json_in_u64(&in, "seed", JSON_MAY, &seed);
	json_in_arr(&in, "rules", JSON_MAY, &rules);
	r = json_in_end(&in);
	if (r == 0) {
		drop_rules(fs);
		fs->seed = seed;
	}
	for (size_t i = 0; r == 0 && i < json_array_size(rules); i++)
		r = add_rule(fs, json_array_get(rules, i), err);
	if (r < 0)
		drop_rules(fs);
	pthread_mutex_unlock(&fs->mu);
	return r;
}

/* "503,probability=0.1,match=/o/" as the JSON form has it. */
static int spec_json(const char *spec, json_t *ret, struct err *err)
{
	size_t n = strcspn(spec, ",");
	cleanup_free char *kind = xstrndup(spec, n);

	json_object_set_new(ret, "kind", json_text(kind));
	for (spec += n; *spec; spec += n) {
		cleanup_free char *item = NULL;
		char *value;
		double number;

		n = strcspn(++spec, ",");
		item = xstrndup(spec, n);
		value = strchr(item, '=');
		if (!value)
			return err_set(err, -EINVAL, "fault \"%s\": not key=value", item);
		*value++ = '\0';
		if (strcmp(item, "method") == 0 || strcmp(item, "match") == 0)
			json_object_set_new(ret, item, json_text(value));
		else if (parse_f64(value, &number, NULL) < 0)
			return err_set(err, -EINVAL, "fault \"%s\": \"%s\" is no number",
				       item, value);
		else if (number == (double)(json_int_t)number)
			json_object_set_new(ret, item, json_integer((json_int_t)number));
		else
			json_object_set_new(ret, item, json_real(number));
	}
	return 0;
}

int emu_faults_add(struct emu_faults *fs, const char *spec, struct err *err)
{
	cleanup_json json_t *v = json_object();
	int r = spec_json(spec, v, err);

	if (r < 0)
		return r;
	pthread_mutex_lock(&fs->mu);
	r = add_rule(fs, v, err);
	pthread_mutex_unlock(&fs->mu);
	return r;
}

static json_t *rule_json(const struct rule *r)
{
	return json_pack("{s:s, s:f, s:I, s:I, s:o, s:o, s:f, s:I, s:I, s:I, s:I}",
			 "kind", r->kind, "probability", r->probability, "count",
			 (json_int_t)r->count, "skip", (json_int_t)r->skip, "method",
			 json_text_or_null(r->method), "match",
			 json_text_or_null(r->match), "seconds", r->hit.seconds,
			 "after_bytes", (json_int_t)r->hit.after_bytes, "bytes_per_s",
			 (json_int_t)r->hit.bytes_per_s, "asked", (json_int_t)r->asked,
			 "struck", (json_int_t)r->struck);
}

json_t *emu_faults_json(struct emu_faults *fs)
{
	json_t *rules = json_array(), *v;

	pthread_mutex_lock(&fs->mu);
	for (size_t i = 0; i < fs->n; i++)
		json_array_append_new(rules, rule_json(&fs->rules[i]));
	v = json_pack("{s:o, s:o}", "seed", json_u64(fs->seed), "rules", rules);
	pthread_mutex_unlock(&fs->mu);
	return v;
}

static bool rule_matches(const struct rule *r, const char *method, const char *uri,
			 const char *decoded)
{
	if (r->method && strcmp(r->method, method) != 0)
		return false;
	return !r->match || strstr(uri, r->match) || strstr(decoded, r->match);
}

/* Does this rule strike? It draws in any case, so that its sequence is its own. */
static bool rule_draw(struct rule *r)
{
	double x = (double)(next_random(&r->state) >> 11) * 0x1p-53;

	r->asked++;
	return r->asked > r->skip && (!r->count || r->struck < r->count) &&
	       x < r->probability;
}

struct emu_hit emu_faults_draw(struct emu_faults *fs, const char *method, const char *uri)
{
	struct emu_hit hit = {.kind = EMU_FAULT_NONE};
	cleanup_free char *decoded = xstrdup(uri);

	if (str_percent_decode(decoded, NULL) < 0)
		decoded[0] = '\0';
	pthread_mutex_lock(&fs->mu);
	for (size_t i = 0; i < fs->n; i++) {
		struct rule *r = &fs->rules[i];

		if (!rule_matches(r, method, uri, decoded) || !rule_draw(r) ||
		    hit.kind != EMU_FAULT_NONE)
			continue;
		r->struck++;
		hit = r->hit;
	}
	pthread_mutex_unlock(&fs->mu);
	return hit;
}

void emu_faults_sleep(struct emu_faults *fs, double seconds)
{
	int64_t until_ns = clock_mono_ns() + (int64_t)(seconds * NS_PER_S);
	struct timespec ts = {.tv_sec = until_ns / NS_PER_S,
			      .tv_nsec = until_ns % NS_PER_S};

	pthread_mutex_lock(&fs->mu);
	while (!fs->is_ending && pthread_cond_timedwait(&fs->ending, &fs->mu, &ts) == 0)
		;
	pthread_mutex_unlock(&fs->mu);
}

void emu_faults_wake(struct emu_faults *fs)
{
	pthread_mutex_lock(&fs->mu);
	fs->is_ending = true;
	pthread_cond_broadcast(&fs->ending);
	pthread_mutex_unlock(&fs->mu);
}
