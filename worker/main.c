// SPDX-License-Identifier: Apache-2.0
// muster-worker: the command line of one worker.
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "core/opts.h"
#include "worker/boot.h"
#include "worker/step.h"
#include "worker/worker.h"

static const char about[] =
	"usage: muster-worker [--run URL] [--worker NAME] [--workspace DIR] [flags]\n"
	"       muster-worker RUN BUCKET [flags]\n\n"
	"Runs the fio steps that jobs/<worker>.json of a run gives this worker, one "
	"after\n"
	"the other, and leaves the results in the run's bucket. What is not given here "
	"is\n"
	"read from /etc/muster/worker.json, then from the metadata attributes "
	"muster-run,\n"
	"muster-worker, muster-endpoint and muster-debug; the last resort for the name "
	"is\n"
	"the instance's. STORAGE_EMULATOR_HOST names an emulated store.\n\n";

static const char exits[] =
	"\nExit codes: 0 all steps ok, 1 some step is not, 2 bad job or configuration,\n"
	"3 stopped by an order, a signal or a preemption, 5 another worker owns the "
	"name\n"
	"or workspace.\n";

/* The places MUSTER_DIE_AT can name, for the kill tests. */
static int list_points(void)
{
#ifdef MUSTER_TESTING
	size_t n_boot, n_phases;
	const struct boot_step *boot = boot_table(&n_boot);
	const struct phase *phases = step_phases(&n_phases);

	for (size_t i = 0; i < n_boot; i++)
		printf("before:%s\nafter:%s\n", boot[i].name, boot[i].name);
	for (size_t i = 0; i < n_phases; i++)
		printf("before:%s\nafter:%s\n", phases[i].name, phases[i].name);
	printf("before:finish\nafter:finish\n");
	return WORKER_EXIT_OK;
#else
	return WORKER_EXIT_CONFIG;
#endif
}

static int usage_error(const char *text)
{
	fprintf(stderr, "muster-worker: %s\n", text);
	return WORKER_EXIT_CONFIG;
}

static int help(const struct opt *opts)
{
	cleanup_str struct str text = STR_INIT(65536);

	str_add(&text, about);
	opts_help(opts, &text);
	str_add(&text, exits);
	fputs(str_text(&text), stdout);
	return WORKER_EXIT_OK;
}

int main(int argc, char **argv)
{
	static struct worker worker;
	static struct opt_list args;
	struct identity_flags flags = {0};
	bool is_version = false, is_points = false;
	const struct opt opts[] = {
		{"run", OPT_STR, &flags.run, "URL", "gs://bucket[/prefix]/run", NULL},
		{"worker", OPT_STR, &flags.worker, "NAME",
		 "this worker's name in the run", NULL},
		{"workspace", OPT_STR, &flags.workspace, "DIR",
		 "its folder (default /var/lib/muster)", NULL},
		{"power-off", OPT_FLAG, &flags.power_off, NULL,
		 "power the machine off at the end", NULL},
		{"debug", OPT_FLAG, &flags.debug, NULL,
		 "log everything to stderr; never power off", NULL},
		{"version", OPT_FLAG, &is_version, NULL, "print the version", NULL},
#ifdef MUSTER_TESTING
		{"list-points", OPT_FLAG, &is_points, NULL,
		 "print what MUSTER_DIE_AT can be", NULL},
#endif
		{0},
	};
	struct err err = {0};
	int r;

	/* a core dump could hold a token; results are the operator's alone */
	prctl(PR_SET_DUMPABLE, 0);
	umask(077);
	r = opts_parse(opts, argc - 1, argv + 1, &args, &err);
	if (r < 0)
		return usage_error(err.text);
	if (r == 1)
		return help(opts);
	if (is_version) {
		printf("muster-worker %s\n", MUSTER_VERSION);
		return WORKER_EXIT_OK;
	}
	if (is_points)
		return list_points();
	if (args.n != 0 && args.n != 2)
		return usage_error("give either flags, or RUN and BUCKET");
	if (args.n == 2) {
		if (flags.run)
			return usage_error("--run and RUN BUCKET exclude each other");
		flags.run = args.v[0];
		flags.bucket = args.v[1];
	}
	return boot_run(&worker, &flags);
}
