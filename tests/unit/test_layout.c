// SPDX-License-Identifier: Apache-2.0
// Data folders: names, markers, what is enough; files and folders of the workspace; what
// earlier attempts left.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "worker/files.h"
#include "worker/layout.h"
#include "worker/worker.h"

static char folder[] = "/tmp/muster-layout-XXXXXX";

static void test_names(void)
{
	static struct worker w;
	struct job job = {.data = {.prefix = "a/b"}};
	struct arm arm = {.kind = ARM_GCSFUSE};
	struct test_case c = {.data_key = "0123456789abcdef01234567"};
	struct attempt a = {.job = &job, .arm = &arm, .c = &c, .number = 2, .id = "17-3"};
	char *name;

	str_copy(w.id.run.run, sizeof(w.id.run.run), "r1");
	str_copy(w.id.worker, sizeof(w.id.worker), "w-1");
	name = layout_name(&w, &a);
	ok(strcmp(name, "a/b/read/w-1/0123456789abcdef01234567") == 0,
	   "read data are shared by arms, iterations and runs: %s", name);
	free(name);
	a.facts.writes = true;
	name = layout_name(&w, &a);
	ok(strcmp(name, "a/b/write/r1/w-1/17-3-a2") == 0,
	   "write data belong to one attempt: %s", name);
	free(name);
	job.data.prefix = "";
	name = layout_name(&w, &a);
	ok(strcmp(name, "write/r1/w-1/17-3-a2") == 0, "no prefix, no slash: %s", name);
	free(name);
	job.data.prefix = "a/b";
	arm.kind = ARM_DIR;
	name = layout_name(&w, &a);
	ok(strcmp(name, "write/r1/w-1/17-3-a2") == 0, "kind dir has no prefix: %s", name);
	free(name);
}

static void test_marker(void)
{
	cleanup_str struct str s = STR_INIT(4096);
	struct files_count c = {30, 4096}, back = {0};
	struct err err = {0};
	static const char *const bad[] = {
		"", "{}", "{\"schema\":\"muster/layout/1\",\"files\":1}",
		"{\"schema\":\"muster/layout/2\",\"files\":1,\"bytes\":2}",
		"{\"schema\":\"muster/layout/1\",\"files\":-1,\"bytes\":2}"};

	ok(layout_marker_dump(&c, &s, &err) == 0 &&
		   layout_marker_parse(str_text(&s), s.len, &back, &err) == 0 &&
		   back.files == 30 && back.bytes == 4096,
	   "a marker reads as it was written");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(layout_marker_parse(bad[i], strlen(bad[i]), &back, NULL) < 0,
		   "no marker: %s", bad[i]);
	ok(layout_is_enough(&c, 30, 4096, &err) == 0, "as planned is enough");
	ok(layout_is_enough(&c, 31, 4096, &err) == -EIO && strstr(err.text, "31"),
	   "a file less is not: %s", err.text);
	ok(layout_is_enough(&c, 30, 4097, NULL) == -EIO, "a byte less is not");
}

static void test_files(void)
{
	cleanup_free char *deep = xasprintf("%s/a/b/c", folder);
	cleanup_free char *top = xasprintf("%s/a", folder);
	cleanup_free char *one = xasprintf("%s/one", deep);
	cleanup_free char *two = xasprintf("%s/b/two", top);
	cleanup_free char *out = xasprintf("%s/out", folder);
	cleanup_free char *link_path = xasprintf("%s/b/link", top);
	cleanup_str struct str s = STR_INIT(4);
	struct files_count c;
	struct err err = {0};

	ok(files_make_dirs(deep, &err) == 0 && files_make_dirs(deep, &err) == 0,
	   "folders are made, again too");
	ok(files_write(one, "12345", 5, &err) == 0 &&
		   files_write(two, "1", 1, &err) == 0 &&
		   files_write(out, "keep", 4, &err) == 0 && symlink(out, link_path) == 0,
	   "files are written");
	ok(files_count(top, &c, &err) == 0 && c.files == 2 && c.bytes == 6,
	   "regular files are counted, links are not");
	ok(files_read(one, &s, &err) == -EFBIG, "more than allowed is not read");
	err_clear(&err);
	ok(files_remove_tree(top, &err) == 0 && access(top, F_OK) < 0,
	   "a tree is removed");
	ok(files_read(out, &s, &err) == 0 && strcmp(str_text(&s), "keep") == 0,
	   "what a link pointed to stays");
	ok(files_remove_tree(top, &err) == 0, "removing it again is fine");
	ok(files_count(top, &c, &err) == 0 && c.files == 0, "an absent folder is empty");
	ok(files_read(top, &s, &err) == -ENOENT, "an absent file is -ENOENT");
}

static void test_found(void)
{
	struct queue q = {0};
	const struct found *f;

	found_note(&q, 3, 1, 1, false);
	found_note(&q, 1, 2, 1, true);
	found_note(&q, 3, 1, 2, false);
	found_note(&q, 3, 1, 1, true);
	found_note(&q, 2, 1, 1, false);
	found_note(&q, 2, 1, 1, true);
	f = found_get(&q, 3, 1);
	ok(f && f->attempt == 2 && !f->has_record, "the newest attempt of a step counts");
	f = found_get(&q, 2, 1);
	ok(f && f->attempt == 1 && f->has_record, "a record seen later is its own");
	f = found_get(&q, 1, 2);
	ok(f && f->has_record && q.n_found == 3, "steps are kept apart");
	ok(!found_get(&q, 1, 1) && !found_get(&q, 9, 9), "an unknown step is not found");
	queue_done(&q);
}

int main(void)
{
	struct err err = {0};

	if (!mkdtemp(folder))
		return 1;
	test_names();
	test_marker();
	test_files();
	test_found();
	files_remove_tree(folder, &err);
	return done_testing();
}
