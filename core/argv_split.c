// SPDX-License-Identifier: Apache-2.0
// One text into an argument vector.
#include "core/argv_split.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* One quoted part; @p is behind the opening quote. Where the closing one is, or NULL. */
static const char *add_quoted(const char *p, char quote, struct str *arg)
{
	for (; *p && *p != quote; p++) {
		if (quote == '"' && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		str_addc(arg, *p);
	}
	return *p ? p : NULL;
}

/* One argument from @p on; where it ends. */
static int add_arg(const char **p, struct str *arg, struct err *err)
{
	const char *s = *p;

	for (; *s && *s != ' ' && *s != '\t'; s++) {
		char quote = *s;

		if (quote == '\'' || quote == '"') {
			s = add_quoted(s + 1, quote, arg);
			if (!s)
				return err_set(err, -EINVAL, "a quote (%c) is not closed",
					       quote);
		} else if (*s == '\\') {
			if (!*++s)
				return err_set(err, -EINVAL, "ends in a backslash");
			str_addc(arg, *s);
		} else {
			str_addc(arg, *s);
		}
	}
	*p = s;
	return 0;
}

static int split_into(const char *text, struct argv_list *argv, struct err *err)
{
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p) && *p != '\t')
			return err_set(err, -EINVAL, "has a control character");
	for (;;) {
		cleanup_str struct str arg = STR_INIT(SIZE_MAX / 4);
		int r;

		text += strspn(text, " \t");
		if (!*text)
			return 0;
		if (argv->n == ARGV_MAX)
			return err_set(err, -EINVAL, "has more than %d arguments",
				       ARGV_MAX);
		r = add_arg(&text, &arg, err);
		if (r < 0)
			return r;
		argv->v[argv->n++] = xstrdup(str_text(&arg));
	}
}

int argv_split(const char *text, struct argv_list *ret, struct err *err)
{
	struct argv_list argv = {.v = xcalloc(ARGV_MAX + 1, sizeof(*argv.v))};
	int r = split_into(text, &argv, err);

	if (r < 0) {
		argv_done(&argv);
		return r;
	}
	*ret = argv;
	return 0;
}

void argv_done(struct argv_list *argv)
{
	for (size_t i = 0; i < argv->n; i++)
		free(argv->v[i]);
	free(argv->v);
	*argv = (struct argv_list){0};
}
