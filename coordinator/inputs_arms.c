// SPDX-License-Identifier: Apache-2.0
// The inputs of split: arms, from the mount configs or from the command line.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/inputs.h"
#include "coordinator/plan.h"
#include "core/argv_split.h"
#include "core/csv.h"
#include "manifests/mount_policy.h"
#include "manifests/paths.h"

/* struct source - where an arm's texts come from; NULL or "" = not said. */
struct source {
	const char *label, *commit, *mount_args, *config_file, *env, *bucket, *kind;
	const char *folder; /* of the CSV: relative files are below it */
};

static bool is_said(const char *text)
{
	return text && *text;
}

static int arm_args(struct inputs *in, const char *text, struct arm *arm, struct err *err)
{
	cleanup_argv struct argv_list argv = {0};
	struct err why = {0};
	int r = argv_split(text ? text : "", &argv, &why);

	if (r == 0)
		r = mount_args_check(argv.n, (const char *const *)argv.v, &why);
	if (r < 0)
		return err_set(err, r, "mount_args: %s", why.text);
	arm->args = xcalloc(argv.n ? argv.n : 1, sizeof(*arm->args));
	for (size_t i = 0; i < argv.n; i++)
		arm->args[arm->n_args++] = inputs_keep(in, steal_ptr(argv.v[i]));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t n = strcspn(x, "="), m = strcspn(y, "=");
	int r = memcmp(x, y, n < m ? n : m);

	return r ? r : (n > m) - (n < m);
}

static int arm_env(struct inputs *in, const char *text, struct arm *arm, struct err *err)
{
	cleanup_argv struct argv_list argv = {0};
	struct err why = {0};
	int r = argv_split(text ? text : "", &argv, &why);

	for (size_t i = 0; i < argv.n && r == 0; i++)
		r = mount_env_check(argv.v[i], &why);
	if (r < 0)
		return err_set(err, r, "env: %s", why.text);
	if (argv.n)
		qsort(argv.v, argv.n, sizeof(*argv.v), by_name);
	arm->env = xcalloc(argv.n ? argv.n : 1, sizeof(*arm->env));
	for (size_t i = 0; i < argv.n; i++) {
		if (i && strcspn(argv.v[i], "=") == strcspn(arm->env[i - 1], "=") &&
		    by_name(&argv.v[i], &arm->env[i - 1]) == 0)
			return err_set(err, -EINVAL, "env: %.60s is set twice",
				       argv.v[i]);
		arm->env[arm->n_env++] = inputs_keep(in, steal_ptr(argv.v[i]));
	}
	return 0;
}

static int arm_config_file(struct inputs *in, const struct source *from, struct arm *arm,
			   struct err *err)
{
	cleanup_str struct str text = STR_INIT(CONFIG_FILE_MAX_BYTES);
	cleanup_free char *path = NULL;
	struct err why = {0};
	int r;

	if (!is_said(from->config_file))
		return 0;
	path = from->config_file[0] == '/' || !from->folder
		       ? xstrdup(from->config_file)
		       : xasprintf("%s/%s", from->folder, from->config_file);
	r = inputs_read_file(path, CONFIG_FILE_MAX_BYTES, &text, &why);
	if (r == 0 && !str_is_utf8(str_text(&text), text.len))
		r = err_set(&why, -EINVAL, "%s: not UTF-8 text", path);
	if (r < 0)
		return err_set(err, r, "config_file: %s", why.text);
	r = mount_config_check(str_text(&text), &why);
	if (r < 0)
		return err_set(err, r, "config_file: %s: %s", path, why.text);
	arm->config_file = inputs_keep(in, xstrdup(str_text(&text)));
	return 0;
}

static int arm_kind_of(const struct inputs_opts *opts, const char *text, struct arm *arm,
		       struct err *err)
{
	arm->kind = opts->kind;
	if (!is_said(text))
		return 0;
	if (strcmp(text, "gcsfuse") == 0)
		arm->kind = ARM_GCSFUSE;
	else if (strcmp(text, "dir") == 0)
		arm->kind = ARM_DIR;
	else
		return err_set(err, -EINVAL, "kind: \"%.40s\" is neither gcsfuse nor dir",
			       text);
	return 0;
}

static int arm_names(const struct inputs_opts *opts, struct inputs *in,
		     const struct source *from, struct arm *arm, struct err *err)
{
	if (!str_is_label(from->label))
		return err_set(
			err, -EINVAL,
			"label: \"%.80s\" would not do as a folder's name: 1 to 63 "
			"of letters, digits and ._+=-, not beginning with . or -",
			from->label);
	for (size_t i = 0; i < in->n_arms; i++)
		if (&in->arms[i] != arm && in->arms[i].label &&
		    strcmp(in->arms[i].label, from->label) == 0)
			return err_set(err, -EINVAL, "label: \"%s\" occurs twice",
				       from->label);
	arm->label = inputs_keep(in, xstrdup(from->label));
	if (is_said(from->bucket) && strcmp(from->bucket, opts->data_bucket) != 0 &&
	    (!str_starts(from->bucket, "gs://") ||
	     strcmp(from->bucket + strlen("gs://"), opts->data_bucket) != 0))
		return err_set(err, -EINVAL,
			       "bucket: \"%.80s\" is not the run's data bucket %s: arms "
			       "are compared on one bucket",
			       from->bucket, opts->data_bucket);
	if (is_said(from->commit) && path_has_dotdot(from->commit))
		return err_set(err, -EINVAL, "commit: \"..\" is refused");
	if (is_said(from->commit))
		arm->requested = inputs_keep(in, xstrdup(from->commit));
	return 0;
}

static int arm_of(const struct inputs_opts *opts, struct inputs *in,
		  const struct source *from, struct arm *arm, struct err *err)
{
	int r = arm_names(opts, in, from, arm, err);

	if (r == 0)
		r = arm_kind_of(opts, from->kind, arm, err);
	if (r == 0)
		r = arm_args(in, from->mount_args, arm, err);
	if (r == 0)
		r = arm_env(in, from->env, arm, err);
	if (r == 0)
		r = arm_config_file(in, from, arm, err);
	/* a folder is measured as it is: nothing of gcsfuse is pinned or asked for */
	if (r == 0 && arm->kind == ARM_DIR)
		arm->requested = NULL;
	return r;
}

static const char *cell(const struct csv *csv, const struct csv_row *row,
			const char *column)
{
	int i = csv_column(csv, column);

	return i < 0 ? NULL : row->cells[(size_t)i];
}

static int check_columns(const struct csv *csv, const char *path, struct err *err)
{
	static const char *const required[] = {"commit", "mount_args", "label"};

	for (size_t i = 0; i < ARRAY_SIZE(required); i++)
		if (csv_column(csv, required[i]) < 0)
			return err_set(err, -EINVAL, "%s:%u: no column \"%s\"", path,
				       csv->header_line, required[i]);
	if (!csv->n_rows)
		return err_set(err, -EINVAL, "%s: no arms: only a header", path);
	if (csv->n_rows > PLAN_ARMS_MAX)
		return err_set(err, -EINVAL, "%s: more than %d arms", path,
			       PLAN_ARMS_MAX);
	return 0;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t)(slash - path) + (slash == path))
		     : xstrdup(".");
}

static int arms_of_csv(const struct inputs_opts *opts, struct inputs *in,
		       const struct csv *csv, struct err *err)
{
	cleanup_free char *folder = folder_of(opts->configs_path);

	for (size_t i = 0; i < csv->n_rows; i++) {
		const struct csv_row *row = &csv->rows[i];
		const char *binary = cell(csv, row, "binary");
		const struct source from = {
			.label = cell(csv, row, "label"),
			.commit = cell(csv, row, "commit"),
			.mount_args = cell(csv, row, "mount_args"),
			.config_file = cell(csv, row, "config_file"),
			.env = cell(csv, row, "env"),
			.bucket = cell(csv, row, "bucket"),
			.kind = cell(csv, row, "kind"),
			.folder = folder,
		};
		struct err why = {0};
		int r;

		in->arms[i].config_id = (unsigned)i + 1;
		r = arm_of(opts, in, &from, &in->arms[i], &why);
		if (r < 0)
			return err_set(err, r, "%s:%u: %s", opts->configs_path, row->line,
				       why.text);
		if (is_said(binary))
			in->binaries[i] = inputs_keep(
				in, str_starts(binary, "gs://") || binary[0] == '/'
					    ? xstrdup(binary)
					    : xasprintf("%s/%s", folder, binary));
	}
	return 0;
}

static void make_arms(struct inputs *in, size_t n)
{
	in->n_arms = n;
	in->arms = xcalloc(n, sizeof(*in->arms));
	in->binaries = xcalloc(n, sizeof(*in->binaries));
}

int inputs_arms(const struct inputs_opts *opts, struct inputs *in, struct err *err)
{
	cleanup_csv struct csv csv = {0};
	int r;

	if (!opts->configs_path) {
		const struct source from = {
			.label = "default",
			.commit = opts->gcsfuse,
			.mount_args = opts->mount_args,
		};
		struct err why = {0};

		make_arms(in, 1);
		r = arm_of(opts, in, &from, &in->arms[0], &why);
		return r < 0 ? err_set(err, r, "--mount-args: %s", why.text) : 0;
	}
	r = csv_parse(str_text(&in->configs.text), in->configs.text.len,
		      opts->configs_path, &csv, err);
	if (r == 0)
		r = check_columns(&csv, opts->configs_path, err);
	if (r < 0)
		return r;
	make_arms(in, csv.n_rows);
	return arms_of_csv(opts, in, &csv, err);
}
