// SPDX-License-Identifier: Apache-2.0
// muster split: plan a run and write its jobs into the bucket.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/cmd.h"
#include "coordinator/split.h"
#include "manifests/mount_policy.h"

static const char usage[] =
	"muster split RUN --tests CSV --fio FILE --data gs://BUCKET[/prefix]\n"
	"       (--configs CSV | --gcsfuse VERSION [--mount-args ARGS]) "
	"--workers N|a,b,c|@FILE [flags]";

static const char about[] =
	"Plans every iteration of every test case with every arm, pins gcsfuse by "
	"content "
	"and\n"
	"writes one job per worker below RUN (gs://bucket[/prefix]/run-id). Workers need "
	"nothing\n"
	"else. The same command again completes a run that was interrupted; different "
	"inputs\n"
	"need another run id. --dry-run asks neither bucket and writes nothing.\n\n"
	"  muster split gs://control/r1 --tests read_test_cases.csv --fio read.fio \\\n"
	"      --configs read_mount_configs.csv --data gs://data --workers 8 \\\n"
	"      --pin master=v3.13.0\n";

void split_done(struct split *split)
{
	for (size_t a = 0; a < split->inputs.n_arms && split->binaries; a++)
		if (split->binaries[a].fd >= 0)
			close(split->binaries[a].fd);
	for (size_t w = 0; w < split->n_workers; w++)
		free(split->workers[w]);
	free(split->workers);
	free(split->members);
	free(split->url);
	free(split->endpoint);
	free(split->pins);
	free(split->binaries);
	plan_done(&split->plan);
	inputs_done(&split->inputs);
	config_done(&split->claimed);
	str_done(&split->config_text);
	str_done(&split->notes);
	if (split->store)
		store_close(split->store);
	*split = (struct split){0};
}

static int read_inputs(struct split *split, struct err *err)
{
	const struct split_flags *f = &split->flags;
	const struct inputs_opts opts = {
		.tests_path = f->tests,
		.fio_path = f->fio,
		.configs_path = f->configs,
		.gcsfuse = f->gcsfuse,
		.mount_args = f->mount_args,
		.kind = strcmp(f->kind, "dir") == 0 ? ARM_DIR : ARM_GCSFUSE,
		.data_bucket = split->data_url.bucket,
		.timeout_s = (unsigned)((f->timeout_ns + 999999999) / 1000000000),
		.allowed = f->allowed.v,
		.n_allowed = f->allowed.n,
	};

	return inputs_read(&opts, &split->inputs, err);
}

static void note_grpc(struct split *split)
{
	for (size_t a = 0; a < split->inputs.n_arms; a++) {
		const struct arm *arm = &split->inputs.arms[a];

		if (split->endpoint && arm->kind == ARM_GCSFUSE &&
		    mount_args_ask_grpc(arm->n_args, arm->args))
			str_addf(&split->notes,
				 "arm %s asks for grpc, which the data store at %s does "
				 "not speak: its steps will fail\n",
				 arm->label, split->endpoint);
	}
}

/* Everything up to the first write: what fails here is the input's fault. */
static int prepare(struct split *split, const char *url, struct err *err)
{
	int r = split_args(split, url, err);

	if (r == 0)
		r = read_inputs(split, err);
	if (r == 0 && !split->flags.dry_run)
		r = split_open(split, err);
	if (r == 0)
		r = split_pins(split, err);
	if (r == 0)
		note_grpc(split);
	return r < 0 ? r : split_plan(split, err);
}

static int run_split(struct split *split, const char *url)
{
	struct err err = {0};

	if (prepare(split, url, &err) < 0)
		return cmd_fail(EXIT_USAGE, &err);
	if (!split->flags.dry_run && split_write(split, &err) < 0) {
		/* nothing of ours was written when the claim was lost or refused */
		int code = split->n_written || split->is_claimed ? EXIT_NO : EXIT_USAGE;

		return cmd_fail(code, &err);
	}
	return split_report(split);
}

/* The flags into split->flags; as cmd_parse(). */
static int parse_flags(struct split_flags *f, int argc, char **argv,
		       struct opt_list *args, int *ret_exit)
{
	const struct opt opts[] = {
		{"tests", OPT_STR, &f->tests, "CSV", "test cases, one a row", NULL},
		{"fio", OPT_STR, &f->fio, "FILE", "template of the fio job", NULL},
		{"data", OPT_STR, &f->data, "URL",
		 "gs://BUCKET[/prefix] that gcsfuse mounts; not the control bucket",
		 NULL},
		{"configs", OPT_STR, &f->configs, "CSV",
		 "mount configs, one arm a row: commit, mount_args, label", NULL},
		{"gcsfuse", OPT_STR, &f->gcsfuse, "VERSION",
		 "a single arm \"default\" of this version", NULL},
		{"mount-args", OPT_STR, &f->mount_args, "ARGS", "its flags", NULL},
		{"workers", OPT_STR, &f->workers, "N|a,b|@FILE",
		 "how many (w-1 …), their names, or a file of names", NULL},
		{"iterations", OPT_U64, &f->iterations, "N",
		 "of each cell (2); rounded up until the arms' orders are balanced",
		 NULL},
		{"design", OPT_STR, &f->design, "NAME",
		 "blocks (default): arms side by side on a worker; spread: the "
		 "matrix cut evenly; together: every step on all workers at once",
		 NULL},
		{"barrier-policy", OPT_STR, &f->barrier_policy, "NAME",
		 "together: start with all (default), majority or best-effort; else not",
		 NULL},
		{"barrier-timeout", OPT_DURATION, &f->barrier_timeout_ns, "D",
		 "together: wait for the others at most so long (30m)", NULL},
		{"barrier-lead", OPT_DURATION, &f->barrier_lead_ns, "D",
		 "together: from the verdict to the start, at least (5s)", NULL},
		{"replicas", OPT_U64, &f->replicas, "R",
		 "different workers that run each test case (1)", NULL},
		{"seed", OPT_U64, &f->seed, "N",
		 "of the orders; from the run id if not set", &f->has_seed},
		{"pin", OPT_LIST, &f->pins, "NAME=VERSION",
		 "what a commit of the CSV stands for, e.g. master=v3.13.0", NULL},
		{"binary", OPT_LIST, &f->binaries, "LABEL=PATH",
		 "a gcsfuse (file or gs://) for an arm, taken as it is", NULL},
		{"kind", OPT_STR, &f->kind, "KIND",
		 "gcsfuse (default), or dir: a local folder instead", NULL},
		{"data-endpoint", OPT_STR, &f->data_endpoint, "URL",
		 "emulated data store as workers see it (STORAGE_EMULATOR_HOST)", NULL},
		{"timeout", OPT_DURATION, &f->timeout_ns, "D", "of one fio (30m)", NULL},
		{"max-attempts", OPT_U64, &f->max_attempts, "N",
		 "tries of a step that is interrupted (2)", NULL},
		{"steal", OPT_FLAG, &f->steal, NULL,
		 "idle workers take over blocks that others have not begun", NULL},
		{"heartbeat", OPT_DURATION, &f->heartbeat_ns, "D",
		 "how often workers say that they live, and read orders "
		 "(30s, at most 60s)",
		 NULL},
		{"stale", OPT_DURATION, &f->stale_ns, "D",
		 "silent for so long, a worker counts as gone (2m)", NULL},
		{"allow-option", OPT_LIST, &f->allowed, "NAME",
		 "let one more fio option through; recorded", NULL},
		{"build-here", OPT_FLAG, &f->build_here, NULL,
		 "build gcsfuse on this machine, into the fleet's cache", NULL},
		{"dry-run", OPT_FLAG, &f->dry_run, NULL, "plan only; write nothing",
		 NULL},
		{"json", OPT_FLAG, &f->as_json, NULL, "the plan as JSON", NULL},
		{0},
	};

	return cmd_parse(usage, about, opts, argc, argv, args, ret_exit);
}

int cmd_split(int argc, char **argv)
{
	struct split split = {
		.flags = {.iterations = 2,
			  .replicas = 1,
			  .max_attempts = 2,
			  .timeout_ns = 1800LL * 1000000000,
			  .heartbeat_ns = 30LL * 1000000000,
			  .stale_ns = 120LL * 1000000000,
			  .design = "blocks",
			  .kind = "gcsfuse"},
		.notes = STR_INIT(1 << 20),
		.config_text = STR_INIT(CONFIG_MAX_BYTES),
	};
	struct opt_list args;
	int code;

	if (parse_flags(&split.flags, argc, argv, &args, &code) == 0)
		code = args.n == 1 ? run_split(&split, args.v[0])
				   : cmd_usage("split takes one run's URL, got %zu "
					       "arguments",
					       args.n);
	split_done(&split);
	return code;
}
