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

static const char *const secret_marks[] = {
	"Bearer ",	 "upload_id=",	      "access_token\":\"",  "access_token\": \"",
	"access_token=", "X-Goog-Signature=", "refresh_token\":\"", "private_key\":\"",
};

void log_redact(char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_marks); i++) {
		char *at = text;

		while ((at = strcasestr(at, secret_marks[i]))) {
			at += strlen(secret_marks[i]);
			for (; *at && !strchr(" \t\r\n\"&,;}", *at); at++)
				*at = '*';
		}
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
