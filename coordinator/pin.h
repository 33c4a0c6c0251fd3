// SPDX-License-Identifier: Apache-2.0
// A version, branch or tag of gcsfuse into what is built: module, version, hash,
// toolchain.
#ifndef COORDINATOR_PIN_H
#define COORDINATOR_PIN_H

#include "core/err.h"
#include "core/gobuild.h"
#include "core/http.h"

/** struct pin - one gcsfuse, named by content; "" = not known. */
struct pin {
	char module[256], version[129], h1[65], commit[41], go[32];
	char key[GOBUILD_KEY_CAP];
};

/** struct pinner - where modules and hashes come from; strings borrowed. */
struct pinner {
	struct http *http;
	const char *goproxy;   /* $GOPROXY; NULL or "" = Go's own default */
	const char *gosumdb;   /* $GOSUMDB; … */
	const char *gonosumdb; /* $GONOSUMDB, else $GOPRIVATE; may be NULL */
};

/** pinner_from_env() - from the environment; no request is made. */
struct pinner pinner_from_env(struct http *http);

/**
 * pin_resolve() - ask the module proxy and the checksum database.
 *
 * v0 and v1 are the module without a suffix, v2 and v3 /v2 and /v3; anything else is
 * asked of /v3, then /v2, then the bare module. -EINVAL: no such version, or a name a
 * proxy cannot have. -ENOENT: nobody knows it (the text names --pin). -EAGAIN: no answer.
 *
 * The hash is the database's word over TLS; its signature is checked by go when it builds
 * and by comparing binaries, not here. Source: go.dev/ref/mod, "GOPROXY protocol" and
 * "Checksum database".
 */
int pin_resolve(const struct pinner *pinner, const char *query, struct pin *ret,
		struct err *err);

/** For tests: pure parts. */

/** pin_escape() - a module's path or version as a proxy wants it: A is !a. */
void pin_escape(const char *text, struct str *ret);
/** pin_go_line() - the toolchain a go.mod's go line asks for; -EINVAL. */
int pin_go_line(const char *mod, char *out, size_t cap, struct err *err);
/** pin_sum_line() - the h1 of @module @version in a lookup's text; -ENOENT. */
int pin_sum_line(const char *text, const char *module, const char *version, char *out,
		 size_t cap, struct err *err);
/** pin_no_sumdb() - does a pattern list such as GOPRIVATE take @module out? */
bool pin_no_sumdb(const char *patterns, const char *module);

#endif
