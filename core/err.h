// SPDX-License-Identifier: Apache-2.0
// The error object: a negative errno and a text a person can act on.
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stdarg.h>

/**
 * struct err - caller-owned, on the caller's stack, initialised with `{0}`.
 *
 * Set if and only if the call that took it returned a negative errno. The first
 * error wins; each layer adds what only it knows with err_wrap(). NULL is allowed
 * wherever a struct err * is taken.
 */
struct err {
	int code;	/* negative errno, 0 = no error */
	char text[512]; /* UTF-8, never ends in a newline, cut when too long */
};

/**
 * err_set() - record an error unless one is recorded already; returns @code.
 *
 * @code: negative errno (also returned when @err is NULL)
 */
int err_set(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** err_errno() - err_set() with ": strerror(-code)" appended to the text. */
int err_errno(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** err_wrap() - put "<context>: " before the recorded text; returns @code. */
int err_wrap(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** err_clear() - forget a recorded error (it was handled). */
void err_clear(struct err *err);

#endif
