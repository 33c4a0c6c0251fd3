// SPDX-License-Identifier: Apache-2.0
// The inputs of split: files, and their test cases.
#include "coordinator/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/csv.h"
#include "core/json.h"
#include "manifests/fio_policy.h"

char *inputs_keep(struct inputs *inputs, char *text)
{
	if ((inputs->n_kept & (inputs->n_kept - 1)) == 0)
		inputs->kept =
			xrealloc(inputs->kept, inputs->n_kept ? 2 * inputs->n_kept : 1,
				 sizeof(*inputs->kept));
	inputs->kept[inputs->n_kept++] = text;
	return text;
}

int inputs_read_file(const char *path, size_t max_bytes, struct str *ret, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char block[65536];
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return err_errno(err, -EISDIR, "%s", path);
	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, -errno, "%s", path);
		if (ret->len + (size_t)n > max_bytes)
			return err_set(err, -EFBIG, "%s: larger than %zu KiB", path,
				       max_bytes >> 10);
		str_addn(ret, block, (size_t)n);
	}
	return str_check(ret, path, err);
}

static int read_input(const char *path, size_t max_bytes, struct input_file *file,
		      struct err *err)
{
	int r;

	file->text = STR_INIT(max_bytes);
	r = inputs_read_file(path, max_bytes, &file->text, err);
	if (r == 0)
		digest_bytes(str_text(&file->text), file->text.len, file->sha256);
	return r;
}

/* Columns that would be one placeholder, or one of the worker's. */
static int check_columns(const struct csv *csv, const char *path, struct err *err)
{
	for (size_t i = 0; i < csv->n_columns; i++) {
		if (params_reserved(csv->header[i]))
			return err_set(err, -EINVAL,
				       "%s:%u: column \"%.60s\": the worker's folder has "
				       "that name",
				       path, csv->header_line, csv->header[i]);
		for (size_t j = 0; j < i; j++)
			if (params_same(csv->header[i], csv->header[j]))
				return err_set(err, -EINVAL,
					       "%s:%u: columns \"%.60s\" and \"%.60s\" "
					       "mean the same",
					       path, csv->header_line, csv->header[j],
					       csv->header[i]);
	}
	if (!csv->n_rows)
		return err_set(err, -EINVAL, "%s: no test cases: only a header", path);
	return 0;
}

static char *trimmed_copy(const char *s)
{
	size_t n;

	s += strspn(s, " \t");
	for (n = strlen(s); n && (s[n - 1] == ' ' || s[n - 1] == '\t'); n--)
		;
	return xstrndup(s, n);
}

/* test_id: the column, else the row's ordinal. */
static int test_id_of(const struct csv *csv, size_t row, const char *path, unsigned *ret,
		      struct err *err)
{
	int column = csv_column(csv, "test_id");
	struct err why = {0};
	uint64_t id = row + 1;

	if (column >= 0) {
		cleanup_free char *text =
			trimmed_copy(csv->rows[row].cells[(size_t)column]);

		if (parse_u64_range("test_id", text, 1, INT32_MAX, &id, &why) < 0)
			return err_set(err, -EINVAL, "%s:%u: %s", path,
				       csv->rows[row].line, why.text);
	}
	*ret = (unsigned)id;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct test_case *x = *(const struct test_case *const *)a;
	const struct test_case *y = *(const struct test_case *const *)b;

	return (x->test_id > y->test_id) - (x->test_id < y->test_id);
}

static int check_ids(const struct inputs *in, const struct csv *csv, const char *path,
		     struct err *err)
{
	cleanup_free const struct test_case **sorted =
		xcalloc(in->n_cases, sizeof(*sorted));

	for (size_t i = 0; i < in->n_cases; i++)
		sorted[i] = &in->cases[i];
	qsort(sorted, in->n_cases, sizeof(*sorted), by_id);
	for (size_t i = 1; i < in->n_cases; i++)
		if (sorted[i - 1]->test_id == sorted[i]->test_id) {
			size_t a = (size_t)(sorted[i - 1] - in->cases);
			size_t b = (size_t)(sorted[i] - in->cases);

			return err_set(err, -EINVAL, "%s:%u: test_id %u occurs twice",
				       path, csv->rows[a > b ? a : b].line,
				       sorted[i]->test_id);
		}
	return 0;
}

/* Columns whose meaning is known must have values of that kind. */
static int check_value(const char *name, const char *value, struct err *err)
{
	static const char *const sizes[] = {"bs", "filesize"};
	static const char *const counts[] = {"iodepth", "threads", "nrfiles"};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (params_same(name, sizes[i]) && *value && !strpbrk(value, ",-") &&
		    (parse_size(value, &v, NULL) < 0 || !v))
			return err_set(err, -EINVAL, "%s: \"%.40s\" is not a size", name,
				       value);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (params_same(name, counts[i]) && *value &&
		    (parse_u64(value, &v, NULL) < 0 || !v || v > UINT32_MAX))
			return err_set(err, -EINVAL,
				       "%s: \"%.40s\" is not a whole number above 0",
				       name, value);
	return 0;
}

static int params_of(const struct csv *csv, const struct csv_row *row,
		     struct param *params, json_t **ret, struct err *err)
{
	cleanup_json json_t *doc = json_object();
	int r = 0;

	for (size_t i = 0; i < csv->n_columns && r == 0; i++) {
		cleanup_free char *value = trimmed_copy(row->cells[i]);

		if (json_object_set_new(doc, csv->header[i], json_string(value)) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		params[i].name = csv->header[i];
		params[i].value = json_string_value(json_object_get(doc, csv->header[i]));
		r = check_value(csv->header[i], value, err);
	}
	if (r == 0)
		*ret = steal_ptr(doc);
	return r;
}

/* Render the template for one row and judge it. */
static int case_job(const struct inputs_opts *opts, struct inputs *in, size_t i,
		    const struct params *params, struct err *err)
{
	struct fio_policy policy =
		fio_policy_default(opts->allowed, opts->n_allowed, NULL);
	cleanup_str struct str job = STR_INIT(FIO_JOB_MAX_BYTES);
	struct test_case *test = &in->cases[i];
	struct fio_facts *facts = &in->facts[i];
	int r = fio_job_render(str_text(&in->fio.text), params, &job, err);

	if (r == 0)
		r = fio_job_check(str_text(&job), &policy, facts, err);
	if (r < 0)
		return r;
	test->fio_job = inputs_keep(in, str_steal(&job));
	test->writes = facts->writes;
	test->data_bytes = facts->data_bytes;
	test->has_io_bytes = facts->has_io_bytes;
	test->io_bytes = facts->io_bytes;
	test->data_key = facts->data_key;
	test->timeout_s = opts->timeout_s;
	return 0;
}

static int case_of(const struct inputs_opts *opts, struct inputs *in,
		   const struct csv *csv, size_t i, struct err *err)
{
	cleanup_free struct param *v = xcalloc(csv->n_columns, sizeof(*v));
	const struct params params = {csv->n_columns, v};
	const struct csv_row *row = &csv->rows[i];
	struct err why = {0};
	int r = test_id_of(csv, i, opts->tests_path, &in->cases[i].test_id, err);

	if (r < 0)
		return r;
	r = params_of(csv, row, v, &in->cases[i].params, &why);
	if (r < 0)
		return err_set(err, r, "%s:%u: %s", opts->tests_path, row->line,
			       why.text);
	r = case_job(opts, in, i, &params, &why);
	/* "line N: …" is the template's; the row says with which values */
	if (r < 0 && str_starts(why.text, "line ")) {
		const char *text = why.text + strlen("line ");
		size_t n = strspn(text, "0123456789");

		return err_set(err, r, "%s:%.*s%s (values of %s:%u)", opts->fio_path,
			       (int)n, text, text + n, opts->tests_path, row->line);
	}
	if (r < 0)
		return err_set(err, r, "%s: %s (values of %s:%u)", opts->fio_path,
			       why.text, opts->tests_path, row->line);
	return 0;
}

int inputs_cases(const struct inputs_opts *opts, struct inputs *in, struct err *err)
{
	cleanup_csv struct csv csv = {0};
	int r = csv_parse(str_text(&in->tests.text), in->tests.text.len, opts->tests_path,
			  &csv, err);

	if (r == 0)
		r = check_columns(&csv, opts->tests_path, err);
	if (r < 0)
		return r;
	in->n_cases = csv.n_rows;
	in->cases = xcalloc(csv.n_rows, sizeof(*in->cases));
	in->facts = xcalloc(csv.n_rows, sizeof(*in->facts));
	for (size_t i = 0; i < csv.n_rows && r == 0; i++)
		r = case_of(opts, in, &csv, i, err);
	return r < 0 ? r : check_ids(in, &csv, opts->tests_path, err);
}

/* The template is a text, and not an empty one. */
static int check_template(const struct inputs_opts *opts, const struct inputs *in,
			  struct err *err)
{
	const struct str *text = &in->fio.text;

	if (!str_is_utf8(str_text(text), text->len))
		return err_set(err, -EINVAL, "%s: not UTF-8 text (or a NUL byte)",
			       opts->fio_path);
	if (!text->len)
		return err_set(err, -EINVAL, "%s: empty", opts->fio_path);
	return 0;
}

int inputs_read(const struct inputs_opts *opts, struct inputs *ret, struct err *err)
{
	struct inputs in = {0};
	int r = read_input(opts->tests_path, 8 << 20, &in.tests, err);

	if (r == 0)
		r = read_input(opts->fio_path, FIO_JOB_MAX_BYTES, &in.fio, err);
	if (r == 0 && opts->configs_path)
		r = read_input(opts->configs_path, 8 << 20, &in.configs, err);
	if (r == 0)
		r = check_template(opts, &in, err);
	if (r == 0)
		r = inputs_cases(opts, &in, err);
	if (r == 0)
		r = inputs_arms(opts, &in, err);
	if (r < 0) {
		inputs_done(&in);
		return r;
	}
	*ret = in;
	return 0;
}

void inputs_done(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->n_cases; i++)
		json_decref(inputs->cases[i].params);
	for (size_t i = 0; i < inputs->n_arms; i++) {
		free(inputs->arms[i].args);
		free(inputs->arms[i].env);
	}
	for (size_t i = 0; i < inputs->n_kept; i++)
		free(inputs->kept[i]);
	free(inputs->kept);
	free(inputs->cases);
	free(inputs->facts);
	free(inputs->arms);
	free(inputs->binaries);
	str_done(&inputs->tests.text);
	str_done(&inputs->configs.text);
	str_done(&inputs->fio.text);
	*inputs = (struct inputs){0};
}
