// SPDX-License-Identifier: Apache-2.0
// The names a layout is made of: runs, buckets, prefixes, steps.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifests/fields.h"
#include "manifests/paths.h"

static bool is_low_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool run_id_is_valid(const char *id)
{
	size_t n = strlen(id);

	return n >= 1 && n < RUN_CAP && is_low_alnum(id[0]) && is_low_alnum(id[n - 1]) &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

bool bucket_is_valid(const char *bucket)
{
	size_t n = strlen(bucket);

	return n >= 1 && n < STORE_BUCKET_CAP && is_low_alnum(bucket[0]) &&
	       is_low_alnum(bucket[n - 1]) && !strstr(bucket, "..") &&
	       strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

bool prefix_is_valid(const char *prefix)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._=+@~-";
	const char *p = prefix;

	if (strlen(prefix) >= sizeof(((struct run_ref *)0)->prefix))
		return false;
	if (!*p)
		return true;
	for (;; p++) {
		size_t n = strspn(p, chars);

		if (!n || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (!*p)
			return true;
		if (*p != '/')
			return false;
	}
}

bool path_has_dotdot(const char *text)
{
	for (const char *p = strstr(text, ".."); p; p = strstr(p + 1, "..")) {
		bool begins = p == text || strchr("/=", p[-1]);
		bool ends = !p[2] || p[2] == '/';

		if (begins && ends)
			return true;
	}
	return false;
}

/* @from up to @end into @out; false when it does not fit. */
static bool copy_part(char *out, size_t cap, const char *from, const char *end)
{
	size_t n = (size_t)(end - from);

	if (n >= cap)
		return false;
	memcpy(out, from, n);
	out[n] = '\0';
	return true;
}

static const char *run_ref_take(const char *url, struct run_ref *ref)
{
	const char *bucket = url + 5, *path = strchr(bucket, '/'), *end, *run;

	if (!path || !path[1])
		return "the run's name is missing after the bucket";
	if (!copy_part(ref->bucket, sizeof(ref->bucket), bucket, path) ||
	    !bucket_is_valid(ref->bucket))
		return "that is no bucket's name";
	end = path + strlen(path);
	if (end[-1] == '/')
		end--;
	for (run = end; run[-1] != '/';)
		run--;
	if (!copy_part(ref->run, sizeof(ref->run), run, end) ||
	    !run_id_is_valid(ref->run))
		return "a run's name has 1 to 63 of a-z, 0-9 and '-', and does not begin "
		       "or end with '-'";
	if (run - 1 > path &&
	    (!copy_part(ref->prefix, sizeof(ref->prefix), path + 1, run - 1) ||
	     !*ref->prefix || !prefix_is_valid(ref->prefix)))
		return "a prefix has parts of letters, digits and ._=+@~- between single "
		       "slashes, none of them \"..\", and at most 512 characters";
	return NULL;
}

int run_ref_parse(const char *url, struct run_ref *ret, struct err *err)
{
	struct run_ref ref = {0};
	char shown[EXCERPT_CAP];
	const char *why;

	why = str_starts(url, "gs://") ? run_ref_take(url, &ref)
				       : "it does not begin with gs://";
	if (why) {
		excerpt(shown, url);
		return err_set(err, -EINVAL,
			       "\"%s\" is not a run's URL (gs://bucket[/prefix]/run): %s",
			       shown, why);
	}
	*ret = ref;
	return 0;
}

void run_ref_url(const struct run_ref *run, struct str *ret)
{
	str_addf(ret, "gs://%s/%s%s%s", run->bucket, run->prefix, *run->prefix ? "/" : "",
		 run->run);
}

void step_id_format(char out[STEP_ID_CAP], unsigned matrix_id, unsigned iteration)
{
	snprintf(out, STEP_ID_CAP, "%u-%u", matrix_id, iteration);
}

/* One number of a step id: no sign, no leading zero, from 1. */
static bool step_number(const char *digits, size_t n, unsigned *ret)
{
	uint64_t v = 0;

	if (n < 1 || n > 10 || digits[0] == '0')
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint64_t)(digits[i] - '0');
	*ret = (unsigned)v;
	return v <= UINT32_MAX;
}

int step_id_parse(const char *id, unsigned *ret_matrix_id, unsigned *ret_iteration,
		  struct err *err)
{
	size_t n = strspn(id, "0123456789");
	size_t m = id[n] == '-' ? strspn(id + n + 1, "0123456789") : 0;
	unsigned matrix_id = 0, iteration = 0;
	char shown[EXCERPT_CAP];

	if (id[n] != '-' || id[n + 1 + m] || !step_number(id, n, &matrix_id) ||
	    !step_number(id + n + 1, m, &iteration)) {
		excerpt(shown, id);
		return err_set(err, -EINVAL,
			       "\"%s\" is not a step (<matrix_id>-<iteration>)", shown);
	}
	*ret_matrix_id = matrix_id;
	*ret_iteration = iteration;
	return 0;
}
