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

static const char *opts_dashes(const char *name)
{
	return name[1] ? "--" : "-";
}

static int opts_unknown(const struct opt *opts, const char *arg, struct err *err)
{
	const char *names[OPTS_MAX + 2] = {"help"};
	cleanup_free char *name = xstrndup(arg, strcspn(arg, "="));
	const char *near;
	size_t n = 1;

	for (; opts->name && n <= OPTS_MAX; opts++)
		names[n++] = opts->name;
	near = str_nearest(name + strspn(name, "-"), names);
	if (near)
		return err_set(err, -EINVAL, "unknown flag %.60s (did you mean %s%s?)",
			       name, opts_dashes(near), near);
	return err_set(err, -EINVAL, "unknown flag %.60s (--help lists them)", name);
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

/* Where parsing stands. */
struct parse {
	const struct opt *opts;
	int argc, at;
	char *const *argv;
	bool given[OPTS_MAX];
};

static int parse_given(struct parse *p, const struct opt *opt, const char *value,
		       struct err *err)
{
	size_t i = (size_t)(opt - p->opts);

	if (i < OPTS_MAX && p->given[i] && opt->kind != OPT_LIST)
		return err_set(err, -EINVAL, "%s%s is given twice",
			       opts_dashes(opt->name), opt->name);
	if (i < OPTS_MAX)
		p->given[i] = true;
	if (opt->is_set)
		*opt->is_set = true;
	return opts_store(opt, value, err);
}

/* One "--name[=value]"; the next argument is consumed when it is the value. */
static int parse_long(struct parse *p, struct err *err)
{
	const char *arg = p->argv[p->at] + 2, *eq = strchr(arg, '=');
	size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
	const struct opt *opt = opts_find(p->opts, arg, n);
	const char *value = eq ? eq + 1 : NULL;

	if (n == 4 && memcmp(arg, "help", 4) == 0)
		return err_set(err, -EINVAL, "--help takes no value");
	if (!opt)
		return opts_unknown(p->opts, p->argv[p->at], err);
	if (opt->kind == OPT_FLAG && value)
		return err_set(err, -EINVAL, "--%s takes no value", opt->name);
	if (opt->kind != OPT_FLAG && !value) {
		if (p->at + 1 >= p->argc)
			return err_set(err, -EINVAL, "--%s needs a value: %s", opt->name,
				       opt->arg ? opt->arg : "VALUE");
		value = p->argv[++p->at];
	}
	return parse_given(p, opt, value, err);
}

/* Single letters exist only where a table names one, as "l" or "r". */
static int parse_letter(struct parse *p, struct err *err)
{
	const char *arg = p->argv[p->at];
	const struct opt *opt = arg[2] ? NULL : opts_find(p->opts, arg + 1, 1);

	if (!opt || opt->kind != OPT_FLAG)
		return opts_unknown(p->opts, arg, err);
	return parse_given(p, opt, NULL, err);
}

int opts_parse(const struct opt *opts, int argc, char *const *argv, struct opt_list *args,
	       struct err *err)
{
	struct parse p = {.opts = opts, .argc = argc, .argv = argv};
	bool flags = true;

	args->n = 0;
	for (; p.at < argc; p.at++) {
		const char *arg = argv[p.at];
		int r = 0;

		if (flags && strcmp(arg, "--") == 0)
			flags = false;
		else if (flags && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0))
			return 1;
		else if (flags && arg[0] == '-' && arg[1] == '-')
			r = parse_long(&p, err);
		else if (flags && arg[0] == '-' && arg[1])
			r = parse_letter(&p, err);
		else if (args->n == OPT_LIST_MAX)
			r = err_set(err, -E2BIG, "more than %d arguments", OPT_LIST_MAX);
		else
			args->v[args->n++] = arg;
		if (r < 0)
			return r;
	}
	return 0;
}

enum { HELP_COLUMN = 28 };

/* "  --name ARG" up to a column, then the help; a longer one gets a line of its own. */
static void help_line(struct str *ret, const char *name, const char *arg,
		      const char *help)
{
	cleanup_free char *left = xasprintf("  %s%s%s%s", opts_dashes(name), name,
					    arg ? " " : "", arg ? arg : "");

	if (strlen(left) < HELP_COLUMN)
		str_addf(ret, "%-*s%s\n", HELP_COLUMN, left, help);
	else
		str_addf(ret, "%s\n%*s%s\n", left, HELP_COLUMN, "", help);
}

void opts_help(const struct opt *opts, struct str *ret)
{
	for (; opts->name; opts++)
		help_line(ret, opts->name,
			  opts->kind == OPT_FLAG ? NULL
			  : opts->arg		 ? opts->arg
						 : "VALUE",
			  opts->help);
	help_line(ret, "help", NULL, "show this text");
}
