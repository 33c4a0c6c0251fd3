// SPDX-License-Identifier: Apache-2.0
// Reading JSON objects key by key: types, null, unknown keys, the sticky error.
#include "core/json.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/tap.h"

/* A new reference, or NULL after a failed test. */
static json_t *load(const char *text)
{
	struct err err = {0};
	json_t *doc = NULL;

	if (json_load(text, strlen(text), 1 << 20, "doc", &doc, &err) < 0)
		ok(false, "the test's own document: %s", err.text);
	return doc;
}

/* One getter on one value: result, and whether the output was touched. */
struct get_case {
	const char *value; /* NULL: the key is absent */
	enum json_mode mode;
	enum json_need need;
	int r;
	bool is_set;
};

#define STRICT JSON_ORDERS
#define LENIENT JSON_RECORDS

struct got {
	const char *s;
	uint64_t u64;
	unsigned u;
	int64_t i64;
	double f64;
	bool b;
};

typedef void get_fn(struct json_in *in, enum json_need need, struct got *got);

static const struct got untouched = {.s = "-", .u64 = 77, .u = 77, .i64 = 77, .f64 = 77};

static bool is_same(const struct got *a, const struct got *b)
{
	return a->s == b->s && a->u64 == b->u64 && a->u == b->u && a->i64 == b->i64 &&
	       !(a->f64 < b->f64 || a->f64 > b->f64) && a->b == b->b;
}

static void check_gets(const char *what, get_fn *get, const struct get_case *cases,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct get_case *c = &cases[i];
		cleanup_free char *text =
			c->value ? xasprintf("{\"k\":%s}", c->value) : xstrdup("{}");
		cleanup_json json_t *doc = load(text);
		struct got got = untouched;
		struct err err = {0};
		struct json_in in;
		int r;

		json_in_init(&in, doc, c->mode, "here", NULL, &err);
		get(&in, c->need, &got);
		r = json_in_end(&in);
		ok(r == c->r && err.code == r &&
			   !is_same(&got, &untouched) == c->is_set &&
			   (!r || str_starts(err.text, "here: k: ")),
		   "%s %s %s/%d: %s", what, text,
		   c->mode == STRICT ? "strict" : "lenient", c->need, err.text);
	}
}

static void get_str(struct json_in *in, enum json_need need, struct got *got)
{
	json_in_str(in, "k", need, &got->s);
}

static void get_u64(struct json_in *in, enum json_need need, struct got *got)
{
	json_in_u64(in, "k", need, &got->u64);
}

static void get_uint(struct json_in *in, enum json_need need, struct got *got)
{
	json_in_uint(in, "k", need, &got->u);
}

static void get_i64(struct json_in *in, enum json_need need, struct got *got)
{
	json_in_i64(in, "k", need, &got->i64);
}

static void get_f64(struct json_in *in, enum json_need need, struct got *got)
{
	json_in_f64(in, "k", need, &got->f64);
}

static void get_bool(struct json_in *in, enum json_need need, struct got *got)
{
	json_in_bool(in, "k", need, &got->b);
}

/* Absent and null mean the same for every type: json_need decides. */
static void test_need(void)
{
	static const struct get_case cases[] = {
		{NULL, STRICT, JSON_MUST, -EINVAL, false},
		{NULL, STRICT, JSON_NULLABLE, -EINVAL, false},
		{NULL, STRICT, JSON_MAY, 0, false},
		{NULL, LENIENT, JSON_MUST, -EINVAL, false},
		{NULL, LENIENT, JSON_NULLABLE, -EINVAL, false},
		{NULL, LENIENT, JSON_MAY, 0, false},
		{"null", STRICT, JSON_MUST, -EINVAL, false},
		{"null", STRICT, JSON_NULLABLE, 0, false},
		{"null", STRICT, JSON_MAY, 0, false},
		{"null", LENIENT, JSON_MUST, -EINVAL, false},
		{"null", LENIENT, JSON_NULLABLE, 0, false},
		{"null", LENIENT, JSON_MAY, 0, false},
		{"[]", STRICT, JSON_MAY, -EINVAL, false},
		{"{}", LENIENT, JSON_NULLABLE, -EINVAL, false},
	};
	static const struct {
		const char *what;
		get_fn *get;
	} getters[] = {
		{"str", get_str}, {"u64", get_u64}, {"uint", get_uint},
		{"i64", get_i64}, {"f64", get_f64}, {"bool", get_bool},
	};

	for (size_t i = 0; i < ARRAY_SIZE(getters); i++)
		check_gets(getters[i].what, getters[i].get, cases, ARRAY_SIZE(cases));
}

static void test_types(void)
{
	static const struct get_case strings[] = {
		{"\"x\"", STRICT, JSON_MUST, 0, true},
		{"\"\"", STRICT, JSON_MAY, 0, true},
		{"1", STRICT, JSON_MUST, -EINVAL, false},
		{"true", LENIENT, JSON_MAY, -EINVAL, false},
	};
	static const struct get_case bools[] = {
		{"true", STRICT, JSON_MUST, 0, true},
		{"1", LENIENT, JSON_MUST, -EINVAL, false},
		{"\"true\"", LENIENT, JSON_MAY, -EINVAL, false},
	};
	static const struct get_case reals[] = {
		{"1", STRICT, JSON_MUST, 0, true},
		{"1.5", STRICT, JSON_MUST, 0, true},
		{"-1e300", LENIENT, JSON_NULLABLE, 0, true},
		{"\"1\"", LENIENT, JSON_MUST, -EINVAL, false},
		{"false", STRICT, JSON_MUST, -EINVAL, false},
	};

	check_gets("str", get_str, strings, ARRAY_SIZE(strings));
	check_gets("bool", get_bool, bools, ARRAY_SIZE(bools));
	check_gets("f64", get_f64, reals, ARRAY_SIZE(reals));
}

static void test_integers(void)
{
	static const struct get_case i64s[] = {
		{"-9223372036854775808", STRICT, JSON_MUST, 0, true},
		{"9223372036854775807", STRICT, JSON_MUST, 0, true},
		{"1.0", STRICT, JSON_MUST, -EINVAL, false},
		{"1e3", STRICT, JSON_MAY, -EINVAL, false},
		{"1.0", LENIENT, JSON_MUST, 0, true},
		{"-4e2", LENIENT, JSON_MUST, 0, true},
		{"1.5", LENIENT, JSON_MUST, -EINVAL, false},
		{"9007199254740992.0", LENIENT, JSON_MUST, 0, true},
		{"9007199254740994.0", LENIENT, JSON_MUST, -EINVAL, false},
		{"1e300", LENIENT, JSON_MUST, -EINVAL, false},
		{"\"5\"", LENIENT, JSON_MUST, -EINVAL, false},
	};
	static const struct get_case u64s[] = {
		{"0", STRICT, JSON_MUST, 0, true},
		{"9223372036854775807", STRICT, JSON_NULLABLE, 0, true},
		{"-1", STRICT, JSON_MUST, -EINVAL, false},
		{"-1", LENIENT, JSON_MAY, -EINVAL, false},
		{"-1.0", LENIENT, JSON_NULLABLE, -EINVAL, false},
		{"-0.0", LENIENT, JSON_MUST, 0, true},
		{"5.0", LENIENT, JSON_MUST, 0, true},
		{"5.0", STRICT, JSON_MUST, -EINVAL, false},
	};
	static const struct get_case uints[] = {
		{"0", STRICT, JSON_MUST, 0, true},
		{"4294967295", STRICT, JSON_MAY, 0, true},
		{"4294967296", STRICT, JSON_MUST, -EINVAL, false},
		{"-1", STRICT, JSON_MUST, -EINVAL, false},
		{"3.0", LENIENT, JSON_MUST, 0, true},
	};

	check_gets("i64", get_i64, i64s, ARRAY_SIZE(i64s));
	check_gets("u64", get_u64, u64s, ARRAY_SIZE(u64s));
	check_gets("uint", get_uint, uints, ARRAY_SIZE(uints));
}

static void test_values(void)
{
	cleanup_json json_t *doc = load("{\"s\":\"é\",\"u\":9223372036854775807,\"n\":-3,"
					"\"f\":0.5,\"r\":-4e2,\"b\":true,\"w\":7}");
	struct got got = untouched;
	struct err err = {0};
	struct json_in in;
	int64_t real = 0;

	json_in_init(&in, doc, JSON_RECORDS, "doc", NULL, &err);
	json_in_str(&in, "s", JSON_MUST, &got.s);
	json_in_u64(&in, "u", JSON_MUST, &got.u64);
	json_in_i64(&in, "n", JSON_MUST, &got.i64);
	json_in_f64(&in, "f", JSON_MUST, &got.f64);
	json_in_i64(&in, "r", JSON_MUST, &real);
	json_in_bool(&in, "b", JSON_MUST, &got.b);
	json_in_uint(&in, "w", JSON_MUST, &got.u);
	ok(json_in_end(&in) == 0, "every type at once %s", err.text);
	ok(strcmp(got.s, "é") == 0 && got.u64 == INT64_MAX && got.i64 == -3 && got.b &&
		   got.f64 > 0.49 && got.f64 < 0.51 && real == -400 && got.u == 7,
	   "with their values");
}

static void test_nested(void)
{
	cleanup_json json_t *doc =
		load("{\"o\":{\"x\":1},\"a\":[1],\"n\":null,\"s\":\"\"}");
	const json_t *obj = doc, *arr = doc, *null = doc, *gone = doc, *any = NULL;
	const json_t *wrong = doc;
	struct err err = {0};
	struct json_in in;

	json_in_init(&in, doc, JSON_ORDERS, "doc", NULL, &err);
	json_in_obj(&in, "o", JSON_MUST, &obj);
	json_in_arr(&in, "a", JSON_MUST, &arr);
	json_in_obj(&in, "n", JSON_NULLABLE, &null);
	json_in_arr(&in, "gone", JSON_MAY, &gone);
	json_in_any(&in, "n", JSON_NULLABLE, &any);
	ok(json_is_object(obj) && json_is_array(arr), "objects and arrays are borrowed");
	ok(!null && !gone, "NULL for null and for absent");
	ok(json_is_null(any), "any value, also null");
	json_in_any(&in, "gone", JSON_MAY, &any);
	ok(!any, "any: NULL for absent");
	json_in_any(&in, "s", JSON_MUST, &any);
	ok(json_is_string(any), "any: a string");
	json_in_arr(&in, "o", JSON_MUST, &wrong);
	ok(!wrong && json_in_end(&in) == -EINVAL, "an object is no array: %s", err.text);
}

static void test_first_error(void)
{
	cleanup_json json_t *doc = load("{\"a\":\"x\",\"b\":\"y\",\"c\":\"fine\"}");
	const char *c = "-";
	uint64_t a = 77, b = 77;
	struct err err = {0};
	struct json_in in;

	json_in_init(&in, doc, JSON_ORDERS, "job.arms[3]", NULL, &err);
	json_in_u64(&in, "a", JSON_MUST, &a);
	json_in_u64(&in, "b", JSON_MUST, &b);
	json_in_str(&in, "c", JSON_MUST, &c);
	json_in_fail(&in, "c", "too late");
	ok(json_in_end(&in) == -EINVAL && a == 77 && b == 77 && strcmp(c, "-") == 0,
	   "after the first error nothing is read");
	ok(strcmp(err.text, "job.arms[3]: a: not a whole number") == 0, "%s", err.text);
}

static void test_fail(void)
{
	cleanup_json json_t *doc = load("{\"a\":1}");
	struct err err = {0};
	struct json_in in;

	json_in_init(&in, doc, JSON_ORDERS, "job", NULL, &err);
	json_in_fail(&in, "a", "must be %d", 2);
	ok(json_in_end(&in) == -EINVAL && strcmp(err.text, "job: a: must be 2") == 0,
	   "%s", err.text);
}

static void test_not_an_object(void)
{
	cleanup_json json_t *arr = load("[]");
	const json_t *docs[] = {arr, NULL};

	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		struct err err = {0};
		struct json_in in;
		uint64_t v = 77;

		json_in_init(&in, docs[i], JSON_RECORDS, "doc", NULL, &err);
		json_in_u64(&in, "a", JSON_MAY, &v);
		ok(json_in_end(&in) == -EINVAL && v == 77 &&
			   strcmp(err.text, "doc: not an object") == 0,
		   "%s", err.text);
	}
}

/* Reads "a" and "ab", "a" @times times; returns what json_in_end() says. */
static int read_ab(const char *text, enum json_mode mode, int times, unsigned *unknown,
		   struct err *err)
{
	cleanup_json json_t *doc = load(text);
	struct json_in in;
	uint64_t v;

	json_in_init(&in, doc, mode, "doc", unknown, err);
	for (int i = 0; i < times; i++)
		json_in_u64(&in, "a", JSON_MAY, &v);
	json_in_u64(&in, "ab", JSON_MAY, &v);
	return json_in_end(&in);
}

static void test_unknown(void)
{
	static const struct {
		const char *text;
		unsigned unknown;
		const char *named;
	} cases[] = {
		{"{}", 0, ""},
		{"{\"ab\":1}", 0, ""},
		{"{\"a\":1,\"ab\":1}", 0, ""},
		{"{\"a\":1,\"ab\":null}", 0, ""},
		{"{\"b\":1}", 1, "doc: b: unknown key"},
		{"{\"\":1}", 1, "doc: : unknown key"},
		{"{\"a\":1,\"abc\":1}", 1, "doc: abc: unknown key"},
		{"{\"A\":1}", 1, "doc: A: unknown key"},
		{"{\"a\\nab\":1}", 1, "doc: a\\x0aab: unknown key"},
		{"{\"\\n\":1}", 1, "doc: \\x0a: unknown key"},
		{"{\"x\":1,\"a\":2,\"y\":{\"z\":1}}", 2, "doc: x: unknown key"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int times = 1; times <= 3; times++) {
			struct err err = {0};
			unsigned unknown = 5;
			int r = read_ab(cases[i].text, JSON_ORDERS, times, NULL, &err);

			ok(!r == !cases[i].unknown &&
				   strcmp(err.text, cases[i].named) == 0,
			   "strict, %d times: %s \"%s\"", times, cases[i].text, err.text);
			r = read_ab(cases[i].text, JSON_RECORDS, times, &unknown, NULL);
			ok(r == 0 && unknown == 5 + cases[i].unknown, "lenient: %s: %u",
			   cases[i].text, unknown - 5);
		}
		ok(read_ab(cases[i].text, JSON_RECORDS, 1, NULL, NULL) == 0,
		   "lenient, nobody counts");
	}
}

/* A hostile record: very many keys, and a very long one. */
static void test_unknown_many(void)
{
	cleanup_str struct str text = STR_INIT(8 << 20);
	cleanup_json json_t *doc = NULL;
	unsigned unknown = 0;
	struct err err = {0};
	struct json_in in;
	uint64_t v = 0;

	str_add(&text, "{\"wanted\":9");
	for (int i = 0; i < 100000; i++)
		str_addf(&text, ",\"key%d\":0", i);
	str_add(&text, ",\"");
	for (int i = 0; i < 1 << 20; i++)
		str_addc(&text, 'k');
	str_add(&text, "\":0}");
	ok(json_load(text.s, text.len, 8 << 20, "doc", &doc, &err) == 0, "loads %s",
	   err.text);
	json_in_init(&in, doc, JSON_RECORDS, "doc", &unknown, &err);
	json_in_u64(&in, "wanted", JSON_MUST, &v);
	ok(json_in_end(&in) == 0 && unknown == 100001 && v == 9, "100001 unknown keys");
	json_in_init(&in, doc, JSON_ORDERS, "doc", NULL, &err);
	json_in_u64(&in, "wanted", JSON_MUST, &v);
	ok(json_in_end(&in) == -EINVAL && strstr(err.text, "key0: unknown"), "%s",
	   err.text);
}

static void test_schema(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"{\"schema\":\"muster/job/1\"}", ""},
		{"{\"schema\":\"muster/job/2\"}",
		 "doc: schema: is \"muster/job/2\", this program reads \"muster/job/1\""},
		{"{\"schema\":\"muster/job/11\"}", "doc: schema: is \"muster/job/11\", "
						   "this program reads \"muster/job/1\""},
		{"{\"schema\":\"muster/step/1\"}", "doc: schema: is \"muster/step/1\", "
						   "this program reads \"muster/job/1\""},
		{"{\"schema\":\"\\u001b[2J\"}",
		 "doc: schema: is \"\\x1b[2J\", this program reads \"muster/job/1\""},
		{"{\"schema\":1}", "doc: schema: not a string"},
		{"{\"schema\":null}", "doc: schema: must not be null"},
		{"{}", "doc: schema: missing"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_json json_t *doc = load(cases[i].text);
		struct err err = {0};
		struct json_in in;
		int r;

		json_in_init(&in, doc, JSON_ORDERS, "doc", NULL, &err);
		json_in_schema(&in, "job", 1);
		r = json_in_end(&in);
		ok(!r == !cases[i].why[0] && strcmp(err.text, cases[i].why) == 0,
		   "schema %zu: %s", i, err.text);
	}
}

int main(void)
{
	test_need();
	test_types();
	test_integers();
	test_values();
	test_nested();
	test_first_error();
	test_fail();
	test_not_an_object();
	test_unknown();
	test_unknown_many();
	test_schema();
	return done_testing();
}
