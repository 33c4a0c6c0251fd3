// SPDX-License-Identifier: Apache-2.0
// muster stop: drain or abort the fleet by one control order.
#include "coordinator/cmd.h"
#include "coordinator/order.h"
#include "coordinator/run.h"

static const char about[] = "Tells every worker of the run to stop: after the step in "
			    "flight (drain), or with\n"
			    "--abort at once: fio is interrupted, gcsfuse unmounted, "
			    "what there is uploaded. The\n"
			    "steps not begun end as cancelled. Workers read orders at "
			    "each heartbeat, so a drain\n"
			    "shows within about half a minute. Orders are numbered and "
			    "stay in the bucket.\n\n"
			    "exit code: 0 the order is written, 2 bad usage or no such "
			    "run, 3 the store gave\nno answer\n";

int cmd_stop(int argc, char **argv)
{
	bool is_abort = false, is_json = false;
	const char *reason = "stopped by the operator";
	const struct opt opts[] = {
		{"abort", OPT_FLAG, &is_abort, NULL, "interrupt the step in flight too",
		 NULL},
		{"reason", OPT_STR, &reason, "TEXT", "recorded with the order", NULL},
		{"json", OPT_FLAG, &is_json, NULL, "print the order's number as JSON",
		 NULL},
		{0},
	};
	cleanup_str struct str text = STR_INIT(1024);
	cleanup_run struct run run = {0};
	struct control order = {.all_workers = true, .all_steps = true};
	struct opt_list args;
	struct err err = {0};
	unsigned seq = 0;
	int code;

	if (cmd_parse("muster stop RUN [--abort]", about, opts, argc, argv, &args,
		      &code) != 0)
		return code;
	if (args.n != 1)
		return cmd_usage("stop takes one run's URL, got %zu arguments", args.n);
	if (run_open(args.v[0], &run, &code, &err) < 0)
		return cmd_fail(code, &err);
	order.kind = is_abort ? CONTROL_ABORT : CONTROL_DRAIN;
	order.reason = reason;
	if (order_write(&run, &order, &seq, &err) < 0)
		return cmd_fail_store(&err);
	if (is_json)
		return cmd_print_json(json_pack("{s:s, s:s, s:i, s:s}", "schema",
						"muster/stop/1", "run", run.ref.run,
						"seq", (int)seq, "kind",
						is_abort ? "abort" : "drain"));
	str_addf(&text, "%s: order %04u written; muster watch shows it take effect\n",
		 is_abort ? "abort" : "drain", seq);
	return cmd_print(&text);
}
