// SPDX-License-Identifier: Apache-2.0
// muster collect: fetch a run, write its tables, print the summary.
#include <errno.h>
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
	"averaged in. May be run at any time, and again.\n\n"
	"exit code: 0 every step is ok, 1 a step is not, 3 steps are still missing,\n"
	"4 a step or document is invalid, 2 bad usage or no such run\n";

struct collect_flags {
	const char *out;
	bool archive, json;
};

static int write_json(struct collected *c, struct str *text, struct err *err)
{
	cleanup_json json_t *doc = json_object();

	json_object_set_new(doc, "schema", json_string("muster/results/1"));
	json_object_set_new(doc, "run", json_text(c->run->config.run));
	json_object_set_new(doc, "complete", json_boolean(!c->views[STEP_PENDING]));
	json_object_set(doc, "steps", c->results.steps);
	json_object_set_new(doc, "cells", results_cells_json(&c->cells));
	json_object_set_new(doc, "notes", json_array());
	for (size_t i = 0; i < c->n_notes; i++)
		json_array_append_new(json_object_get(doc, "notes"),
				      json_text(c->notes[i]));
	return json_dump_pretty(doc, text, err);
}

static int write_documents(struct collected *c, struct str *json, struct err *err)
{
	cleanup_str struct str summary = STR_INIT(RESULTS_MAX_BYTES);
	int r = write_json(c, json, err);

	if (r == 0)
		r = fetch_write(&c->fetch, "results.csv", &c->results.csv, err);
	if (r == 0)
		r = fetch_write(&c->fetch, "results.json", json, err);
	if (r < 0)
		return r;
	summary_markdown(c, &summary);
	return fetch_write(&c->fetch, "summary.md", &summary, err);
}

/* Exit code of a failure: input and environment are the user's to mend. */
static int failed(const struct err *err)
{
	return cmd_fail(cmd_interrupted()      ? EXIT_INTERRUPTED
			: err->code == -EAGAIN ? EXIT_UNKNOWN_YET
					       : EXIT_USAGE,
			err);
}

static int print_result(struct collected *c, const struct collect_flags *flags,
			const struct str *json)
{
	cleanup_str struct str text = STR_INIT(RESULTS_MAX_BYTES);
	int code = collect_exit(c), printed;

	if (flags->json) {
		printed = cmd_print(json);
	} else {
		summary_text(c, &text);
		printed = cmd_print(&text);
	}
	return cmd_worst(code, printed);
}

static int collect(struct run *run, const struct collect_flags *flags)
{
	cleanup_collected struct collected c = {.run = run};
	cleanup_str struct str json = STR_INIT(RESULTS_MAX_BYTES);
	cleanup_free char *tar = xasprintf("%s.tar.zst", flags->out);
	struct err err = {0};
	int r = 0;

	c.fetch = (struct fetch){.run = run, .out_dir = flags->out};
	if (mkdir(flags->out, 0755) < 0 && errno != EEXIST)
		return cmd_usage("cannot make the folder %s: %s", flags->out,
				 strerror(errno));
	if (flags->archive)
		r = archive_create(tar, &c.fetch.archive, &err);
	if (r == 0)
		r = collect_run(&c, &err);
	if (r == 0)
		r = write_documents(&c, &json, &err);
	if (r == 0 && c.fetch.archive)
		r = archive_finish(steal_ptr(c.fetch.archive), &err);
	if (r < 0) {
		archive_drop(c.fetch.archive);
		if (flags->archive)
			unlink(tar);
		return failed(&err);
	}
	return print_result(&c, flags, &json);
}

int cmd_collect(int argc, char **argv)
{
	struct collect_flags flags = {0};
	const struct opt opts[] = {
		{"out", OPT_STR, &flags.out, "DIR",
		 "the folder (default: ./<run>-results)", NULL},
		{"archive", OPT_FLAG, &flags.archive, NULL, "also write DIR.tar.zst",
		 NULL},
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
