// SPDX-License-Identifier: Apache-2.0
// Sockets.
#include "emulator/net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "core/str.h"
#include "emulator/server.h"

enum { BACKLOG = 1024 };

static int url_of(int fd, const char *address, char *ret_url, size_t url_cap,
		  struct err *err)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound = {0};
	socklen_t len = sizeof(bound);
	unsigned port;

	if (getsockname(fd, &bound.any, &len) < 0)
		return err_errno(err, -errno, "cannot read the port");
	if (bound.any.sa_family == AF_INET6) {
		port = ntohs(bound.v6.sin6_port);
		snprintf(ret_url, url_cap, "http://[%.200s]:%u", address, port);
	} else {
		port = ntohs(bound.v4.sin_port);
		snprintf(ret_url, url_cap, "http://%.200s:%u", address, port);
	}
	return 0;
}

static int listen_on(const struct addrinfo *ai, const struct emu_listen *at,
		     struct err *err)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0)
		return err_errno(err, -errno, "cannot open a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		int r = -errno;

		close(fd);
		return err_errno(err, r, "cannot listen on %s port %u", at->address,
				 (unsigned)at->port);
	}
	return fd;
}

int emu_net_listen(const struct emu_listen *at, char *ret_url, size_t url_cap,
		   struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	char port[8];
	int fd, r;

	snprintf(port, sizeof(port), "%u", (unsigned)at->port);
	r = getaddrinfo(at->address, port, &hints, &found);
	if (r)
		return err_set(err, -EINVAL, "cannot listen on %s: %s", at->address,
			       gai_strerror(r));
	fd = listen_on(found, at, err);
	freeaddrinfo(found);
	if (fd < 0)
		return fd;
	r = url_of(fd, at->address, ret_url, url_cap, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

void emu_net_reset(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	/*
	 * Dissolving the association sends RST at once (connect(2), AF_UNSPEC). With
	 * SO_LINGER alone the library's own shutdown() would send FIN before.
	 */
	if (info)
		connect(info->connect_fd, &nowhere, sizeof(nowhere));
}
