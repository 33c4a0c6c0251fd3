// SPDX-License-Identifier: Apache-2.0
// What is common to all stores: gs:// URLs, the emulator's address, closing.
#include "core/store.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { BUCKET_MIN = 3 };

void store_close(struct store *store)
{
	if (store)
		store->ops->close(store);
}

char *store_endpoint_from_env(void)
{
	const char *host = getenv("STORAGE_EMULATOR_HOST");

	if (!host || !*host)
		return NULL;
	return strstr(host, "://") ? xstrdup(host) : xasprintf("http://%s", host);
}

/* Cloud Storage's bucket naming, as far as it keeps a URL unambiguous. */
static bool is_bucket(const char *name, size_t n)
{
	if (n < BUCKET_MIN || n >= STORE_BUCKET_CAP || name[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!islower((unsigned char)name[i]) &&
		    !isdigit((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return true;
}

int store_url_parse(const char *url, struct store_url *ret, struct err *err)
{
	struct store_url got = {0};
	const char *at = url + strlen("gs://");
	size_t n;

	if (!str_starts(url, "gs://"))
		return err_set(err, -EINVAL, "\"%.100s\" is not a gs://bucket/name URL",
			       url);
	n = strcspn(at, "/");
	if (!is_bucket(at, n))
		return err_set(err, -EINVAL,
			       "\"%.100s\": a bucket's name has 3 to 222 characters of "
			       "a-z 0-9 - _ .",
			       url);
	memcpy(got.bucket, at, n);
	at += n;
	at += *at == '/';
	if (!str_copy(got.name, sizeof(got.name), at))
		return err_set(err, -EINVAL,
			       "\"%.100s…\": an object's name has at most 1024 bytes",
			       url);
	if (!str_is_utf8(got.name, strlen(got.name)) || strpbrk(got.name, "\r\n"))
		return err_set(
			err, -EINVAL,
			"\"%.100s\": an object's name is UTF-8 without line breaks", url);
	*ret = got;
	return 0;
}
