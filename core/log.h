// SPDX-License-Identifier: Apache-2.0
// Log lines to a sink chosen by the program; core itself never prints.
#ifndef CORE_LOG_H
#define CORE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/** log_sink_fn - gets one finished line without newline; may be called by any thread. */
typedef void log_sink_fn(enum log_level level, const char *line, void *arg);

/** log_set_sink() - where lines go; NULL (the default) drops them. Before threads start.
 */
void log_set_sink(log_sink_fn *fn, void *arg, enum log_level min);

/**
 * log_line() - format, escape control characters, redact secrets, hand to the sink.
 *
 * Redacted: what follows "Bearer ", "upload_id=", "access_token=", "X-Goog-Signature="
 * and the like, and the JSON strings named access_token, private_key and the like.
 */
void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** log_redact() - overwrite secrets in @text in place with '*' (see log_line()). */
void log_redact(char *text);

#endif
