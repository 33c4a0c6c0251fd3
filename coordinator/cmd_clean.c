// SPDX-License-Identifier: Apache-2.0
// muster clean: delete a run's objects, and nothing else.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/cmd.h"
#include "coordinator/fetch.h"

static const char about[] =
	"Deletes every object of the run in the control bucket, config.json last, so "
	"that an\n"
	"interrupted clean can be repeated. Objects outside the run, the fleet's cache "
	"of\n"
	"binaries and the data bucket are not touched. Asks first; --yes does not.\n";

static bool confirmed(const struct run *run, const struct run_objects *objects)
{
	char answer[16] = "";

	fprintf(stderr, "delete %zu objects of run %s in gs://%s? [y/N] ", objects->n,
		run->ref.run, run->ref.bucket);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return answer[0] == 'y' || answer[0] == 'Y';
}

static int delete_one(struct run *run, const struct run_object *object, struct err *err)
{
	struct err why = {0};
	int r = run->store->ops->del(run->store, object->name, object->generation, &why);

	/* gone already, or rewritten by a worker that still lives: the latter must be
	 * said */
	if (r == -ENOENT)
		return 0;
	if (r == -EEXIST)
		return err_set(err, r,
			       "%s was just rewritten: a worker is still running (muster "
			       "stop first)",
			       object->parts.relative);
	return r < 0 ? err_set(err, r, "%s", why.text) : 0;
}

static int delete_all(struct run *run, const struct run_objects *objects, struct err *err)
{
	const struct run_object *config = NULL;

	for (size_t i = 0; i < objects->n; i++) {
		const struct run_object *object = &objects->v[i];
		int r = 0;

		if (cmd_interrupted())
			return err_set(err, -EINTR, "interrupted");
		if (object->parts.kind == PATH_KIND_CONFIG)
			config = object;
		else
			r = delete_one(run, object, err);
		if (r < 0)
			return r;
	}
	return config ? delete_one(run, config, err) : 0;
}

static int clean(struct run *run, bool yes)
{
	struct run_objects objects = {0};
	struct err err = {0};
	int code = EXIT_YES;

	if (fetch_list(run, &objects, &err) < 0)
		return cmd_fail(EXIT_NO, &err);
	if (!yes && !confirmed(run, &objects)) {
		fprintf(stderr, "nothing deleted\n");
		code = EXIT_NO;
	} else if (delete_all(run, &objects, &err) < 0) {
		code = cmd_fail(cmd_interrupted() ? EXIT_INTERRUPTED : EXIT_NO, &err);
	} else {
		printf("deleted %zu objects of run %s\n", objects.n, run->ref.run);
	}
	if (objects.n_strange)
		fprintf(stderr,
			"muster: %zu objects below the run are not muster's: left "
			"alone\n",
			objects.n_strange);
	run_objects_done(&objects);
	return code;
}

int cmd_clean(int argc, char **argv)
{
	bool yes = false;
	const struct opt opts[] = {
		{"yes", OPT_FLAG, &yes, NULL, "do not ask", NULL},
		{0},
	};
	cleanup_run struct run run = {0};
	struct opt_list args;
	struct err err = {0};
	int code;

	if (cmd_parse("muster clean RUN [--yes]", about, opts, argc, argv, &args,
		      &code) != 0)
		return code;
	if (args.n != 1)
		return cmd_usage("clean takes one run's URL, got %zu arguments", args.n);
	if (run_open(args.v[0], &run, &code, &err) < 0)
		return cmd_fail(code, &err);
	return clean(&run, yes);
}
