// SPDX-License-Identifier: Apache-2.0
// URLs of the JSON API, the endpoint, headers from the environment.
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "core/store_gcs_impl.h"

enum { URL_MAX = 16 * 1024 };

static void add_query(struct str *s, const char *key, const char *value)
{
	str_addf(s, "%s%s=", memchr(s->s, '?', s->len) ? "&" : "?", key);
	str_add_percent(s, value, "");
}

/* The name is one path segment: its slashes are encoded too. */
char *gcs_object_url(const struct gcs *gcs, const char *name, const char *suffix,
		     const char *query)
{
	struct str s = STR_INIT(URL_MAX);

	str_addf(&s, "%s/storage/v1/b/%s/o/", gcs->base, gcs->store.bucket);
	str_add_percent(&s, name, "");
	str_addf(&s, "%s%s%s", suffix, *query ? "?" : "", query);
	return str_steal(&s);
}

char *gcs_list_url(const struct gcs *gcs, const struct list_req *req,
		   const char *page_token, unsigned max_results)
{
	struct str s = STR_INIT(URL_MAX);

	str_addf(&s, "%s/storage/v1/b/%s/o?maxResults=%u", gcs->base, gcs->store.bucket,
		 max_results);
	str_addf(&s, "&fields=items(%s),prefixes,nextPageToken&prettyPrint=false",
		 req->is_brief ? GCS_BRIEF_FIELDS : GCS_META_FIELDS);
	if (req->prefix && *req->prefix)
		add_query(&s, "prefix", req->prefix);
	if (req->one_level)
		add_query(&s, "delimiter", "/");
	if (req->start_offset)
		add_query(&s, "startOffset", req->start_offset);
	if (page_token)
		add_query(&s, "pageToken", page_token);
	return str_steal(&s);
}

char *gcs_precondition(const struct put_req *req)
{
	if (req->precondition == PUT_ANY)
		return xstrdup("");
	return xasprintf("ifGenerationMatch=%" PRIu64,
			 req->precondition == PUT_CREATE ? 0 : req->if_generation);
}

char *gcs_upload_url(const struct gcs *gcs, const char *type, const char *name,
		     const struct put_req *req)
{
	cleanup_free char *condition = gcs_precondition(req);
	struct str s = STR_INIT(URL_MAX);

	str_addf(&s, "%s/upload/storage/v1/b/%s/o?uploadType=%s", gcs->base,
		 gcs->store.bucket, type);
	add_query(&s, "name", name);
	str_addf(&s, "%s%s&fields=" GCS_META_FIELDS, *condition ? "&" : "", condition);
	return str_steal(&s);
}

int gcs_endpoint(const char *url, char **ret_base, char **ret_plain_host, struct err *err)
{
	bool is_plain = str_starts(url, "http://");
	const char *host = strstr(url, "://");
	size_t n = strlen(url), host_n;

	if (!host || (!is_plain && !str_starts(url, "https://")))
		return err_set(err, -EINVAL,
			       "endpoint \"%.100s\": not http(s)://host:port", url);
	host += strlen("://");
	if (strpbrk(host, "@?# \t\r\n\"<>\\"))
		return err_set(err, -EINVAL,
			       "endpoint \"%.100s\": not http(s)://host:port", url);
	while (n && url[n - 1] == '/')
		n--;
	host_n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	if (host_n == 0 || host_n > strlen(host))
		return err_set(err, -EINVAL, "endpoint \"%.100s\" names no host", url);
	*ret_base = xstrndup(url, n);
	if (is_plain)
		*ret_plain_host = xstrndup(host, host_n);
	return 0;
}

/* RFC 9110 token characters, a colon, printable text; never a credential. */
static int check_header(const char *line, struct err *err)
{
	size_t n = strcspn(line, ":");

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)line[i]) &&
		    !strchr("!#$%&'*+-.^_`|~", line[i]))
			n = 0;
	for (const char *at = line; *at; at++)
		if ((unsigned char)*at < ' ' && *at != '\t')
			n = 0;
	if (n == 0 || line[n] != ':')
		return err_set(err, -EINVAL,
			       "MUSTER_EXTRA_HEADERS: a line is not \"Name: value\"");
	if (n == strlen("authorization") && strncasecmp(line, "authorization", n) == 0)
		return err_set(err, -EINVAL,
			       "MUSTER_EXTRA_HEADERS: %.*s is not for the environment",
			       (int)n, line);
	return 0;
}

int gcs_extra_headers(char *text, const char *ret[GCS_EXTRA_MAX], struct err *err)
{
	size_t n = 0;

	for (char *line, *rest = text; (line = strsep(&rest, "\n"));) {
		size_t len = strlen(line);
		int r;

		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		if (!len)
			continue;
		if (n == GCS_EXTRA_MAX)
			return err_set(err, -E2BIG,
				       "MUSTER_EXTRA_HEADERS: more than %d lines",
				       GCS_EXTRA_MAX);
		r = check_header(line, err);
		if (r < 0)
			return r;
		ret[n++] = line;
	}
	return 0;
}
