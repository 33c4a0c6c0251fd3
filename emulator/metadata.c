// SPDX-License-Identifier: Apache-2.0
// The metadata server over HTTP: who asks, for what, and waiting for a change of it.
#include "emulator/metadata.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "core/clock.h"
#include "core/str.h"
#include "emulator/metadata_tree.h"
#include "emulator/net.h"

enum {
	CONNECTIONS_MAX = 4096,
	THREAD_STACK_BYTES = 256 * 1024,
	WAIT_S_MAX = 1000000000,
};

#define ROOT "/computeMetadata/v1"

/* One reply, and what it takes to build it once more. */
struct answer {
	struct MHD_Connection *conn;
	const char *path; /* below ROOT */
	enum emu_metadata_form form;
	char peer[INET6_ADDRSTRLEN];
	uint64_t version; /* of the instances it was built from */
	unsigned status;
	bool is_json;
	struct str body;
	char etag[EMU_METADATA_ETAG_CAP];
};

static const char *parameter(const struct answer *a, const char *key)
{
	return MHD_lookup_connection_value(a->conn, MHD_GET_ARGUMENT_KIND, key);
}

static bool is_set(const struct answer *a, const char *key)
{
	const char *value = parameter(a, key);

	return value && strcasecmp(value, "true") == 0;
}

/* An IPv4 peer of an IPv6 listener is known by its IPv4 address. */
static void read_peer(struct answer *a)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(a->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info ? info->client_addr : NULL;

	if (sa && sa->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)sa;

		inet_ntop(AF_INET, &v4->sin_addr, a->peer, sizeof(a->peer));
	} else if (sa && sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)sa;
		bool is_v4 = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);

		inet_ntop(is_v4 ? AF_INET : AF_INET6,
			  v6->sin6_addr.s6_addr + (is_v4 ? 12 : 0), a->peer,
			  sizeof(a->peer));
	}
}

static void set_text(struct answer *a, unsigned status, const char *text)
{
	a->status = status;
	a->is_json = false;
	str_reset(&a->body);
	str_add(&a->body, text);
	emu_metadata_etag(&a->body, a->etag);
}

static void build(struct emu_metadata *m, struct answer *a)
{
	struct emu_instance in = {0};
	json_t *tree;

	if (!emu_instances_of(m->instances, a->peer, &in, &a->version)) {
		cleanup_free char *text = xasprintf(
			"No instance has the address %s, which asked, and none has "
			"the address null.\n",
			a->peer);

		set_text(a, 404, text);
		return;
	}
	tree = emu_metadata_tree(&in, in.address ? in.address : a->peer);
	a->status = 200;
	str_reset(&a->body);
	if (!emu_metadata_render(tree, a->path, a->form, &a->body, &a->is_json))
		set_text(a, 404, "There is no such metadata value.\n");
	else if (a->body.failed)
		set_text(a, 500, "The reply is too large.\n");
	emu_metadata_etag(&a->body, a->etag);
	json_decref(tree);
	emu_instance_done(&in);
}

/* A machine that was stopped while it waited would hold its thread until the next change.
 */
static bool is_peer_gone(const struct answer *a)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(a->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	char byte;
	ssize_t n;

	if (!info)
		return true;
	n = recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* Until the value is another than the client knows; false: there is nobody to tell. */
static bool wait_for_change(struct emu_metadata *m, struct answer *a)
{
	const char *known = parameter(a, "last_etag");
	const char *timeout = parameter(a, "timeout_sec");
	char etag[EMU_METADATA_ETAG_CAP];
	uint64_t wait_s = WAIT_S_MAX;
	int64_t until_ns, now_ns = clock_mono_ns();

	memcpy(etag, a->etag, sizeof(etag));
	if (known && strcmp(known, etag) != 0)
		return true;
	if (timeout &&
	    parse_u64_range("timeout_sec", timeout, 0, WAIT_S_MAX, &wait_s, NULL) < 0) {
		set_text(a, 400, "timeout_sec is not a number of seconds.\n");
		return true;
	}
	until_ns = now_ns + (int64_t)wait_s * NS_PER_S;
	while (a->status == 200 && strcmp(a->etag, etag) == 0 && now_ns < until_ns) {
		int64_t look_ns = now_ns + NS_PER_S;
		uint64_t version = a->version;

		emu_instances_wait(m->instances, version,
				   look_ns < until_ns ? look_ns : until_ns);
		if (emu_instances_is_ended(m->instances) || is_peer_gone(a))
			return false;
		build(m, a);
		now_ns = clock_mono_ns();
	}
	return true;
}

static const char *header(const struct answer *a, const char *name)
{
	return MHD_lookup_connection_value(a->conn, MHD_HEADER_KIND, name);
}

/* What is answered the same to everybody; false: it is for an instance's tree. */
static bool answer_alone(struct answer *a, const char *method, const char *url)
{
	const char *flavor = header(a, "Metadata-Flavor");

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		set_text(a, 405, "Only GET is allowed.\n");
	else if (header(a, "X-Forwarded-For"))
		set_text(a, 403, "X-Forwarded-For is not allowed.\n");
	else if (strcmp(url, "/") == 0)
		set_text(a, 200, "computeMetadata/\n");
	else if (!flavor || strcasecmp(flavor, "Google") != 0)
		set_text(a, 403, "Missing Metadata-Flavor:Google header.\n");
	else if (strcmp(url, "/computeMetadata") == 0 ||
		 strcmp(url, "/computeMetadata/") == 0)
		set_text(a, 200, "v1/\n");
	else if (!str_starts(url, ROOT) ||
		 (url[strlen(ROOT)] && url[strlen(ROOT)] != '/'))
		set_text(a, 404, "There is no such path.\n");
	else
		return false;
	return true;
}

static bool answer(struct emu_metadata *m, struct answer *a, const char *method,
		   const char *url)
{
	const char *alt;

	if (answer_alone(a, method, url))
		return true;
	alt = parameter(a, "alt");
	a->path = url + strlen(ROOT);
	a->path += *a->path == '/';
	if (is_set(a, "recursive"))
		a->form = EMU_METADATA_RECURSIVE;
	else if (alt && strcasecmp(alt, "json") == 0)
		a->form = EMU_METADATA_JSON;
	read_peer(a);
	build(m, a);
	return !is_set(a, "wait_for_change") || a->status != 200 || wait_for_change(m, a);
}

static enum MHD_Result reply(struct answer *a)
{
	struct MHD_Response *response;
	enum MHD_Result sent;

	/* from memory: head and body leave in one send */
	response = MHD_create_response_from_buffer(
		a->body.len, (void *)str_text(&a->body), MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Metadata-Flavor", "Google");
	MHD_add_response_header(response, "Server", "Metadata Server for VM");
	MHD_add_response_header(response, "Content-Type",
				a->is_json ? "application/json" : "application/text");
	MHD_add_response_header(response, "ETag", a->etag);
	sent = MHD_queue_response(a->conn, a->status, response);
	MHD_destroy_response(response);
	return sent;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version,
				  const char *data, size_t *data_n, void **req_cls)
{
	static int begun;
	struct answer a = {.conn = conn, .body = STR_INIT(EMU_METADATA_MAX)};
	enum MHD_Result r = MHD_NO;

	(void)version;
	(void)data;
	if (!*req_cls || *data_n) {
		*req_cls = &begun;
		*data_n = 0;
		return MHD_YES;
	}
	if (answer(arg, &a, method, url))
		r = reply(&a);
	str_done(&a.body);
	return r;
}

int emu_metadata_start(struct emu_metadata *m, const struct emu_listen *at,
		       struct err *err)
{
	int fd = emu_net_listen(at, m->url, sizeof(m->url), err);

	if (fd < 0)
		return fd;
	/* no idle timeout: it would count the seconds a client waits for a change */
	m->daemon = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			MHD_USE_POLL | MHD_USE_ITC,
		0, NULL, NULL, on_request, m, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_BYTES, MHD_OPTION_END);
	if (!m->daemon) {
		close(fd);
		return err_set(err, -EIO, "cannot start the metadata server on %s",
			       m->url);
	}
	return 0;
}

const char *emu_metadata_host(const struct emu_metadata *m)
{
	return m->url + strlen("http://");
}

void emu_metadata_stop(struct emu_metadata *m)
{
	emu_instances_end(m->instances);
	if (m->daemon)
		MHD_stop_daemon(m->daemon);
	m->daemon = NULL;
}
