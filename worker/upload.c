// SPDX-License-Identifier: Apache-2.0
// From fio's output to a committed attempt.
#include "worker/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "core/log.h"
#include "core/plant.h"
#include "worker/files.h"
#include "worker/gcsfuse_log.h"
#include "worker/monitor.h"
#include "worker/record.h"
#include "worker/worker.h"

enum {
	UPLOAD_SMALL_BYTES = 4 << 20, /* what may still go up after a signal */
	RECORD_TRIES = 3,
};

/* fio's JSON is in memory only between the end of fio and the end of this function. */
int attempt_parse(struct worker *w, struct attempt *a, struct err *err)
{
	cleanup_free char *path = attempt_path(a, STEP_FIO_OUTPUT);
	cleanup_free char *console = xasprintf("%s/console.txt", a->dir);
	cleanup_str struct str text = STR_INIT(FIO_JSON_MAX_BYTES);
	cleanup_fio_output struct fio_output out = {0};
	struct judge_in in = {.fio = &a->fio,
			      .out = &out,
			      .facts = &a->facts,
			      .c = a->c,
			      .is_stopped_by_order = stop_why(&w->stop) == STOP_ABORT,
			      .stop_text = stop_text(&w->stop)};
	struct verdict v;
	struct err why = {0};

	(void)err;
	if (!a->has_fio)
		return 0;
	in.read_result = files_read(path, &text, &why);
	if (in.read_result == 0)
		in.read_result = fio_json_read(str_text(&text), text.len, &out, &why);
	in.read_error = why.text;
	if (!out.message || !out.message[0]) {
		cleanup_str struct str said = STR_INIT(64 << 10);

		if (files_read(console, &said, NULL) == 0 && said.len > 0) {
			free(out.message);
			out.message = str_steal(&said);
		}
	}
	record_judge(&in, &v);
	if (v.state != ATTEMPT_OK)
		attempt_fail(a, v.state, "%s", v.reason);
	a->rec.results = steal_ptr(out.results);
	a->rec.n_results = out.n;
	out.n = 0;
	if (a->rec.n_results > 0) {
		struct provenance *p = &w->board.manifest.provenance;

		board_summary(&w->board, a->index, &a->rec.results[0]);
		pthread_mutex_lock(&w->board.lock);
		p->fio_bits = a->rec.results[0].lat.bits;
		p->fio_groups = a->rec.results[0].lat.groups;
		pthread_mutex_unlock(&w->board.lock);
	}
	return 0;
}

static int file_crc32c(int fd, uint64_t *ret_bytes, uint32_t *ret, struct err *err)
{
	cleanup_free unsigned char *block = xcalloc(1, 256 << 10);
	uint64_t at = 0;
	uint32_t crc = 0;
	ssize_t n;

	while ((n = pread(fd, block, 256 << 10, (off_t)at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, -errno, "read");
		crc = crc32c_update(crc, block, (size_t)n);
		at += (uint64_t)n;
	}
	*ret_bytes = at;
	*ret = crc;
	return 0;
}

/* Create the object; a try that a signal cut short may have landed all the same. */
static int create(struct worker *w, const char *name, const struct put_req *req,
		  uint32_t crc, struct obj_meta *meta, struct err *err)
{
	int r = -ECANCELED;

	for (int tries = 0; tries < 2 && r == -ECANCELED; tries++) {
		err_clear(err);
		worker_deadline(w, w->ctl, w->settings.upload_timeout_s);
		r = w->ctl->ops->put(w->ctl, name, req, meta, err);
	}
	if (r != -EEXIST)
		return r;
	if (w->ctl->ops->stat(w->ctl, name, meta, NULL) == 0 && meta->has_crc32c &&
	    meta->crc32c == crc && meta->size_bytes == req->file_bytes) {
		err_clear(err);
		return 0;
	}
	return r;
}

int upload_file(struct worker *w, struct attempt *a, enum step_file file,
		const char *content_type, bool is_cut, struct err *err)
{
	cleanup_free char *path = attempt_path(a, file);
	cleanup_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const struct attempt_ref at = {w->id.worker, a->plan->matrix_id,
				       a->plan->iteration, a->number};
	struct put_req req = {.fd = fd, .content_type = content_type};
	struct step_file_ref *ref = &a->rec.files[a->rec.n_files];
	struct obj_meta meta = {0};
	char name[PATH_CAP];
	uint32_t crc = 0;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, -errno, "%s", path);
	r = file_crc32c(fd, &req.file_bytes, &crc, err);
	if (r == 0)
		r = path_step(name, &w->id.run, &at, file, err);
	if (r < 0)
		return r;
	if (stop_why(&w->stop) == STOP_SIGNAL && req.file_bytes > UPLOAD_SMALL_BYTES)
		return err_set(err, -ECANCELED,
			       "%s is too large to upload before the "
			       "machine goes",
			       name);
	r = create(w, name, &req, crc, &meta, err);
	if (r < 0)
		return err_wrap(err, r, "upload %s", name);
	if (!meta.has_crc32c || meta.crc32c != crc || meta.size_bytes != req.file_bytes)
		return err_set(err, -EBADMSG, "upload %s: the bucket has other content",
			       name);
	path_step_file(name, file, a->plan->iteration, NULL);
	str_copy(ref->name, sizeof(ref->name), name);
	ref->bytes = req.file_bytes;
	ref->generation = meta.generation;
	ref->crc32c = crc;
	ref->is_cut = is_cut;
	a->rec.n_files++;
	return 0;
}

/* gcsfuse's log is counted, capped and compressed; trouble with it is a flag. */
static bool pack_log(struct attempt *a)
{
	cleanup_free char *log = xasprintf("%s/gcsfuse.log", a->dir);
	cleanup_free char *packed = attempt_path(a, STEP_GCSFUSE_LOG);
	struct gcsfuse_log counts = {0};
	struct err err = {0};

	if (!a->arm || a->arm->kind != ARM_GCSFUSE || access(log, R_OK) < 0)
		return false;
	if (gcsfuse_log_pack(log, packed, &counts, &err) < 0) {
		log_line(LOG_WARN, "gcsfuse's log: %s", err.text);
		attempt_flag(a, "gcsfuse_log_lost");
		unlink(packed);
		return false;
	}
	gcsfuse_log_record(&counts, &a->rec);
	return counts.is_cut;
}

static int upload_all(struct worker *w, struct attempt *a, bool is_log_cut,
		      struct err *err)
{
	static const struct {
		enum step_file file;
		const char *content_type;
	} files[] = {
		{STEP_JOB_FIO, "text/plain"},
		{STEP_FIO_OUTPUT, "application/json"},
		{STEP_MONITOR, "text/csv"},
		{STEP_GCSFUSE_LOG, "application/gzip"},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
		r = upload_file(w, a, files[i].file, files[i].content_type,
				is_log_cut && files[i].file == STEP_GCSFUSE_LOG, err);
	return r;
}

int attempt_upload(struct worker *w, struct attempt *a, struct err *err)
{
	cleanup_free char *csv = attempt_path(a, STEP_MONITOR);
	bool is_cut;
	int r = 0;

	if (stop_why(&w->stop) == STOP_FENCED)
		return 0;
	attempt_state_set(w, a, ATTEMPT_UPLOADING);
	is_cut = pack_log(a);
	if (a->monitor && a->has_fio)
		r = monitor_write_csv(a->monitor, csv, err);
	if (r == 0)
		r = upload_all(w, a, is_cut, err);
	/* an incarnation cut off from the bucket ran this attempt too and came back: its
	 * files have the names, so these figures cannot be kept; another attempt can */
	if (r == -EEXIST)
		attempt_fail(a, ATTEMPT_INTERRUPTED,
			     "another incarnation of this worker wrote this attempt's "
			     "files");
	return r;
}

/* Somebody committed this attempt before us: what the bucket says counts. */
static int adopt_other(struct worker *w, struct attempt *a, struct err *err)
{
	struct manifest_step line = {0};
	int r = record_fetch_line(w, a->plan, a->number, &line, err);

	if (r < 0)
		return r;
	log_line(LOG_WARN, "step %s attempt %u was committed before", a->id, a->number);
	a->end = line.state;
	reason_set(a->reason, line.reason);
	return 0;
}

int attempt_commit(struct worker *w, struct attempt *a, struct err *err)
{
	int r = -ECANCELED;

	if (stop_why(&w->stop) == STOP_FENCED)
		return 0;
	a->rec.state = a->end;
	reason_set(a->rec.reason, a->reason);
	clock_format(clock_real_ns(), a->rec.ended);
	for (int tries = 0; tries < RECORD_TRIES && r == -ECANCELED; tries++) {
		err_clear(err);
		worker_deadline(w, w->ctl, w->settings.upload_timeout_s);
		r = plant_is("lost") && a->number > 1 ? 0 : record_put(w, &a->rec, err);
	}
	if (r == -EEXIST) {
		err_clear(err);
		r = adopt_other(w, a, err);
	}
	if (r < 0)
		return err_wrap(err, r, "record of step %s", a->id);
	a->is_committed = true;
	attempt_state_set(w, a, a->end);
	if (a->end == ATTEMPT_INTERRUPTED && stop_why(&w->stop) == STOP_NONE)
		queue_set(w, a->index, ATTEMPT_PENDING, a->number + 1, NULL);
	return 0;
}
