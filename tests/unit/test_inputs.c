// SPDX-License-Identifier: Apache-2.0
// split's inputs: what ends up in cases and arms; and how two documents differ.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/split.h"
#include "tests/unit/tap.h"

static char folder[] = "/tmp/muster-inputs.XXXXXX";

static char *put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", folder, name);
	cleanup_file FILE *file = fopen(path, "w");

	fputs(text, file);
	return path;
}

#define JOB                                                                              \
	"[a]\ndirectory=${DIR}\nrw=${RW}\nbs=${BS}\nfilesize=${FILE_SIZE}\n"             \
	"numjobs=2\n"

static int read_texts(const char *tests, const char *configs, struct inputs *ret,
		      struct err *err)
{
	cleanup_free char *t = put("t.csv", tests), *c = put("c.csv", configs);
	cleanup_free char *f = put("f.fio", JOB);
	const struct inputs_opts opts = {
		.tests_path = t,
		.configs_path = c,
		.fio_path = f,
		.data_bucket = "data",
		.timeout_s = 60,
	};

	return inputs_read(&opts, ret, err);
}

#define ARM "commit,mount_args,label\nv3.1.0,,one\n"

static void test_cases(void)
{
	static const char tests[] = "\xef\xbb\xbf"
				    "rw,bs,file_size,note\r\n\r\nread, 4k ,8k,x\r\n"
				    "write,8k,16k,\"a, b\"";
	cleanup_inputs struct inputs in = {0};
	struct err err = {0};

	ok(read_texts(tests, ARM, &in, &err) == 0 && in.n_cases == 2, "read %s",
	   err.text);
	ok(in.cases[0].test_id == 1 && in.cases[1].test_id == 2,
	   "ordinals: blank lines do not count");
	ok(!in.cases[0].writes && in.cases[1].writes, "which one writes");
	ok(in.cases[0].data_bytes == 16384 && in.cases[0].has_io_bytes &&
		   in.cases[0].io_bytes == 16384,
	   "bytes");
	ok(strcmp(json_string_value(json_object_get(in.cases[0].params, "bs")), "4k") ==
		   0,
	   "blanks around a value are dropped");
	ok(strcmp(json_string_value(json_object_get(in.cases[1].params, "note")),
		  "a, b") == 0,
	   "a column of no meaning is kept");
	ok(strstr(in.cases[0].fio_job, "directory=${MUSTER_DIR}\nrw=read\nbs=4k\n"),
	   "the job is rendered");
	ok(in.cases[0].timeout_s == 60 && strlen(in.tests.sha256) == 64, "the rest");
}

static void test_ids(void)
{
	cleanup_inputs struct inputs in = {0};
	struct err err = {0};

	ok(read_texts("test_id,rw,bs,file_size\n7,read,4k,8k\n3,read,4k,8k\n", ARM, &in,
		      &err) == 0 &&
		   in.cases[0].test_id == 7 && in.cases[1].test_id == 3,
	   "test_id of the column");
	ok(strcmp(in.cases[0].data_key, in.cases[1].data_key) == 0,
	   "cases of one shape share their data");
}

static void test_arms(void)
{
	static const char configs[] =
		"label,commit,mount_args,env,config_file,kind,bucket,binary,comment\n"
		"a,master,\"--x='1 2' --y=-1 \"\"q\"\"\",B=2 A='x y',my.yaml,,data,"
		"/bin/g,none\n"
		"b,feature/x,,,,dir,,,\n"
		"c,v2.1.0,,,,gcsfuse,,bin/g,\n";
	cleanup_free char *yaml = put("my.yaml", "implicit-dirs: true\n");
	cleanup_inputs struct inputs in = {0};
	struct err err = {0};
	const struct arm *arm;

	ok(read_texts("rw,bs,file_size\nread,4k,8k\n", configs, &in, &err) == 0 &&
		   in.n_arms == 3,
	   "arms %s", err.text);
	arm = &in.arms[0];
	ok(arm->config_id == 1 && arm->n_args == 3 &&
		   strcmp(arm->args[0], "--x=1 2") == 0 &&
		   strcmp(arm->args[1], "--y=-1") == 0 && strcmp(arm->args[2], "q") == 0,
	   "arguments are split once");
	ok(arm->n_env == 2 && strcmp(arm->env[0], "A=x y") == 0 &&
		   strcmp(arm->env[1], "B=2") == 0,
	   "the environment, by name");
	ok(arm->config_file && strcmp(arm->config_file, "implicit-dirs: true\n") == 0,
	   "the configuration beside the table");
	ok(in.binaries[0] && strcmp(in.binaries[0], "/bin/g") == 0 &&
		   str_starts(in.binaries[2], folder),
	   "binaries: absolute, or beside the table");
	ok(in.arms[1].kind == ARM_DIR && !in.arms[1].requested &&
		   in.arms[2].kind == ARM_GCSFUSE &&
		   strcmp(in.arms[2].requested, "v2.1.0") == 0,
	   "kinds");
	remove(yaml);
}

static void test_difference(void)
{
	static const struct {
		const char *a, *b, *want;
	} rows[] = {
		{"{\"a\":1,\"b\":[1,{\"c\":2}]}", "{\"b\":[1,{\"c\":2}],\"a\":1}", NULL},
		{"{\"a\":1}", "{\"a\":2}", "a"},
		{"{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,3]}}", "a.b[1]"},
		{"{\"a\":[{\"b\":null}]}", "{\"a\":[{\"b\":1}]}", "a[0].b"},
		{"{\"a\":[1,2]}", "{\"a\":[1]}", "a (1, not 2)"},
		{"{\"a\":1}", "{\"b\":1}", "a"},
		{"{\"a\":{}}", "{\"a\":{\"b\":1}}", "a"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *a = json_loads(rows[i].a, 0, NULL);
		json_t *b = json_loads(rows[i].b, 0, NULL);
		cleanup_free char *path = json_first_difference(a, b, "");

		ok(rows[i].want ? path && strcmp(path, rows[i].want) == 0 : !path,
		   "difference %zu: %s", i, path ? path : "none");
		json_decref(a);
		json_decref(b);
	}
}

int main(void)
{
	static const char *const names[] = {"t.csv", "c.csv", "f.fio"};

	if (!mkdtemp(folder))
		return 1;
	test_cases();
	test_ids();
	test_arms();
	test_difference();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = xasprintf("%s/%s", folder, names[i]);

		remove(path);
	}
	remove(folder);
	return done_testing();
}
