// SPDX-License-Identifier: Apache-2.0
// Application default credentials, and the process's bearer token.
#include "core/auth.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"

enum { TOKEN_CAP = 4096, TOKEN_REPLY_MAX = 16 * 1024 };

static const int64_t renew_before_ns = 225LL * NS_PER_S;

/* The account belongs to the machine, so one token serves every store of the process. */
static struct {
	pthread_mutex_t lock; /* held while fetching: one thread asks, the others wait */
	char header[TOKEN_CAP];
	int64_t expires_ns; /* CLOCK_MONOTONIC; 0 = none */
} token = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The one kind of credentials that comes from a file would be read here. */
static int refuse_file(const char *path, const char *how, struct err *err)
{
	return err_set(
		err, -EACCES,
		"credentials file %s (%s): supported are the service account of the "
		"virtual machine (metadata server), or no credentials at all "
		"(STORAGE_EMULATOR_HOST)",
		path, how);
}

static int check_gcloud_file(struct err *err)
{
	static const char name[] = "application_default_credentials.json";
	const char *folder = getenv("CLOUDSDK_CONFIG"), *home = getenv("HOME");
	cleanup_free char *path = NULL;

	if (folder && *folder)
		path = xasprintf("%s/%s", folder, name);
	else if (home && *home)
		path = xasprintf("%s/.config/gcloud/%s", home, name);
	if (path && access(path, F_OK) == 0)
		return refuse_file(path,
				   "gcloud's default; CLOUDSDK_CONFIG names another "
				   "folder",
				   err);
	return 0;
}

int auth_find(enum auth_source *ret, struct err *err)
{
	const char *path = getenv("GOOGLE_APPLICATION_CREDENTIALS");
	int r;

	if (path && *path)
		return refuse_file(path, "GOOGLE_APPLICATION_CREDENTIALS", err);
	r = check_gcloud_file(err);
	if (r < 0)
		return r;
	if (!metadata_is_here())
		return err_set(
			err, -EACCES,
			"no credentials: this is no virtual machine of Google Cloud, "
			"whose service account would be used; STORAGE_EMULATOR_HOST "
			"names a store that needs none");
	*ret = AUTH_METADATA;
	return 0;
}

bool auth_may_send(const char *url)
{
	return str_starts(url, "https://storage.googleapis.com/");
}

void auth_wipe(struct str *secret)
{
	if (secret->s)
		explicit_bzero(secret->s, secret->cap);
	str_done(secret);
}

/* {"access_token","expires_in","token_type":"Bearer"} */
static int token_take(const struct str *reply, struct err *err)
{
	cleanup_json json_t *doc = NULL;
	const char *text = NULL;
	uint64_t expires_s = 0;
	struct json_in in;
	int r;

	/* a parser's own message could quote the token */
	if (json_load(str_text(reply), reply->len, TOKEN_REPLY_MAX, "token", &doc, NULL) <
	    0)
		return err_set(err, -EBADMSG, "the metadata server's reply is not JSON");
	json_in_init(&in, doc, JSON_RECORDS, "token", NULL, err);
	json_in_str(&in, "access_token", JSON_MUST, &text);
	json_in_u64(&in, "expires_in", JSON_MUST, &expires_s);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	/* a blank or line break would become headers of its own */
	if (!*text || strlen(text) + sizeof("Authorization: Bearer ") > TOKEN_CAP ||
	    strpbrk(text, " \t\r\n"))
		return err_set(err, -EBADMSG, "the metadata server's token is malformed");
	snprintf(token.header, sizeof(token.header), "Authorization: Bearer %s", text);
	if (expires_s > 86400)
		expires_s = 86400;
	token.expires_ns = clock_mono_ns() + (int64_t)expires_s * NS_PER_S;
	return 0;
}

static int token_fetch(struct http *http, int64_t deadline_ns, int cancel_fd,
		       struct err *err)
{
	/* the machine's own scopes: asking for another one could be refused */
	static const char path[] = "instance/service-accounts/default/token";
	cleanup_secret struct str reply = STR_INIT(TOKEN_REPLY_MAX);
	int r = metadata_get(http, path, TOKEN_REPLY_MAX, deadline_ns, cancel_fd, &reply,
			     err);

	if (r == -ENOENT)
		return err_wrap(err, -EACCES,
				"the virtual machine has no service account");
	if (r == 0)
		r = token_take(&reply, err);
	return r < 0 ? err_wrap(err, r, "token of the service account") : 0;
}

int auth_token(struct http *http, int64_t deadline_ns, int cancel_fd,
	       struct str *ret_header, struct err *err)
{
	struct err why = {0};
	int r = 0;

	pthread_mutex_lock(&token.lock);
	if (token.expires_ns - clock_mono_ns() < renew_before_ns) {
		r = token_fetch(http, deadline_ns, cancel_fd, &why);
		if (r < 0 && token.expires_ns > clock_mono_ns())
			r = 0;
	}
	if (r == 0)
		str_add(ret_header, token.header);
	pthread_mutex_unlock(&token.lock);
	return r < 0 ? err_set(err, r, "%s", why.text)
		     : str_check(ret_header, "the token", err);
}

void auth_forget(const char *header)
{
	pthread_mutex_lock(&token.lock);
	if (strcmp(token.header, header) == 0) {
		explicit_bzero(token.header, sizeof(token.header));
		token.expires_ns = 0;
	}
	pthread_mutex_unlock(&token.lock);
}
