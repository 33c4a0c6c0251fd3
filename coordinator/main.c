// SPDX-License-Identifier: Apache-2.0
// muster, the coordinator: the table of its subcommands.
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "coordinator/cmd.h"
#include "core/log.h"

static const struct cmd commands[] = {
	{"split", cmd_split, "RUN --tests CSV --fio FILE --data gs://BUCKET --workers N",
	 "plan a run and write its jobs into the bucket"},
	{"status", cmd_status, "RUN", "what every worker and step is doing, once"},
	{"watch", cmd_watch, "RUN", "the same, live until the run is over"},
	{"wait", cmd_wait, "RUN", "return when the run is over; the exit code says how"},
	{"collect", cmd_collect, "RUN [--out DIR]",
	 "fetch the results; write tables and a summary"},
	{"stop", cmd_stop, "RUN [--abort]",
	 "let workers finish their step, or interrupt it, and end"},
	{"resume", cmd_resume, "RUN [--workers a,b,c]",
	 "move unfinished steps of dead workers to living or new ones"},
	{"clean", cmd_clean, "RUN [--yes]", "delete the run's objects"},
	{"fio", cmd_fio, "FILE…", "merged figures of fio's json+ output files"},
	{"store", cmd_store, "ls|stat|cat|cp|rm|compose …", "the object store by hand"},
};

static void usage(struct str *ret)
{
	str_add(ret,
		"usage: muster COMMAND …\n\n"
		"muster runs fio benchmarks through gcsfuse on a fleet of workers that "
		"share\n"
		"nothing but a bucket. RUN is a URL: gs://bucket[/prefix]/run-id.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		str_addf(ret, "  %-8s %s\n", commands[i].name, commands[i].help);
	str_add(ret, "\nmuster COMMAND --help explains one command; muster --version.\n");
}

static int unknown(const char *name)
{
	const char *names[ARRAY_SIZE(commands) + 1] = {NULL};
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i].name;
	near = str_nearest(name, names);
	if (near)
		return cmd_usage("unknown command \"%.60s\" (did you mean %s?)", name,
				 near);
	return cmd_usage("unknown command \"%.60s\" (muster --help lists them)", name);
}

/* What a library layer has to say without failing. */
static void on_line(enum log_level level, const char *line, void *arg)
{
	(void)level, (void)arg;
	fprintf(stderr, "muster: %s\n", line);
}

int main(int argc, char **argv)
{
	cleanup_str struct str text = STR_INIT(65536);

	/* a core dump could hold a token; results are the operator's alone */
	prctl(PR_SET_DUMPABLE, 0);
	umask(077);
	log_set_sink(on_line, NULL, LOG_WARN);
	cmd_catch_signals();
	if (argc < 2) {
		usage(&text);
		fputs(str_text(&text), stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		usage(&text);
		return cmd_print(&text);
	}
	if (strcmp(argv[1], "--version") == 0) {
		str_addf(&text, "muster %s\n", MUSTER_VERSION);
		return cmd_print(&text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	return unknown(argv[1]);
}
