// SPDX-License-Identifier: Apache-2.0
// gcsfuse's log after the mount: one pass that counts and makes the copy to upload.
#include "worker/gcsfuse_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/log.h"
#include "core/str.h"

enum { LINE_CAP = 1 << 20 }; /* a longer line is taken in pieces */

struct scan {
	struct gcsfuse_log *log;
	bool shows[GCSFUSE_OTHER + 1]; /* severities seen */
	gzFile out;		       /* NULL = count only */
	uint64_t tail_from;	       /* offset where the kept tail begins */
	uint64_t left_out;
	bool has_failed;
};

static bool has(const char *line, size_t n, const char *word)
{
	return memmem(line, n, word, strlen(word)) != NULL;
}

/* Storage answers 429 over HTTP, RESOURCE_EXHAUSTED over gRPC. */
static bool is_throttled(const char *line, size_t n)
{
	return has(line, n, "Error 429") || has(line, n, "code 429") ||
	       has(line, n, "ResourceExhausted");
}

static void keep_error(struct scan *s, const char *line, size_t n)
{
	struct gcsfuse_line parsed;

	gcsfuse_line_parse(line, n, &parsed);
	snprintf(s->log->last_error, sizeof(s->log->last_error), "%s", parsed.message);
	gcsfuse_line_done(&parsed);
}

static void count_line(struct scan *s, const char *line, size_t n)
{
	enum gcsfuse_log_level level = gcsfuse_line_level(line, n);
	bool is_retry = level <= GCSFUSE_WARNING && has(line, n, "Retrying ");

	s->shows[level] = true;
	if (level == GCSFUSE_INFO && has(line, n, "successfully mounted")) {
		/* what went wrong on the way to a mount that works is no I/O error */
		s->log->errors = 0;
		s->log->last_error[0] = '\0';
	}
	if (level == GCSFUSE_ERROR) {
		s->log->errors++;
		keep_error(s, line, n);
	}
	if (level == GCSFUSE_TRACE && has(line, n, "gcs: Req ") && has(line, n, ": <- "))
		s->log->requests++;
	s->log->retries += is_retry;
	if ((is_retry || level == GCSFUSE_ERROR) && is_throttled(line, n))
		s->log->http_429++;
}

static void put(struct scan *s, const char *bytes, size_t n)
{
	if (n && gzwrite(s->out, bytes, (unsigned)n) != (int)n)
		s->has_failed = true;
}

/* @line has room for one more byte at @n. */
static void copy_line(struct scan *s, char *line, size_t n, uint64_t offset, bool has_end)
{
	char note[96];

	if (offset + n > GCSFUSE_LOG_HEAD_BYTES && offset < s->tail_from) {
		s->left_out += n + has_end;
		return;
	}
	if (s->left_out && !s->log->is_cut) {
		snprintf(note, sizeof(note), "… %" PRIu64 " bytes left out …\n",
			 s->left_out);
		put(s, note, strlen(note));
		s->log->is_cut = true;
	}
	/* the redaction works on text */
	for (char *nul; (nul = memchr(line, '\0', n));)
		*nul = ' ';
	line[n] = '\0';
	log_redact(line);
	line[n] = '\n';
	put(s, line, n + has_end);
}

static void take_line(struct scan *s, char *line, size_t n, uint64_t offset, bool has_end)
{
	count_line(s, line, n);
	if (s->out)
		copy_line(s, line, n, offset, has_end);
}

/* Lines of the file, in order; the last may lack its newline. */
static int scan_fd(struct scan *s, int fd, struct err *err)
{
	cleanup_free char *buf = xcalloc(1, LINE_CAP + 1);
	uint64_t offset = 0; /* of buf[0] in the file */
	size_t len = 0;
	ssize_t n;

	do {
		char *line = buf, *nl;

		n = read(fd, buf + len, LINE_CAP - len);
		if (n < 0)
			return err_errno(err, -errno, "read the log of gcsfuse");
		len += (size_t)n;
		while ((nl = memchr(line, '\n', len - (size_t)(line - buf)))) {
			take_line(s, line, (size_t)(nl - line),
				  offset + (size_t)(line - buf), true);
			line = nl + 1;
		}
		len -= (size_t)(line - buf);
		if (len && (n == 0 || len == LINE_CAP)) {
			take_line(s, line, len, offset + (size_t)(line - buf), false);
			line += len;
			len = 0;
		}
		offset += (uint64_t)(line - buf);
		memmove(buf, line, len);
	} while (n > 0);
	s->log->bytes = offset;
	return 0;
}

/* A count is known only if lines of its severity would have been written. */
static void set_unknown(struct scan *s)
{
	const bool *shows = s->shows;
	bool has_info =
		shows[GCSFUSE_TRACE] || shows[GCSFUSE_DEBUG] || shows[GCSFUSE_INFO];

	if (!shows[GCSFUSE_TRACE])
		s->log->requests = -1;
	if (!has_info && !shows[GCSFUSE_WARNING])
		s->log->retries = s->log->http_429 = -1;
	if (!has_info && !shows[GCSFUSE_WARNING] && !shows[GCSFUSE_ERROR])
		s->log->errors = -1;
}

static int scan(struct scan *s, const char *path, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = 0;

	*s->log = (struct gcsfuse_log){0};
	if (fd < 0 && errno != ENOENT)
		return err_errno(err, -errno, "%s", path);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > GCSFUSE_LOG_MAX_BYTES)
		s->tail_from = (uint64_t)st.st_size - GCSFUSE_LOG_MAX_BYTES +
			       GCSFUSE_LOG_HEAD_BYTES;
	if (fd >= 0)
		r = scan_fd(s, fd, err);
	set_unknown(s);
	return r;
}

int gcsfuse_log_scan(const char *path, struct gcsfuse_log *ret, struct err *err)
{
	struct scan s = {.log = ret};

	return scan(&s, path, err);
}

int gcsfuse_log_pack(const char *path, const char *out_path, struct gcsfuse_log *ret,
		     struct err *err)
{
	int fd = open(out_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		      0600);
	struct scan s = {.log = ret};
	int r, closed;

	if (fd < 0)
		return err_errno(err, -errno, "%s", out_path);
	s.out = gzdopen(fd, "wb5");
	if (!s.out) {
		close(fd);
		return err_set(err, -ENOMEM, "%s: no memory for zlib", out_path);
	}
	r = scan(&s, path, err);
	closed = gzclose(s.out);
	if (r == 0 && (closed != Z_OK || s.has_failed))
		r = err_set(err, -EIO, "%s: cannot be written", out_path);
	return r;
}

void gcsfuse_log_record(const struct gcsfuse_log *log, struct step_record *rec)
{
	rec->gcsfuse_log.requests = log->requests;
	rec->gcsfuse_log.errors = log->errors;
	rec->gcsfuse_log.retries = log->retries;
	rec->gcsfuse_log.http_429 = log->http_429;
}
