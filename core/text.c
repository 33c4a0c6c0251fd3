// SPDX-License-Identifier: Apache-2.0
// Strict parsing and checking of small texts: numbers, sizes, names, UTF-8.
#include "core/str.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <string.h>
#include <strings.h>

int parse_u64(const char *text, uint64_t *ret, struct err *err)
{
	uint64_t v = 0;

	if (!*text)
		return err_set(err, -EINVAL, "an empty text is not a number");
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return err_set(err, -EINVAL, "\"%.40s\" is not a whole number",
				       text);
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return err_set(err, -ERANGE, "\"%.40s\" is too large", text);
	}
	*ret = v;
	return 0;
}

int parse_u64_range(const char *what, const char *text, uint64_t min, uint64_t max,
		    uint64_t *ret, struct err *err)
{
	struct err why = {0};
	uint64_t v = 0;
	int r = parse_u64(text, &v, &why);

	if (r < 0)
		return err_set(err, r, "%s: %s", what, why.text);
	if (v < min || v > max)
		return err_set(err, -ERANGE, "%s: %.40s is not between %llu and %llu",
			       what, text, (unsigned long long)min,
			       (unsigned long long)max);
	*ret = v;
	return 0;
}

int parse_f64(const char *text, double *ret, struct err *err)
{
	/* glibc's own C locale: nothing to free */
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	size_t n = strspn(text, "+-0123456789.eE");
	char *end = NULL;
	double v;

	if (!n || text[n])
		return err_set(err, -EINVAL, "\"%.40s\" is not a number", text);
	v = strtod_l(text, &end, c_locale);
	if (*end || !isfinite(v))
		return err_set(err, -EINVAL, "\"%.40s\" is not a finite number", text);
	*ret = v;
	return 0;
}

/* What @unit multiplies by; 0 when it is none. fio takes "kib" for 1000 (parse.c). */
static uint64_t size_unit(const char *unit)
{
	static const char letters[] = "kmgtp";
	uint64_t factor = 1, base;
	const char *at;

	if (!*unit || strcasecmp(unit, "b") == 0)
		return 1;
	at = strchr(letters, tolower((unsigned char)unit[0]));
	if (!at)
		return 0;
	if (strcasecmp(unit + 1, "ib") == 0)
		base = 1000;
	else if (!unit[1] || strcasecmp(unit + 1, "b") == 0 ||
		 strcasecmp(unit + 1, "i") == 0)
		base = 1024;
	else
		return 0;
	for (const char *p = letters; p <= at; p++)
		factor *= base;
	return factor;
}

static bool is_digit_of(char c, unsigned base)
{
	return base == 16 ? isxdigit((unsigned char)c) : isdigit((unsigned char)c);
}

int parse_size(const char *text, uint64_t *ret_bytes, struct err *err)
{
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *p = is_hex ? text + 2 : text;
	unsigned base = is_hex ? 16 : 10;
	uint64_t v = 0, factor;

	if (!is_digit_of(*p, base))
		return err_set(err, -EINVAL, "\"%.40s\" is not a size", text);
	for (; is_digit_of(*p, base); p++) {
		unsigned d = isdigit((unsigned char)*p)
				     ? (unsigned)(*p - '0')
				     : (unsigned)(tolower((unsigned char)*p) - 'a' + 10);

		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return err_set(err, -ERANGE, "size \"%.40s\" is too large", text);
	}
	/* fio ignores a unit after hexadecimal digits; here that is a mistake */
	factor = is_hex && *p ? 0 : size_unit(p);
	if (!factor)
		return err_set(err, -EINVAL, "\"%.40s\" is not a size", text);
	if (__builtin_mul_overflow(v, factor, &v))
		return err_set(err, -ERANGE, "size \"%.40s\" is too large", text);
	*ret_bytes = v;
	return 0;
}

int parse_duration(const char *text, int64_t *ret_ns, struct err *err)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {
		{"", 1000000000},     {"s", 1000000000},      {"ms", 1000000},
		{"m", 60000000000LL}, {"h", 3600000000000LL}, {"d", 86400000000000LL},
	};
	size_t n = strspn(text, "0123456789");
	cleanup_free char *digits = xstrndup(text, n);
	uint64_t v = 0;
	int64_t ns;

	if (!n || parse_u64(digits, &v, NULL) < 0)
		return err_set(err, -EINVAL,
			       "\"%.40s\" is not a duration such as 90s or 30m", text);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(text + n, units[i].unit) != 0)
			continue;
		if (__builtin_mul_overflow(v, units[i].ns, &ns))
			return err_set(err, -ERANGE, "duration \"%.40s\" is too long",
				       text);
		*ret_ns = ns;
		return 0;
	}
	return err_set(err, -EINVAL, "\"%.40s\" is not a duration such as 90s or 30m",
		       text);
}

/* Length of the sequence beginning at @b (1-4), 0 when it is malformed. */
static size_t utf8_len(const unsigned char *b, size_t n)
{
	size_t len = b[0] < 0x80   ? 1
		     : b[0] < 0xc2 ? 0
		     : b[0] < 0xe0 ? 2
		     : b[0] < 0xf0 ? 3
				   : 4;

	if (!len || len > n || b[0] > 0xf4 || b[0] == 0)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ||
	    (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
		return 0;
	return len;
}

bool str_is_utf8(const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	while (n) {
		size_t len = utf8_len(b, n);

		if (!len)
			return false;
		b += len;
		n -= len;
	}
	return true;
}

/* Is the sequence at @b one a terminal may get? Not C0, DEL, C1 (U+0080 to U+009f). */
static bool is_printable(const unsigned char *b, size_t len)
{
	return len && b[0] >= 0x20 && b[0] != 0x7f &&
	       !(len == 2 && b[0] == 0xc2 && b[1] < 0xa0);
}

void str_add_escaped(struct str *s, const char *text, size_t n)
{
	const unsigned char *b = (const unsigned char *)text;

	while (n) {
		size_t len = utf8_len(b, n);

		if (is_printable(b, len)) {
			str_addn(s, b, len);
		} else {
			/* one byte: what follows in a broken sequence is judged anew */
			len = 1;
			str_addf(s, "\\x%02x", b[0]);
		}
		b += len;
		n -= len;
	}
}

bool str_is_label(const char *text)
{
	size_t n = strlen(text);

	if (n < 1 || n > 63 || text[0] == '.' || text[0] == '-')
		return false;
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789._+=-") == n;
}

bool str_is_rfc1035(const char *text)
{
	size_t n = strlen(text);

	if (n < 1 || n > 63 || text[0] < 'a' || text[0] > 'z' || text[n - 1] == '-')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

bool str_is_hex(const char *text, size_t n)
{
	return strlen(text) == n && strspn(text, "0123456789abcdef") == n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int str_percent_decode(char *text, struct err *err)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		int hi, lo;

		if (*in != '%') {
			*out++ = *in;
			continue;
		}
		hi = hex_digit(in[1]);
		lo = hi < 0 ? -1 : hex_digit(in[2]);
		if (lo < 0 || (hi == 0 && lo == 0))
			return err_set(err, -EINVAL, "bad percent-encoding");
		*out++ = (char)(hi * 16 + lo);
		in += 2;
	}
	*out = '\0';
	return 0;
}

/* Levenshtein distance of two short words; words past 63 characters are "far". */
static unsigned word_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned row[64];

	if (n > 63 || m > 63)
		return 64;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned diag = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = diag + (a[i - 1] != b[j - 1]);

			diag = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[m];
}

const char *str_nearest(const char *text, const char *const *names)
{
	unsigned best = (unsigned)strlen(text) / 2 + 1;
	const char *nearest = NULL;

	for (; *names; names++) {
		unsigned d = word_distance(text, *names);

		if (d <= best && d < 64) {
			best = d ? d - 1 : 0;
			nearest = *names;
		}
	}
	return nearest;
}
