// SPDX-License-Identifier: Apache-2.0
// Finds the JSON document in fio's output and makes it valid JSON.
#include "core/fio_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Where in the text we are, and where the copy goes; a NULL @out skips. */
struct scan {
	const char *p, *end;
	struct str *out;
};

static void emit(const struct scan *s, const char *bytes, size_t n)
{
	if (s->out)
		str_addn(s->out, bytes, n);
}

/* One character of a string that JSON or UTF-8 does not allow as it is. */
static void emit_repaired(struct scan *s)
{
	unsigned char c = (unsigned char)*s->p;
	size_t len = 1;

	while (len <= 4 && s->p + len <= s->end && !str_is_utf8(s->p, len))
		len++;
	if (c && c < 0x20) {
		if (s->out)
			str_addf(s->out, "\\u%04x", c);
		s->p++;
	} else if (c && len <= 4 && s->p + len <= s->end) {
		emit(s, s->p, len);
		s->p += len;
	} else {
		emit(s, "\xef\xbf\xbd", 3);
		s->p++;
	}
}

/* From one quote to the other; false when the text ends before. */
static bool scan_string(struct scan *s)
{
	emit(s, s->p++, 1);
	while (s->p < s->end) {
		const char *from = s->p;

		while (s->p < s->end && *s->p != '"' && *s->p != '\\' &&
		       (unsigned char)*s->p >= 0x20 && (unsigned char)*s->p < 0x80)
			s->p++;
		emit(s, from, (size_t)(s->p - from));
		if (s->p >= s->end)
			break;
		if (*s->p == '"') {
			emit(s, s->p++, 1);
			return true;
		}
		if (*s->p != '\\') {
			emit_repaired(s);
		} else if (s->end - s->p >= 2 && s->p[1] >= 0x20) {
			emit(s, s->p, 2);
			s->p += 2;
		} else {
			emit(s, "\\\\", 2);
			s->p++;
		}
	}
	return false;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* Is the string that ends at s->p the key of an object with the options as given? */
static bool at_options(const struct scan *s, const char *key)
{
	static const char *const names[] = {"\"job options\"", "\"global options\""};
	const char *p = skip_blanks(s->p, s->end);
	size_t n = (size_t)(s->p - key);

	if (p >= s->end || *p != ':')
		return false;
	p = skip_blanks(p + 1, s->end);
	if (p >= s->end || *p != '{')
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (n == strlen(names[i]) && memcmp(key, names[i], n) == 0)
			return true;
	return false;
}

static bool scan_object(struct scan *s);

/* The options are not read, and fio repeats their keys: `{}` in their place. */
static bool skip_options(struct scan *s)
{
	struct scan skip = {memchr(s->p, '{', (size_t)(s->end - s->p)), s->end, NULL};

	if (!scan_object(&skip))
		return false;
	emit(s, ":{}", 3);
	s->p = skip.p;
	return true;
}

static bool is_mark(char c)
{
	return c == '"' || c == '{' || c == '}' || c == '[' || c == ']';
}

/* From a bracket to its partner; false when the text ends before. */
static bool scan_object(struct scan *s)
{
	size_t depth = 0;

	while (s->p < s->end) {
		const char *from = s->p;

		if (*s->p == '"') {
			if (!scan_string(s))
				return false;
			if (s->out && at_options(s, from) && !skip_options(s))
				return false;
			continue;
		}
		if (*s->p == '{' || *s->p == '[')
			depth++;
		else if (*s->p == '}' || *s->p == ']')
			depth--;
		s->p++;
		while (depth && s->p < s->end && !is_mark(*s->p))
			s->p++;
		emit(s, from, (size_t)(s->p - from));
		if (!depth)
			return true;
	}
	return false;
}

/* The first line that starts with '{', or NULL. */
static const char *find_document(const char *p, const char *end)
{
	while (p < end && *p != '{') {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return NULL;
		p++;
	}
	return p < end ? p : NULL;
}

static void keep_message(struct fio_text *t, const char *text, size_t n)
{
	t->message = xcalloc(n + 1, 1);
	if (n)
		memcpy(t->message, text, n);
	for (size_t i = 0; i < n; i++)
		if (!t->message[i])
			t->message[i] = ' ';
}

int fio_text_split(const char *text, size_t n, size_t max_bytes, struct fio_text *ret,
		   struct err *err)
{
	const char *end = text + n, *start = find_document(text, end);
	struct scan s = {start, end, &ret->doc};

	*ret = (struct fio_text){.doc = STR_INIT(max_bytes)};
	keep_message(ret, text, start ? (size_t)(start - text) : n);
	if (!start)
		return err_set(err, -ENODATA, "no JSON in fio's output");
	if (!scan_object(&s))
		return err_set(err, -EINVAL, "fio's JSON is cut: it does not end");
	if (s.p < end && *s.p != '\n' && *s.p != '\r')
		return err_set(err, -EINVAL, "fio's JSON does not end its line");
	if (find_document(s.p, end))
		return err_set(err, -EINVAL,
			       "more than one JSON document (fio's --status-interval?)");
	return str_check(&ret->doc, "fio's JSON", err);
}

void fio_text_done(struct fio_text *t)
{
	free(t->message);
	t->message = NULL;
	str_done(&t->doc);
}
