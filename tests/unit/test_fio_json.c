// SPDX-License-Identifier: Apache-2.0
// Tests of core/fio_json: recorded fleets against fio's own sums, rules, bad input.
#include <errno.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "core/cleanup.h"
#include "core/fio_json.h"
#include "core/fio_text.h"
#include "core/json.h"
#include "tests/unit/tap.h"

static bool near(double a, double b, double rel)
{
	return fabs(a - b) <= rel * (fabs(a) + fabs(b));
}

/* --- recorded fleets --- */

static void read_gz(const char *name, struct str *ret)
{
	gzFile gz = gzopen(name, "rb");
	char part[65536];
	int n;

	if (!gz)
		return;
	while ((n = gzread(gz, part, sizeof(part))) > 0)
		str_addn(ret, part, (size_t)n);
	gzclose(gz);
}

/* fio's own sum in the document, or NULL. */
static const json_t *all_clients(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "client_stats");
	const json_t *last = json_array_get(list, json_array_size(list) - 1);
	const char *name = json_string_value(json_object_get(last, "jobname"));

	return name && strcmp(name, "All clients") == 0 ? last : NULL;
}

static uint64_t u64_of(const json_t *v, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(v, key));
}

static double f64_of(const json_t *v, const char *key)
{
	return json_number_value(json_object_get(v, key));
}

static void compare_rates(const char *what, const struct fio_result *r, const json_t *fio)
{
	ok(r->ios == u64_of(fio, "total_ios") && r->io_bytes == u64_of(fio, "io_bytes") &&
		   r->runtime_ns == u64_of(fio, "runtime") * 1000000,
	   "%s: I/Os, bytes, runtime", what);
	ok((uint64_t)r->bw_bytes_per_s == u64_of(fio, "bw_bytes"), "%s: bandwidth", what);
	ok(near(r->iops, f64_of(fio, "iops"), 1e-9), "%s: IOPS", what);
}

static void compare_lat(const char *what, const struct hist *h, const json_t *fio)
{
	const json_t *list = json_object_get(fio, "percentile");
	cleanup_hist struct hist want;
	unsigned bad = 0;
	const char *key;
	json_t *v;

	ok(hist_from_fio(json_object_get(fio, "bins"), &want, NULL) == 0 &&
		   want.groups == h->groups && want.n == h->n &&
		   h->n == u64_of(fio, "N") &&
		   memcmp(want.count, h->count,
			  (h->groups << h->bits) * sizeof(*h->count)) == 0,
	   "%s: every bin", what);
	ok(h->min_ns == u64_of(fio, "min") && h->max_ns == u64_of(fio, "max"),
	   "%s: min and max", what);
	/* the recordings have six decimals */
	ok(near(h->mean_ns, f64_of(fio, "mean"), 1e-9), "%s: mean %.6f", what,
	   h->mean_ns);
	ok(near(hist_stddev_ns(h), f64_of(fio, "stddev"), 1e-9), "%s: stddev %.6f", what,
	   hist_stddev_ns(h));
	json_object_foreach ((json_t *)list, key, v) {
		struct hist_pct pct = {0};
		double p = 0;

		bad += parse_f64(key, &p, NULL) != 0 ||
		       hist_percentile(h, p, &pct, NULL) != 0 ||
		       pct.ns != (uint64_t)json_integer_value(v);
	}
	ok(!bad && json_object_size(list) == 17, "%s: %zu percentiles", what,
	   json_object_size(list));
}

static void test_fleet(const char *name)
{
	cleanup_str struct str text = STR_INIT(FIO_JSON_MAX_BYTES);
	cleanup_fio_text struct fio_text parts = {0};
	cleanup_fio_output struct fio_output out = {0};
	cleanup_json json_t *doc = NULL;
	const json_t *all;
	unsigned seen = 0;

	read_gz(name, &text);
	ok(fio_json_read(str_text(&text), text.len, &out, NULL) == 0, "%s: read", name);
	fio_text_split(str_text(&text), text.len, FIO_JSON_MAX_BYTES, &parts, NULL);
	json_load(str_text(&parts.doc), parts.doc.len, SIZE_MAX, "doc", &doc, NULL);
	all = all_clients(doc);
	ok(all && json_array_size(json_object_get(doc, "client_stats")) == out.jobs + 1,
	   "%s: %u jobs, fio's sum is none", name, out.jobs);
	for (size_t i = 0; i < out.n; i++) {
		const struct fio_result *r = &out.results[i];
		const json_t *fio = json_object_get(all, fio_rw_name(r->rw));
		char what[128];

		snprintf(what, sizeof(what), "%s %s", name, fio_rw_name(r->rw));
		compare_rates(what, r, fio);
		compare_lat(what, &r->lat, json_object_get(fio, "lat_ns"));
		seen |= 1u << r->rw;
	}
	ok(seen == (1u << FIO_READ | 1u << FIO_WRITE), "%s: reads and writes", name);
	ok(strstr(out.message, "<vm> ") != NULL && strcmp(out.version, "fio-3.39") == 0 &&
		   json_array_size(out.percentiles) == 17,
	   "%s: message, version, percentile list", name);
}

static void test_truncation(const char *name)
{
	cleanup_str struct str text = STR_INIT(FIO_JSON_MAX_BYTES);
	unsigned good = 0, unnamed = 0;

	read_gz(name, &text);
	while (text.len && text.s[text.len - 1] != '}')
		text.len--;
	for (size_t i = 0; i < 50; i++) {
		/* memory of its own, so that reading past the end is seen */
		size_t n = text.len * i / 50;
		cleanup_free char *part = xstrndup(str_text(&text), n);
		struct fio_output out;
		struct err err = {0};
		int r = fio_json_read(part, n, &out, &err);

		good += r != -EINVAL && r != -ENODATA;
		unnamed += err.code != r || !err.text[0] || !out.message;
		fio_output_done(&out);
	}
	ok(text.len && !good && !unnamed, "%s: cut at every fiftieth: refused", name);
}

/* --- documents made by hand --- */

struct dir {
	const char *rw;
	uint64_t io_bytes, ios, runtime_ms;
	const char *lat; /* the contents of lat_ns */
};

#define LAT_2                                                                            \
	"\"N\":2,\"min\":4,\"max\":6,\"mean\":5.0,\"stddev\":1.5,"                       \
	"\"bins\":{\"4\":1,\"6\":1}"
#define LAT_3                                                                            \
	"\"N\":3,\"min\":1,\"max\":6,\"mean\":2.5,\"stddev\":2,"                         \
	"\"bins\":{\"1\":2,\"6\":1}"
#define LAT_NONE "\"N\":7,\"min\":1,\"max\":6,\"mean\":2.5,\"stddev\":2"

static void add_job(struct str *s, const char *name, unsigned group, int error,
		    const struct dir *dirs, size_t n)
{
	if (s->len)
		str_addc(s, ',');
	str_addf(s, "{\"jobname\":\"%s\",\"groupid\":%u,\"error\":%d", name, group,
		 error);
	for (size_t i = 0; i < n; i++)
		str_addf(s,
			 ",\"%s\":{\"io_bytes\":%llu,\"total_ios\":%llu,\"runtime\":%llu,"
			 "\"short_ios\":1,\"drop_ios\":2,\"lat_ns\":{%s}}",
			 dirs[i].rw, (unsigned long long)dirs[i].io_bytes,
			 (unsigned long long)dirs[i].ios,
			 (unsigned long long)dirs[i].runtime_ms, dirs[i].lat);
	str_addc(s, '}');
}

static int read_list(const char *key, const struct str *jobs, struct fio_output *out,
		     struct err *err)
{
	cleanup_str struct str text = STR_INIT(1 << 20);

	str_addf(&text, "note\n{\"fio version\":\"fio-3.39\",\"%s\":[%s]}\n", key,
		 str_text(jobs));
	return fio_json_read(str_text(&text), text.len, out, err);
}

static void test_group_rule(void)
{
	const struct dir fast = {"read", 4000000, 1000, 990, LAT_2};
	const struct dir slow = {"read", 12800000, 3200, 3970, LAT_3};
	const struct dir other = {"write", 500, 5, 100, LAT_2};
	cleanup_str struct str jobs = STR_INIT(1 << 20);
	cleanup_fio_output struct fio_output out = {0};
	struct fio_result *r;

	add_job(&jobs, "late", 7, 0, &other, 1);
	add_job(&jobs, "fast", 0, 0, &fast, 1);
	add_job(&jobs, "slow", 0, 0, &slow, 1);
	add_job(&jobs, "too", 0, 0, &other, 1);
	ok(read_list("jobs", &jobs, &out, NULL) == 0 && out.n == 3 && out.jobs == 4,
	   "two groups, three directions");
	r = out.results;
	ok(r[0].group == 0 && r[0].rw == FIO_READ && r[1].group == 0 &&
		   r[1].rw == FIO_WRITE && r[2].group == 7,
	   "by group, then direction");
	ok(r[0].io_bytes == 16800000 && r[0].ios == 4200 &&
		   r[0].runtime_ns == 3970000000 && r[0].short_ios == 2 &&
		   r[0].drop_ios == 4,
	   "added up; the longest runtime");
	ok(near(r[0].bw_bytes_per_s, 16800000 / 3.97, 1e-15) &&
		   near(r[0].iops, 4200 / 3.97, 1e-15),
	   "bandwidth is bytes over the longest runtime: %.1f", r[0].bw_bytes_per_s);
	ok(r[0].lat.n == 5 && r[0].lat.count[6] == 2 && r[0].lat.min_ns == 1,
	   "histograms added");
}

static void test_all_clients(void)
{
	const struct dir d = {"read", 100, 2, 10, LAT_2};
	cleanup_str struct str jobs = STR_INIT(1 << 20);
	struct fio_output out;

	add_job(&jobs, "a", 0, 0, &d, 1);
	add_job(&jobs, "All clients", 0, 5, &d, 1);
	ok(read_list("client_stats", &jobs, &out, NULL) == 0 && out.jobs == 1 &&
		   out.results[0].ios == 2 && !out.first_error,
	   "fio's own sum is ignored");
	fio_output_done(&out);
	ok(read_list("jobs", &jobs, &out, NULL) == 0 && out.jobs == 2 &&
		   out.results[0].ios == 4,
	   "in a local run a job may have that name");
	fio_output_done(&out);
}

static void test_job_error(void)
{
	const struct dir none = {"read", 0, 0, 0, "\"N\":0"};
	cleanup_str struct str jobs = STR_INIT(1 << 20);
	struct fio_output out;

	add_job(&jobs, "a", 0, 0, &none, 1);
	add_job(&jobs, "b\\u001b[31m", 0, 5, &none, 1);
	add_job(&jobs, "c", 0, 28, &none, 1);
	ok(read_list("jobs", &jobs, &out, NULL) == 0 && out.first_error == 5 &&
		   strcmp(out.error_job, "b\x1b[31m") == 0 && out.n == 0,
	   "the first error, its job, and no results without I/O");
	fio_output_done(&out);
}

static void test_no_bins(void)
{
	static const struct {
		const char *what, *lat;
		uint64_t ios;
		uint64_t want_n;
	} cases[] = {
		{"lat_percentiles=0", LAT_NONE, 7, 0},
		{"disable_lat=1", "\"N\":0", 7, 0},
		{"no samples and no I/O", "\"N\":0", 0, 2},
		{"empty bins", "\"N\":7,\"bins\":{}", 7, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct dir with = {"write", 100, 2, 10, LAT_2};
		const struct dir without = {"write", 10 * cases[i].ios, cases[i].ios, 10,
					    cases[i].lat};
		cleanup_str struct str jobs = STR_INIT(1 << 20);
		struct fio_output out;

		add_job(&jobs, "a", 0, 0, &with, 1);
		add_job(&jobs, "b", 0, 0, &without, 1);
		ok(read_list("jobs", &jobs, &out, NULL) == 0 && out.n == 1 &&
			   out.results[0].lat.n == cases[i].want_n &&
			   out.results[0].ios == 2 + cases[i].ios,
		   "%s in one of two jobs: %llu samples", cases[i].what,
		   (unsigned long long)cases[i].want_n);
		fio_output_done(&out);
	}
}

static void test_percentile_lists(void)
{
	static const double want[] = {25, 50, 99.5, 100};
	const struct dir a = {"read", 1, 2, 1,
			      LAT_2 ",\"percentile\":{\"50.000000\":4,\"100.000000\":6}"};
	const struct dir b = {
		"read", 1, 2, 1,
		LAT_2 ",\"percentile\":{\"0.000000\":0,\"99.500000\":6,\"50.0\":4,"
		      "\"25.0\":4}"};
	cleanup_str struct str jobs = STR_INIT(1 << 20);
	cleanup_fio_output struct fio_output out = {0};
	unsigned bad = 0;

	add_job(&jobs, "a", 0, 0, &a, 1);
	add_job(&jobs, "b", 0, 0, &b, 1);
	read_list("jobs", &jobs, &out, NULL);
	ok(json_array_size(out.percentiles) == 4, "the lists of both jobs");
	for (size_t i = 0; i < 4; i++)
		bad += json_real_value(json_array_get(out.percentiles, i)) != want[i];
	ok(!bad, "ascending, without 0");
}

static void test_one_geometry(void)
{
	/* the second job shows that the build has 32 groups: the first is not censored */
	const struct dir a = {"read", 1, 1, 1,
			      "\"N\":1,\"min\":17112760320,\"max\":17112760320,"
			      "\"mean\":17112760320,\"stddev\":0,"
			      "\"bins\":{\"17112760320\":1}"};
	const struct dir b = {"write", 1, 1, 1,
			      "\"N\":1,\"min\":136902082560,\"max\":136902082560,"
			      "\"mean\":136902082560,\"stddev\":0,"
			      "\"bins\":{\"136902082560\":1}"};
	cleanup_str struct str jobs = STR_INIT(1 << 20);
	cleanup_fio_output struct fio_output out = {0};
	struct hist_pct low = {0}, high = {0};

	add_job(&jobs, "a", 0, 0, &a, 1);
	add_job(&jobs, "b", 0, 0, &b, 1);
	read_list("jobs", &jobs, &out, NULL);
	ok(out.n == 2 && out.results[0].lat.groups == 32 &&
		   hist_percentile(&out.results[0].lat, 50, &low, NULL) == 0 &&
		   !low.is_censored,
	   "one output, one geometry");
	ok(out.n == 2 && hist_percentile(&out.results[1].lat, 50, &high, NULL) == 0 &&
		   high.is_censored && high.ns == 136902082560,
	   "censored at 136.9 s");
}

static void test_bad_documents(void)
{
	static const struct {
		const char *lat, *want;
	} cases[] = {
		{"\"N\":3,\"min\":4,\"max\":6,\"mean\":5.0,\"stddev\":1.5,"
		 "\"bins\":{\"4\":1,\"6\":1}",
		 "bins sum to 2, N is 3"},
		{"\"min\":4,\"max\":6,\"mean\":5.0,\"stddev\":1.5,\"bins\":{\"4\":1}",
		 "N: missing"},
		{"\"N\":1,\"min\":4,\"max\":6,\"mean\":5.0,\"stddev\":1.5,"
		 "\"bins\":{\"128\":1,\"258\":1,\"514\":1,\"1026\":1}",
		 "not fio's bins"},
		{"\"N\":1,\"min\":4,\"max\":6,\"mean\":5.0,\"stddev\":-1,"
		 "\"bins\":{\"4\":1}",
		 "must not be negative"},
		{"\"N\":-1,\"min\":4,\"max\":6,\"mean\":5.0,\"stddev\":1,"
		 "\"bins\":{\"4\":1}",
		 "must not be negative"},
		{"\"N\":1,\"min\":\"4\",\"max\":6,\"mean\":5.0,\"stddev\":1,"
		 "\"bins\":{\"4\":1}",
		 "not a whole number"},
		{"\"N\":1,\"N\":1,\"bins\":{\"4\":1}", "duplicate"},
		{"\"N\":1,\"bins\":[4,1]", "not an object"},
		{LAT_2 ",\"percentile\":{\"x\":1}", "not a percentile"},
		{LAT_2 ",\"percentile\":{\"101\":1}", "not a percentile"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct dir d = {"read", 1, 1, 1, cases[i].lat};
		cleanup_str struct str jobs = STR_INIT(1 << 20);
		struct fio_output out;
		struct err err = {0};

		add_job(&jobs, "a", 0, 0, &d, 1);
		ok(read_list("jobs", &jobs, &out, &err) == -EINVAL &&
			   strstr(err.text, cases[i].want) && !out.n,
		   "refused: %s", err.text);
		fio_output_done(&out);
	}
}

static void test_overflow(void)
{
	const struct dir big = {"read", INT64_MAX, 1, 1, LAT_2};
	const struct dir longest = {"read", 1, 1, INT64_MAX, LAT_2};
	cleanup_str struct str jobs = STR_INIT(1 << 20), late = STR_INIT(1 << 20);
	struct fio_output out;

	add_job(&jobs, "a", 0, 0, &big, 1);
	add_job(&jobs, "b", 0, 0, &big, 1);
	ok(read_list("jobs", &jobs, &out, NULL) == -ERANGE, "bytes past 2^63");
	fio_output_done(&out);
	add_job(&late, "b", 0, 0, &longest, 1);
	ok(read_list("jobs", &late, &out, NULL) == -ERANGE, "a runtime past 2^63 ns");
	fio_output_done(&out);
}

static void test_around_the_document(void)
{
#define DOC "{\"fio version\":\"v\",\"jobs\":[]}"
	static const struct {
		const char *text;
		int want;
		const char *message;
	} cases[] = {
		{"", -ENODATA, ""},
		{"fio: no\n", -ENODATA, "fio: no\n"},
		{" {}\n", -ENODATA, " {}\n"},
		{DOC, 0, ""},
		{DOC "\n", 0, ""},
		{"fio: terminating on signal 2\n" DOC "\n", 0,
		 "fio: terminating on signal 2\n"},
		{"a {b\n\x1b[1m\n" DOC "\n", 0, "a {b\n\x1b[1m\n"},
		/* --output-format=json+,normal */
		{DOC "\nj: (groupid=0, jobs=1)\n  read: IOPS=1\n", 0, ""},
		{DOC "\n" DOC "\n", -EINVAL, ""},
		{DOC DOC "\n", -EINVAL, ""},
		{DOC "x\n", -EINVAL, ""},
		{"{\"fio version\":\"v\",\"jobs\":[]\n", -EINVAL, ""},
		{"{\"fio version\":\"v\",\"jobs\":[}]\n", -EINVAL, ""},
		{"{\"fio version\":\"v\"}", -EINVAL, ""},
		{"{\"fio version\":\"v\",\"jobs\":[],\"client_stats\":[]}", -EINVAL, ""},
		{"{\"jobs\":[]}", -EINVAL, ""},
		{"{\"fio version\":\"v\",\"jobs\":{}}", -EINVAL, ""},
		{"{\"fio version\":\"v\",\"jobs\":[7]}", -EINVAL, ""},
		{"{}", -EINVAL, ""},
		{"{", -EINVAL, ""},
		{"{\"", -EINVAL, ""},
		{"{\"\\", -EINVAL, ""},
		{"{\"job options\":{", -EINVAL, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fio_output out;
		struct err err = {0};
		int r = fio_json_read(cases[i].text, strlen(cases[i].text), &out, &err);

		ok(r == cases[i].want && err.code == r &&
			   strcmp(out.message, cases[i].message) == 0,
		   "case %zu: %d %s", i, r, err.text);
		fio_output_done(&out);
	}
}

static void test_depth(void)
{
	cleanup_str struct str text = STR_INIT(1 << 22);
	struct fio_output out;

	str_add(&text, "{\"fio version\":\"v\",\"jobs\":");
	for (int i = 0; i < 100000; i++)
		str_addc(&text, '[');
	for (int i = 0; i < 100000; i++)
		str_addc(&text, ']');
	str_addc(&text, '}');
	ok(fio_json_read(str_text(&text), text.len, &out, NULL) == -EINVAL,
	   "100000 brackets deep: refused");
	fio_output_done(&out);
}

/* What fio 3.33 writes for odd job names and for options given twice. */
static void test_repairs(void)
{
	static const struct {
		const char *in, *out;
	} names[] = {
		{"a\x01\x1b[31m", "a\x01\x1b[31m"},
		{"tab\there", "tab\there"},
		{"\xff\xc3\xa9\xc3", "\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd"},
		{"quote\\\" back\\\\slash", "quote\" back\\slash"},
		{"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_str struct str text = STR_INIT(65536);
		struct fio_output out;
		struct err err = {0};
		int r;

		str_addf(&text,
			 "{\"fio version\" : \"v\", \"global options\" : {\"a\":\"}\","
			 "\"a\":\"\\\"\"},\n\"jobs\":[{\"jobname\":\"%s\",\"groupid\":0,"
			 "\"error\":1,\"job options\" : {\"filename\":\"a\","
			 "\"filename\":\"b\",\"job options\":{\"x\":1}}}]}\n",
			 names[i].in);
		r = fio_json_read(str_text(&text), text.len, &out, &err);
		ok(r == 0 && strcmp(out.error_job, names[i].out) == 0,
		   "job name %zu: %d %s", i, r, err.text);
		fio_output_done(&out);
	}
}

static void test_nul_bytes(void)
{
	static const char text[] = "a\0b\n{\"fio version\":\"\0\",\"jobs\":[]}\0";
	struct fio_output out;
	int r = fio_json_read(text, sizeof(text) - 2, &out, NULL);

	ok(r == 0 && strcmp(out.message, "a b\n") == 0 &&
		   strcmp(out.version, "\xef\xbf\xbd") == 0,
	   "NUL bytes neither end the message nor the document");
	fio_output_done(&out);
}

static void test_results_round_trip(void)
{
	cleanup_str struct str text = STR_INIT(FIO_JSON_MAX_BYTES);
	cleanup_fio_output struct fio_output out = {0};
	cleanup_json json_t *v = NULL, *again = NULL;
	struct fio_result *back = NULL;
	size_t n = 0;

	read_gz("tests/data/fio/fleet-03.json.gz", &text);
	fio_json_read(str_text(&text), text.len, &out, NULL);
	v = fio_results_to_json(out.results, out.n);
	ok(out.n == 2 && fio_results_from_json(v, &back, &n, NULL) == 0 && n == out.n,
	   "results to JSON and back");
	again = fio_results_to_json(back, n);
	ok(json_equal(v, again), "and the same JSON again");
	fio_results_free(back, n);

	json_object_set_new(json_object_get(json_array_get(v, 1), "lat"), "n",
			    json_integer(1));
	ok(fio_results_from_json(v, &back, &n, NULL) == -EINVAL,
	   "bins that do not sum to n: refused");
	json_object_set_new(json_array_get(v, 0), "rw", json_string("reed"));
	ok(fio_results_from_json(v, &back, &n, NULL) == -EINVAL, "rw \"reed\": refused");
	ok(fio_results_from_json(json_object_get(v, "x"), &back, &n, NULL) == -EINVAL,
	   "no array: refused");
}

static void test_limits(void)
{
	const struct dir d = {"read", 1, 1, 1, "\"N\":0"};
	cleanup_str struct str jobs = STR_INIT(1 << 24);
	struct fio_output out;

	for (unsigned i = 0; i <= FIO_RESULTS_MAX; i++)
		add_job(&jobs, "j", i, 0, &d, 1);
	ok(read_list("jobs", &jobs, &out, NULL) == -EFBIG, "too many groups: refused");
	fio_output_done(&out);
	ok(fio_json_read("{}", (size_t)FIO_JSON_MAX_BYTES + 1, &out, NULL) == -EFBIG,
	   "256 MiB and one: refused unread");
	fio_output_done(&out);
}

int main(void)
{
	static const char *const fleets[] = {
		"tests/data/fio/fleet-00.json.gz",
		"tests/data/fio/fleet-01.json.gz",
		"tests/data/fio/fleet-02.json.gz",
		"tests/data/fio/fleet-03.json.gz",
	};

	for (size_t i = 0; i < ARRAY_SIZE(fleets); i++) {
		test_fleet(fleets[i]);
		test_truncation(fleets[i]);
	}
	test_group_rule();
	test_all_clients();
	test_job_error();
	test_no_bins();
	test_percentile_lists();
	test_one_geometry();
	test_bad_documents();
	test_overflow();
	test_around_the_document();
	test_depth();
	test_repairs();
	test_nul_bytes();
	test_results_round_trip();
	test_limits();
	return done_testing();
}
