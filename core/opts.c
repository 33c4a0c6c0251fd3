// SPDX-License-Identifier: Apache-2.0
// Command-line flags from a table.
#include "core/opts.h"

#include <errno.h>
#include <string.h>

static const struct opt *opts_find(const struct opt *opts, const char *name, size_t n)
{
	for (; opts->name; opts++)
		if (strlen(opts->name) == n && memcmp(opts->name, name, n) == 0)
			return opts;
	return NULL;
}

static int opts_unknown(const struct opt *opts, const char *arg, struct err *err)
{
	const char *names[128] = {"help"};
	cleanup_free char *name = xstrndup(arg, strcspn(arg, "="));
	const char *near;
	size_t n = 1;

	for (; opts->name && n < ARRAY_SIZE(names) - 1; opts++)
		names[n++] = opts->name;
	names[n] = NULL;
	near = str_nearest(name + strspn(name, "-"), names);
	if (near)
		return err_set(err, -EINVAL, "unknown flag %.60s (did you mean --%s?)",
			       name, near);
	return err_set(err, -EINVAL, "unknown flag %.60s", name);
}

static int opts_store(const struct opt *opt, const char *value, struct err *err)
{
	struct err why = {0};
	struct opt_list *list = opt->dest;
	int r = 0;

	switch (opt->kind) {
	case OPT_FLAG:
		*(bool *)opt->dest = true;
		break;
	case OPT_STR:
		*(const char **)opt->dest = value;
		break;
	case OPT_LIST:
		if (list->n == OPT_LIST_MAX)
			return err_set(err, -E2BIG, "--%s: given too often", opt->name);
		list->v[list->n++] = value;
		break;
	case OPT_U64:
		r = parse_u64(value, opt->dest, &why);
		break;
	case OPT_F64:
		r = parse_f64(value, opt->dest, &why);
		break;
	case OPT_DURATION:
		r = parse_duration(value, opt->dest, &why);
		break;
	}
	if (r < 0)
		return err_set(err, -EINVAL, "--%s: %s", opt->name, why.text);
	return 0;
}

/* One "--name[=value]"; consumes the next argument through @i when it is the value. */
static int opts_one(const struct opt *opts, int argc, char *const *argv, int *i,
		    bool *given, struct err *err)
{
	const char *arg = argv[*i] + 2, *eq = strchr(arg, '=');
	size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
	const struct opt *opt = opts_find(opts, arg, n);
	const char *value = eq ? eq + 1 : NULL;

	if (!opt)
		return opts_unknown(opts, argv[*i], err);
	if (opt->kind == OPT_FLAG && value)
		return err_set(err, -EINVAL, "--%s takes no value", opt->name);
	if (opt->kind != OPT_FLAG && !value) {
		if (*i + 1 >= argc)
			return err_set(err, -EINVAL, "--%s needs a value: %s", opt->name,
				       opt->arg ? opt->arg : "VALUE");
		value = argv[++*i];
	}
	if (given[opt - opts] && opt->kind != OPT_LIST)
		return err_set(err, -EINVAL, "--%s is given twice", opt->name);
	given[opt - opts] = true;
	if (opt->is_set)
		*opt->is_set = true;
	return opts_store(opt, value, err);
}

int opts_parse(const struct opt *opts, int argc, char *const *argv, struct opt_list *args,
	       struct err *err)
{
	bool given[128] = {false};
	bool flags = true;

	args->n = 0;
	for (int i = 0; i < argc; i++) {
		const char *arg = argv[i];
		int r = 0;

		if (flags && strcmp(arg, "--") == 0) {
			flags = false;
		} else if (flags &&
			   (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
			return 1;
		} else if (flags && arg[0] == '-' && arg[1] == '-') {
			r = opts_one(opts, argc, argv, &i, given, err);
		} else if (flags && arg[0] == '-' && arg[1]) {
			/* single letters exist only where a table names one, as "l" or
			 * "r" */
			const struct opt *opt = opts_find(opts, arg + 1, strlen(arg + 1));

			r = opt && !arg[2] && opt->kind == OPT_FLAG
				    ? opts_store(opt, NULL, err)
				    : opts_unknown(opts, arg, err);
		} else if (args->n == OPT_LIST_MAX) {
			r = err_set(err, -E2BIG, "too many arguments");
		} else {
			args->v[args->n++] = arg;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

void opts_help(const struct opt *opts, struct str *ret)
{
	for (; opts->name; opts++) {
		bool is_letter = !opts->name[1];
		char left[64];
		struct str s = STR_INIT(sizeof(left) - 1);

		str_addf(&s, "  %s%s%s%s", is_letter ? "-" : "--", opts->name,
			 opts->kind == OPT_FLAG ? "" : " ",
			 opts->kind == OPT_FLAG ? "" : opts->arg);
		str_addf(ret, "%-32s %s\n", str_text(&s), opts->help);
		str_done(&s);
	}
	str_addf(ret, "%-32s %s\n", "  --help", "show this text");
}
