// SPDX-License-Identifier: Apache-2.0
// Bounded strings and buffers.
#include "core/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void str_done(struct str *s)
{
	free(s->s);
	*s = (struct str){.max = s->max};
}

static bool str_room(struct str *s, size_t n)
{
	size_t cap = s->cap ? s->cap : 64;
	char *p;

	if (s->failed || n > s->max || s->len > s->max - n || n > SIZE_MAX / 4) {
		s->failed = true;
		return false;
	}
	if (s->len + n < s->cap)
		return true;
	while (cap <= s->len + n)
		cap *= 2;
	p = realloc(s->s, cap);
	if (!p) {
		s->failed = true;
		return false;
	}
	s->s = p;
	s->cap = cap;
	return true;
}

size_t str_reserve(struct str *s, size_t n)
{
	size_t left = s->max > s->len ? s->max - s->len : 0;

	if (!str_room(s, n < left ? n : left))
		return 0;
	return s->cap - s->len - 1 < left ? s->cap - s->len - 1 : left;
}

void str_addn(struct str *s, const void *bytes, size_t n)
{
	if (!str_room(s, n))
		return;
	if (n)
		memcpy(s->s + s->len, bytes, n);
	s->len += n;
	s->s[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
	str_addn(s, &c, 1);
}

/* What fits into the room there is is printed once. */
void str_addv(struct str *s, const char *fmt, va_list ap)
{
	size_t room = s->failed ? 0 : s->cap - s->len;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(room ? s->s + s->len : NULL, room, fmt, again);
	va_end(again);
	if (n < 0)
		s->failed = true;
	if (n >= 0 && str_room(s, (size_t)n)) {
		if ((size_t)n >= room)
			vsnprintf(s->s + s->len, (size_t)n + 1, fmt, ap);
		s->len += (size_t)n;
	}
	/* nothing of what did not fit */
	if (s->s)
		s->s[s->len] = '\0';
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_addv(s, fmt, ap);
	va_end(ap);
}

void str_reset(struct str *s)
{
	s->len = 0;
	s->failed = false;
	if (s->s)
		s->s[0] = '\0';
}

const char *str_text(const struct str *s)
{
	return s->s ? s->s : "";
}

char *str_steal(struct str *s)
{
	char *p = s->s ? s->s : xstrdup("");

	s->s = NULL;
	str_done(s);
	return p;
}

int str_check(const struct str *s, const char *what, struct err *err)
{
	if (!s->failed)
		return 0;
	return err_set(err, -EFBIG, "%s is larger than %zu bytes", what, s->max);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		__builtin_trap();
	return p;
}

void *xrealloc(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n ? n : 1, size ? size : 1);

	if (!q)
		__builtin_trap();
	return q;
}

char *xstrndup(const char *s, size_t n)
{
	char *p = strndup(s, n);

	if (!p)
		__builtin_trap();
	return p;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xasprintf(const char *fmt, ...)
{
	char *p = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		__builtin_trap();
	return p;
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && memcmp(text + n - m, suffix, m) == 0;
}

bool str_copy(char *out, size_t cap, const char *text)
{
	size_t n = strlen(text);

	if (n >= cap) {
		out[0] = '\0';
		return false;
	}
	memcpy(out, text, n + 1);
	return true;
}

void str_add_hex(struct str *s, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = bytes;

	for (size_t i = 0; i < n; i++) {
		str_addc(s, digits[b[i] >> 4]);
		str_addc(s, digits[b[i] & 15]);
	}
}

void str_add_percent(struct str *s, const char *text, const char *keep)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	while (*text) {
		size_t n = strspn(text, plain);

		str_addn(s, text, n);
		text += n;
		if (!*text)
			break;
		if (strchr(keep, *text))
			str_addc(s, *text);
		else
			str_addf(s, "%%%02X", (unsigned char)*text);
		text++;
	}
}
