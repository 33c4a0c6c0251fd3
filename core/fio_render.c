// SPDX-License-Identifier: Apache-2.0
// fio templates: placeholders filled in, line by line as fio reads them.
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "core/fio_job.h"

static const char identifier[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789_";

struct render {
	const struct params *params;
	unsigned line;
	struct str *out;
	struct err *err;
};

__attribute__((format(printf, 2, 3))) static int fail(const struct render *in,
						      const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(in->err, -EINVAL, "line %u: %s", in->line, text);
}

/* Values end up inside a line of the job: they must not end it or mean anything else. */
static bool is_safe_value(const char *value)
{
	for (const char *p = value; *p; p++)
		if (iscntrl((unsigned char)*p) || strchr("$;#\\`", *p))
			return false;
	return true;
}

static int add_value(struct render *in, const char *name, const char *value)
{
	if (!value)
		return fail(in, "placeholder %.60s has no value: no column of that name",
			    name);
	if (!*value)
		return fail(in, "placeholder %.60s has no value: its cell is empty",
			    name);
	if (!is_safe_value(value))
		return fail(in,
			    "the value of %.60s has a character that a fio job gives a "
			    "meaning ($ ; # \\ ` or a control character)",
			    name);
	str_add(in->out, value);
	return 0;
}

static int add_placeholder(struct render *in, const char *name)
{
	for (const char *p = name; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			return fail(in,
				    "placeholder %.60s has no value: placeholders are "
				    "columns in upper case",
				    name);
	if (!params_reserved(name))
		return add_value(in, name, params_find(in->params, name));
	str_add(in->out, FIO_JOB_DIR);
	return 0;
}

/* The word of @words that @text begins with, or NULL. */
static const char *begins(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (str_starts(text, *words))
			return *words;
	return NULL;
}

/* A '$': @p is behind it; *@ret_p moves past what it stood for. */
static int add_dollar(struct render *in, const char *p, const char **ret_p)
{
	static const char *const kept[] = {"jobname", "jobnum", "filenum", "clientuid",
					   NULL};
	static const char *const refused[] = {"ncpus", "mb_memory", "pagesize", NULL};
	bool is_braced = *p == '{';
	size_t n = strspn(p + is_braced, identifier);
	cleanup_free char *name = xstrndup(p + is_braced, n);
	const char *word = is_braced ? NULL : begins(p, kept);

	if (word) {
		str_addf(in->out, "$%s", word);
		*ret_p = p + strlen(word);
		return 0;
	}
	word = begins(name, refused);
	if (word)
		return fail(in, "$%s: fio would run a shell for it", word);
	if (!n || isdigit((unsigned char)name[0]) || (is_braced && p[1 + n] != '}'))
		return fail(in, "\"$%.20s\" is not a placeholder: ${NAME} or $NAME", p);
	*ret_p = p + n + (is_braced ? 2 : 0);
	return add_placeholder(in, name);
}

/* A word of letters: one of the bare placeholders, or itself. */
static int add_word(struct render *in, const char *word, size_t n)
{
	static const char *const bare[] = {"BLOCK_SIZE",  "IO_DEPTH",  "NUM_JOBS",
					   "MOUNT_POINT", "FILE_SIZE", NULL};

	for (size_t i = 0; bare[i]; i++)
		if (strlen(bare[i]) == n && strncmp(bare[i], word, n) == 0)
			return add_placeholder(in, bare[i]);
	str_addn(in->out, word, n);
	return 0;
}

static int add_text(struct render *in, const char *p)
{
	int r = 0;

	while (*p && r == 0) {
		size_t n = strspn(p, identifier);

		if (n) {
			r = add_word(in, p, n);
			p += n;
		} else if (*p == '$') {
			r = add_dollar(in, p + 1, &p);
		} else {
			str_addc(in->out, *p++);
		}
	}
	return r;
}

static char *trimmed(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	for (n = strlen(s); n && isspace((unsigned char)s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

static int add_line(struct render *in, char *line)
{
	char *value, *key;

	/* as fio does: a comment begins anywhere */
	line[strcspn(line, ";#")] = '\0';
	line = trimmed(line);
	if (*line == '[')
		return add_text(in, line);
	value = strchr(line, '=');
	if (value)
		*value++ = '\0';
	key = trimmed(line);
	if (strchr(key, '$'))
		return fail(in, "a placeholder may stand in an option's value or a "
				"section's name only");
	str_add(in->out, key);
	if (!value)
		return 0;
	str_addc(in->out, '=');
	return add_text(in, trimmed(value));
}

int fio_job_render(const char *template_text, const struct params *params,
		   struct str *ret, struct err *err)
{
	cleanup_str struct str out = STR_INIT(FIO_JOB_MAX_BYTES);
	struct render in = {.params = params, .out = &out, .err = err};
	int r;

	if (strnlen(template_text, FIO_JOB_MAX_BYTES + 1) > FIO_JOB_MAX_BYTES)
		return err_set(err, -EFBIG, "larger than %d KiB",
			       FIO_JOB_MAX_BYTES >> 10);
	for (const char *p = template_text; *p;) {
		size_t n = strcspn(p, "\n");
		cleanup_free char *line = xstrndup(p, n);

		in.line++;
		if (n > FIO_JOB_LINE_MAX)
			return fail(&in, "longer than %d characters", FIO_JOB_LINE_MAX);
		r = add_line(&in, line);
		if (r < 0)
			return r;
		str_addc(&out, '\n');
		p += n + (p[n] == '\n');
	}
	r = str_check(&out, "the rendered job", err);
	if (r < 0)
		return r;
	str_addn(ret, str_text(&out), out.len);
	return str_check(ret, "the rendered job", err);
}

int fio_job_set_dir(const char *text, const char *dir, struct str *ret, struct err *err)
{
	const char *at;

	if (dir[0] != '/')
		return err_set(err, -EINVAL, "folder \"%.200s\" is not absolute", dir);
	for (const char *p = dir; *p; p++)
		if (iscntrl((unsigned char)*p) || strchr(" :;#$\\`", *p))
			return err_set(err, -EINVAL,
				       "folder \"%.200s\" has a character that a fio job "
				       "gives a meaning",
				       dir);
	while ((at = strstr(text, FIO_JOB_DIR))) {
		str_addn(ret, text, (size_t)(at - text));
		str_add(ret, dir);
		text = at + strlen(FIO_JOB_DIR);
	}
	str_add(ret, text);
	return str_check(ret, "the job", err);
}
