// SPDX-License-Identifier: Apache-2.0
// A run's URL, and what it may not be.
#include "manifests/paths.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/tap.h"

#define W63 "w23456789-123456789-123456789-123456789-123456789-123456789-123"
#define R63 "123456789-123456789-123456789-123456789-123456789-123456789-123"

static struct run_ref ref_of(const char *url)
{
	struct run_ref ref = {0};
	struct err err = {0};

	if (run_ref_parse(url, &ref, &err) < 0)
		printf("# %s\n", err.text);
	return ref;
}

static const char *const bad_urls[] = {
	"",
	"r1",
	"/r1",
	"gs://",
	"gs://ctl",
	"gs://ctl/",
	"s3://ctl/r1",
	"GS://ctl/r1",
	"gs:///r1",
	"gs://Ctl/r1",
	"gs://c..d/r1",
	"gs://-c/r1",
	"gs://c/R1",
	"gs://c/-r1",
	"gs://c/r1-",
	"gs://c/r_1",
	"gs://c/r 1",
	"gs://c/r1//",
	"gs://c//r1",
	"gs://c/a//r1",
	"gs://c/../r1",
	"gs://c/a/../r1",
	"gs://c/./r1",
	"gs://c/%2e%2e/r1",
	"gs://c/a b/r1",
	"gs://c/a\n/r1",
	"gs://c/r1\n",
	"gs://c/a:b/r1",
	"gs://c/r1?x",
	"gs://c/.",
	"gs://c/..",
	("gs://c/1" R63),
};

static void test_run_urls(void)
{
	static const struct {
		const char *url, *bucket, *prefix, *run;
	} good[] = {
		{"gs://ctl/r1", "ctl", "", "r1"},
		{"gs://ctl/prefix/r1", "ctl", "prefix", "r1"},
		{"gs://my.bucket_1-x/a/b.c/_d=e/nightly-42", "my.bucket_1-x",
		 "a/b.c/_d=e", "nightly-42"},
		{"gs://b/7", "b", "", "7"},
		{"gs://b/" R63, "b", "", R63},
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cleanup_str struct str again = STR_INIT(4096);
		struct run_ref ref = ref_of(good[i].url);

		ok(strcmp(ref.bucket, good[i].bucket) == 0 &&
			   strcmp(ref.prefix, good[i].prefix) == 0 &&
			   strcmp(ref.run, good[i].run) == 0,
		   "%s is taken apart", good[i].url);
		run_ref_url(&ref, &again);
		ok(strcmp(str_text(&again), good[i].url) == 0, "%s and back",
		   good[i].url);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_urls); i++) {
		struct run_ref ref = {.run = "untouched"};
		struct err err = {0};

		ok(run_ref_parse(bad_urls[i], &ref, &err) == -EINVAL && err.text[0] &&
			   !strchr(err.text, '\n') && strcmp(ref.run, "untouched") == 0,
		   "bad run URL %zu is refused: %s", i, err.text);
	}
	ok(strcmp(ref_of("gs://ctl/a/r1/").run, "r1") == 0,
	   "one slash at the end is forgiven");
}

static void test_long_prefix(void)
{
	char url[1200] = "gs://c/";
	struct run_ref ref = {0};
	struct attempt_ref at = {W63, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	char name[PATH_CAP];

	memset(url + 7, 'p', 512);
	memcpy(url + 7 + 512, "/" R63, 65);
	ok(run_ref_parse(url, &ref, NULL) == 0, "a prefix of 512 characters is taken");
	ok(path_step(name, &ref, &at, STEP_GCSFUSE_LOG, NULL) == 0 &&
		   strlen(name) < PATH_CAP,
	   "the longest name fits an object's name");
	memset(url + 7, 'p', 513);
	memcpy(url + 7 + 513, "/r1", 4);
	ok(run_ref_parse(url, &ref, NULL) == -EINVAL, "one of 513 is not");
}

static void test_dotdot(void)
{
	static const char *const with[] = {"..",  "../a",    "a/..",	      "a/../b",
					   "/..", "--x=../", "--only-dir=..", "a/b/.."};
	static const char *const without[] = {"",      ".",    "...",	 "a..b", "..a",
					      "a/..b", "a../", "v1..v2", ".../x"};

	for (size_t i = 0; i < ARRAY_SIZE(with); i++)
		ok(path_has_dotdot(with[i]), "\"%s\" leads up", with[i]);
	for (size_t i = 0; i < ARRAY_SIZE(without); i++)
		ok(!path_has_dotdot(without[i]), "\"%s\" does not lead up", without[i]);
}

/* The literal names, so that the layout cannot change unseen. */
int main(void)
{
	test_run_urls();
	test_long_prefix();
	test_dotdot();
	return done_testing();
}
