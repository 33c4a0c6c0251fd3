// SPDX-License-Identifier: Apache-2.0
// Google's endpoints on this machine: a proxy that answers for them over TLS, with a
// certificate made on the spot. The client is told by https_proxy and SSL_CERT_FILE.
#ifndef TESTS_UNIT_FAKE_GOOGLE_H
#define TESTS_UNIT_FAKE_GOOGLE_H

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tests/unit/auth_key.h"
#include "tests/unit/fake_http.h"

enum { GOOGLE_SCRIPT = 8, GOOGLE_RECORDS = 64, GOOGLE_THREADS = 64 };

/* The n-th answer of a kind is the n-th text; the last one is repeated. */
struct google_script {
	const char *replies[GOOGLE_SCRIPT];
	unsigned n; /* requests so far */
};

struct google {
	int listen_fd;
	pthread_t thread, threads[GOOGLE_THREADS];
	unsigned n_threads, n_records;
	SSL_CTX *tls;
	pthread_mutex_t lock;
	struct google_script tokens, store; /* POST /token; all else */
	struct str records[GOOGLE_RECORDS]; /* "CONNECT …" and requests, as received */
};

struct google_peer {
	struct google *g;
	int fd;
};

/* The record becomes the server's. */
static void google_record(struct google *g, struct str *what)
{
	if (g->n_records == GOOGLE_RECORDS)
		abort();
	g->records[g->n_records++] = *what;
	*what = STR_INIT(1 << 20);
}

static void google_answer(struct google *g, struct str *request, struct str *ret)
{
	static const char star[] = "Content-Length: *";
	bool is_token = str_starts(str_text(request), "POST /token ");
	struct google_script *script = is_token ? &g->tokens : &g->store;
	const char *reply, *at, *body;

	pthread_mutex_lock(&g->lock);
	reply = script->replies[script->n];
	script->n++;
	if (script->n == GOOGLE_SCRIPT || !script->replies[script->n])
		script->n--;
	google_record(g, request);
	pthread_mutex_unlock(&g->lock);
	at = strstr(reply, star);
	body = strstr(reply, "\r\n\r\n");
	if (!at || !body)
		abort();
	str_addn(ret, reply, (size_t)(at - reply));
	str_addf(ret, "Content-Length: %zu%s", strlen(body + 4), at + strlen(star));
}

static bool google_connect(struct google *g, int fd)
{
	static const char yes[] = "HTTP/1.1 200 Connected\r\n\r\n";
	struct str head = STR_INIT(65536);
	char c;

	while (!strstr(str_text(&head), "\r\n\r\n")) {
		if (recv(fd, &c, 1, 0) != 1) {
			str_done(&head);
			return false;
		}
		str_addc(&head, c);
	}
	pthread_mutex_lock(&g->lock);
	google_record(g, &head);
	pthread_mutex_unlock(&g->lock);
	return send(fd, yes, strlen(yes), MSG_NOSIGNAL) > 0;
}

static void google_talk(struct google *g, SSL *ssl)
{
	struct str request = STR_INIT(1 << 20), reply = STR_INIT(1 << 20);
	char buf[16384];
	int n;

	while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0) {
		str_addn(&request, buf, (size_t)n);
		if (!fake_is_whole(&request))
			continue;
		str_reset(&reply);
		google_answer(g, &request, &reply);
		if (SSL_write(ssl, reply.s, (int)reply.len) <= 0)
			break;
	}
	str_done(&request);
	str_done(&reply);
}

static void *google_serve_one(void *arg)
{
	struct google_peer *peer = arg;
	SSL *ssl = SSL_new(peer->g->tls);

	if (google_connect(peer->g, peer->fd) && SSL_set_fd(ssl, peer->fd) == 1 &&
	    SSL_accept(ssl) == 1)
		google_talk(peer->g, ssl);
	SSL_free(ssl);
	close(peer->fd);
	free(peer);
	return NULL;
}

static void *google_serve(void *arg)
{
	struct google *g = arg;
	int fd;

	while ((fd = accept(g->listen_fd, NULL, NULL)) >= 0) {
		struct google_peer *peer = xcalloc(1, sizeof(*peer));

		*peer = (struct google_peer){g, fd};
		if (g->n_threads == GOOGLE_THREADS ||
		    pthread_create(&g->threads[g->n_threads++], NULL, google_serve_one,
				   peer) != 0)
			abort();
	}
	return NULL;
}

/* Signed by itself, for the two hosts; written to @path for the client. */
static void google_certificate(SSL_CTX *tls, const char *path)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *cert = X509_new();
	X509_EXTENSION *names = X509V3_EXT_conf_nid(
		NULL, NULL, NID_subject_alt_name,
		"DNS:storage.googleapis.com,DNS:oauth2.googleapis.com");
	FILE *f = fopen(path, "w");

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)"fake", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, names, -1);
	if (!f || X509_sign(cert, key, EVP_sha256()) == 0 ||
	    PEM_write_X509(f, cert) != 1 || fclose(f) != 0 ||
	    SSL_CTX_use_certificate(tls, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(tls, key) != 1)
		abort();
	X509_EXTENSION_free(names);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* Set the scripts before. @cert_path: a file to write. */
__attribute__((unused)) static void google_start(struct google *g, const char *cert_path)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	char proxy[64];

	g->tls = SSL_CTX_new(TLS_server_method());
	pthread_mutex_init(&g->lock, NULL);
	google_certificate(g->tls, cert_path);
	g->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(g->listen_fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(g->listen_fd, 64) < 0 ||
	    getsockname(g->listen_fd, (struct sockaddr *)&at, &n) < 0 ||
	    pthread_create(&g->thread, NULL, google_serve, g) != 0)
		abort();
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", ntohs(at.sin_port));
	setenv("https_proxy", proxy, 1);
	setenv("SSL_CERT_FILE", cert_path, 1);
}

/* After the clients have closed their connections. */
__attribute__((unused)) static void google_stop(struct google *g)
{
	shutdown(g->listen_fd, SHUT_RDWR);
	pthread_join(g->thread, NULL);
	close(g->listen_fd);
	for (unsigned i = 0; i < g->n_threads; i++)
		pthread_join(g->threads[i], NULL);
	for (unsigned i = 0; i < g->n_records; i++)
		str_done(&g->records[i]);
	SSL_CTX_free(g->tls);
	pthread_mutex_destroy(&g->lock);
}

/* How many records begin with @start and have @part somewhere. */
__attribute__((unused)) static unsigned google_count(struct google *g, const char *start,
						     const char *part)
{
	unsigned n = 0;

	pthread_mutex_lock(&g->lock);
	for (unsigned i = 0; i < g->n_records; i++)
		n += str_starts(str_text(&g->records[i]), start) &&
		     strstr(str_text(&g->records[i]), part);
	pthread_mutex_unlock(&g->lock);
	return n;
}

#endif
