// SPDX-License-Identifier: Apache-2.0
// Log lines: formatting, escaping, redaction.
#include "core/log.h"

#include <stdarg.h>
#include <string.h>

#include "core/str.h"

static log_sink_fn *sink;
static void *sink_arg;
static enum log_level sink_min = LOG_INFO;

void log_set_sink(log_sink_fn *fn, void *arg, enum log_level min)
{
	sink = fn;
	sink_arg = arg;
	sink_min = min;
}

/* What a secret follows, up to a blank or the end of a field. */
static const char *const secret_marks[] = {
	"Bearer ",	  "upload_id=",	       "access_token=", "refresh_token=",
	"client_secret=", "X-Goog-Signature=", "assertion=",
};

/* Names of JSON members whose string is a secret. */
static const char *const secret_names[] = {
	"access_token", "refresh_token", "id_token", "private_key", "client_secret",
};

/* Overwrites from @at to the first of @ends; a backslash takes its next character along.
 */
static char *hide(char *at, const char *ends)
{
	for (; *at && !strchr(ends, *at); at++) {
		if (*at == '\\' && at[1])
			*at++ = '*';
		*at = '*';
	}
	return at;
}

/* After a member's name: `": "`, its quotes perhaps escaped. NULL if it is not that. */
static char *json_value(char *at)
{
	at += strspn(at, "\\");
	if (*at != '"')
		return NULL;
	at += 1 + strspn(at + 1, " \t\r\n");
	if (*at != ':')
		return NULL;
	at += 1 + strspn(at + 1, " \t\r\n");
	at += strspn(at, "\\");
	return *at == '"' ? at + 1 : NULL;
}

void log_redact(char *text)
{
	char *at, *value;

	for (size_t i = 0; i < ARRAY_SIZE(secret_marks); i++)
		for (at = text; (at = strcasestr(at, secret_marks[i]));)
			at = hide(at + strlen(secret_marks[i]), " \t\r\n\"&,;}");
	for (size_t i = 0; i < ARRAY_SIZE(secret_names); i++)
		for (at = text; (at = strcasestr(at, secret_names[i]));) {
			at += strlen(secret_names[i]);
			value = json_value(at);
			if (value)
				at = hide(value, "\"");
		}
}

void log_line(enum log_level level, const char *fmt, ...)
{
	cleanup_str struct str raw = STR_INIT(8192);
	cleanup_str struct str line = STR_INIT(32768);
	va_list ap;

	if (!sink || level < sink_min)
		return;
	va_start(ap, fmt);
	str_addv(&raw, fmt, ap);
	va_end(ap);
	if (raw.failed)
		str_add(&line, "(a log line too long to print)");
	if (raw.s)
		log_redact(raw.s);
	str_add_escaped(&line, str_text(&raw), raw.len);
	sink(level, str_text(&line), sink_arg);
}
