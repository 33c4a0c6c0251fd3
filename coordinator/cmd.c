// SPDX-License-Identifier: Apache-2.0
// What the subcommands share.
#include "coordinator/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_int interrupted;
static int interrupt_fd = -1;

static void on_signal(int sig)
{
	const uint64_t one = 1;
	int saved = errno;

	interrupted = 1;
	if (write(interrupt_fd, &one, sizeof(one)) < 0)
		interrupted = 1; /* the flag alone then has to do */
	signal(sig, SIG_DFL);
	errno = saved;
}

void cmd_catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	if (interrupt_fd < 0)
		interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool cmd_interrupted(void)
{
	return interrupted != 0;
}

int cmd_interrupt_fd(void)
{
	return interrupt_fd;
}

int cmd_worst(int a, int b)
{
	static const int order[] = {EXIT_INTERRUPTED, EXIT_USAGE,	EXIT_INVALID,
				    EXIT_NO,	      EXIT_UNKNOWN_YET, EXIT_YES};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return EXIT_NO;
}

int cmd_fail(int exit_code, const struct err *err)
{
	cleanup_str struct str line = STR_INIT(4096);

	str_add_escaped(&line, err->text, strlen(err->text));
	fprintf(stderr, "muster: %s\n", str_text(&line));
	return exit_code;
}

int cmd_fail_store(const struct err *err)
{
	if (cmd_interrupted())
		return cmd_fail(EXIT_INTERRUPTED, err);
	return cmd_fail(err->code == -EAGAIN ? EXIT_UNKNOWN_YET : EXIT_USAGE, err);
}

int cmd_usage(const char *fmt, ...)
{
	struct err err = {.code = -EINVAL};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	return cmd_fail(EXIT_USAGE, &err);
}

int cmd_parse(const char *usage, const char *about, const struct opt *opts, int argc,
	      char **argv, struct opt_list *args, int *ret_exit)
{
	struct err err = {0};
	int r = opts_parse(opts, argc, argv, args, &err);

	if (r < 0) {
		*ret_exit = cmd_fail(EXIT_USAGE, &err);
		return r;
	}
	if (r > 0) {
		cleanup_str struct str text = STR_INIT(65536);

		str_addf(&text, "usage: %s\n\n%s\n", usage, about);
		opts_help(opts, &text);
		*ret_exit = cmd_print(&text);
	}
	return r;
}

int cmd_print(const struct str *text)
{
	fwrite(str_text(text), 1, text->len, stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_YES;
	fprintf(stderr, "muster: cannot write to standard output: %s\n", strerror(errno));
	return EXIT_NO;
}

int cmd_print_json(json_t *doc)
{
	cleanup_str struct str text = STR_INIT(SIZE_MAX / 4);
	cleanup_json json_t *owned = doc;
	struct err err = {0};

	if (json_dump_pretty(owned, &text, &err) < 0)
		return cmd_fail(EXIT_NO, &err);
	return cmd_print(&text);
}
