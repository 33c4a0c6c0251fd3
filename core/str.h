// SPDX-License-Identifier: Apache-2.0
// Bounded strings and buffers, and strict parsing of small texts.
#ifndef CORE_STR_H
#define CORE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/err.h"

/**
 * struct str - growable byte buffer with a maximum; always NUL-terminated after @len.
 *
 * Initialise with STR_INIT(max). Appending past @max or running out of memory sets
 * @failed and drops the bytes; str_check() turns that into one error at the end, so
 * that a series of appends reads without a check per line.
 */
struct str {
	char *s; /* NULL until the first append */
	size_t len, cap, max;
	bool failed;
};

#define STR_INIT(max_bytes) ((struct str){.max = (max_bytes)})

void str_done(struct str *s);
#define cleanup_str cleanup(str_done)

void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const void *bytes, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_addv(struct str *s, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/** str_reserve() - room for @n bytes more, or as many as @max leaves, to be written at
 * s + len by the caller, who then adds to @len; returns how many fit, 0 when it failed.
 */
size_t str_reserve(struct str *s, size_t n);
/** str_reset() - empty it, keeping the memory. */
void str_reset(struct str *s);
/** str_text() - the text, "" when nothing was added; borrowed. */
const char *str_text(const struct str *s);
/** str_steal() - the text as the caller's own malloc'd memory; @s is empty after. */
char *str_steal(struct str *s);
/** str_check() - 0, or -EFBIG naming @what when an append did not fit. */
int str_check(const struct str *s, const char *what, struct err *err);

/** xstrdup() and friends abort when a small allocation fails. */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * parse_u64() - decimal digits only, the whole text; -EINVAL or -ERANGE.
 */
int parse_u64(const char *text, uint64_t *ret, struct err *err);

/** parse_u64_range() - parse_u64() and min <= value <= max, naming @what if not. */
int parse_u64_range(const char *what, const char *text, uint64_t min, uint64_t max,
		    uint64_t *ret, struct err *err);

/** parse_f64() - a finite decimal number, the whole text, in the C locale. */
int parse_f64(const char *text, double *ret, struct err *err);

/**
 * parse_size() - a size as fio spells it, in bytes: `4k`, `1M`, `10g`, `1kb`, `0x1000`.
 *
 * fio's default kb_base=1024 holds: k, kb and ki mean 1024, but kib means 1000 (and so
 * on up to p); letters in either case, no sign, no blank. -EINVAL or -ERANGE.
 * Source: fio HOWTO, "Parameter types", int: with that base the prefixes are "opposite
 * from those specified in the SI and IEC 80000-13 standards".
 */
int parse_size(const char *text, uint64_t *ret_bytes, struct err *err);

/** parse_duration() - `90`, `90s`, `30m`, `2h`, `1d`, `500ms`; in ns; no unit is seconds.
 */
int parse_duration(const char *text, int64_t *ret_ns, struct err *err);

/** str_is_utf8() - well-formed UTF-8 without NUL (RFC 3629: no surrogates, no overlongs).
 */
bool str_is_utf8(const void *bytes, size_t n);

/** str_starts() - does @text begin with @prefix? */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);

/** str_copy() - copy into a fixed array; false (and "" in @out) when it does not fit. */
bool str_copy(char *out, size_t cap, const char *text);

/**
 * str_is_label() - usable as a path component of ours: [A-Za-z0-9._+=-], 1 to 63
 * characters, not beginning with '.' or '-'.
 */
bool str_is_label(const char *text);

/** str_is_rfc1035() - lower-case RFC 1035 label, <= 63 characters: a worker's name. */
bool str_is_rfc1035(const char *text);

/** str_is_hex() - exactly @n lower-case hexadecimal digits. */
bool str_is_hex(const char *text, size_t n);

/** str_add_escaped() - foreign text for a terminal: controls and non-UTF-8 as \xNN. */
void str_add_escaped(struct str *s, const char *text, size_t n);

/** str_add_percent() - RFC 3986 percent-encoding; '/' kept only if in @keep. */
void str_add_percent(struct str *s, const char *text, const char *keep);

/** str_percent_decode() - in place; -EINVAL on a bad escape or an encoded NUL. */
int str_percent_decode(char *text, struct err *err);

/** str_add_hex() - lower-case hexadecimal. */
void str_add_hex(struct str *s, const void *bytes, size_t n);

/** str_nearest() - the entry of @names (NULL-ended) nearest to @text, or NULL if none is.
 */
const char *str_nearest(const char *text, const char *const *names);

#endif
