// SPDX-License-Identifier: Apache-2.0
// muster status, watch, wait: the fleet once, live, and until it is over.
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "coordinator/cmd.h"
#include "coordinator/fleet_load.h"
#include "coordinator/status.h"
#include "coordinator/verdict.h"

/* every record of the run is read: in larger fleets only when something depends on it */
enum { JUDGED_FLEET_MAX = 256 };

static const char status_about[] =
	"Shows every worker of the run: its state, the step in flight, steps ended of "
	"all, and\n"
	"how long ago it was heard of (by the store's clock). waiting: not seen yet; "
	"missing:\n"
	"not seen 15 minutes after its job was written; stale: silent for longer than "
	"the\n"
	"run's stale_s. Below the table stands who needs help, and which command gives "
	"it.\n\n"
	"  muster status gs://ctl/r1\n\n"
	"exit code: 0 the run is over and every step is ok, 1 a worker failed or was "
	"stopped,\n"
	"or a step is not ok, 3 the run is not over, 4 a step is invalid, 2 bad usage or "
	"no\n"
	"such run\n";
static const char watch_about[] =
	"The same as status, again and again until the run is over. On a terminal the "
	"table\n"
	"stays in place; else a line is printed whenever something changes (with --json "
	"a\n"
	"document in one line), and the table at the end.\n\n"
	"exit code: as wait\n";
static const char wait_about[] =
	"Returns when every worker of the run has ended, or when nobody is left who "
	"could go on\n"
	"(all others missing or stale).\n\n"
	"  muster wait gs://ctl/r1 --timeout 2h && muster collect gs://ctl/r1\n\n"
	"exit code: 0 every step is ok, 1 a worker failed or was stopped, or a step is "
	"not ok,\n"
	"3 unfinished (stuck, interrupted, or --timeout came first), 4 a step is "
	"invalid,\n"
	"2 bad usage or no such run, 130 interrupted by a signal\n";

enum status_mode { MODE_STATUS, MODE_WATCH, MODE_WAIT };

struct status_flags {
	enum status_mode mode;
	bool json;
	int64_t timeout_ns, every_ns;
};

static int status_begin(const char *about, int argc, char **argv,
			struct status_flags *flags, struct run *run, int *ret_exit)
{
	static const char *const usages[] = {
		"muster status RUN [--json]",
		"muster watch RUN [--every D] [--timeout D] [--json]",
		"muster wait RUN [--every D] [--timeout D] [--json]"};
	const struct opt opts[] = {
		{"json", OPT_FLAG, &flags->json, NULL, "print JSON", NULL},
		/* status looks once: its table ends here */
		{flags->mode == MODE_STATUS ? NULL : "every", OPT_DURATION,
		 &flags->every_ns, "D", "look again after this long (default 2s)", NULL},
		{"timeout", OPT_DURATION, &flags->timeout_ns, "D",
		 "give up after this long (default: never)", NULL},
		{0},
	};
	struct opt_list args;
	struct err err = {0};

	flags->every_ns = 2LL * NS_PER_S;
	if (cmd_parse(usages[flags->mode], about, opts, argc, argv, &args, ret_exit) != 0)
		return -EINVAL;
	if (args.n != 1) {
		*ret_exit = cmd_usage("give one run's URL (got %zu arguments)", args.n);
		return -EINVAL;
	}
	if (flags->every_ns < NS_PER_MS * 100LL) {
		*ret_exit = cmd_usage("--every: at least 100ms");
		return -EINVAL;
	}
	if (run_open(args.v[0], run, ret_exit, &err) < 0) {
		*ret_exit = cmd_fail(*ret_exit, &err);
		return -EINVAL;
	}
	return 0;
}

static int print_compact(json_t *doc)
{
	cleanup_str struct str text = STR_INIT(64 << 20);
	cleanup_json json_t *owned = doc;
	struct err err = {0};

	if (json_dump(owned, &text, &err) < 0)
		return cmd_fail(EXIT_NO, &err);
	return cmd_print(&text);
}

/* In place: each line ends what was there before; lines too long are cut, not wrapped. */
static int draw(const struct run *run, const struct fleet *fleet)
{
	enum { LINES_BESIDE_ROWS = 9 };
	cleanup_str struct str text = STR_INIT(64 << 20);
	cleanup_str struct str screen = STR_INIT(128 << 20);
	struct winsize size = {.ws_row = 24};
	size_t rows = SIZE_MAX;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row)
		rows = size.ws_row > LINES_BESIDE_ROWS
			       ? (size_t)size.ws_row - LINES_BESIDE_ROWS
			       : 1;
	status_text(run, fleet, rows, &text);
	str_add(&screen, "\033[?7l\033[H");
	for (const char *p = str_text(&text); *p; p++) {
		if (*p == '\n')
			str_add(&screen, "\033[K");
		str_addc(&screen, *p);
	}
	str_add(&screen, "\033[J\033[?7h");
	return cmd_print(&screen);
}

static bool is_drawn(const struct status_flags *flags)
{
	return flags->mode == MODE_WATCH && !flags->json && isatty(STDOUT_FILENO) == 1;
}

/* One look of watch: what differs from the last one. */
static int watch_show(const struct run *run, const struct fleet *fleet,
		      const struct status_flags *flags, struct str *last)
{
	cleanup_str struct str line = STR_INIT(1024);

	if (flags->mode != MODE_WATCH)
		return EXIT_YES;
	if (is_drawn(flags))
		return draw(run, fleet);
	status_line(run, fleet, &line);
	if (strcmp(str_text(&line), str_text(last)) == 0)
		return EXIT_YES;
	str_reset(last);
	str_add(last, str_text(&line));
	return flags->json ? print_compact(status_json(run, fleet)) : cmd_print(&line);
}

/* The last look, of any mode: with reasons, and with how the steps ended. */
static int status_end(struct run *run, struct fleet *fleet,
		      const struct status_flags *flags)
{
	cleanup_str struct str text = STR_INIT(64 << 20);
	struct fleet_counts c = fleet_count(fleet);
	int code = EXIT_YES;

	fleet_load_reasons(run, fleet);
	if (fleet_is_over(&c) && !fleet->steps.is_known)
		fleet_load_verdicts(run, fleet);
	if (cmd_interrupted())
		return EXIT_INTERRUPTED;
	status_text(run, fleet, SIZE_MAX, &text);
	if (flags->json && flags->mode == MODE_WATCH)
		code = print_compact(status_json(run, fleet));
	else if (flags->json)
		code = cmd_print_json(status_json(run, fleet));
	else if (is_drawn(flags))
		code = draw(run, fleet);
	else if (flags->mode != MODE_WAIT)
		code = cmd_print(&text);
	return cmd_worst(code, status_exit(fleet));
}

/* Nobody who could go on: what becomes of the run is decided by its steps. */
static bool is_at_end(const struct fleet *fleet)
{
	struct fleet_counts c = fleet_count(fleet);

	return fleet_is_over(&c) || fleet_is_stuck(&c);
}

static bool is_to_be_judged(const struct fleet *fleet)
{
	return fleet->n <= JUDGED_FLEET_MAX || is_at_end(fleet);
}

/* Also who is waited for may have nothing left to do: others have taken its steps. */
static bool may_be_over(const struct fleet *fleet)
{
	return is_at_end(fleet) ||
	       (fleet->n <= JUDGED_FLEET_MAX && !fleet_count(fleet).alive);
}

int cmd_status(int argc, char **argv)
{
	cleanup_fleet struct fleet fleet = {0};
	cleanup_run struct run run = {0};
	struct status_flags flags = {.mode = MODE_STATUS};
	struct err err = {0};
	int code;

	if (status_begin(status_about, argc, argv, &flags, &run, &code) < 0)
		return code;
	if (fleet_look(&run, 0, &fleet, &err) < 0 ||
	    (is_to_be_judged(&fleet) && verdict_load(&run, &fleet, &err) < 0))
		return cmd_fail_store(&err);
	return status_end(&run, &fleet, &flags);
}

/** struct watching - what one look leaves for the next. */
struct watching {
	int64_t first_seen_ns; /* server clock */
	bool is_silent;	       /* the store gave no answer last time, and that was said */
	struct str last;
};

/* One look; false when it was the last, with the exit code in @ret_exit. */
static bool watch_look(struct run *run, const struct status_flags *flags,
		       struct watching *w, int *ret_exit)
{
	cleanup_fleet struct fleet fleet = {0};
	struct fleet_counts c;
	struct err err = {0};
	int r = fleet_look(run, w->first_seen_ns, &fleet, &err);

	/* before anything is concluded from workers that others may have relieved */
	if (r == 0 && may_be_over(&fleet))
		r = verdict_load(run, &fleet, &err);
	*ret_exit = EXIT_INTERRUPTED;
	if (cmd_interrupted())
		return false;
	/* a run lasts longer than an outage */
	if (r == -EAGAIN) {
		if (!w->is_silent)
			cmd_fail(EXIT_UNKNOWN_YET, &err);
		w->is_silent = true;
		return true;
	}
	if (r < 0) {
		*ret_exit = cmd_fail_store(&err);
		return false;
	}
	w->is_silent = false;
	if (!w->first_seen_ns)
		w->first_seen_ns = fleet.server_now_ns;
	*ret_exit = watch_show(run, &fleet, flags, &w->last);
	if (*ret_exit != EXIT_YES)
		return false;
	c = fleet_count(&fleet);
	if (!fleet_is_over(&c) && !fleet_is_stuck(&c))
		return true;
	*ret_exit = status_end(run, &fleet, flags);
	return false;
}

static int watch(struct run *run, const struct status_flags *flags)
{
	struct watching w = {.last = STR_INIT(4096)};
	int64_t next_ns = clock_mono_ns(), end_ns = INT64_MAX;
	int code;

	if (flags->timeout_ns && flags->timeout_ns < end_ns - next_ns)
		end_ns = next_ns + flags->timeout_ns;
	while (watch_look(run, flags, &w, &code)) {
		int64_t now_ns = clock_mono_ns();

		if (now_ns >= end_ns) {
			fprintf(stderr,
				"muster: the run is not over after the given time\n");
			code = EXIT_UNKNOWN_YET;
			break;
		}
		next_ns = next_ns + flags->every_ns > now_ns ? next_ns + flags->every_ns
							     : now_ns;
		clock_sleep_until(next_ns < end_ns ? next_ns : end_ns);
	}
	str_done(&w.last);
	return code;
}

static int cmd_until_over(const char *about, int argc, char **argv, enum status_mode mode)
{
	cleanup_run struct run run = {0};
	struct status_flags flags = {.mode = mode};
	int code;

	if (status_begin(about, argc, argv, &flags, &run, &code) < 0)
		return code;
	return watch(&run, &flags);
}

int cmd_watch(int argc, char **argv)
{
	return cmd_until_over(watch_about, argc, argv, MODE_WATCH);
}

int cmd_wait(int argc, char **argv)
{
	return cmd_until_over(wait_about, argc, argv, MODE_WAIT);
}
