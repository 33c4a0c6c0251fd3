// SPDX-License-Identifier: Apache-2.0
// The metadata server of a Google Cloud virtual machine.
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/auth_impl.h"
#include "core/clock.h"

enum { WATCH_EXTRA_S = 10, WATCH_MAX_BYTES = 4096 };

/* The server's fixed address: no name service is needed early in the boot. */
static const char default_host[] = "169.254.169.254";
static const int64_t connect_ns = 3LL * NS_PER_S;
static const int64_t limit_ns = 20LL * NS_PER_S;
/* What an answer may take beyond the wait that was asked for. */
static const int64_t watch_ns = 5LL * NS_PER_S;

static const char *named_host(void)
{
	const char *host = getenv("GCE_METADATA_HOST");

	if (!host || !*host)
		host = getenv("GCE_METADATA_ROOT");
	return host && *host ? host : NULL;
}

bool metadata_is_here(void)
{
	char name[64] = "";
	cleanup_close int fd = -1;

	if (named_host())
		return true;
	fd = open("/sys/class/dmi/id/product_name", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 &&
	       str_starts(name, "Google");
}

/* Another web server on that address must not be believed. */
static int check_flavor(const struct http_response *resp, const char *host,
			struct err *err)
{
	char flavor[32];

	if (http_header(resp, "Metadata-Flavor", flavor, sizeof(flavor)) &&
	    strcmp(flavor, "Google") == 0)
		return 0;
	return err_set(err, -EBADMSG, "%.100s is no metadata server (HTTP %ld)", host,
		       resp->status);
}

static int read_reply(const struct http_response *resp, const char *host,
		      const char *path, struct str *ret, struct err *err)
{
	int n = (int)strcspn(path, "?");
	int r = check_flavor(resp, host, err);

	if (r < 0)
		return r;
	if (resp->status == 404)
		return err_set(err, -ENOENT, "the metadata server has no %.*s", n, path);
	if (resp->status != 200)
		return err_set(err, -EIO,
			       "the metadata server answered %.*s with HTTP %ld", n, path,
			       resp->status);
	str_addn(ret, resp->body.s, resp->body.len);
	return str_check(ret, "the metadata server's reply", err);
}

/* The value at @path; @url and @host have to outlive the request. */
static struct http_request request_for(const char *url, const char *host,
				       const int *cancel_fd, uint64_t max_bytes)
{
	return (struct http_request){.method = "GET",
				     .url = url,
				     .headers = {"Metadata-Flavor: Google"},
				     .connect_ns = connect_ns,
				     .cancel_fd = cancel_fd,
				     .plain_host = host,
				     .without_proxy = true,
				     .max_bytes = max_bytes};
}

int metadata_get(struct http *http, const char *path, uint64_t max_bytes,
		 int64_t deadline_ns, int cancel_fd, struct str *ret, struct err *err)
{
	cleanup_response struct http_response resp = {0};
	const char *host = named_host();
	cleanup_free char *url = NULL;
	cleanup_free char *name = NULL;
	struct retry retry = {.is_idempotent = true};
	struct http_request req;
	int r;

	if (!metadata_is_here())
		return err_set(err, -EHOSTUNREACH, "this machine has no metadata server");
	if (!host)
		host = default_host;
	url = xasprintf("http://%s/computeMetadata/v1/%s", host, path);
	name = xstrndup(host, strcspn(host, ":"));
	r = retry_base_from_env(&retry.base_ns, err);
	if (r < 0)
		return r;
	retry.deadline_ns = deadline_ns ? deadline_ns : clock_mono_ns() + limit_ns;
	retry_begin(&retry, clock_mono_ns());
	req = request_for(url, name, &cancel_fd, max_bytes);
	req.deadline_ns = retry.deadline_ns;
	r = auth_repeat(http, &req, &retry, &resp, err);
	return r < 0 ? err_wrap(err, r, "metadata server")
		     : read_reply(&resp, host, path, ret, err);
}

/* It goes back into a URL as it is. */
static bool is_plain_etag(const char *etag)
{
	return etag[0] && strspn(etag, "0123456789abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") == strlen(etag);
}

static char *watch_url(const char *host, const char *path, const char *etag)
{
	if (!etag[0])
		return xasprintf("http://%s/computeMetadata/v1/%s", host, path);
	return xasprintf("http://%s/computeMetadata/v1/%s?wait_for_change=true"
			 "&last_etag=%s&timeout_sec=%d",
			 host, path, etag, METADATA_WAIT_S);
}

int metadata_watch(struct http *http, const char *path, char etag[METADATA_ETAG_CAP],
		   uint64_t max_bytes, int cancel_fd, struct str *ret, struct err *err)
{
	cleanup_response struct http_response resp = {0};
	int64_t wait_ns = etag[0] ? (int64_t)METADATA_WAIT_S * NS_PER_S : 0;
	const char *host = named_host() ? named_host() : default_host;
	cleanup_free char *url = watch_url(host, path, etag);
	cleanup_free char *name = xstrndup(host, strcspn(host, ":"));
	struct http_request req = request_for(url, name, &cancel_fd, max_bytes);
	struct err why = {0};
	int r;

	if (!metadata_is_here())
		return err_set(err, -EHOSTUNREACH, "this machine has no metadata server");
	req.class = HTTP_BULK;
	req.deadline_ns = clock_mono_ns() + wait_ns + watch_ns;
	/* nothing is kept that could have died unnoticed before the next look */
	req.headers[1] = "Connection: close";
	r = http_do(http, &req, &resp, &why);
	if (r < 0)
		return err_set(err, r, "metadata server: %s", why.text);
	r = read_reply(&resp, host, path, ret, err);
	if (r < 0)
		return r;
	if (!http_header(&resp, "ETag", etag, METADATA_ETAG_CAP) || !is_plain_etag(etag))
		etag[0] = '\0';
	return 0;
}
