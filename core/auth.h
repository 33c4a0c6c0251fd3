// SPDX-License-Identifier: Apache-2.0
// Where bearer tokens come from and where they may go; the metadata server.
#ifndef CORE_AUTH_H
#define CORE_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/http.h"
#include "core/str.h"

enum auth_source {
	AUTH_ANONYMOUS,
	AUTH_METADATA,	      /* the instance's service account */
	AUTH_SERVICE_ACCOUNT, /* a key file: it signs its own tokens */
	AUTH_USER,	      /* a person who logged in with gcloud */
};

/**
 * auth_find() - application default credentials, in Google's order: the file that
 * GOOGLE_APPLICATION_CREDENTIALS names, gcloud's file, the metadata server.
 *
 * A file that comes first and cannot be used is an error (-EACCES), not skipped: the next
 * account would be another one than the operator chose. Files are read again for every
 * token and no secret of theirs is kept: a new login or key counts at the next renewal.
 */
int auth_find(enum auth_source *ret, struct err *err);

/** auth_may_send() - may a bearer token go to this URL? Only Google's own endpoint. */
bool auth_may_send(const char *url);

/**
 * auth_token() - append "Authorization: Bearer …" to @ret_header.
 *
 * One token for the process, renewed by one thread at a time when less than 3 min 45 s
 * remain (google-auth's REFRESH_THRESHOLD: the metadata server hands out its cached token
 * until then). The others go on with the old one, or wait if it has ended. A token that
 * has not ended is used when renewing fails, which is logged and tried again later.
 * The caller wipes @ret_header (auth_wipe()).
 *
 * @deadline_ns: CLOCK_MONOTONIC; 0 = 20 s from now
 * -EACCES: these credentials will not do; -ECANCELED; -EAGAIN and others: no answer.
 */
int auth_token(struct http *http, int64_t deadline_ns, int cancel_fd,
	       struct str *ret_header, struct err *err);

/** auth_forget() - the server answered 401 to @header: fetch a new one next time. */
void auth_forget(const char *header);

/** auth_wipe() - overwrite, then free. */
void auth_wipe(struct str *secret);
#define cleanup_secret cleanup(auth_wipe)

/**
 * metadata_get() - one value of the metadata server, appended to @ret.
 *
 * @path: below /computeMetadata/v1/, e.g. "instance/attributes/muster-run"
 * @deadline_ns: CLOCK_MONOTONIC; 0 = 20 s from now; the server can start late at boot
 * GCE_METADATA_HOST (or GCE_METADATA_ROOT) names another server. -ENOENT: no such value.
 * -EHOSTUNREACH: this machine has no metadata server (no request is made).
 */
int metadata_get(struct http *http, const char *path, uint64_t max_bytes,
		 int64_t deadline_ns, int cancel_fd, struct str *ret, struct err *err);

enum { METADATA_ETAG_CAP = 64, METADATA_WAIT_S = 25 };

/**
 * metadata_watch() - one look at a value that changes, never repeated; appended to @ret.
 *
 * @path: as for metadata_get(), without a query
 * @etag: "" = answer at once; else that of the reply before: answer when the value is
 *	another, or after METADATA_WAIT_S. Set to the reply's; "" when it has none that is
 *	usable in a URL.
 */
int metadata_watch(struct http *http, const char *path, char etag[METADATA_ETAG_CAP],
		   uint64_t max_bytes, int cancel_fd, struct str *ret, struct err *err);

/** metadata_is_here() - GCE_METADATA_HOST or _ROOT is set, or the machine is Google's. */
bool metadata_is_here(void);

#endif
