// SPDX-License-Identifier: Apache-2.0
// The error object.
#include "core/err.h"

#include <stdio.h>
#include <string.h>

/* Where the last whole UTF-8 sequence of @text ends: cutting may have split one. */
static size_t whole_len(const char *text, size_t len)
{
	size_t start = len, tail;
	unsigned char lead;

	while (start && len - start < 4 &&
	       ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	lead = start ? (unsigned char)text[start - 1] : 0;
	tail = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	return tail > len - start + 1 ? start - 1 : len;
}

/* Take @text over, keeping the promises of struct err. */
static void err_take(struct err *err, int code, char text[sizeof(err->text)])
{
	size_t len = strlen(text);

	if (len == sizeof(err->text) - 1)
		len = whole_len(text, len);
	while (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	err->code = code;
	memcpy(err->text, text, len + 1);
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	if (!err || err->code)
		return code;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_take(err, code, text);
	return code;
}

/* "<format>: <tail>" */
__attribute__((format(printf, 3, 0))) static void
err_compose(struct err *err, int code, const char *fmt, va_list ap, const char *tail)
{
	char text[sizeof(err->text)];
	size_t len;

	vsnprintf(text, sizeof(text), fmt, ap);
	len = strlen(text);
	if (*tail)
		snprintf(text + len, sizeof(text) - len, ": %s", tail);
	err_take(err, code, text);
}

int err_errno(struct err *err, int code, const char *fmt, ...)
{
	char why[128] = "";
	va_list ap;

	if (!err || err->code)
		return code;
	va_start(ap, fmt);
	err_compose(err, code, fmt, ap, strerror_r(-code, why, sizeof(why)));
	va_end(ap);
	return code;
}

int err_wrap(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	err_compose(err, code, fmt, ap, err->text);
	va_end(ap);
	return code;
}

void err_clear(struct err *err)
{
	if (!err)
		return;
	err->code = 0;
	err->text[0] = '\0';
}
