// SPDX-License-Identifier: Apache-2.0
// What the worker says: stdout for people, worker.log for later, its tail in the bucket.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "worker/barrier.h"
#include "worker/worker.h"

enum {
	LOG_UPLOAD_BYTES = 4 << 20,
	LOG_KEEP_BYTES = 16 << 20, /* an older file is begun anew past this */
	LOG_UPLOAD_S = 60,
};

static struct {
	int fd;
	bool is_debug;
} sink = {.fd = -1};

static void write_line(int fd, const char *text)
{
	size_t n = strlen(text);

	if (fd >= 0 && write(fd, text, n) < 0) {
		/* a full disk shows where it matters: in the step's own files */
	}
}

static void on_line(enum log_level level, const char *line, void *arg)
{
	static const char letters[] = "DIWE";
	cleanup_free char *text = NULL;
	char now[RFC3339_CAP];

	(void)arg;
	clock_format(clock_real_ns(), now);
	text = xasprintf("%s %c %s\n", now, letters[level], line);
	write_line(sink.fd, text);
	if (sink.is_debug || level >= LOG_WARN)
		write_line(STDERR_FILENO, text);
}

void worker_say(const char *fmt, ...)
{
	cleanup_str struct str plain = STR_INIT(8192);
	cleanup_str struct str line = STR_INIT(32768);
	va_list ap;

	va_start(ap, fmt);
	str_addv(&plain, fmt, ap);
	va_end(ap);
	str_add_escaped(&line, str_text(&plain), plain.len);
	log_line(LOG_INFO, "%s", str_text(&line));
	str_addc(&line, '\n');
	log_redact(line.s);
	write_line(STDOUT_FILENO, str_text(&line));
}

int worker_log_open(const char *workspace, bool is_debug, struct err *err)
{
	cleanup_free char *path = xasprintf("%s/worker.log", workspace);
	struct stat st;

	sink.is_debug = is_debug;
	sink.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (sink.fd < 0)
		return err_errno(err, -errno, "%s", path);
	if (fstat(sink.fd, &st) == 0 && st.st_size > LOG_KEEP_BYTES &&
	    ftruncate(sink.fd, 0) < 0)
		return err_errno(err, -errno, "%s", path);
	log_set_sink(on_line, NULL, is_debug ? LOG_DEBUG : LOG_INFO);
	return 0;
}

static int put_log(struct worker *w, const char *name, struct put_req *req,
		   struct err *err)
{
	struct obj_meta meta = {0};
	int r = -EEXIST;

	for (int tries = 0; tries < 2 && r == -EEXIST; tries++) {
		err_clear(err);
		if (!w->log_generation || tries) {
			r = w->ctl->ops->stat(w->ctl, name, &meta, err);
			if (r < 0 && r != -ENOENT)
				return r;
			w->log_generation = r == 0 ? meta.generation : 0;
			err_clear(err);
		}
		req->precondition = w->log_generation ? PUT_REPLACE : PUT_CREATE;
		req->if_generation = w->log_generation;
		r = worker_put(w, name, req, &meta, err);
	}
	if (r == 0)
		w->log_generation = meta.generation;
	return r;
}

void worker_log_upload(struct worker *w)
{
	struct put_req req = {.fd = sink.fd, .content_type = "text/plain"};
	cleanup_free char *tail = NULL;
	struct err err = {0};
	char name[PATH_CAP];
	struct stat st;
	int r;

	if (sink.fd < 0 || fstat(sink.fd, &st) < 0 || stop_why(&w->stop) == STOP_FENCED)
		return;
	req.file_bytes = (uint64_t)st.st_size;
	if (st.st_size > LOG_UPLOAD_BYTES) {
		ssize_t n;

		tail = xcalloc(1, LOG_UPLOAD_BYTES);
		n = pread(sink.fd, tail, LOG_UPLOAD_BYTES, st.st_size - LOG_UPLOAD_BYTES);
		if (n < 0)
			return;
		req.data = tail;
		req.n = (size_t)n;
	}
	worker_deadline(w, w->ctl, LOG_UPLOAD_S);
	r = path_worker_log(name, &w->id.run, w->id.worker, &err);
	if (r == 0)
		r = put_log(w, name, &req, &err);
	if (r < 0)
		log_line(LOG_INFO, "worker.log not uploaded: %s", err.text);
}
