// SPDX-License-Identifier: Apache-2.0
// muster status, watch, wait: the fleet once, live, and until it is over.
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "coordinator/cmd.h"
#include "coordinator/fleet_load.h"
#include "coordinator/table.h"

static const char status_about[] = "Shows every worker of the run: its state, the step "
				   "in flight, steps done of all, and\n"
				   "how long ago it was heard of (by the store's clock). "
				   "waiting: not seen yet; missing:\n"
				   "not seen 15 minutes after its job was written; "
				   "stale: silent for longer than stale_s.\n\n"
				   "exit code: 0 the run is over and every worker is "
				   "done, 1 a worker has ended otherwise,\n"
				   "3 the run is not over, 2 bad usage or no such run\n";
static const char watch_about[] =
	"The same as status, again and again until the run is over. On a terminal the "
	"table\n"
	"stays in place; else a line is printed whenever something changes.\n\n"
	"exit code: as wait\n";
static const char wait_about[] = "Returns when every worker of the run has ended, or "
				 "when nobody is left who could go on\n"
				 "(all others missing or stale).\n\n"
				 "exit code: 0 every worker is done, 1 a worker ended "
				 "with steps that are not ok,\n"
				 "3 unfinished (stuck, interrupted, or --timeout came "
				 "first), 2 bad usage or no such run\n";

struct status_flags {
	bool json;
	int64_t timeout_ns, every_ns;
};

static void hint(const struct fleet_counts *c, struct str *ret)
{
	if (c->waiting)
		str_addf(ret,
			 "%zu waiting: their VMs have not booted or cannot reach the "
			 "bucket "
			 "yet\n",
			 c->waiting);
	if (c->missing)
		str_addf(ret,
			 "%zu missing: never seen; look at the VM's console, or start "
			 "muster-worker again\n",
			 c->missing);
	if (c->stale)
		str_addf(ret,
			 "%zu stale: died or cut off; a worker started again under the "
			 "same "
			 "name goes on where it stopped\n",
			 c->stale);
	if (c->interrupted)
		str_addf(ret,
			 "%zu interrupted: start them again to go on with the unfinished "
			 "steps\n",
			 c->interrupted);
}

static void age_text(int64_t age_ns, struct str *ret)
{
	int64_t s = age_ns > 0 ? age_ns / NS_PER_S : 0;

	if (s < 120)
		str_addf(ret, "%lld s", (long long)s);
	else if (s < 7200)
		str_addf(ret, "%lld min", (long long)(s / 60));
	else
		str_addf(ret, "%lld h", (long long)(s / 3600));
}

static const char *shown_state(const struct fleet_worker *w)
{
	if (w->view == FLEET_ALIVE || w->view == FLEET_ENDED)
		return worker_state_name(w->hb.state);
	return fleet_view_name(w->view);
}

static void worker_row(struct table *t, const struct fleet_worker *w)
{
	cleanup_str struct str age = STR_INIT(64);

	age_text(w->age_ns, &age);
	table_row(t);
	table_set(t, 0, "%s", w->name);
	table_set(t, 1, "%s", shown_state(w));
	table_set(t, 2, "%s", w->hb.step);
	if (w->hb.attempt > 1)
		table_set(t, 2, "%s (attempt %u)", w->hb.step, w->hb.attempt);
	table_set(t, 3, "%s", w->hb.progress);
	if (w->has_heartbeat)
		table_set(t, 4, "%u/%u", w->hb.done, w->hb.total);
	table_set(t, 5, "%s", str_text(&age));
	table_set(t, 6, "%s", w->hb.reason);
}

static void status_text(const struct run *run, const struct fleet *fleet, size_t rows_max,
			struct str *ret)
{
	static const char *const headers[] = {"worker", "state", "step",
					      "phase",	">done", ">heard of ago",
					      "reason", NULL};
	struct fleet_counts c = fleet_count(fleet);
	cleanup_table struct table t;

	table_init(&t, headers);
	for (size_t i = 0; i < fleet->n && i < rows_max; i++)
		worker_row(&t, &fleet->workers[i]);
	str_addf(ret, "run %s: %zu workers, %llu of %llu steps ended\n", run->ref.run,
		 fleet->n, (unsigned long long)c.steps_done,
		 (unsigned long long)c.steps_total);
	table_text(&t, ret);
	if (fleet->n > rows_max)
		str_addf(ret, "… and %zu more workers\n", fleet->n - rows_max);
	hint(&c, ret);
}

static json_t *worker_json(const struct fleet_worker *w)
{
	json_t *o = json_object();

	json_object_set_new(o, "worker", json_string(w->name));
	json_object_set_new(o, "view", json_string(fleet_view_name(w->view)));
	json_object_set_new(o, "state",
			    w->has_heartbeat ? json_string(worker_state_name(w->hb.state))
					     : json_null());
	json_object_set_new(o, "reason",
			    json_text_or_null(w->hb.reason[0] ? w->hb.reason : NULL));
	json_object_set_new(o, "step",
			    json_text_or_null(w->hb.step[0] ? w->hb.step : NULL));
	json_object_set_new(o, "attempt",
			    w->hb.attempt ? json_integer(w->hb.attempt) : json_null());
	json_object_set_new(o, "done", json_integer(w->hb.done));
	json_object_set_new(o, "total", json_integer(w->hb.total));
	json_object_set_new(o, "age_s", json_real((double)w->age_ns / NS_PER_S));
	return o;
}

static json_t *status_json(const struct run *run, const struct fleet *fleet)
{
	json_t *o = json_object(), *workers = json_array();

	for (size_t i = 0; i < fleet->n; i++)
		json_array_append_new(workers, worker_json(&fleet->workers[i]));
	json_object_set_new(o, "schema", json_string("muster/status/1"));
	json_object_set_new(o, "run", json_string(run->ref.run));
	json_object_set_new(o, "workers", workers);
	return o;
}

static int status_exit(const struct fleet *fleet)
{
	struct fleet_counts c = fleet_count(fleet);

	if (!fleet_is_over(&c) || c.interrupted)
		return c.failed || c.cancelled ? cmd_worst(EXIT_NO, EXIT_UNKNOWN_YET)
					       : EXIT_UNKNOWN_YET;
	return c.done == fleet->n && fleet->n ? EXIT_YES : EXIT_NO;
}

static int status_begin(const char *usage, const char *about, int argc, char **argv,
			struct status_flags *flags, struct run *run, int *ret_exit)
{
	const struct opt opts[] = {
		{"json", OPT_FLAG, &flags->json, NULL, "print JSON", NULL},
		{"every", OPT_DURATION, &flags->every_ns, "D",
		 "watch, wait: look again after this long (default 2s)", NULL},
		{"timeout", OPT_DURATION, &flags->timeout_ns, "D",
		 "watch, wait: give up after this long (default: never)", NULL},
		{0},
	};
	struct opt_list args;
	struct err err = {0};
	int code = 0;

	flags->every_ns = 2LL * NS_PER_S;
	if (cmd_parse(usage, about, opts, argc, argv, &args, ret_exit) != 0)
		return -1;
	if (args.n != 1) {
		*ret_exit = cmd_usage("give one run's URL (got %zu arguments)", args.n);
		return -1;
	}
	if (flags->every_ns < NS_PER_MS * 100LL) {
		*ret_exit = cmd_usage("--every: at least 100ms");
		return -1;
	}
	if (run_open(args.v[0], run, &code, &err) < 0) {
		*ret_exit = cmd_fail(code, &err);
		return -1;
	}
	return 0;
}

int cmd_status(int argc, char **argv)
{
	cleanup_str struct str text = STR_INIT(64 << 20);
	cleanup_fleet struct fleet fleet = {0};
	cleanup_run struct run run = {0};
	struct status_flags flags = {0};
	struct err err = {0};
	int code;

	if (status_begin("muster status RUN", status_about, argc, argv, &flags, &run,
			 &code) < 0)
		return code;
	if (fleet_load(&run, 0, &fleet, &err) < 0)
		return cmd_fail(EXIT_UNKNOWN_YET, &err);
	fleet_load_reasons(&run, &fleet);
	if (flags.json) {
		code = cmd_print_json(status_json(&run, &fleet));
	} else {
		status_text(&run, &fleet, SIZE_MAX, &text);
		code = cmd_print(&text);
	}
	return cmd_worst(code, status_exit(&fleet));
}

/* Redraw in place on a terminal; elsewhere print what differs from the last time. */
static void watch_show(const struct run *run, const struct fleet *fleet, struct str *last)
{
	cleanup_str struct str text = STR_INIT(64 << 20);
	struct winsize size = {.ws_row = 24};
	bool is_terminal = isatty(STDOUT_FILENO) == 1;
	size_t rows = SIZE_MAX;

	if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	    size.ws_row > 8)
		rows = (size_t)size.ws_row - 6;
	status_text(run, fleet, rows, &text);
	if (is_terminal) {
		printf("\033[H\033[2J%s", str_text(&text));
	} else {
		struct fleet_counts c = fleet_count(fleet);
		cleanup_str struct str line = STR_INIT(1024);

		str_addf(&line,
			 "run %s: %llu/%llu steps ended; workers: %zu alive, %zu "
			 "waiting, %zu "
			 "ended, %zu stale, %zu missing\n",
			 run->ref.run, (unsigned long long)c.steps_done,
			 (unsigned long long)c.steps_total, c.alive, c.waiting, c.ended,
			 c.stale, c.missing);
		if (strcmp(str_text(&line), str_text(last)) != 0)
			printf("%s", str_text(&line));
		str_reset(last);
		str_add(last, str_text(&line));
	}
	fflush(stdout);
}

static int watch_end(struct run *run, struct fleet *fleet,
		     const struct status_flags *flags, bool is_watch)
{
	cleanup_str struct str text = STR_INIT(64 << 20);

	fleet_load_reasons(run, fleet);
	if (flags->json)
		cmd_print_json(status_json(run, fleet));
	else if (is_watch && isatty(STDOUT_FILENO) != 1) {
		status_text(run, fleet, SIZE_MAX, &text);
		cmd_print(&text);
	}
	return status_exit(fleet);
}

static int watch(struct run *run, const struct status_flags *flags, bool is_watch)
{
	int64_t began_ns = clock_mono_ns(), first_seen_ns = 0;
	cleanup_str struct str last = STR_INIT(4096);

	for (int64_t next_ns = began_ns;; next_ns += flags->every_ns) {
		cleanup_fleet struct fleet fleet = {0};
		struct fleet_counts c;
		struct err err = {0};

		if (cmd_interrupted())
			return EXIT_INTERRUPTED;
		if (fleet_load(run, first_seen_ns, &fleet, &err) < 0)
			return cmd_fail(EXIT_UNKNOWN_YET, &err);
		if (!first_seen_ns)
			first_seen_ns = fleet.server_now_ns;
		if (is_watch && !flags->json)
			watch_show(run, &fleet, &last);
		c = fleet_count(&fleet);
		if (fleet_is_over(&c) || fleet_is_stuck(&c))
			return watch_end(run, &fleet, flags, is_watch);
		if (flags->timeout_ns && clock_mono_ns() - began_ns > flags->timeout_ns) {
			fprintf(stderr,
				"muster: the run is not over after the given time\n");
			return EXIT_UNKNOWN_YET;
		}
		clock_sleep_until(next_ns + flags->every_ns);
	}
}

static int cmd_until_over(const char *usage, const char *about, int argc, char **argv,
			  bool is_watch)
{
	cleanup_run struct run run = {0};
	struct status_flags flags = {0};
	int code;

	if (status_begin(usage, about, argc, argv, &flags, &run, &code) < 0)
		return code;
	return watch(&run, &flags, is_watch);
}

int cmd_watch(int argc, char **argv)
{
	return cmd_until_over("muster watch RUN", watch_about, argc, argv, true);
}

int cmd_wait(int argc, char **argv)
{
	return cmd_until_over("muster wait RUN", wait_about, argc, argv, false);
}
