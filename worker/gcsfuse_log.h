// SPDX-License-Identifier: Apache-2.0
// What gcsfuse's log says: counts, the last error, the effective configuration; and the
// capped, redacted, compressed copy that is uploaded.
#ifndef WORKER_GCSFUSE_LOG_H
#define WORKER_GCSFUSE_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "manifests/record.h"

enum {
	GCSFUSE_LOG_MAX_BYTES = 64 << 20, /* of text kept: contract of the bucket */
	GCSFUSE_LOG_HEAD_BYTES = 1 << 20, /* of them from the beginning */
	GCSFUSE_LOG_MESSAGE_CAP = 256,
};

/** struct gcsfuse_log - counts are -1 when the log's severity cannot show them. */
struct gcsfuse_log {
	int64_t requests, errors, retries, http_429;
	char last_error[GCSFUSE_LOG_MESSAGE_CAP]; /* message of the last ERROR line or ""
						   */
	uint64_t bytes;				  /* of the whole log */
	bool is_cut;				  /* the copy has less */
};

/** gcsfuse_log_scan() - read the log once; an absent file counts as empty. */
int gcsfuse_log_scan(const char *path, struct gcsfuse_log *ret, struct err *err);

/**
 * gcsfuse_log_pack() - gzip the log to @out_path (made new), secrets overwritten; past
 * GCSFUSE_LOG_MAX_BYTES the head and the tail with a line in between that says so.
 *
 * @ret: as gcsfuse_log_scan(), with is_cut
 */
int gcsfuse_log_pack(const char *path, const char *out_path, struct gcsfuse_log *ret,
		     struct err *err);

/** gcsfuse_log_record() - copy the counts into the step's record. */
void gcsfuse_log_record(const struct gcsfuse_log *log, struct step_record *rec);

/** enum gcsfuse_log_level - severities gcsfuse writes. */
enum gcsfuse_log_level {
	GCSFUSE_TRACE,
	GCSFUSE_DEBUG,
	GCSFUSE_INFO,
	GCSFUSE_WARNING,
	GCSFUSE_ERROR,
	GCSFUSE_OTHER, /* a line in no format of gcsfuse's: Go's panic, usage text */
};

/** struct gcsfuse_line - one line taken apart; @message is malloc'd. */
struct gcsfuse_line {
	enum gcsfuse_log_level level;
	char *message;	/* unescaped; the whole line for GCSFUSE_OTHER */
	json_t *config; /* the effective configuration if this line carries it; owned */
};

/** gcsfuse_line_parse() - text and json format alike; @n bytes without newline. */
void gcsfuse_line_parse(const char *line, size_t n, struct gcsfuse_line *ret);
void gcsfuse_line_done(struct gcsfuse_line *line);

/** gcsfuse_line_level() - the severity alone, cheaply. */
enum gcsfuse_log_level gcsfuse_line_level(const char *line, size_t n);

#endif
