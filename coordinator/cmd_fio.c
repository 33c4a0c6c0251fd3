// SPDX-License-Identifier: Apache-2.0
// muster fio: merged figures of fio's json+ output.
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "coordinator/cmd.h"
#include "coordinator/fio_report.h"
#include "core/cleanup.h"

static const char about[] =
	"Reads fio's json+ output (local, or client/server: \"All clients\" is ignored)\n"
	"and prints, per group and direction, I/Os, bytes, bandwidth (bytes / longest\n"
	"runtime, as fio's own group line) and latency. Then the totals: histograms are\n"
	"added bin by bin, so percentiles are exact to the bin (0.8 %); bandwidth is "
	"not\n"
	"added, for groups are phases in time. \"-\" reads standard input.\n"
	"\n"
	"  fio --output-format=json+ --lat_percentiles=1 --output=out.json job.fio\n"
	"  muster fio out.json\n"
	"\n"
	"Exit code: 0; 1 a job of fio's failed; 2 no such file; 4 not fio's output, cut, "
	"or\n"
	"without I/O.\n";

struct files {
	struct fio_file *v;
	size_t n;
};

static void files_done(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		fio_output_done(&files->v[i].out);
	free(files->v);
}

/* The whole of @name ("-": standard input); -EFBIG past the limit. */
static int read_whole(const char *name, struct str *ret, struct err *err)
{
	bool is_stdin = strcmp(name, "-") == 0;
	cleanup_close int fd =
		is_stdin ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
	char part[65536];

	if (fd < 0)
		return err_errno(err, -errno, "%s", name);
	for (;;) {
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, -errno, "%s", name);
		if (n == 0)
			return str_check(ret, name, err);
		str_addn(ret, part, (size_t)n);
		if (ret->failed)
			return str_check(ret, name, err);
	}
}

/* @message on one line, blank lines left out. */
static void add_message(struct str *ret, const char *message)
{
	while (*message) {
		size_t n = strcspn(message, "\n");

		if (n && ret->len)
			str_add(ret, "; ");
		str_addn(ret, message, n);
		message += n + (message[n] == '\n');
	}
}

/* Print why the data of @f are no good. */
static int refuse(const struct fio_file *f, const char *why)
{
	cleanup_str struct str said = STR_INIT(FIO_JSON_MAX_BYTES);
	struct err err = {0};

	if (f->out.message)
		add_message(&said, f->out.message);
	err_set(&err, -EINVAL, "%s: %s%s%s", f->name, why, said.len ? "; fio said: " : "",
		str_text(&said));
	return cmd_fail(EXIT_INVALID, &err);
}

static int load(const char *name, struct fio_file *f)
{
	cleanup_str struct str text = STR_INIT(FIO_JSON_MAX_BYTES);
	struct err err = {0};
	int r;

	f->name = name;
	r = read_whole(name, &text, &err);
	if (r < 0)
		return cmd_fail(r == -EFBIG ? EXIT_INVALID : EXIT_USAGE, &err);
	r = fio_json_read(str_text(&text), text.len, &f->out, &err);
	return r < 0 ? refuse(f, err.text) : EXIT_YES;
}

/* What a reader of the figures should know; no reason to doubt them. */
static void note(const struct fio_file *f, const struct fio_result *r)
{
	struct err err = {0};

	if (r->ios && !r->lat.n) {
		err_set(&err, -ENODATA,
			"%s: group %u %s: no latency bins: fio needs "
			"--output-format=json+ --lat_percentiles=1",
			f->name, r->group, fio_rw_name(r->rw));
		cmd_fail(EXIT_YES, &err);
		err_clear(&err);
	}
	if (r->short_ios || r->drop_ios) {
		err_set(&err, -EIO, "%s: group %u %s: %llu short and %llu dropped I/Os",
			f->name, r->group, fio_rw_name(r->rw),
			(unsigned long long)r->short_ios,
			(unsigned long long)r->drop_ios);
		cmd_fail(EXIT_YES, &err);
	}
}

/* Say what is wrong in a readable output; the exit code it asks for. */
static int judge(const struct fio_file *f)
{
	const struct fio_output *out = &f->out;
	int code = EXIT_YES;

	if (out->first_error) {
		struct err err = {0};

		err_set(&err, -EIO, "%s: fio's job \"%s\" failed with error %d: %s",
			f->name, out->error_job, out->first_error,
			strerror(out->first_error));
		code = cmd_fail(EXIT_NO, &err);
	}
	if (!out->n)
		code = cmd_worst(code, refuse(f, "fio did no I/O"));
	for (size_t i = 0; i < out->n; i++)
		note(f, &out->results[i]);
	return code;
}

static int print_report(const struct files *files, bool is_json)
{
	cleanup_str struct str text = STR_INIT(SIZE_MAX / 4);
	cleanup_fio_report struct fio_report rep;
	struct err err = {0};

	if (fio_report_init(&rep, files->v, files->n, &err) < 0)
		return cmd_fail(EXIT_INVALID, &err);
	if (is_json)
		return cmd_print_json(fio_report_json(&rep));
	fio_report_text(&rep, &text);
	return cmd_print(&text);
}

/* Every file is read, so that each bad one is named; figures only if all are good. */
static int run(const struct opt_list *names, bool is_json)
{
	cleanup(files_done) struct files files = {
		.v = xcalloc(names->n, sizeof(*files.v)),
	};
	bool has_stdin = false;
	int code = EXIT_YES;

	for (size_t i = 0; i < names->n; i++) {
		bool is_stdin = strcmp(names->v[i], "-") == 0;

		if (is_stdin && has_stdin)
			return cmd_usage("standard input can be read only once");
		has_stdin |= is_stdin;
		code = cmd_worst(code, load(names->v[i], &files.v[files.n++]));
	}
	if (code != EXIT_YES)
		return code;
	for (size_t i = 0; i < files.n; i++)
		code = cmd_worst(code, judge(&files.v[i]));
	return cmd_worst(code, print_report(&files, is_json));
}

int cmd_fio(int argc, char **argv)
{
	bool is_json = false;
	const struct opt opts[] = {
		{"json", OPT_FLAG, &is_json, NULL, "print a JSON document", NULL},
		{0},
	};
	struct opt_list names = {0};
	int code = EXIT_YES;

	if (cmd_parse("muster fio FILE… [flags]", about, opts, argc, argv, &names, &code))
		return code;
	if (!names.n)
		return cmd_usage("fio: which FILE? (\"-\" reads standard input)");
	return run(&names, is_json);
}
