// SPDX-License-Identifier: Apache-2.0
// muster resume: the unfinished steps of dead workers go to living or new ones.
#include <errno.h>

#include "coordinator/cmd.h"
#include "coordinator/names.h"
#include "coordinator/resume.h"

static const char about[] =
	"Moves the steps that dead workers (stale, missing, ended) have not finished to "
	"workers\n"
	"that live, and to those named by --workers, which may be new: start them under "
	"these\n"
	"names. Where nobody lives and nobody is named, the steps stay with their "
	"workers, and\n"
	"the output says which machines to start again. Steps that ended ok, failed, "
	"timeout or\n"
	"invalid are never run again; those that an order cancelled are, and the order "
	"is lifted.\n"
	"With split --steal, blocks that a dead worker has not begun are left to those "
	"that "
	"live,\n"
	"unless --workers names somebody.\n"
	"May be repeated at any time, and be killed at any time: what has been placed "
	"stays.\n\n"
	"  muster resume gs://ctl/r1\n"
	"  muster resume gs://ctl/r1 --workers w-11,w-12\n\n"
	"exit code: 0 moved, or nothing to do; 2 bad usage or no such run; 3 the store "
	"gave no\n"
	"answer, or others kept writing orders; 130 interrupted\n";

static int resume(struct run *run, const char *workers, bool is_dry, bool is_json)
{
	cleanup_resume struct resume resume = {.run = run, .is_dry = is_dry};
	cleanup_str struct str text = STR_INIT(64 << 20);
	enum resume_end end = RESUME_DONE;
	struct err err = {0};
	int r = 0, code;

	if (workers &&
	    names_parse("--workers", workers, &resume.names, &resume.n_names, &err) < 0)
		return cmd_fail(EXIT_USAGE, &err);
	r = resume_run(&resume, &end, &err);
	if (r < 0)
		return cmd_fail_store(&err);
	if (is_json) {
		code = cmd_print_json(resume_json(&resume));
	} else {
		resume_text(&resume, &text);
		code = cmd_print(&text);
	}
	if (end == RESUME_DONE)
		return code;
	err_set(&err, -EAGAIN, "others keep writing orders: resume again");
	return cmd_worst(code, cmd_fail(EXIT_UNKNOWN_YET, &err));
}

int cmd_resume(int argc, char **argv)
{
	const char *workers = NULL;
	bool is_dry = false, is_json = false;
	const struct opt opts[] = {
		{"workers", OPT_STR, &workers, "N|a,b|@FILE",
		 "these take steps too; N = w-1 to w-N", NULL},
		{"dry-run", OPT_FLAG, &is_dry, NULL, "show it, write nothing", NULL},
		{"json", OPT_FLAG, &is_json, NULL, "print JSON", NULL},
		{0},
	};
	cleanup_run struct run run = {0};
	struct opt_list args;
	struct err err = {0};
	int code;

	if (cmd_parse("muster resume RUN [--workers a,b,c] [--dry-run]", about, opts,
		      argc, argv, &args, &code) != 0)
		return code;
	if (args.n != 1)
		return cmd_usage("resume takes one run's URL, got %zu arguments", args.n);
	if (run_open(args.v[0], &run, &code, &err) < 0)
		return cmd_fail(code, &err);
	return resume(&run, workers, is_dry, is_json);
}
