// SPDX-License-Identifier: Apache-2.0
// muster clean: delete a run's objects, and nothing else.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/cmd.h"
#include "coordinator/fetch.h"
#include "coordinator/pool.h"

static const char about[] =
	"Deletes every object of the run in the control bucket, config.json last, so "
	"that an\n"
	"interrupted clean can be repeated. Objects outside the run, the fleet's cache "
	"of\n"
	"binaries and the data bucket are not touched. Asks first; --yes does not.\n\n"
	"exit code: 0 deleted, 1 not confirmed or a worker still runs, 2 no such run\n";

static bool confirmed(const struct run *run, const struct run_objects *objects)
{
	char answer[16] = "";

	fprintf(stderr, "delete %zu objects of run %s in gs://%s? [y/N] ", objects->n,
		run->ref.run, run->ref.bucket);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return answer[0] == 'y' || answer[0] == 'Y';
}

struct deletion {
	struct run *run;
	const struct run_objects *objects;
	_Atomic size_t deleted;
};

static int delete_object(struct store *store, struct deletion *d,
			 const struct run_object *object, struct err *err)
{
	struct err why = {0};
	char name[PATH_CAP];
	int r = run_object_name(d->run, object, name, err);

	if (r < 0)
		return r;
	r = store->ops->del(store, name, object->generation, &why);
	d->deleted += r == 0;
	/* gone already, or rewritten by a worker that still lives: that must be said */
	if (r == -ENOENT)
		return 0;
	if (r == -EEXIST)
		return err_set(err, r,
			       "%s was just rewritten: a worker is still running (muster "
			       "stop first)",
			       object->relative);
	return r < 0 ? err_set(err, r, "%s", why.text) : 0;
}

static int delete_but_config(struct store *store, size_t index, void *arg,
			     struct err *err)
{
	struct deletion *d = arg;
	const struct run_object *object = &d->objects->v[index];

	return object->kind == PATH_KIND_CONFIG ? 0
						: delete_object(store, d, object, err);
}

/* config.json names the run: as long as it is there, cleaning can be repeated. */
static int delete_all(struct deletion *d, struct err *err)
{
	int r = pool_run(d->run, d->objects->n, delete_but_config, d, err);

	for (size_t i = 0; i < d->objects->n && r == 0; i++)
		if (d->objects->v[i].kind == PATH_KIND_CONFIG)
			r = delete_object(d->run->store, d, &d->objects->v[i], err);
	return r;
}

static int print_done(const struct run *run, const struct run_objects *objects,
		      size_t deleted, bool is_json)
{
	cleanup_str struct str text = STR_INIT(4096);

	if (is_json)
		return cmd_print_json(
			json_pack("{s:s, s:s, s:I, s:I}", "schema", "muster/clean/1",
				  "run", run->ref.run, "deleted", (json_int_t)deleted,
				  "left_alone", (json_int_t)objects->n_strange));
	str_addf(&text, "deleted %zu objects of run %s\n", deleted, run->ref.run);
	return cmd_print(&text);
}

static int clean(struct run *run, bool yes, bool is_json)
{
	struct run_objects objects = {0};
	struct err err = {0};
	struct deletion d = {.run = run, .objects = &objects};
	int code;

	if (fetch_list(run, &objects, &err) < 0)
		return cmd_fail_store(&err);
	if (!yes && !confirmed(run, &objects)) {
		fprintf(stderr, "nothing deleted\n");
		code = cmd_interrupted() ? EXIT_INTERRUPTED : EXIT_NO;
	} else if (delete_all(&d, &err) < 0) {
		err_wrap(&err, err.code, "%zu of %zu objects deleted", (size_t)d.deleted,
			 objects.n);
		code = err.code == -EEXIST ? cmd_fail(EXIT_NO, &err)
					   : cmd_fail_store(&err);
	} else {
		code = print_done(run, &objects, d.deleted, is_json);
	}
	if (objects.n_strange)
		fprintf(stderr,
			"muster: %zu object%s below the run %s not muster's: left "
			"alone\n",
			objects.n_strange, objects.n_strange == 1 ? "" : "s",
			objects.n_strange == 1 ? "is" : "are");
	run_objects_done(&objects);
	return code;
}

int cmd_clean(int argc, char **argv)
{
	bool yes = false, is_json = false;
	const struct opt opts[] = {
		{"yes", OPT_FLAG, &yes, NULL, "do not ask", NULL},
		{"json", OPT_FLAG, &is_json, NULL, "print the numbers as JSON", NULL},
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
	return clean(&run, yes, is_json);
}
