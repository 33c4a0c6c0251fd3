// SPDX-License-Identifier: Apache-2.0
// What a failed reply of Cloud Storage means, as an errno and in words.
#include <errno.h>
#include <string.h>

#include "core/store_gcs_impl.h"

enum { REASON_MAX = 300 };

int gcs_errno(long status)
{
	switch (status) {
	case 304:
	case 412:
		return -EEXIST;
	case 401:
	case 403:
		return -EACCES;
	case 404:
	case 410:
		return -ENOENT;
	default:
		return retry_is_transient(HTTP_ANSWERED, status) ? -EAGAIN : -EINVAL;
	}
}

/* {"error":{"message":…}}; token servers and others answer {"error":"…"} */
static json_t *message_of(json_t *doc)
{
	json_t *error = json_object_get(doc, "error");
	json_t *message = json_object_get(error, "message");

	if (json_is_string(message))
		return message;
	return json_is_string(error) ? error : NULL;
}

/* A page of HTML tells a person nothing. */
static bool is_markup(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '<';
}

void gcs_reason(const char *body, size_t n, struct str *ret)
{
	cleanup_json json_t *doc = NULL;
	const char *text = body;

	if (json_load(body, n, n + 1, "reply", &doc, NULL) == 0) {
		json_t *message = message_of(doc);

		if (!message)
			return;
		text = json_string_value(message);
		n = strlen(text);
	} else if (n == 0 || !str_is_utf8(body, n) || is_markup(body)) {
		return;
	}
	while (n && strchr(" \t\r\n", text[n - 1]))
		n--;
	if (n <= REASON_MAX) {
		str_add_escaped(ret, text, n);
		return;
	}
	n = REASON_MAX;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	str_add_escaped(ret, text, n);
	str_add(ret, "…");
}
