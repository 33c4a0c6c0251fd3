// SPDX-License-Identifier: Apache-2.0
// The process's bearer token: one for all its stores, renewed by one thread at a time.
#include "core/auth.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "core/auth_impl.h"
#include "core/clock.h"
#include "core/log.h"

static const int64_t renew_before_ns = (int64_t)AUTH_RENEW_BEFORE_S * NS_PER_S;
static const int64_t default_limit_ns = 20LL * NS_PER_S;
/* A renewal while the old token is good: how long one caller is held up, how often. */
static const int64_t renew_limit_ns = 10LL * NS_PER_S;
static const int64_t renew_pause_ns = 30LL * NS_PER_S;
/* How late a waiting thread notices its cancel descriptor. */
static const int64_t look_ns = 50LL * NS_PER_MS;

/* Credentials belong to the process, so one token serves every store of it. */
static struct {
	pthread_mutex_t lock; /* never held during an exchange */
	pthread_cond_t has_landed;
	struct auth_token token;
	bool is_in_flight; /* somebody is fetching one */
	unsigned flights;  /* that have ended */
	struct err why;	   /* how the last one failed; code 0 = it did not */
	int64_t again_ns;  /* no renewal before */
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER, .has_landed = PTHREAD_COND_INITIALIZER};

/* What one call of auth_token() needs for a fetch. */
struct flight {
	struct http *http;
	int64_t deadline_ns;
	int cancel_fd;
};

enum auth_age auth_age(int64_t expires_ns, int64_t now_ns)
{
	if (expires_ns <= now_ns)
		return AUTH_ENDED;
	return expires_ns - now_ns < renew_before_ns ? AUTH_STALE : AUTH_FRESH;
}

int auth_find(enum auth_source *ret, struct err *err)
{
	cleanup_cred struct auth_cred cred = {0};
	int r = auth_cred_find(&cred, err);

	if (r == 0)
		*ret = cred.source;
	return r;
}

bool auth_may_send(const char *url)
{
	return str_starts(url, "https://storage.googleapis.com/");
}

struct str auth_secret(size_t max_bytes)
{
	return (struct str){
		.s = xcalloc(1, max_bytes + 1), .cap = max_bytes + 1, .max = max_bytes};
}

void auth_wipe(struct str *secret)
{
	if (secret->s)
		explicit_bzero(secret->s, secret->cap);
	str_done(secret);
}

static void token_wipe(struct auth_token *token)
{
	explicit_bzero(token, sizeof(*token));
}

int auth_token_set(const char *secret, int64_t expires_ns, struct auth_token *ret,
		   struct err *err)
{
	static const char name[] = "Authorization: Bearer ";

	/* a blank or line break would become headers of its own */
	for (const char *at = secret; *at; at++)
		if (*at <= ' ' || *at >= 127)
			return err_set(err, -EBADMSG, "the token is malformed");
	if (!*secret || strlen(secret) + sizeof(name) > sizeof(ret->header))
		return err_set(err, -EBADMSG, "the token is empty or too long");
	snprintf(ret->header, sizeof(ret->header), "%s%s", name, secret);
	ret->expires_ns = expires_ns;
	return 0;
}

static int from_metadata(const struct flight *f, struct auth_token *ret, struct err *err)
{
	/* the machine's own scopes: asking for another one could be refused */
	static const char path[] = "instance/service-accounts/default/token";
	cleanup_secret struct str reply = auth_secret(AUTH_REPLY_MAX);
	int64_t asked_ns = clock_mono_ns();
	int r = metadata_get(f->http, path, AUTH_REPLY_MAX, f->deadline_ns, f->cancel_fd,
			     &reply, err);

	if (r == -ENOENT)
		return err_wrap(err, -EACCES,
				"the virtual machine has no service account");
	if (r == 0)
		r = auth_token_read(&reply, asked_ns, ret, err);
	return r < 0 ? err_wrap(err, r, "token of the service account") : 0;
}

static int fetch(const struct flight *f, struct auth_token *ret, struct err *err)
{
	cleanup_cred struct auth_cred cred = {0};
	int r = auth_cred_find(&cred, err);

	if (r < 0)
		return r;
	switch (cred.source) {
	case AUTH_METADATA:
		return from_metadata(f, ret, err);
	case AUTH_SERVICE_ACCOUNT:
		return auth_jwt_token(&cred, ret, err);
	case AUTH_USER:
		return auth_user_token(f->http, &cred, f->deadline_ns, f->cancel_fd, ret,
				       err);
	case AUTH_ANONYMOUS:
		break;
	}
	return err_set(err, -EACCES, "no credentials");
}

/* Is it the fetch's own caller that ended it, or a silence that may be over now? */
static bool may_try_again(int r)
{
	return r == -ECANCELED || r == -EAGAIN || r == -EIO;
}

/* Fetches a token with the lock let go; the others look at shared.token meanwhile. */
static int fly(const struct flight *f, bool has_old, struct err *err)
{
	int64_t now_ns = clock_mono_ns();
	struct flight mine = *f;
	struct auth_token got = {0};
	struct err why = {0};
	int r;

	if (has_old && mine.deadline_ns > now_ns + renew_limit_ns)
		mine.deadline_ns = now_ns + renew_limit_ns;
	shared.is_in_flight = true;
	pthread_mutex_unlock(&shared.lock);
	r = fetch(&mine, &got, &why);
	if (r < 0 && has_old && r != -ECANCELED)
		log_line(LOG_WARN, "the token that is about to end is not renewed: %s",
			 why.text);
	pthread_mutex_lock(&shared.lock);
	shared.is_in_flight = false;
	shared.flights++;
	shared.why = why;
	if (r == 0)
		shared.token = got;
	shared.again_ns = r < 0 && r != -ECANCELED ? clock_mono_ns() + renew_pause_ns : 0;
	token_wipe(&got);
	pthread_cond_broadcast(&shared.has_landed);
	if (r < 0 && auth_age(shared.token.expires_ns, clock_mono_ns()) == AUTH_ENDED)
		return err_set(err, r, "%s", why.text);
	return 0;
}

/* Until the flight under way has landed. 1 = look again; what will not do for one thread
 * will not do for another. */
static int wait_for_landing(const struct flight *f, struct err *err)
{
	unsigned flights = shared.flights;

	while (shared.is_in_flight && shared.flights == flights) {
		struct pollfd cancel = {.fd = f->cancel_fd, .events = POLLIN};
		int64_t now_ns = clock_mono_ns(), until_ns = now_ns + look_ns;
		struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
					 .tv_nsec = (long)(until_ns % NS_PER_S)};

		if (poll(&cancel, 1, 0) > 0)
			return err_set(err, -ECANCELED, "interrupted");
		if (now_ns >= f->deadline_ns)
			return err_set(err, -EAGAIN, "no token in time");
		pthread_cond_clockwait(&shared.has_landed, &shared.lock, CLOCK_MONOTONIC,
				       &until);
	}
	if (shared.flights == flights + 1 && shared.why.code &&
	    !may_try_again(shared.why.code))
		return err_set(err, shared.why.code, "%s", shared.why.text);
	return 1;
}

/* 0 = shared.token is the one to use, 1 = look again, -errno. */
static int settle(const struct flight *f, struct err *err)
{
	int64_t now_ns = clock_mono_ns();
	enum auth_age age = auth_age(shared.token.expires_ns, now_ns);

	if (age == AUTH_FRESH)
		return 0;
	if (age == AUTH_STALE && (shared.is_in_flight || now_ns < shared.again_ns))
		return 0;
	return shared.is_in_flight ? wait_for_landing(f, err)
				   : fly(f, age == AUTH_STALE, err);
}

int auth_token(struct http *http, int64_t deadline_ns, int cancel_fd,
	       struct str *ret_header, struct err *err)
{
	struct flight f = {http, deadline_ns, cancel_fd};
	int r;

	if (!f.deadline_ns)
		f.deadline_ns = clock_mono_ns() + default_limit_ns;
	pthread_mutex_lock(&shared.lock);
	do
		r = settle(&f, err);
	while (r > 0);
	if (r == 0)
		str_add(ret_header, shared.token.header);
	pthread_mutex_unlock(&shared.lock);
	return r < 0 ? r : str_check(ret_header, "the token", err);
}

void auth_forget(const char *header)
{
	pthread_mutex_lock(&shared.lock);
	if (strcmp(shared.token.header, header) == 0) {
		token_wipe(&shared.token);
		shared.again_ns = 0;
	}
	pthread_mutex_unlock(&shared.lock);
}
