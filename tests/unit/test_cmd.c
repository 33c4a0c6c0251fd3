// SPDX-License-Identifier: Apache-2.0
// What the subcommands share: exit codes, parsing, signals.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/cmd.h"
#include "tests/unit/tap.h"

static void test_worst(void)
{
	/* from what counts most to what counts least */
	static const int order[] = {130, 2, 4, 1, 3, 0};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
			int want = order[i < k ? i : k];

			ok(cmd_worst(order[i], order[k]) == want, "%d and %d: %d",
			   order[i], order[k], want);
		}
}

/* Output of what is under test must not be read as TAP. */
static int quietly(int fd, int (*fn)(void))
{
	int saved = dup(fd), code;

	fflush(NULL);
	if (!freopen("/dev/null", "w", fd == STDOUT_FILENO ? stdout : stderr))
		return -1;
	code = fn();
	fflush(NULL);
	dup2(saved, fd);
	close(saved);
	return code;
}

static int fail_again(void)
{
	const struct err err = {.code = -EAGAIN, .text = "no answer"};

	return cmd_fail_store(&err);
}

static int fail_other(void)
{
	const struct err err = {.code = -EACCES, .text = "not allowed"};

	return cmd_fail_store(&err);
}

static int usage(void)
{
	return cmd_usage("no %s", "way");
}

static int parse_bad(void)
{
	const struct opt opts[] = {{0}};
	char *argv[] = {(char *)"--bad"};
	struct opt_list args;
	int code = 0;

	return cmd_parse("u", "a", opts, 1, argv, &args, &code) < 0 ? code : -1;
}

static int parse_help(void)
{
	const struct opt opts[] = {{0}};
	char *argv[] = {(char *)"--help"};
	struct opt_list args;
	int code = -1;

	return cmd_parse("u", "a", opts, 1, argv, &args, &code) == 1 ? code : -1;
}

static void test_signal(void)
{
	struct pollfd fd = {.events = POLLIN};

	ok(!cmd_interrupted() && cmd_interrupt_fd() == -1, "nothing is caught at first");
	cmd_catch_signals();
	fd.fd = cmd_interrupt_fd();
	ok(fd.fd >= 0 && poll(&fd, 1, 0) == 0, "no signal, nothing to read");
	raise(SIGINT);
	ok(cmd_interrupted() && poll(&fd, 1, 0) == 1,
	   "a signal is noted and can be waited for");
	ok(quietly(STDERR_FILENO, fail_again) == 130,
	   "then every failure is an interrupt");
	ok(signal(SIGINT, SIG_DFL) == SIG_DFL, "the second one ends the program");
}

int main(void)
{
	test_worst();
	ok(quietly(STDERR_FILENO, fail_again) == 3,
	   "a store that is silent: not known yet");
	ok(quietly(STDERR_FILENO, fail_other) == 2, "a store that refuses: input");
	ok(quietly(STDERR_FILENO, usage) == 2, "usage");
	ok(quietly(STDERR_FILENO, parse_bad) == 2, "a bad flag");
	ok(quietly(STDOUT_FILENO, parse_help) == 0, "help is no error");
	test_signal();
	return done_testing();
}
