// SPDX-License-Identifier: Apache-2.0
// muster collect: fetch a run, write its tables, print the summary.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/cmd.h"
#include "coordinator/collect.h"

static const char about[] =
	"Fetches everything the workers of a run have written into one folder: the run's "
	"own\n"
	"layout with raw/ for results/, and beside it results.csv (a row per step, group "
	"and\n"
	"direction), results.json and summary.md. Latency percentiles come from merged\n"
	"histograms; bandwidth is per fio group. Steps that are not ok are shown, never\n"
	"averaged in. May be run at any time, and again: what is there already is not\n"
	"fetched twice.\n\n"
	"  muster collect gs://ctl/r1 --out r1 --archive\n\n"
	"exit code: 0 every step is ok, 1 a step is not, 3 steps are still missing,\n"
	"4 a step or document is invalid, 2 bad usage or no such run, 130 interrupted\n"
	"(several apply: 130, 2, 4, 1, 3, 0)\n";

static const char *const own_files[] = {"results.csv", "results.json", "summary.md",
					NULL};

struct collect_flags {
	const char *out;
	bool archive, json;
};

/* results.json goes from the file to the output: it can be long. */
static int print_json(const struct collected *c)
{
	cleanup_free char *path = xasprintf("%s/results.json", c->fetch.out_dir);
	cleanup_file FILE *f = fopen(path, "re");
	char chunk[16384];
	size_t n;

	if (!f)
		return cmd_usage("cannot read %s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		fwrite(chunk, 1, n, stdout);
	return cmd_print(&STR_INIT(0));
}

static int print_result(const struct collected *c, const struct collect_flags *flags)
{
	cleanup_str struct str text = STR_INIT(256 << 20);
	int code = collect_exit(c), printed;

	if (flags->json) {
		printed = print_json(c);
	} else {
		summary_text(c, &text);
		printed = cmd_print(&text);
	}
	if (c->stopped.code)
		code = cmd_worst(code, cmd_fail_store(&c->stopped));
	return cmd_worst(code, printed);
}

/* DIR.tar.zst beside DIR, however DIR is spelt. */
static int write_archive(const struct collected *c, const char *out, struct err *err)
{
	cleanup_free char *path = realpath(out, NULL);
	cleanup_free char *tar = NULL;

	if (!path)
		return err_errno(err, -errno, "cannot find %s", out);
	if (strcmp(path, "/") == 0)
		return err_set(err, -EINVAL, "--archive: nothing can be beside /");
	tar = xasprintf("%s.tar.zst", path);
	return fetch_archive(&c->fetch, &c->objects, own_files, tar, err);
}

static int collect(struct run *run, const struct collect_flags *flags)
{
	cleanup_collected struct collected c = {.run = run, .spool.fd = -1};
	struct err err = {0};
	int r;

	c.fetch = (struct fetch){.run = run, .out_dir = flags->out};
	r = fetch_make_dirs(flags->out, &err);
	if (r == 0 && mkdir(flags->out, 0755) == 0)
		c.fetch.is_new = true;
	else if (r == 0 && errno != EEXIST)
		r = err_errno(&err, -errno, "cannot make the folder %s", flags->out);
	if (r == 0 && access(flags->out, W_OK | X_OK) < 0)
		r = err_errno(&err, -errno, "cannot write into %s", flags->out);
	if (r == 0)
		r = collect_run(&c, &err);
	if (r == 0)
		r = collect_write(&c, &err);
	if (r == 0 && flags->archive)
		r = write_archive(&c, flags->out, &err);
	return r < 0 ? cmd_fail_store(&err) : print_result(&c, flags);
}

int cmd_collect(int argc, char **argv)
{
	struct collect_flags flags = {0};
	const struct opt opts[] = {
		{"out", OPT_STR, &flags.out, "DIR",
		 "the folder (default: ./<run>-results)", NULL},
		{"archive", OPT_FLAG, &flags.archive, NULL,
		 "also write DIR.tar.zst, with the same files", NULL},
		{"json", OPT_FLAG, &flags.json, NULL, "print results.json, not the table",
		 NULL},
		{0},
	};
	cleanup_free char *default_out = NULL;
	cleanup_run struct run run = {0};
	struct opt_list args;
	struct err err = {0};
	int code;

	if (cmd_parse("muster collect RUN [--out DIR] [--archive]", about, opts, argc,
		      argv, &args, &code) != 0)
		return code;
	if (args.n != 1)
		return cmd_usage("collect takes one run's URL, got %zu arguments",
				 args.n);
	if (run_open(args.v[0], &run, &code, &err) < 0)
		return cmd_fail(code, &err);
	if (!flags.out)
		flags.out = default_out = xasprintf("%s-results", run.ref.run);
	return collect(&run, &flags);
}
