// SPDX-License-Identifier: Apache-2.0
// What an HTTP reply says beside its body; hosts; waiting.
#include "core/http.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"

enum { HEAD_MAX = 64 * 1024 };

void http_response_add_head(struct http_response *resp, const char *line, size_t n)
{
	const char *colon;

	if (!resp->head.max)
		resp->head = STR_INIT(HEAD_MAX);
	while (n && (line[n - 1] == '\r' || line[n - 1] == '\n'))
		n--;
	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* the final reply begins: forget the headers of an interim one */
		str_reset(&resp->head);
		return;
	}
	colon = memchr(line, ':', n);
	if (!colon || colon == line || memchr(line, '\n', n) || memchr(line, '\0', n))
		return;
	str_addn(&resp->head, line, n);
	str_addc(&resp->head, '\n');
}

/* The value that begins after the colon at @at, trimmed; @ret_n is its length. */
static const char *value_of(const char *at, size_t n, size_t *ret_n)
{
	while (n && (*at == ' ' || *at == '\t')) {
		at++;
		n--;
	}
	while (n && (at[n - 1] == ' ' || at[n - 1] == '\t'))
		n--;
	*ret_n = n;
	return at;
}

bool http_header(const struct http_response *resp, const char *name, char *out,
		 size_t cap)
{
	struct str all = STR_INIT(cap - 1);
	size_t name_n = strlen(name);
	const char *line = str_text(&resp->head);
	bool is_found = false;

	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		size_t n = (size_t)(end - line);
		const char *value;

		if (n <= name_n || line[name_n] != ':' ||
		    strncasecmp(line, name, name_n) != 0)
			continue;
		value = value_of(line + name_n + 1, n - name_n - 1, &n);
		if (is_found)
			str_add(&all, ", ");
		str_addn(&all, value, n);
		is_found = true;
	}
	is_found = is_found && !all.failed && str_copy(out, cap, str_text(&all));
	if (!is_found)
		out[0] = '\0';
	str_done(&all);
	return is_found;
}

void http_response_done(struct http_response *resp)
{
	/* Location of an upload session and a token reply's body are secrets */
	if (resp->head.s)
		explicit_bzero(resp->head.s, resp->head.cap);
	if (resp->body.s)
		explicit_bzero(resp->body.s, resp->body.cap);
	str_done(&resp->head);
	str_done(&resp->body);
	*resp = (struct http_response){0};
}

bool http_is_loopback(const char *host)
{
	uint64_t part;
	unsigned n = 0;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	    strcmp(host, "[::1]") == 0)
		return true;
	if (!str_starts(host, "127."))
		return false;
	for (const char *at = host; n < 4; n++) {
		size_t len = strcspn(at, ".");
		char digits[4];

		if (len == 0 || len > 3)
			return false;
		memcpy(digits, at, len);
		digits[len] = '\0';
		if (parse_u64(digits, &part, NULL) < 0 || part > 255)
			return false;
		at += len;
		if (*at == '\0')
			return n == 3;
		at++;
	}
	return false;
}

int http_pause(int64_t mono_ns, int cancel_fd)
{
	for (;;) {
		struct pollfd fd = {.fd = cancel_fd, .events = POLLIN};
		int64_t left_ns = mono_ns - clock_mono_ns();
		struct timespec wait = {0};
		int n;

		if (left_ns > 0) {
			wait.tv_sec = (time_t)(left_ns / NS_PER_S);
			wait.tv_nsec = (long)(left_ns % NS_PER_S);
		}
		n = ppoll(&fd, 1, &wait, NULL);
		if (n > 0)
			return -ECANCELED;
		if (n == 0)
			return 0;
	}
}
