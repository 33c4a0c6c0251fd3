// SPDX-License-Identifier: Apache-2.0
// HTTP exchanges over libcurl; the only file that includes curl.h.
#include "core/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"

enum {
	CONNECT_S = 10,
	STALL_SMALL_S = 15,
	STALL_BULK_S = 60,
	KEEP_S = 110, /* Google's front ends close idle connections after some minutes */
	BULK_BUFFER_BYTES = 512 * 1024,
	REPLY_DEFAULT_BYTES = 1024 * 1024,
	ERROR_BODY_BYTES = 64 * 1024,
	POLL_MS = 1000,
};

struct http {
	CURLM *multi;
	CURL *easy;
};

/* One exchange under way: what the callbacks share. */
struct exchange {
	CURL *easy;
	const struct http_request *req;
	struct http_response *resp;
	struct err *err;
	uint64_t max_bytes; /* of a good reply's body in memory */
	unsigned starts;    /* how often libcurl began to send the request */
	size_t part;
	uint64_t at;	  /* within that part */
	bool is_answered; /* a reply has begun */
	bool head_is_whole;
	int failure; /* of a callback */
};

static pthread_once_t init_once = PTHREAD_ONCE_INIT;
static CURLcode init_result;

static void init(void)
{
	init_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_new(struct http **ret, struct err *err)
{
	struct http *http;

	pthread_once(&init_once, init);
	if (init_result != CURLE_OK)
		return err_set(err, -ENOMEM, "libcurl does not start: %s",
			       curl_easy_strerror(init_result));
	http = xcalloc(1, sizeof(*http));
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (!http->multi || !http->easy) {
		http_free(http);
		return err_set(err, -ENOMEM, "libcurl: out of memory");
	}
	*ret = http;
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	free(http);
}

/* A second start within one exchange is libcurl sending the request again by itself. */
static int on_start(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct exchange *x = arg;

	(void)ip, (void)local_ip, (void)port, (void)local_port;
	return ++x->starts == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* Bytes of the part being sent: how many, 0 at the end of the body, or -errno. */
static ssize_t send_some(struct exchange *x, char *to, size_t n)
{
	const struct http_part *part;
	ssize_t got;

	while (x->part < HTTP_PARTS_MAX && x->at == x->req->parts[x->part].n) {
		x->part++;
		x->at = 0;
	}
	if (x->part == HTTP_PARTS_MAX)
		return 0;
	part = &x->req->parts[x->part];
	if (n > part->n - x->at)
		n = (size_t)(part->n - x->at);
	if (part->data) {
		memcpy(to, (const char *)part->data + x->at, n);
		got = (ssize_t)n;
	} else {
		do
			got = pread(part->fd, to, n, (off_t)(part->offset + x->at));
		while (got < 0 && errno == EINTR);
	}
	if (got < 0)
		return err_errno(x->err, -errno, "reading the file");
	if (got == 0)
		return err_set(x->err, -EIO, "the file became shorter");
	x->at += (uint64_t)got;
	return got;
}

static size_t on_send(char *to, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t n = size * count, have = 0;

	while (have < n) {
		ssize_t got = send_some(x, to + have, n - have);

		if (got < 0) {
			x->failure = (int)got;
			return CURL_READFUNC_ABORT;
		}
		if (got == 0)
			break;
		have += (size_t)got;
	}
	if (have && x->req->on_sent)
		x->req->on_sent(to, have, x->req->arg);
	x->resp->sent_bytes += have;
	return have;
}

static size_t on_head(char *line, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t n = size * count;

	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		x->is_answered = true;
		x->head_is_whole = false;
	}
	if (n == 2 && line[0] == '\r')
		x->head_is_whole = true;
	http_response_add_head(x->resp, line, n);
	return n;
}

/* An error's text: what is too long is cut, for it only goes into a message. */
static void take_error_text(struct exchange *x, const char *bytes, size_t n)
{
	size_t room = ERROR_BODY_BYTES - x->resp->body.len;

	str_addn(&x->resp->body, bytes, n < room ? n : room);
}

static size_t on_receive(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t n = size * count;

	x->resp->received_bytes += n;
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->resp->status);
	if (x->resp->status < 200 || x->resp->status > 299) {
		take_error_text(x, bytes, n);
		return n;
	}
	if (x->req->on_data) {
		x->failure = x->req->on_data(x->resp, bytes, n, x->req->arg, x->err);
		return x->failure < 0 ? 0 : n;
	}
	if (n <= x->max_bytes - x->resp->body.len) {
		str_addn(&x->resp->body, bytes, n);
		return n;
	}
	x->failure = err_set(x->err, -EFBIG, "the reply is larger than %zu bytes",
			     (size_t)x->max_bytes);
	return 0;
}

/* Where certificates of authorities are; nothing is compiled in. */
static const char *ca_bundle(struct err *err)
{
	static const char *const paths[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/cert.pem",
	};
	const char *chosen = getenv("SSL_CERT_FILE");

	if (chosen && *chosen) {
		if (access(chosen, R_OK) == 0)
			return chosen;
		err_errno(err, -errno, "SSL_CERT_FILE %s", chosen);
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (access(paths[i], R_OK) == 0)
			return paths[i];
	err_set(err, -ENOENT,
		"no certificates of authorities found (%s and others): install "
		"ca-certificates, or set SSL_CERT_FILE",
		paths[0]);
	return NULL;
}

/* What a URL means for the connection. */
struct target {
	bool is_https, is_loopback;
};

static int check_host(const struct http_request *req, const char *host,
		      struct target *ret, struct err *err)
{
	ret->is_loopback = http_is_loopback(host);
	if (ret->is_https || ret->is_loopback)
		return 0;
	if (req->plain_host && strcasecmp(host, req->plain_host) == 0)
		return 0;
	return err_set(err, -EINVAL, "http:// to %.100s is refused: https is needed",
		       host);
}

static int check_url(const struct http_request *req, struct target *ret, struct err *err)
{
	char *scheme = NULL, *host = NULL, *user = NULL;
	CURLU *url = curl_url();
	int r;

	if (!url || curl_url_set(url, CURLUPART_URL, req->url, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
		r = err_set(err, -EINVAL, "not a usable http(s) URL");
	} else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK) {
		r = err_set(err, -EINVAL, "a URL with a user name is refused");
	} else {
		ret->is_https = strcmp(scheme, "https") == 0;
		r = ret->is_https || strcmp(scheme, "http") == 0
			    ? check_host(req, host, ret, err)
			    : err_set(err, -EINVAL, "%.20s:// is refused", scheme);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(url);
	return r;
}

static int set_tls(CURL *easy, struct err *err)
{
	const char *bundle = ca_bundle(err);

	if (!bundle)
		return -EINVAL;
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
	return 0;
}

static void set_connection(CURL *easy, const struct http_request *req,
			   const struct target *target)
{
	int64_t connect_ns =
		req->connect_ns ? req->connect_ns : (int64_t)CONNECT_S * NS_PER_S;
	bool is_bulk = req->class == HTTP_BULK;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
			 target->is_https ? "https" : "http");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)KEEP_S);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_ns / NS_PER_MS));
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
			 is_bulk ? (long)STALL_BULK_S : (long)STALL_SMALL_S);
	/* an early 412 or 503 would otherwise cost the connection */
	curl_easy_setopt(easy, CURLOPT_KEEP_SENDING_ON_ERROR, is_bulk ? 0L : 1L);
	if (is_bulk) {
		curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BULK_BUFFER_BYTES);
		curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
				 (long)BULK_BUFFER_BYTES);
	}
	if (req->on_new_connection)
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (req->without_proxy || target->is_loopback)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "muster/" MUSTER_VERSION);
}

static void set_request(struct exchange *x, struct curl_slist *headers)
{
	const struct http_request *req = x->req;
	uint64_t n = 0;

	for (size_t i = 0; i < HTTP_PARTS_MAX; i++)
		n += req->parts[i].n;
	curl_easy_setopt(x->easy, CURLOPT_URL, req->url);
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, headers);
	if (strcmp(req->method, "PUT") == 0 || strcmp(req->method, "POST") == 0) {
		curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)n);
	}
	curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, req->method);
	curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, on_send);
	curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_receive);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_PREREQFUNCTION, on_start);
	curl_easy_setopt(x->easy, CURLOPT_PREREQDATA, x);
}

static int add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

/* No Expect (a round trip more), no chunked coding, no Content-Type of libcurl's own. */
static int make_headers(const struct http_request *req, struct curl_slist **ret)
{
	int r = add_header(ret, "Expect:");

	r = r < 0 ? r : add_header(ret, "Transfer-Encoding:");
	for (size_t i = 0; i < HTTP_HEADERS_MAX && r == 0; i++)
		if (req->headers[i])
			r = add_header(ret, req->headers[i]);
	return r;
}

static void free_headers(struct curl_slist *list)
{
	for (struct curl_slist *at = list; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(list);
}

/* Cuts *@wait_ms to the nearest deadline; false if that has passed. */
static bool time_left(const struct exchange *x, int *wait_ms)
{
	int64_t at_ns = x->req->deadline_ns, left_ns;

	/* whoever takes the request's body is there */
	if (x->req->answer_by_ns && !x->is_answered && !x->resp->sent_bytes &&
	    (!at_ns || x->req->answer_by_ns < at_ns))
		at_ns = x->req->answer_by_ns;
	if (!at_ns)
		return true;
	left_ns = at_ns - clock_mono_ns();
	if (left_ns > 0 && left_ns / NS_PER_MS < *wait_ms)
		*wait_ms = (int)(left_ns / NS_PER_MS) + 1;
	return left_ns > 0;
}

/* Drives the transfer to its end, the deadline, or cancellation. */
static enum http_outcome drive(struct http *http, struct exchange *x, CURLcode *ret_code)
{
	const struct http_request *req = x->req;
	struct curl_waitfd cancel = {.fd = req->cancel_fd ? *req->cancel_fd : -1,
				     .events = CURL_WAIT_POLLIN};
	unsigned n_cancel = cancel.fd >= 0 ? 1 : 0;

	for (;;) {
		int running = 0, left = 0, wait_ms = POLL_MS;
		CURLMsg *msg;

		curl_multi_perform(http->multi, &running);
		msg = curl_multi_info_read(http->multi, &left);
		if (msg && msg->msg == CURLMSG_DONE) {
			*ret_code = msg->data.result;
			return HTTP_ANSWERED;
		}
		if (!time_left(x, &wait_ms))
			return HTTP_LATE;
		cancel.revents = 0;
		curl_multi_poll(http->multi, &cancel, n_cancel, wait_ms, NULL);
		if (n_cancel && cancel.revents)
			return HTTP_CANCELLED;
	}
}

/* gcs-rest's table of libcurl codes: what is worth another try. */
static enum http_outcome classify(const struct exchange *x, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		/* libcurl takes a connection closed within the headers for an empty reply
		 */
		return x->head_is_whole ? HTTP_ANSWERED : HTTP_BROKEN;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_HTTP2_STREAM:
		return x->starts ? HTTP_BROKEN : HTTP_UNREACHED;
	case CURLE_ABORTED_BY_CALLBACK:
		return x->starts > 1 ? HTTP_BROKEN : HTTP_REFUSED;
	default:
		return HTTP_REFUSED;
	}
}

static int explain(const struct exchange *x, CURLcode code, const char *detail,
		   struct err *err)
{
	switch (x->resp->outcome) {
	case HTTP_ANSWERED:
		return 0;
	case HTTP_CANCELLED:
		return err_set(err, -ECANCELED, "interrupted");
	case HTTP_LATE:
		return err_set(err, -EAGAIN, "no %sanswer in time",
			       x->resp->status ? "complete " : "");
	case HTTP_UNREACHED:
		return err_set(err, -EAGAIN, "no connection: %s", detail);
	case HTTP_BROKEN:
		if (x->starts > 1 || code == CURLE_OK)
			detail = "connection closed before a whole reply";
		return err_set(err, -EAGAIN, "%s", detail);
	case HTTP_REFUSED:
		break;
	}
	return err_set(err, x->failure < 0 ? x->failure : -EIO, "%s", detail);
}

static int exchange_run(struct http *http, struct exchange *x)
{
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode code = CURLE_OK;
	curl_off_t after_s = 0;
	CURLMcode added;

	/* a request that must not be made any more is not begun */
	if (x->req->cancel_fd && *x->req->cancel_fd >= 0 &&
	    http_pause(0, *x->req->cancel_fd) < 0) {
		x->resp->outcome = HTTP_CANCELLED;
		return explain(x, code, detail, x->err);
	}
	curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, detail);
	added = curl_multi_add_handle(http->multi, x->easy);
	if (added != CURLM_OK) {
		x->resp->outcome = HTTP_REFUSED;
		return err_set(x->err, -EIO, "libcurl: %s", curl_multi_strerror(added));
	}
	x->resp->outcome = drive(http, x, &code);
	curl_multi_remove_handle(http->multi, x->easy);
	curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, NULL);
	if (x->resp->outcome == HTTP_ANSWERED)
		x->resp->outcome = classify(x, code);
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->resp->status);
	if (curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &after_s) == CURLE_OK &&
	    after_s > 0 && after_s < 1000000)
		x->resp->retry_after_ns = (int64_t)after_s * NS_PER_S;
	return explain(x, code, detail[0] ? detail : curl_easy_strerror(code), x->err);
}

int http_do(struct http *http, const struct http_request *req, struct http_response *ret,
	    struct err *err)
{
	struct exchange x = {.req = req, .resp = ret, .err = err, .easy = http->easy};
	struct curl_slist *headers = NULL;
	struct target target = {0};
	int r;

	http_response_done(ret);
	ret->outcome = HTTP_REFUSED;
	x.max_bytes = req->max_bytes ? req->max_bytes : (uint64_t)REPLY_DEFAULT_BYTES;
	ret->body =
		STR_INIT(x.max_bytes > ERROR_BODY_BYTES ? x.max_bytes : ERROR_BODY_BYTES);
	curl_easy_reset(http->easy);
	r = check_url(req, &target, err);
	if (r == 0 && target.is_https)
		r = set_tls(http->easy, err);
	if (r < 0)
		return r;
	if (make_headers(req, &headers) < 0) {
		free_headers(headers);
		return err_set(err, -ENOMEM, "libcurl: out of memory");
	}
	set_connection(http->easy, req, &target);
	set_request(&x, headers);
	r = exchange_run(http, &x);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
	free_headers(headers);
	return r;
}
