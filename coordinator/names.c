// SPDX-License-Identifier: Apache-2.0
// Workers' names as the user gives them.
#include "coordinator/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/inputs.h"
#include "core/str.h"

/** struct names - a list in the making. */
struct names {
	const char *flag;
	size_t n;
	char **v;
};

static int add_name(struct names *names, const char *name, size_t n, struct err *err)
{
	cleanup_free char *worker = xstrndup(name, n);

	if (!str_is_rfc1035(worker))
		return err_set(err, -EINVAL,
			       "%s: \"%.70s\" is not a worker's name: lower-case "
			       "letters, digits and -, beginning with a letter, at most "
			       "63",
			       names->flag, worker);
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], worker) == 0)
			return err_set(err, -EINVAL, "%s: %s occurs twice", names->flag,
				       worker);
	if (names->n == NAMES_MAX)
		return err_set(err, -EINVAL, "%s: more than %d", names->flag, NAMES_MAX);
	names->v = xrealloc(names->v, names->n + 1, sizeof(*names->v));
	names->v[names->n++] = steal_ptr(worker);
	return 0;
}

/* Names between any of @separators; empty ones are an error where @is_strict. */
static int add_list(struct names *names, const char *text, const char *separators,
		    bool is_strict, struct err *err)
{
	int r = 0;

	for (;;) {
		size_t n = strcspn(text, separators), first = strspn(text, " \t");
		size_t len = n > first ? n - first : 0;

		while (len && strchr(" \t\r", text[first + len - 1]))
			len--;
		if (len || is_strict)
			r = add_name(names, text + first, len, err);
		if (r < 0 || !text[n])
			return r;
		text += n + 1;
	}
}

static int add_numbered(struct names *names, const char *text, struct err *err)
{
	uint64_t n = 0;
	int r = parse_u64_range(names->flag, text, 1, NAMES_MAX, &n, err);

	for (uint64_t i = 1; i <= n && r == 0; i++) {
		cleanup_free char *name = xasprintf("w-%llu", (unsigned long long)i);

		r = add_name(names, name, strlen(name), err);
	}
	return r;
}

int names_parse(const char *flag, const char *text, char ***ret, size_t *ret_n,
		struct err *err)
{
	cleanup_str struct str file = STR_INIT(1 << 20);
	struct names names = {.flag = flag, .n = *ret_n, .v = *ret};
	int r = 0;

	if (text[0] == '@') {
		r = inputs_read_file(text + 1, 1 << 20, &file, err);
		if (r == 0 && !str_is_utf8(str_text(&file), file.len))
			r = err_set(err, -EINVAL, "%s: not UTF-8 text", text + 1);
		if (r == 0)
			r = add_list(&names, str_text(&file), "\n", false, err);
	} else if (*text && !text[strspn(text, "0123456789")]) {
		r = add_numbered(&names, text, err);
	} else {
		r = add_list(&names, text, ",", true, err);
	}
	if (r == 0 && !names.n)
		r = err_set(err, -EINVAL, "%s: none named", flag);
	*ret = names.v;
	*ret_n = names.n;
	return r;
}

void names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}
