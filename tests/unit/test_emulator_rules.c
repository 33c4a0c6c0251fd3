// SPDX-License-Identifier: Apache-2.0
// The rules a reply follows: preconditions, partial responses, faults by seed.
#include <string.h>

#include "core/json.h"
#include "core/str.h"
#include "emulator/cond.h"
#include "emulator/faults.h"
#include "emulator/fields.h"
#include "tests/unit/tap.h"

enum { LIVE = 5, META = 2 };

static const struct {
	enum emu_cond_kind kind;
	uint64_t value;
	int want_live, want_missing;
} conditions[] = {
	{EMU_IF_GENERATION_MATCH, 0, 412, 0},
	{EMU_IF_GENERATION_MATCH, LIVE, 0, 412},
	{EMU_IF_GENERATION_MATCH, 6, 412, 412},
	{EMU_IF_GENERATION_NOT_MATCH, 0, 0, 412},
	{EMU_IF_GENERATION_NOT_MATCH, LIVE, 304, 412},
	{EMU_IF_GENERATION_NOT_MATCH, 6, 0, 412},
	{EMU_IF_METAGENERATION_MATCH, META, 0, 412},
	{EMU_IF_METAGENERATION_MATCH, 3, 412, 412},
	{EMU_IF_METAGENERATION_NOT_MATCH, META, 304, 412},
	{EMU_IF_METAGENERATION_NOT_MATCH, 3, 0, 412},
};

static void test_conditions(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		struct emu_cond c = {0};
		struct emu_fail f = {0};
		int live, missing;

		c.has[conditions[i].kind] = true;
		c.value[conditions[i].kind] = conditions[i].value;
		live = emu_cond_check(&c, LIVE, META, &f);
		missing = emu_cond_check(&c, 0, 0, &f);
		ok(live == conditions[i].want_live &&
			   missing == conditions[i].want_missing,
		   "%s=%llu: live object %d, no object %d",
		   emu_cond_name(conditions[i].kind, false),
		   (unsigned long long)conditions[i].value, live, missing);
	}
}

static const struct {
	const char *fields, *want; /* NULL = refused */
} selections[] = {
	{"kind", "{\"kind\":\"k\"}"},
	{"*", "{\"kind\":\"k\",\"items\":[{\"name\":\"a\",\"meta\":{\"x\":1,\"y\":2}},"
	      "{\"name\":\"b\"}],\"next\":\"t\"}"},
	{"items/name", "{\"items\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"},
	{"items(name),next", "{\"items\":[{\"name\":\"a\"},{\"name\":\"b\"}],"
			     "\"next\":\"t\"}"},
	{"items(meta/x)", "{\"items\":[{\"meta\":{\"x\":1}},{}]}"},
	{"items(meta(y,x))", "{\"items\":[{\"meta\":{\"x\":1,\"y\":2}},{}]}"},
	{"nothing", "{}"},
	{"items(name", NULL},
	{"items)", NULL},
	{"a,,b", NULL},
	{",a", NULL},
	{"a/", NULL},
	{"a()", NULL},
};

static void test_fields(void)
{
	static const char doc[] = "{\"kind\":\"k\",\"items\":[{\"name\":\"a\",\"meta\":"
				  "{\"x\":1,\"y\":2}},{\"name\":\"b\"}],\"next\":\"t\"}";

	for (size_t i = 0; i < ARRAY_SIZE(selections); i++) {
		cleanup_str struct str got = STR_INIT(4096);
		json_t *v = json_loads(doc, 0, NULL);
		struct emu_fail f = {0};
		int status = emu_fields_apply(&v, selections[i].fields, &f);

		json_dump(v, &got, NULL);
		json_decref(v);
		if (selections[i].want)
			ok(status == 0 && str_starts(got.s, selections[i].want) &&
				   got.len == strlen(selections[i].want) + 1,
			   "fields=%s", selections[i].fields);
		else
			ok(status == 400, "fields=%s is refused", selections[i].fields);
	}
}

/* Which of 200 requests are struck, as a text of 0 and 1. */
static void sequence(uint64_t seed, const char *spec, struct str *ret)
{
	struct emu_faults *fs = emu_faults_new(seed);

	emu_faults_add(fs, spec, NULL);
	for (int i = 0; i < 200; i++)
		str_addc(ret, emu_faults_draw(fs, "GET", "/a/b?c=d").kind ? '1' : '0');
	emu_faults_free(fs);
}

static size_t strikes(const struct str *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->len; i++)
		n += s->s[i] == '1';
	return n;
}

static void test_faults_by_seed(void)
{
	cleanup_str struct str a = STR_INIT(1024), b = STR_INIT(1024), c = STR_INIT(1024);

	sequence(42, "503,probability=0.5", &a);
	sequence(42, "503,probability=0.5", &b);
	sequence(43, "503,probability=0.5", &c);
	ok(strcmp(a.s, b.s) == 0, "one seed gives one sequence");
	ok(strcmp(a.s, c.s) != 0, "another seed gives another");
	ok(strikes(&a) > 70 && strikes(&a) < 130, "%zu of 200 at probability 0.5",
	   strikes(&a));
}

static const struct {
	const char *spec;
	size_t want; /* strikes among 200 requests */
} specs[] = {
	{"503", 200},
	{"reset,count=5", 5},
	{"lost,skip=190", 10},
	{"429,method=GET", 200},
	{"429,method=POST", 0},
	{"stall,match=c=d,seconds=0.5", 200},
	{"truncate,match=/x", 0},
	{"500,probability=0", 0},
	{"slow,bytes_per_s=1000", 200},
	{"broken-stream,after_bytes=9,count=3", 3},
	{"corrupt,method=GET", 200},
};

static void test_rules(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		cleanup_str struct str s = STR_INIT(1024);

		sequence(1, specs[i].spec, &s);
		ok(strikes(&s) == specs[i].want, "--fault %s strikes %zu times",
		   specs[i].spec, strikes(&s));
	}
}

static void test_bad_specs(void)
{
	static const char *const bad[] = {"",
					  "nothing",
					  "200",
					  "600",
					  "503,x=1",
					  "slow",
					  "slow,bytes_per_s=0",
					  "status",
					  "503,count",
					  "503,count=-1",
					  "503,count=x",
					  "503,probability=1.5",
					  "stall,seconds=-1"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct emu_faults *fs = emu_faults_new(1);
		struct err err = {0};

		ok(emu_faults_add(fs, bad[i], &err) < 0, "refused: --fault \"%s\": %s",
		   bad[i], err.text);
		emu_faults_free(fs);
	}
}

static void test_match_decoded(void)
{
	struct emu_faults *fs = emu_faults_new(1);

	emu_faults_add(fs, "503,match=/o/a/b", NULL);
	ok(emu_faults_draw(fs, "GET", "/storage/v1/b/x/o/a%2Fb").kind == EMU_FAULT_STATUS,
	   "match is also sought in the decoded path");
	emu_faults_free(fs);
}

int main(void)
{
	test_conditions();
	test_fields();
	test_faults_by_seed();
	test_rules();
	test_bad_specs();
	test_match_decoded();
	return done_testing();
}
