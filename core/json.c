// SPDX-License-Identifier: Apache-2.0
// JSON in with limits, JSON out.
#include "core/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { JSON_ROOM_BYTES = 4096 };

/* jansson has no depth limit of ours: count brackets outside strings before parsing. */
static bool json_depth_ok(const char *s, size_t n)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (in_string) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				in_string = false;
		} else if (s[i] == '"') {
			in_string = true;
		} else if (s[i] == '{' || s[i] == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return false;
		} else if (s[i] == '}' || s[i] == ']') {
			depth--;
		}
	}
	return true;
}

int json_load(const char *text, size_t n, size_t max_bytes, const char *what,
	      json_t **ret, struct err *err)
{
	json_error_t je;
	json_t *doc;

	if (n > max_bytes)
		return err_set(err, -EFBIG, "%s: larger than %zu bytes", what, max_bytes);
	if (!json_depth_ok(text, n))
		return err_set(err, -EINVAL, "%s: nested deeper than %d", what,
			       JSON_DEPTH_MAX);
	doc = json_loadb(text, n, JSON_REJECT_DUPLICATES, &je);
	if (!doc) {
		cleanup_str struct str why = STR_INIT(1024);

		str_add_escaped(&why, je.text, strlen(je.text));
		return err_set(err, -EINVAL, "%s:%d: %s", what, je.line, str_text(&why));
	}
	*ret = doc;
	return 0;
}

/* Most documents fit at once; of others jansson says how much room they need. */
static int json_write(const json_t *doc, size_t flags, struct str *ret, struct err *err)
{
	size_t room = str_reserve(ret, JSON_ROOM_BYTES), n;

	n = doc && room ? json_dumpb(doc, ret->s + ret->len, room, flags) : 0;
	if (n > room) {
		room = str_reserve(ret, n);
		n = room < n ? 0 : json_dumpb(doc, ret->s + ret->len, room, flags);
	}
	if (!n) {
		if (ret->s)
			ret->s[ret->len] = '\0';
		return err_set(err, -EFBIG, "a JSON document could not be written");
	}
	ret->len += n;
	ret->s[ret->len] = '\0';
	str_addc(ret, '\n');
	return str_check(ret, "a JSON document", err);
}

int json_dump(const json_t *doc, struct str *ret, struct err *err)
{
	return json_write(doc, JSON_COMPACT | JSON_REAL_PRECISION(17), ret, err);
}

int json_dump_pretty(const json_t *doc, struct str *ret, struct err *err)
{
	return json_write(doc, JSON_INDENT(2) | JSON_REAL_PRECISION(17), ret, err);
}

json_t *json_text(const char *s)
{
	cleanup_str struct str fixed = STR_INIT(SIZE_MAX / 4);
	size_t n = strlen(s);

	if (str_is_utf8(s, n))
		return json_stringn(s, n);
	for (size_t i = 0; i < n;) {
		size_t len = 1;

		while (len <= 4 && i + len <= n && !str_is_utf8(s + i, len))
			len++;
		if (len <= 4 && i + len <= n) {
			str_addn(&fixed, s + i, len);
			i += len;
		} else {
			str_add(&fixed, "\xef\xbf\xbd");
			i++;
		}
	}
	return json_string(str_text(&fixed));
}

json_t *json_text_or_null(const char *s)
{
	return s ? json_text(s) : json_null();
}

json_t *json_u64(uint64_t v)
{
	return v > INT64_MAX ? json_null() : json_integer((json_int_t)v);
}

json_t *json_f64(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}
