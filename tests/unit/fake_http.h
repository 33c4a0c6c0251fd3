// SPDX-License-Identifier: Apache-2.0
// A scripted HTTP server in a thread: answers the n-th request with the n-th reply.
#ifndef TESTS_UNIT_FAKE_HTTP_H
#define TESTS_UNIT_FAKE_HTTP_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/str.h"

/* Replies that are no bytes: what happens to the connection instead. */
#define FAKE_RESET "!reset" /* after the whole request was read */
#define FAKE_CLOSE "!close"
#define FAKE_STALL "!stall" /* never answered */
/*
 * A reply that begins with '~' is followed by closing the connection; with '<' it is sent
 * once the request's head is there, and the connection closed then.
 * A '+' before any of these: it happens 500 ms after the request was read.
 * "Content-Length: *" becomes the true length.
 */

enum { FAKE_CONNECTIONS = 16, FAKE_REPLIES = 32 };

struct fake {
	const char *replies[FAKE_REPLIES]; /* up to the first NULL; then FAKE_CLOSE */
	int listen_fd, wake[2];
	unsigned port;
	pthread_t thread;
	_Atomic unsigned n_requests, n_connections;
	struct str requests[FAKE_REPLIES]; /* as received, head and body */
};

static bool fake_is_whole(const struct str *request)
{
	const char *text = str_text(request), *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "\r\nContent-Length: ");
	uint64_t n = 0;

	if (!end)
		return false;
	if (length && length < end) {
		char digits[24] = "";
		size_t len = strcspn(length + 18, "\r");

		memcpy(digits, length + 18, len < 23 ? len : 23);
		parse_u64(digits, &n, NULL);
	}
	return request->len >= (size_t)(end - text) + 4 + n;
}

static void fake_abort(int fd)
{
	struct linger hard = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

static bool fake_send(int fd, const char *reply)
{
	static const char star[] = "Content-Length: *";
	const char *at = strstr(reply, star), *body = strstr(reply, "\r\n\r\n");
	struct str text = STR_INIT(1 << 20);
	bool good;

	if (at && body) {
		str_addn(&text, reply, (size_t)(at - reply));
		str_addf(&text, "Content-Length: %zu%s", strlen(body + 4),
			 at + strlen(star));
	} else {
		str_add(&text, reply);
	}
	good = send(fd, text.s, text.len, MSG_NOSIGNAL) > 0;
	str_done(&text);
	return good;
}

/* Answers one whole request; false when the connection is to be closed. */
static bool fake_answer(struct fake *fake, int fd, struct str *request)
{
	unsigned i = fake->n_requests;
	const char *reply = i < FAKE_REPLIES ? fake->replies[i] : NULL;

	if (i < FAKE_REPLIES) {
		fake->requests[i] = *request;
		*request = STR_INIT(64 << 20);
	}
	fake->n_requests++;
	if (reply && *reply == '+') {
		usleep(500000);
		reply++;
	}
	if (!reply || strcmp(reply, FAKE_CLOSE) == 0)
		return false;
	if (strcmp(reply, FAKE_RESET) == 0) {
		fake_abort(fd);
		return false;
	}
	if (strcmp(reply, FAKE_STALL) == 0)
		return true;
	if (*reply == '~' || *reply == '<') {
		fake_send(fd, reply + 1);
		return false;
	}
	return fake_send(fd, reply);
}

static bool fake_is_early(const struct fake *fake, const struct str *request)
{
	unsigned i = fake->n_requests;
	const char *reply = i < FAKE_REPLIES ? fake->replies[i] : NULL;

	return reply && *reply == '<' && strstr(str_text(request), "\r\n\r\n");
}

static bool fake_read(struct fake *fake, int fd, struct str *request)
{
	char buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n <= 0)
		return false;
	str_addn(request, buf, (size_t)n);
	if (!fake_is_whole(request) && !fake_is_early(fake, request))
		return true;
	return fake_answer(fake, fd, request);
}

static void *fake_serve(void *arg)
{
	struct fake *fake = arg;
	struct pollfd fds[FAKE_CONNECTIONS + 2] = {
		{.fd = fake->listen_fd, .events = POLLIN},
		{.fd = fake->wake[0], .events = POLLIN}};
	struct str requests[FAKE_CONNECTIONS + 2] = {{0}};

	for (size_t i = 2; i < FAKE_CONNECTIONS + 2; i++)
		fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	while (poll(fds, FAKE_CONNECTIONS + 2, -1) >= 0 && !fds[1].revents) {
		for (size_t i = 2; i < FAKE_CONNECTIONS + 2; i++) {
			if (fds[i].fd >= 0 && fds[i].revents &&
			    !fake_read(fake, fds[i].fd, &requests[i])) {
				close(fds[i].fd);
				fds[i].fd = -1;
				str_done(&requests[i]);
			} else if (fds[i].fd < 0 && fds[0].revents) {
				fds[i].fd = accept(fake->listen_fd, NULL, NULL);
				fds[i].revents = fds[0].revents = 0;
				requests[i] = STR_INIT(64 << 20);
				fake->n_connections++;
			}
		}
	}
	for (size_t i = 2; i < FAKE_CONNECTIONS + 2; i++) {
		if (fds[i].fd >= 0)
			close(fds[i].fd);
		str_done(&requests[i]);
	}
	return NULL;
}

__attribute__((unused)) static void fake_start(struct fake *fake)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);

	fake->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake->listen_fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fake->listen_fd, 16) < 0 || pipe(fake->wake) < 0 ||
	    getsockname(fake->listen_fd, (struct sockaddr *)&at, &n) < 0)
		abort();
	fake->port = ntohs(at.sin_port);
	if (pthread_create(&fake->thread, NULL, fake_serve, fake) != 0)
		abort();
}

__attribute__((unused)) static void fake_stop(struct fake *fake)
{
	close(fake->wake[1]);
	pthread_join(fake->thread, NULL);
	close(fake->wake[0]);
	close(fake->listen_fd);
	for (size_t i = 0; i < FAKE_REPLIES; i++)
		str_done(&fake->requests[i]);
}

/* The i-th request as text; valid once the exchange is over. */
__attribute__((unused)) static const char *fake_request(const struct fake *fake, size_t i)
{
	return str_text(&fake->requests[i]);
}

#endif
