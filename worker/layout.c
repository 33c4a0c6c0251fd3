// SPDX-License-Identifier: Apache-2.0
// The files fio works on.
#include "worker/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/proc.h"
#include "worker/binary.h"
#include "worker/data.h"
#include "worker/worker.h"

enum { MARKER_MAX_BYTES = 4096, FOLDER_S = 60, LAYOUT_UNMOUNT_S = 600 };

char *layout_name(const struct worker *w, const struct attempt *a)
{
	const char *prefix = a->arm->kind == ARM_DIR ? "" : a->job->data.prefix;
	const char *slash = prefix[0] ? "/" : "";

	if (a->facts.writes)
		return xasprintf("%s%swrite/%s/%s/%s-a%u", prefix, slash, w->id.run.run,
				 w->id.worker, a->id, a->number);
	return xasprintf("%s%sread/%s/%s", prefix, slash, w->id.worker, a->c->data_key);
}

int layout_marker_dump(const struct files_count *c, struct str *ret, struct err *err)
{
	cleanup_json json_t *doc =
		json_pack("{s:s, s:o, s:o}", "schema", "muster/layout/1", "files",
			  json_u64(c->files), "bytes", json_u64(c->bytes));

	return json_dump(doc, ret, err);
}

int layout_marker_parse(const char *text, size_t n, struct files_count *ret,
			struct err *err)
{
	cleanup_json json_t *doc = NULL;
	struct files_count c = {0};
	struct json_in in;
	int r = json_load(text, n, MARKER_MAX_BYTES, "layout marker", &doc, err);

	if (r < 0)
		return r;
	json_in_init(&in, doc, JSON_RECORDS, "layout marker", NULL, err);
	json_in_schema(&in, "layout", 1);
	json_in_u64(&in, "files", JSON_MUST, &c.files);
	json_in_u64(&in, "bytes", JSON_MUST, &c.bytes);
	r = json_in_end(&in);
	if (r == 0)
		*ret = c;
	return r;
}

int layout_is_enough(const struct files_count *have, uint64_t files, uint64_t bytes,
		     struct err *err)
{
	if (have->files >= files && have->bytes >= bytes)
		return 0;
	return err_set(err, -EIO,
		       "the layout left %llu files with %llu bytes, planned are %llu "
		       "with %llu",
		       (unsigned long long)have->files, (unsigned long long)have->bytes,
		       (unsigned long long)files, (unsigned long long)bytes);
}

int layout_data_store(struct worker *w, const struct job *job, struct err *err)
{
	const struct store_opts opts = {.bucket = job->data.bucket,
					.endpoint = job->data.endpoint,
					.auth = job->data.auth};

	return w->data ? 0 : store_gcs_open(&opts, &w->data, err);
}

static bool is_ready(const struct worker *w, const char *name)
{
	for (size_t i = 0; i < w->n_data_ready; i++)
		if (strcmp(w->data_ready[i], name) == 0)
			return true;
	return false;
}

static void set_ready(struct worker *w, const char *name)
{
	w->data_ready = xrealloc(w->data_ready, w->n_data_ready + 1, sizeof(char *));
	w->data_ready[w->n_data_ready++] = xstrdup(name);
}

/* Are the files of an earlier layout all there? 1 yes, 0 no. */
static int is_laid_out(struct worker *w, struct attempt *a, struct err *err)
{
	cleanup_str struct str text = STR_INIT(MARKER_MAX_BYTES);
	struct files_count want, have;
	int r;

	r = data_read_marker(w, a->arm->kind, a->data_name, &text, err);
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	if (layout_marker_parse(str_text(&text), text.len, &want, NULL) < 0)
		return 0;
	r = data_count(w, a->arm->kind, a->data_name, &have, err);
	if (r < 0)
		return r;
	return have.files == want.files && have.bytes == want.bytes &&
	       layout_is_enough(&have, a->facts.n_files, a->c->data_bytes, NULL) == 0;
}

struct folder_arg {
	char path[1500];
};

/* In a child: mkdir -p, async-signal-safe. */
static int make_folder(const void *arg, void *ret, size_t n)
{
	char path[sizeof(((struct folder_arg *)0)->path)];
	size_t i = 0;

	(void)ret;
	(void)n;
	memcpy(path, arg, sizeof(path));
	for (i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		path[i] = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int layout_make_folder(struct worker *w, struct attempt *a, struct err *err)
{
	struct folder_arg arg = {0};
	int64_t deadline_ns = clock_mono_ns() + (int64_t)FOLDER_S * NS_PER_S;
	int r;

	if (!str_copy(arg.path, sizeof(arg.path), a->data_dir))
		return err_set(err, -ENAMETOOLONG, "%.100s… is too long", a->data_dir);
	r = proc_call_deadline(make_folder, &arg, NULL, 0, deadline_ns, w->stop.any_fd);
	return r < 0 ? err_errno(err, r, "mkdir %s", a->data_dir) : 0;
}

/* The step's own gcsfuse, without the arm's flags: folders become objects (no implicit
 * ones), nothing is cached, read-only arms can lay out too. */
static int mount_plain(struct worker *w, struct attempt *a, struct mount *mount,
		       const char *log_path, struct err *err)
{
	struct arm plain = *a->arm;
	struct mount_spec spec = {
		.arm = &plain,
		.data = &a->job->data,
		.workspace = w->id.workspace,
		.step_dir = a->dir,
		.cgroup = &w->cgroup,
		.point = a->root,
		.log_path = log_path,
		.deadline_ns = clock_mono_ns() +
			       (int64_t)a->job->settings.mount_timeout_s * NS_PER_S,
		.cancel_fd = w->stop.any_fd,
	};
	int r;

	plain.n_args = 0;
	plain.config_file = NULL;
	if (a->binary) {
		r = binary_verify(a->binary, err);
		if (r < 0)
			return r;
		spec.binary_fd = a->binary->fd;
	}
	return mount_start(&spec, mount, err);
}

static int fio_layout(struct worker *w, struct attempt *a, struct mount *mount,
		      struct err *err)
{
	cleanup_free char *job_path = attempt_path(a, STEP_JOB_FIO);
	cleanup_free char *output = xasprintf("%s/layout.json", a->dir);
	cleanup_free char *console = xasprintf("%s/layout.txt", a->dir);
	cleanup_str struct str said = STR_INIT(64 << 10);
	const struct measure_req req = {
		.mode = MEASURE_LAYOUT,
		.fio_path = w->fio_path,
		.job_path = job_path,
		.output_path = output,
		.console_path = console,
		.cwd = a->dir,
		.data_top = attempt_data_top(a),
		.cgroup = &w->cgroup,
		.deadline_ns = clock_mono_ns() +
			       (int64_t)a->job->settings.layout_timeout_s * NS_PER_S,
		.stop_fd = w->stop.order_fd,
		.term_fd = w->stop.term_fd,
		.mount = mount,
	};
	struct measure_end end = {0};
	int r;

	r = layout_make_folder(w, a, err);
	if (r == 0)
		r = measure_run(&req, &end, err);
	if (r < 0)
		return r;
	if (!end.was_caged)
		attempt_flag(a, "not_caged");
	if (end.how == MEASURE_STOPPED)
		return err_set(err, -ECANCELED, "stopped during the layout");
	if (end.how == MEASURE_TIMEOUT)
		return err_set(err, -ETIMEDOUT, "the layout did not end within %u s",
			       a->job->settings.layout_timeout_s);
	if (end.exit_status == 0)
		return 0;
	files_read(console, &said, NULL);
	if (said.len == 0)
		files_read(output, &said, NULL);
	return err_set(err, -EIO, "fio's layout ended with status %d: %.300s",
		       end.exit_status, str_text(&said));
}

static int make_layout(struct worker *w, struct attempt *a, struct err *err)
{
	cleanup_free char *log = xasprintf("%s/layout_gcsfuse.log", a->dir);
	cleanup_str struct str text = STR_INIT(MARKER_MAX_BYTES);
	struct files_count have = {0};
	struct mount mount = {0};
	struct err late = {0};
	bool was_aborted = false;
	int r, r2;

	worker_say("laying out the data of case %u: %llu files, %llu bytes",
		   a->c->test_id, (unsigned long long)a->facts.n_files,
		   (unsigned long long)a->c->data_bytes);
	r = data_delete(w, a->arm->kind, a->data_name, err);
	if (r == 0)
		r = mount_plain(w, a, &mount, log, err);
	if (r < 0)
		return r;
	r = fio_layout(w, a, &mount, err);
	r2 = mount_stop(&mount,
			clock_mono_ns() +
				(int64_t)(r < 0 ? MOUNT_HURRY_S : LAYOUT_UNMOUNT_S) *
					NS_PER_S,
			w->stop.any_fd, &was_aborted, &late);
	mount_done(&mount);
	if (r == 0 && was_aborted && stop_why(&w->stop) != STOP_NONE)
		r = err_set(err, -ECANCELED, "stopped during the unmount");
	if (r == 0 && r2 < 0)
		r = err_set(err, r2, "unmount after the layout: %s", late.text);
	if (r == 0)
		r = data_count(w, a->arm->kind, a->data_name, &have, err);
	if (r == 0)
		r = layout_is_enough(&have, a->facts.n_files, a->c->data_bytes, err);
	if (r == 0)
		r = layout_marker_dump(&have, &text, err);
	if (r == 0)
		r = data_write_marker(w, a->arm->kind, a->data_name, &text, err);
	return r;
}

int layout_reads(struct worker *w, struct attempt *a, struct err *err)
{
	int r;

	if (is_ready(w, a->data_name))
		return 0;
	r = is_laid_out(w, a, err);
	if (r == 0)
		r = make_layout(w, a, err);
	if (r < 0)
		return r;
	set_ready(w, a->data_name);
	return 0;
}

int layout_writes(struct worker *w, struct attempt *a, struct err *err)
{
	int r = data_delete(w, a->arm->kind, a->data_name, err);

	if (r < 0)
		return r;
	w->write_dirs =
		xrealloc(w->write_dirs, w->n_write_dirs + 1, sizeof(*w->write_dirs));
	w->write_dirs[w->n_write_dirs++] =
		(struct write_dir){.name = xstrdup(a->data_name),
				   .kind = a->arm->kind,
				   .test_id = a->plan->test_id,
				   .block = a->plan->block};
	return 0;
}

void layout_clean(struct worker *w, unsigned test_id, unsigned block)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n_write_dirs; i++) {
		struct write_dir *d = &w->write_dirs[i];
		struct err err = {0};

		if (test_id && d->test_id == test_id && d->block == block) {
			w->write_dirs[kept++] = *d;
			continue;
		}
		if (!w->settings.keep_data && stop_why(&w->stop) != STOP_FENCED &&
		    data_delete(w, d->kind, d->name, &err) < 0)
			log_line(LOG_WARN, "write data not deleted: %s", err.text);
		free(d->name);
	}
	w->n_write_dirs = kept;
}

void layout_sweep(struct worker *w, const struct job *job)
{
	const char *prefix = job->data.prefix;
	cleanup_free char *local = xasprintf("write/%s/%s", w->id.run.run, w->id.worker);
	cleanup_free char *remote =
		xasprintf("%s%s%s", prefix, prefix[0] ? "/" : "", local);
	struct err err = {0};

	if (job->settings.keep_data)
		return;
	if (data_delete(w, ARM_DIR, local, &err) < 0 ||
	    (w->data && data_delete(w, ARM_GCSFUSE, remote, &err) < 0))
		log_line(LOG_WARN, "earlier write data not deleted: %s", err.text);
}
