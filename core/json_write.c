// SPDX-License-Identifier: Apache-2.0
// Compact JSON out, byte for byte as jansson writes it, without its cost for each value.
#include "core/json_write.h"

#include <math.h>
#include <string.h>

enum { FLAGS = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17) };

static void write_escape(unsigned char c, struct str *to)
{
	static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = memchr(named, c, sizeof(named) - 1);

	if (at)
		str_addf(to, "\\%c", letters[at - named]);
	else
		str_addf(to, "\\u%04X", c);
}

static void write_string(const char *text, size_t n, struct str *to)
{
	size_t done = 0;

	str_addc(to, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		str_addn(to, text + done, i - done);
		write_escape(c, to);
		done = i + 1;
	}
	str_addn(to, text + done, n - done);
	str_addc(to, '"');
}

static void write_integer(json_int_t v, struct str *to)
{
	char digits[24], *p = digits + sizeof(digits);
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	if (v < 0)
		*--p = '-';
	str_addn(to, p, (size_t)(digits + sizeof(digits) - p));
}

/* A whole number below 10^15 is its digits in any format; the rest jansson knows. */
static void write_real(const json_t *real, struct str *to)
{
	double v = json_real_value(real);
	char text[64];

	if (fabs(v) < 1e15 && v == trunc(v) && (v != 0 || !signbit(v))) {
		write_integer((json_int_t)v, to);
		str_add(to, ".0");
		return;
	}
	str_addn(to, text, json_dumpb(real, text, sizeof(text), FLAGS));
}

static void write_object(const json_t *object, struct str *to)
{
	const char *key;
	json_t *value;
	char before = '{';

	json_object_foreach ((json_t *)object, key, value) {
		str_addc(to, before);
		write_string(key, strlen(key), to);
		str_addc(to, ':');
		json_write_value(value, to);
		before = ',';
	}
	str_add(to, before == '{' ? "{}" : "}");
}

static void write_array(const json_t *array, struct str *to)
{
	size_t n = json_array_size(array);

	for (size_t i = 0; i < n; i++) {
		str_addc(to, i ? ',' : '[');
		json_write_value(json_array_get(array, i), to);
	}
	str_add(to, n ? "]" : "[]");
}

void json_write_value(const json_t *v, struct str *to)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		write_object(v, to);
		break;
	case JSON_ARRAY:
		write_array(v, to);
		break;
	case JSON_STRING:
		write_string(json_string_value(v), json_string_length(v), to);
		break;
	case JSON_INTEGER:
		write_integer(json_integer_value(v), to);
		break;
	case JSON_REAL:
		write_real(v, to);
		break;
	case JSON_TRUE:
		str_add(to, "true");
		break;
	case JSON_FALSE:
		str_add(to, "false");
		break;
	case JSON_NULL:
		str_add(to, "null");
		break;
	}
}
