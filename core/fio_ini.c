// SPDX-License-Identifier: Apache-2.0
// fio job files: lines into sections and options.
#include "core/fio_ini.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
static const char section_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._+=@, -";

static char *trimmed(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	for (n = strlen(s); n && isspace((unsigned char)s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

/* "[name]": the name becomes part of files' names, so nothing may lead out. */
static int add_section(struct fio_ini *ini, unsigned line, char *text, struct err *err)
{
	size_t n = strlen(text);
	struct fio_section *section;
	char *name = text + 1;

	if (n < 3 || text[n - 1] != ']')
		return err_set(err, -EINVAL, "line %u: \"%.60s\" is not [section]", line,
			       text);
	text[n - 1] = '\0';
	if (name[strspn(name, section_chars)] || name[0] == '.' || strstr(name, "..") ||
	    strlen(name) > 100)
		return err_set(err, -EINVAL,
			       "line %u: section name \"%.100s\" would not do in a "
			       "file's name",
			       line, name);
	/* fio takes every such name for the global section */
	if (str_starts(name, "global") && strcmp(name, "global") != 0)
		return err_set(err, -EINVAL,
			       "line %u: section name \"%.100s\": fio would take it for "
			       "[global]",
			       line, name);
	if (ini->n_sections == FIO_SECTIONS_MAX)
		return err_set(err, -EFBIG, "line %u: more than %d sections", line,
			       FIO_SECTIONS_MAX);
	ini->sections = xrealloc(ini->sections, ini->n_sections + 1, sizeof(*section));
	section = &ini->sections[ini->n_sections++];
	*section = (struct fio_section){
		.line = line,
		.is_global = strcmp(name, "global") == 0,
		.name = xstrdup(name),
	};
	return 0;
}

static int add_item(struct fio_ini *ini, unsigned line, char *text, struct err *err)
{
	char *value = strchr(text, '=');
	char *name;

	if (value)
		*value++ = '\0';
	name = trimmed(text);
	if (!*name || name[strspn(name, name_chars)])
		return err_set(err, -EINVAL, "line %u: \"%.60s\" is not an option's name",
			       line, name);
	if (!ini->n_sections)
		return err_set(err, -EINVAL, "line %u: option %.60s before any [section]",
			       line, name);
	if (ini->n_items == FIO_ITEMS_MAX)
		return err_set(err, -EFBIG, "line %u: more than %d options", line,
			       FIO_ITEMS_MAX);
	if ((ini->n_items & (ini->n_items - 1)) == 0)
		ini->items = xrealloc(ini->items, ini->n_items ? 2 * ini->n_items : 1,
				      sizeof(*ini->items));
	ini->items[ini->n_items++] = (struct fio_item){
		.line = line,
		.section = (unsigned)(ini->n_sections - 1),
		.name = xstrdup(name),
		.value = value ? xstrdup(trimmed(value)) : NULL,
	};
	return 0;
}

static int parse_line(struct fio_ini *ini, unsigned line, char *text, struct err *err)
{
	text = trimmed(text);
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p) && *p != '\t')
			return err_set(err, -EINVAL, "line %u: a control character",
				       line);
	text[strcspn(text, ";#")] = '\0';
	text = trimmed(text);
	if (!*text)
		return 0;
	return *text == '[' ? add_section(ini, line, text, err)
			    : add_item(ini, line, text, err);
}

int fio_ini_parse(const char *text, struct fio_ini *ret, struct err *err)
{
	struct fio_ini ini = {0};
	unsigned line = 0;
	int r = 0;

	if (strnlen(text, FIO_JOB_MAX_BYTES + 1) > FIO_JOB_MAX_BYTES)
		return err_set(err, -EFBIG, "larger than %d KiB",
			       FIO_JOB_MAX_BYTES >> 10);
	while (*text && r == 0) {
		size_t n = strcspn(text, "\n");
		cleanup_free char *copy = xstrndup(text, n);

		line++;
		if (n > FIO_JOB_LINE_MAX)
			r = err_set(err, -EINVAL, "line %u: longer than %d characters",
				    line, FIO_JOB_LINE_MAX);
		else
			r = parse_line(&ini, line, copy, err);
		text += n + (text[n] == '\n');
	}
	if (r < 0) {
		fio_ini_done(&ini);
		return r;
	}
	*ret = ini;
	return 0;
}

void fio_ini_done(struct fio_ini *ini)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		free(ini->sections[i].name);
	for (size_t i = 0; i < ini->n_items; i++) {
		free(ini->items[i].name);
		free(ini->items[i].value);
	}
	free(ini->sections);
	free(ini->items);
	*ini = (struct fio_ini){0};
}

const struct fio_item *fio_ini_find(const struct fio_ini *ini, unsigned section,
				    const char *canonical)
{
	const struct fio_item *found = NULL;

	for (size_t i = 0; i < ini->n_items && ini->items[i].section <= section; i++) {
		const struct fio_item *item = &ini->items[i];
		const char *name = item->option ? item->option->canonical : item->name;

		if (item->section != section && !ini->sections[item->section].is_global)
			continue;
		if (strcmp(name, canonical) == 0)
			found = item;
	}
	return found;
}

uint64_t fio_ini_u64(const struct fio_ini *ini, unsigned section, const char *canonical,
		     uint64_t absent)
{
	const struct fio_item *item = fio_ini_find(ini, section, canonical);
	uint64_t v = absent;

	if (!item)
		return absent;
	if (!item->value)
		return 1;
	/* judged before: it is one */
	(void)parse_size(item->value, &v, NULL);
	return v;
}
