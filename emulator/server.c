// SPDX-License-Identifier: Apache-2.0
// The HTTP side: libmicrohttpd calls in, requests are stepped through, replies go out.
#include "emulator/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "core/json.h"
#include "emulator/net.h"
#include "emulator/reqlog.h"
#include "emulator/route.h"
#include "emulator/script.h"
#include "emulator/send.h"
#include "emulator/sessions.h"

enum {
	CONNECTIONS_MAX = 4096,
	IDLE_TIMEOUT_S = 600,
	/* per connection; a body is read in pieces of about this size */
	CONNECTION_MEMORY_BYTES = 512 * 1024,
	CONNECTION_MEMORY_STEP_BYTES = 128 * 1024,
	THREAD_STACK_BYTES = 1024 * 1024,
};

static void *on_uri(void *arg, const char *uri, struct MHD_Connection *conn)
{
	struct emu_req *req = xcalloc(1, sizeof(*req));

	req->server = arg;
	req->conn = conn;
	req->uri = xstrdup(uri);
	req->body = STR_INIT(EMU_JSON_MAX);
	req->reply.text = STR_INIT(0);
	return req;
}

/* libmicrohttpd must leave percent-encoding alone: %2F in a name is no separator. */
static size_t keep_encoded(void *arg, struct MHD_Connection *conn, char *text)
{
	(void)arg;
	(void)conn;
	return strlen(text);
}

static bool is_admin(const struct emu_req *req)
{
	return str_starts(req->uri, "/_emulator/") || str_starts(req->uri, "/retry_test");
}

static void answer_fault(struct emu_req *req)
{
	struct emu_fail f = {0};

	emu_fail(&f, req->hit.status, emu_fail_reason(req->hit.status),
		 "An injected fault.");
	emu_reply_fail(req, &f);
}

static void begin(struct emu_req *req, const char *method)
{
	struct emu_fail f = {0};
	int status;

	req->is_begun = true;
	req->method = method;
	req->authorization = emu_req_header(req, "Authorization");
	if (!is_admin(req)) {
		req->server->stats.requests++;
		req->hit = emu_faults_draw(req->server->faults, method, req->uri);
	}
	status = emu_route(req, &f);
	if (!status && !is_admin(req))
		status = emu_script_begin(req, &f);
	if (req->hit.kind != EMU_FAULT_NONE)
		req->server->stats.faults++;
	if (req->hit.kind == EMU_FAULT_STALL && !req->hit.after_bytes)
		emu_faults_sleep(req->server->faults, req->hit.seconds);
	if (status) {
		req->route = NULL;
		emu_reply_fail(req, &f);
	} else if (req->hit.kind == EMU_FAULT_STATUS && !req->hit.after_bytes) {
		req->route = NULL;
		answer_fault(req);
	} else if (req->route->begin) {
		req->route->begin(req);
	}
}

/* What a fault does to a piece of the body; returns how much of it is taken. */
static size_t strike_body(struct emu_req *req, size_t n)
{
	const struct emu_hit *hit = &req->hit;
	uint64_t before = req->body_bytes;

	if (hit->kind == EMU_FAULT_SLOW)
		emu_faults_sleep(req->server->faults,
				 (double)n / (double)hit->bytes_per_s);
	if (!hit->after_bytes || before + n < hit->after_bytes)
		return n;
	if (hit->kind == EMU_FAULT_STALL && before < hit->after_bytes)
		emu_faults_sleep(req->server->faults, hit->seconds);
	if (hit->kind != EMU_FAULT_STATUS)
		return n;
	return before < hit->after_bytes ? (size_t)(hit->after_bytes - before) : 0;
}

static void add_body(struct emu_req *req, const char *data, size_t n)
{
	size_t taken = strike_body(req, n);
	struct emu_fail f = {0};

	req->body_bytes += n;
	req->server->stats.bytes_in += n;
	n = taken;
	if (req->is_answered || !n)
		return;
	if (req->route->data) {
		req->route->data(req, data, n);
		return;
	}
	str_addn(&req->body, data, n);
	if (!req->body.failed)
		return;
	emu_fail(&f, 413, "uploadTooLarge", "The request is larger than %d bytes.",
		 EMU_JSON_MAX);
	emu_reply_fail(req, &f);
}

static bool is_reset_due(const struct emu_req *req)
{
	return req->hit.kind == EMU_FAULT_RESET &&
	       req->body_bytes >= req->hit.after_bytes;
}

static enum MHD_Result reset(struct emu_req *req)
{
	req->server->stats.resets++;
	if (!is_admin(req))
		emu_reqlog_add(req->server->log, req, 0);
	req->is_logged = true;
	emu_net_reset(req->conn);
	return MHD_NO;
}

static enum MHD_Result finish(struct emu_req *req)
{
	if (!req->is_answered && req->hit.kind == EMU_FAULT_STATUS &&
	    req->body_bytes >= req->hit.after_bytes)
		answer_fault(req);
	else if (!req->is_answered)
		req->route->finish(req);
	if (req->hit.kind == EMU_FAULT_LOST)
		return reset(req);
	if (req->hit.kind == EMU_FAULT_RESET &&
	    emu_send_bytes(req) <= req->hit.after_bytes)
		return reset(req);
	if (!is_admin(req))
		emu_reqlog_add(req->server->log, req, req->reply.status);
	req->is_logged = true;
	return emu_send(req);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version,
				  const char *data, size_t *data_n, void **req_cls)
{
	struct emu_req *req = *req_cls;

	(void)arg;
	(void)conn;
	(void)url;
	(void)version;
	if (!req->is_begun) {
		begin(req, method);
		return is_reset_due(req) ? reset(req) : MHD_YES;
	}
	if (!*data_n)
		return finish(req);
	add_body(req, data, *data_n);
	*data_n = 0;
	return is_reset_due(req) ? reset(req) : MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *conn, void **req_cls,
			 enum MHD_RequestTerminationCode how)
{
	struct emu_req *req = *req_cls;

	(void)arg;
	(void)conn;
	(void)how;
	if (!req)
		return;
	if (req->is_begun && !req->is_logged && !is_admin(req))
		emu_reqlog_add(req->server->log, req, 0);
	if (req->route && req->route->done)
		req->route->done(req);
	emu_reply_done(&req->reply);
	str_done(&req->body);
	emu_route_done(req);
	free(req->uri);
	free(req);
	*req_cls = NULL;
}

static void on_connection(void *arg, struct MHD_Connection *conn, void **socket_cls,
			  enum MHD_ConnectionNotificationCode what)
{
	struct emu_server *s = arg;

	(void)conn;
	(void)socket_cls;
	s->stats.connections += what == MHD_CONNECTION_NOTIFY_STARTED ? 1 : -1;
}

int emu_server_start(struct emu_server *s, const struct emu_listen *at, struct err *err)
{
	int fd = emu_net_listen(at, s->url, sizeof(s->url), err);

	if (fd < 0)
		return fd;
	s->log = emu_reqlog_new();
	s->sessions = emu_sessions_new();
	s->daemon = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			MHD_USE_POLL | MHD_USE_ITC,
		0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, s, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_encoded, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
		MHD_OPTION_CONNECTION_MEMORY_INCREMENT,
		(size_t)CONNECTION_MEMORY_STEP_BYTES, MHD_OPTION_THREAD_STACK_SIZE,
		(size_t)THREAD_STACK_BYTES, MHD_OPTION_END);
	if (!s->daemon) {
		close(fd);
		emu_server_stop(s);
		return err_set(err, -EIO, "cannot start the HTTP server on %s", s->url);
	}
	return 0;
}

void emu_server_stop(struct emu_server *s)
{
	emu_faults_wake(s->faults);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	s->daemon = NULL;
	emu_sessions_free(s->sessions);
	emu_reqlog_free(s->log);
	s->sessions = NULL;
	s->log = NULL;
}
