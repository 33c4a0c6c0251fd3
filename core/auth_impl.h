// SPDX-License-Identifier: Apache-2.0
// Inside of the credentials; for core/auth*.c, core/metadata.c and their tests only.
#ifndef CORE_AUTH_IMPL_H
#define CORE_AUTH_IMPL_H

#include <jansson.h>

#include "core/auth.h"
#include "core/retry.h"

enum {
	AUTH_HEADER_CAP = 4096,
	AUTH_REPLY_MAX = 16 * 1024,
	AUTH_FILE_MAX = 64 * 1024,
	AUTH_RENEW_BEFORE_S = 225, /* google-auth's REFRESH_THRESHOLD */
};

/* auth.c */

enum auth_age { AUTH_FRESH, AUTH_STALE, AUTH_ENDED };

/** auth_age() - of a token that ends at @expires_ns, 0 = none; pure. Stale: still good,
 * but to be renewed. */
enum auth_age auth_age(int64_t expires_ns, int64_t now_ns);

struct auth_token {
	char header[AUTH_HEADER_CAP]; /* "Authorization: Bearer …" */
	int64_t expires_ns;	      /* CLOCK_MONOTONIC; 0 = none */
};

/** auth_token_set() - @secret and when it ends; -EBADMSG if it is no header's text. */
int auth_token_set(const char *secret, int64_t expires_ns, struct auth_token *ret,
		   struct err *err);

/** auth_secret() - an empty str that never moves: growing leaves no copy behind. */
struct str auth_secret(size_t max_bytes);

/* auth_reply.c */

/**
 * auth_token_read() - {"access_token","expires_in","token_type":"Bearer"}.
 *
 * @asked_ns: CLOCK_MONOTONIC when it was asked for: the server counts from then at least
 */
int auth_token_read(const struct str *reply, int64_t asked_ns, struct auth_token *ret,
		    struct err *err);

/** auth_is_word() - lower-case letters and '_', at most 40: no secret, may be printed. */
bool auth_is_word(const char *text);

/** auth_repeat() - http_do() until it is settled; @retry's deadline must be set. */
int auth_repeat(struct http *http, const struct http_request *base, struct retry *retry,
		struct http_response *resp, struct err *err);

/* auth_file.c */

/** struct auth_cred - what a credentials file says; every text is borrowed from @doc. */
struct auth_cred {
	enum auth_source source;
	json_t *doc;
	const char *email, *key_id, *key;		       /* AUTH_SERVICE_ACCOUNT */
	const char *client_id, *client_secret, *refresh_token; /* AUTH_USER */
};

/** auth_cred_parse() - a file's @n bytes of @text; errors never quote it. */
int auth_cred_parse(const char *text, size_t n, struct auth_cred *ret, struct err *err);

/** auth_cred_find() - see auth_find(). */
int auth_cred_find(struct auth_cred *ret, struct err *err);

/** auth_cred_done() - overwrites the secrets, then frees. */
void auth_cred_done(struct auth_cred *cred);
#define cleanup_cred cleanup(auth_cred_done)

/* auth_jwt.c */

enum { AUTH_JWT_BACK_S = 5, AUTH_JWT_LIFE_S = 3600 };

/**
 * auth_jwt_sign() - a service account's own token, appended to @ret (AIP-4111).
 *
 * @now_s: wall clock; "iat" is AUTH_JWT_BACK_S before it, for clocks that differ
 */
int auth_jwt_sign(const struct auth_cred *cred, int64_t now_s, struct str *ret,
		  struct err *err);
int auth_jwt_token(const struct auth_cred *cred, struct auth_token *ret, struct err *err);

/* auth_user.c */

/** auth_user_token() - a person's token; always from Google's own endpoint. */
int auth_user_token(struct http *http, const struct auth_cred *cred, int64_t deadline_ns,
		    int cancel_fd, struct auth_token *ret, struct err *err);

#endif
