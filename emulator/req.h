// SPDX-License-Identifier: Apache-2.0
// One request and its reply, as the handlers see them.
#ifndef EMULATOR_REQ_H
#define EMULATOR_REQ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "emulator/faults.h"
#include "emulator/objects.h"

struct MHD_Connection;
struct emu_server;
struct emu_req;

/**
 * struct emu_route - which requests a handler takes, and its steps.
 *
 * Steps run in the connection's own thread: begin once the headers are there, data for
 * each piece of the body (when NULL the body is collected, up to EMU_JSON_MAX), finish
 * when it is complete, done always and last, also when the connection broke. A step that
 * answers early makes the later ones but done fall away.
 */
struct emu_route {
	const char *method;
	const char *path; /* segments; "{}" = one decoded argument, "{*}" = the rest */
	const char *rpc;  /* e.g. "storage.objects.get", or NULL */
	void (*begin)(struct emu_req *req);
	void (*data)(struct emu_req *req, const char *data, size_t n);
	void (*finish)(struct emu_req *req);
	void (*done)(struct emu_req *req);
};

enum { EMU_ARGS_MAX = 4, EMU_REPLY_HEADERS_MAX = 64 };

struct emu_param {
	char *key, *value; /* decoded */
};

struct emu_reply {
	int status;
	const char *type;      /* Content-Type; NULL = none */
	json_t *json;	       /* the body, or */
	bool is_selected;      /* it has the "fields" asked for and no others */
	struct str text;       /* the body, or */
	struct emu_blob *blob; /* @len bytes of it from @offset */
	uint64_t offset, len;
	size_t n_headers;
	struct emu_param headers[EMU_REPLY_HEADERS_MAX];
};

struct emu_req {
	struct emu_server *server;
	struct MHD_Connection *conn;
	char *uri;	    /* as received */
	char *path, *query; /* @uri cut in two, still encoded */
	const char *method;
	bool is_xml; /* errors are written as the XML API does */
	size_t n_params;
	struct emu_param *params;
	size_t n_args;
	char *args[EMU_ARGS_MAX];
	const struct emu_route *route;
	const char *rpc;     /* of the route that was found; handlers choose others */
	struct str body;     /* unless the route takes the data itself */
	uint64_t body_bytes; /* received so far */
	uint64_t generation; /* of the object the reply describes; 0 = none */
	void *state;	     /* the handler's own */
	struct emu_reply reply;
	bool is_begun, is_answered, is_logged;
	struct emu_hit hit;	   /* the fault that strikes this request */
	const char *authorization; /* borrowed from the connection */
};

/** emu_req_param() - a query parameter, or NULL. */
const char *emu_req_param(const struct emu_req *req, const char *key);
/** emu_req_text() - a query parameter, or "". */
const char *emu_req_text(const struct emu_req *req, const char *key);
/** emu_req_header() - a request header, or NULL. */
const char *emu_req_header(const struct emu_req *req, const char *name);
/** emu_req_u64() - an optional number; 400 when it is none. */
int emu_req_u64(const struct emu_req *req, const char *key, bool *ret_has, uint64_t *ret,
		struct emu_fail *f);
/** emu_req_target() - bucket and name with generation and preconditions of the query. */
int emu_req_target(const struct emu_req *req, const char *bucket, const char *name,
		   struct emu_target *ret, struct emu_fail *f);
/** emu_req_source() - the same with sourceGeneration and the ifSource… preconditions. */
int emu_req_source(const struct emu_req *req, const char *bucket, const char *name,
		   struct emu_target *ret, struct emu_fail *f);
/** emu_req_json() - the collected body; an empty one is {}. New reference. */
int emu_req_json(const struct emu_req *req, json_t **ret, struct emu_fail *f);
/** emu_req_base() - malloc'd "http://host:port" as the client addressed us. */
char *emu_req_base(const struct emu_req *req);

/** emu_reply_header() - add a header; one that HTTP cannot carry is left out. */
void emu_reply_header(struct emu_req *req, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** emu_reply_empty() - a status and no body. */
void emu_reply_empty(struct emu_req *req, int status);
/** emu_reply_text() - a body of text; @type is static. */
void emu_reply_text(struct emu_req *req, int status, const char *type, const char *text);
/** emu_reply_json() - takes @v. */
void emu_reply_json(struct emu_req *req, int status, json_t *v);
/** emu_reply_fail() - the error body of the API in use. */
void emu_reply_fail(struct emu_req *req, const struct emu_fail *f);
/** emu_reply_object() - 200 with the object resource. */
void emu_reply_object(struct emu_req *req, const struct emu_object *o);
/** emu_reply_media() - the data, or the range of it that was asked for. */
void emu_reply_media(struct emu_req *req, const struct emu_object *o);
/** emu_reply_done() - release. */
void emu_reply_done(struct emu_reply *r);

#endif
