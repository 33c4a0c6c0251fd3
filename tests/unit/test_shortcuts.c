// SPDX-License-Identifier: Apache-2.0
// Reading records and jobs the short way: nothing but the time may differ.
#include <string.h>

#include "core/hist_cut.h"
#include "core/json.h"
#include "manifests/job_like.h"
#include "manifests/record.h"
#include "tests/unit/tap.h"

static const char record_head[] =
	"{\"schema\":\"muster/step/1\",\"run\":\"r1\",\"worker\":\"w\",\"incarnation\":"
	"{\"n\":1,\"nonce\":\"00000000000000000000000000000000\",\"boot_id\":\"b\","
	"\"instance_id\":\"i\"},\"step\":\"1-1\",\"matrix_id\":1,\"test_id\":1,"
	"\"config_id\":1,\"iteration\":1,\"block\":1,\"pos\":1,\"attempt\":1,"
	"\"state\":\"ok\",\"effective\":{\"gcsfuse\":{\"a\":{\"bins\":[[1,2]]}}},";
static const char record_tail[] =
	"\"results\":[{\"group\":0,\"rw\":\"read\",\"ios\":3,\"io_bytes\":3,"
	"\"runtime_ns\":1,\"bw_bytes_per_s\":1.5,\"iops\":null,\"short_ios\":0,"
	"\"drop_ios\":0,\"lat\":{\"n\":3,\"min_ns\":1,\"max_ns\":9,\"mean_ns\":1.5,"
	"\"stddev_ns\":0.5,\"bins\":[[1,2], [868,1]],\"geometry\":{\"bits\":6,"
	"\"groups\":29}}},{\"group\":0,\"rw\":\"write\",\"ios\":1,\"io_bytes\":1,"
	"\"runtime_ns\":1,\"bw_bytes_per_s\":1,\"iops\":1,\"short_ios\":0,"
	"\"drop_ios\":0,\"lat\":{\"n\":1,\"min_ns\":1,\"max_ns\":1,\"mean_ns\":1,"
	"\"stddev_ns\":0,\"bins\":[[1,1]],\"geometry\":{\"bits\":6,\"groups\":29}}}],"
	"\"files\":[]}";

/* What is read of @text, or why not; @unknown likewise. */
static void read_record(const char *text, struct str *ret, unsigned *ret_unknown)
{
	struct step_record record;
	struct err err = {0};
	json_t *doc;

	step_record_init(&record);
	*ret_unknown = 0;
	str_reset(ret);
	if (step_record_parse(text, strlen(text), &record, ret_unknown, &err) < 0) {
		str_addf(ret, "%s", err.text);
		return;
	}
	doc = step_record_to_json(&record);
	json_dump(doc, ret, NULL);
	json_decref(doc);
	step_record_done(&record);
}

/* An escape before all else, in an unknown key, keeps the text from being cut. */
static bool is_same_uncut(const char *text)
{
	cleanup_free char *uncut = xasprintf("{\"\\u0061\":0,%s", text + 1);
	cleanup_str struct str a = STR_INIT(1 << 20), b = STR_INIT(1 << 20);
	unsigned unknown_a, unknown_b;

	read_record(text, &a, &unknown_a);
	read_record(uncut, &b, &unknown_b);
	if (strcmp(str_text(&a), str_text(&b)) == 0 &&
	    (unknown_b == unknown_a + 1 || unknown_a == unknown_b))
		return true;
	printf("# %s\n# %s\n# %s\n", text, str_text(&a), str_text(&b));
	return false;
}

static void test_records(void)
{
	static const struct {
		const char *from, *to;
	} edits[] = {
		{"[[1,1]]", "[]"},
		{"[[1,1]]", "[0]"},
		{"[[1,1]]", "[1]"},
		{"[[1,1]]", "\"x\""},
		{"[[1,1]]", "[[1,1],]"},
		{"[[1,1]]", "[[1.0,1]]"},
		{"[[1,1]]", "[[01,1]]"},
		{"[[1,1]]", "[[1,-1]]"},
		{"[[1,1]]", "[[1,1,1]]"},
		{"[[1,1]]", "[[1,1],[1,0]]"},
		{"[[1,1]]", "[[1,0]]"},
		{"[[1,1]]", "[[1,1]],\"bins\":[[1,1]]"},
		{"[[1,1]]", "[ [ 1 , 1 ] ] "},
		{"[[1,1]]", "[[1,1e0]]"},
		{"[[1,1]]", "[[1,1]"},
		{"[[1,1]]", "[[1,1]]]"},
		{"[[1,1]]", "[[1,9999999999999999999]]"},
		{"[[1,1]]", "[[1,999999999999999999]]"},
		{"[[1,1]]", "[[16,1]]"},
		{"[[1,1]]", "[[129,1]]"},
		{"\"group\":0", "\"group\":0,\"x\":{\"bins\":[[1,1]]}"},
		{"\"group\":0", "\"group\":0,\"x\":{\"y\":\"bins\"}"},
		{"\"group\":0", "\"group\":0,\"x\":{\"bins\":1}"},
		{"\"bins\":[[1,1]]", "\"b\\u0069ns\":[[1,1]]"},
		{"\"results\"", "\"results\":[],\"results\""},
		{"\"files\"",
		 "\"x\":\"results\",\"y\":{\"z\":[{\"bins\":[[1,1]]}]},\"files\""},
	};
	cleanup_free char *text = xasprintf("%s%s", record_head, record_tail);
	cleanup_str struct str shorter = STR_INIT(1 << 20);
	cleanup_hist_cut struct hist_cut cut = {0};
	unsigned bad = 0;

	ok(hist_cut(text, strlen(text), &shorter, &cut) && cut.n == 2 &&
		   cut.n_pairs == 3 && strstr(str_text(&shorter), "{\"bins\":[[1,2]]}") &&
		   strstr(str_text(&shorter), "\"bins\":[1],"),
	   "only the bins of results are cut out");
	ok(is_same_uncut(text), "a record is read the same");
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		char *at = strstr(text, edits[i].from);
		cleanup_free char *other =
			at ? xasprintf("%.*s%s%s", (int)(at - text), text, edits[i].to,
				       at + strlen(edits[i].from))
			   : xstrdup("");

		ok(is_same_uncut(other), "%s: the same", edits[i].to);
	}
	for (char *p = strstr(text, "\"results\""); *p; p++)
		for (const char *c = "0 ,[]{}\":\\bx"; *c; c++) {
			char was = *p;

			*p = *c;
			bad += !is_same_uncut(text);
			*p = was;
		}
	ok(bad == 0, "any byte replaced: the same");
}

static bool is_same_job(const struct job_like *like, const char *text, bool *ret_is_like)
{
	cleanup_str struct str a = STR_INIT(1 << 20), b = STR_INIT(1 << 20);
	cleanup_job struct job x = {0}, y = {0};
	json_t *doc;

	*ret_is_like = job_like_parse(like, text, strlen(text), &x);
	if (!*ret_is_like)
		return true;
	if (job_parse(text, strlen(text), &y, NULL) < 0)
		return false;
	doc = job_to_json(&x);
	json_dump(doc, &a, NULL);
	json_decref(doc);
	doc = job_to_json(&y);
	json_dump(doc, &b, NULL);
	json_decref(doc);
	return strcmp(str_text(&a), str_text(&b)) == 0;
}

static void test_jobs(const char *name)
{
	cleanup_free char *path = xasprintf("tests/data/documents/%s.json", name);
	cleanup_json json_t *doc = json_load_file(path, 0, NULL);
	cleanup_str struct str text = STR_INIT(1 << 20);
	unsigned bad = 0, alike = 0;
	struct job_like *like;
	bool is_like;

	json_dump(doc, &text, NULL);
	like = job_like_new(text.s, text.len);
	ok(like && is_same_job(like, text.s, &is_like) && is_like, "%s: like itself",
	   name);
	for (char *p = text.s; *p && like; p++)
		for (const char *c = "019 ,[]{}\":\\x"; *c; c++) {
			char was = *p;

			*p = *c;
			bad += !is_same_job(like, text.s, &is_like);
			alike += is_like;
			*p = was;
		}
	ok(bad == 0 && alike > 20, "%s, any byte replaced: refused or the same", name);
	job_like_free(like);
	ok(!job_like_new("{}", 2) && !job_like_new(text.s, text.len - 3),
	   "what is no job is like none");
}

int main(void)
{
	test_records();
	test_jobs("job-1");
	test_jobs("job-3");
	return done_testing();
}
