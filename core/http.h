// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 exchange at a time over kept-alive connections.
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

/** struct http - connections and TLS sessions; belongs to one thread at a time. */
struct http;

/** enum http_outcome - how far an exchange got; what a retry may conclude from it. */
enum http_outcome {
	HTTP_ANSWERED,	/* a whole reply, whatever its status */
	HTTP_UNREACHED, /* no connection: the request cannot have arrived */
	HTTP_BROKEN, /* failed or stalled in mid-exchange: it may have been carried out */
	HTTP_LATE,   /* the deadline passed: it may have been carried out */
	HTTP_CANCELLED, /* the cancel descriptor became readable */
	HTTP_REFUSED,	/* pointless to repeat: URL, certificate, local read or write */
};

/** enum http_class - when silence counts as a stall. */
enum http_class {
	HTTP_SMALL, /* 15 s without a byte */
	HTTP_BULK,  /* 60 s without a byte */
};

/** struct http_part - a piece of a request's body: memory, or @n bytes of a file. */
struct http_part {
	const void *data; /* NULL: read @fd from @offset with pread */
	uint64_t n;
	int fd;
	uint64_t offset;
};

enum { HTTP_PARTS_MAX = 3, HTTP_HEADERS_MAX = 24 };

struct http_response;

/** http_data_fn - bytes of a 200 or 206; negative ends the exchange (HTTP_REFUSED). */
typedef int http_data_fn(const struct http_response *so_far, const void *bytes, size_t n,
			 void *arg, struct err *err);

/** http_sent_fn - bytes of the body as they go out; never twice within one exchange. */
typedef void http_sent_fn(const void *bytes, size_t n, void *arg);

/** struct http_request - everything is borrowed for the duration of http_do(). */
struct http_request {
	const char *method; /* GET, PUT, POST, DELETE */
	const char *url;
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value"; NULLs are skipped */
	struct http_part parts[HTTP_PARTS_MAX];
	enum http_class class;
	int64_t deadline_ns;	/* CLOCK_MONOTONIC; 0 = none */
	int64_t answer_by_ns;	/* CLOCK_MONOTONIC: a reply must have begun; 0 = none */
	int64_t connect_ns;	/* 0 = 10 s */
	const int *cancel_fd;	/* NULL, or -1 inside = none */
	const char *plain_host; /* http:// allowed to this host besides loopback */
	bool without_proxy;	/* loopback never uses one */
	bool on_new_connection; /* after a failure: the old one may be what failed */
	uint64_t max_bytes;	/* of the reply's body in memory; 0 = 1 MiB */
	http_data_fn *on_data;	/* NULL: the body goes to the response */
	http_sent_fn *on_sent;	/* or NULL */
	void *arg;		/* of both */
};

/** struct http_response - initialise with `{0}`; http_response_done() frees and wipes. */
struct http_response {
	enum http_outcome outcome;
	long status;	 /* 0 = none arrived */
	struct str head; /* "name: value\n" of the final reply; see http_header() */
	struct str body; /* what on_data did not take; errors are cut at 64 KiB */
	int64_t retry_after_ns;		     /* 0 = the server did not say */
	uint64_t sent_bytes, received_bytes; /* of bodies */
};

/**
 * http_new() - no connection is made; -ENOMEM.
 *
 * The first call of the process initialises libcurl; threads may race here.
 */
int http_new(struct http **ret, struct err *err);
void http_free(struct http *http);

/**
 * http_do() - one exchange, never repeated: not even when a kept-alive connection turns
 * out dead, which libcurl would otherwise hide (a repeated create answers 412).
 *
 * Returns 0 if a whole reply arrived (@ret->outcome HTTP_ANSWERED), whatever its status;
 * else -errno, and @err says what happened without naming URL or headers.
 * Redirects are not followed. TLS is 1.2 or newer and always verified, against
 * SSL_CERT_FILE or the system's bundle.
 */
int http_do(struct http *http, const struct http_request *req, struct http_response *ret,
	    struct err *err);

/**
 * http_header() - the value of @name (any case) of the final reply, in @out.
 *
 * Several headers of the name are joined by ", ". false if absent or too long.
 */
bool http_header(const struct http_response *resp, const char *name, char *out,
		 size_t cap);

/** http_response_add_head() - take in one header line as received; for http.c and tests.
 */
void http_response_add_head(struct http_response *resp, const char *line, size_t n);

void http_response_done(struct http_response *resp);
#define cleanup_response cleanup(http_response_done)

/** http_is_loopback() - localhost, 127.0.0.0/8 or ::1, with or without brackets. */
bool http_is_loopback(const char *host);

/** http_pause() - wait until @mono_ns; -ECANCELED when @cancel_fd (or -1) is readable. */
int http_pause(int64_t mono_ns, int cancel_fd);

/**
 * http_get() - a public document without credentials, retried for up to a minute (15 s
 * when nothing answers at all).
 *
 * @url: https, or http to loopback
 * @body: appended to; @max_bytes bounds what is added (-EFBIG)
 * @status: of the reply; a 4xx is not an error here, and its text is the body
 */
int http_get(struct http *http, const char *url, uint64_t max_bytes, struct str *body,
	     long *status, struct err *err);

static inline void http_free_fn(struct http **http)
{
	http_free(*http);
}
#define cleanup_http cleanup(http_free_fn)

#endif
