// SPDX-License-Identifier: Apache-2.0
// Application default credentials: which file, and what it says.
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "core/auth_impl.h"
#include "core/json.h"
#include "core/log.h"

static const char supported[] =
	"supported are service_account, authorized_user, or no file at all on a virtual "
	"machine of Google Cloud, for its own service account";

void auth_cred_done(struct auth_cred *cred)
{
	const char *key;
	json_t *v;

	json_object_foreach (cred->doc, key, v)
		if (json_is_string(v))
			OPENSSL_cleanse((char *)json_string_value(v),
					json_string_length(v));
	json_decref(cred->doc);
	*cred = (struct auth_cred){0};
}

static int refuse_type(const char *type, struct err *err)
{
	/* a text in the wrong place could be a secret */
	return err_set(err, -EACCES, "type %s is not supported: %s",
		       auth_is_word(type) ? type : "(unreadable)", supported);
}

/* The other universes have endpoints of their own, to which no token goes from here. */
static int check_universe(const char *universe, struct err *err)
{
	if (!*universe || strcmp(universe, "googleapis.com") == 0)
		return 0;
	return err_set(err, -EACCES,
		       "universe_domain is not googleapis.com: not supported");
}

/* The refresh token of another issuer is nothing for Google's endpoint. */
static int check_token_uri(const char *uri, struct err *err)
{
	static const char scheme[] = "https://";
	const char *host = uri + strlen(scheme);
	size_t n;

	if (!*uri)
		return 0;
	n = str_starts(uri, scheme) ? strcspn(host, "/?#") : 0;
	if (n && !memchr(host, '@', n) && !memchr(host, '\\', n)) {
		cleanup_free char *name = xstrndup(host, n);

		if (str_ends(name, ".googleapis.com"))
			return 0;
	}
	return err_set(err, -EACCES, "token_uri is not one of googleapis.com");
}

static int read_fields(struct json_in *in, struct auth_cred *ret, struct err *err)
{
	const char *type = "", *universe = "", *token_uri = "";

	json_in_str(in, "type", JSON_MUST, &type);
	json_in_str(in, "universe_domain", JSON_MAY, &universe);
	if (in->r < 0)
		return 0;
	if (strcmp(type, "service_account") == 0) {
		ret->source = AUTH_SERVICE_ACCOUNT;
		json_in_str(in, "client_email", JSON_MUST, &ret->email);
		json_in_str(in, "private_key_id", JSON_MUST, &ret->key_id);
		json_in_str(in, "private_key", JSON_MUST, &ret->key);
	} else if (strcmp(type, "authorized_user") == 0) {
		ret->source = AUTH_USER;
		json_in_str(in, "client_id", JSON_MUST, &ret->client_id);
		json_in_str(in, "client_secret", JSON_MUST, &ret->client_secret);
		json_in_str(in, "refresh_token", JSON_MUST, &ret->refresh_token);
		json_in_str(in, "token_uri", JSON_MAY, &token_uri);
	} else {
		return refuse_type(type, err);
	}
	if (in->r < 0)
		return 0;
	if (check_universe(universe, err) < 0)
		return -EACCES;
	return check_token_uri(token_uri, err);
}

int auth_cred_parse(const char *text, size_t n, struct auth_cred *ret, struct err *err)
{
	struct json_in in;
	int r, end;

	/* a parser's own message could quote a key */
	if (json_load(text, n, AUTH_FILE_MAX, "credentials", &ret->doc, NULL) < 0)
		return err_set(err, -EACCES, "not a JSON document");
	json_in_init(&in, ret->doc, JSON_RECORDS, "credentials", NULL, err);
	r = read_fields(&in, ret, err);
	end = json_in_end(&in);
	return r < 0 ? r : end < 0 ? -EACCES : 0;
}

static void warn_readable(const char *path, mode_t mode)
{
	static atomic_bool is_said;

	if ((mode & 077) && !atomic_exchange(&is_said, true))
		log_line(LOG_WARN,
			 "credentials file %s is open to others than its owner: "
			 "chmod 600",
			 path);
}

/* Links are followed: that is how secrets are mounted into containers. */
static int read_file(const char *path, struct str *ret, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "cannot be read");
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "not a regular file");
	warn_readable(path, st.st_mode);
	while ((n = read(fd, ret->s + ret->len, ret->max - ret->len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, -errno, "cannot be read");
		ret->len += (size_t)n;
		if (ret->len > AUTH_FILE_MAX)
			return err_set(err, -EFBIG, "larger than %d bytes",
				       AUTH_FILE_MAX);
	}
	return 0;
}

static int load(const char *path, const char *how, struct auth_cred *ret, struct err *err)
{
	cleanup_secret struct str text = auth_secret(AUTH_FILE_MAX + 1);
	int r = read_file(path, &text, err);

	if (r == 0)
		r = auth_cred_parse(text.s, text.len, ret, err);
	if (r < 0)
		return err_wrap(err, -EACCES, "credentials file %.200s (%s)", path, how);
	return 0;
}

/* Where gcloud puts what "auth application-default login" gets; NULL if it is not there.
 */
static char *gcloud_file(void)
{
	static const char name[] = "application_default_credentials.json";
	const char *folder = getenv("CLOUDSDK_CONFIG"), *home = getenv("HOME");
	cleanup_free char *path = NULL;

	if (folder && *folder)
		path = xasprintf("%s/%s", folder, name);
	else if (home && *home)
		path = xasprintf("%s/.config/gcloud/%s", home, name);
	return path && access(path, F_OK) == 0 ? steal_ptr(path) : NULL;
}

int auth_cred_find(struct auth_cred *ret, struct err *err)
{
	const char *path = getenv("GOOGLE_APPLICATION_CREDENTIALS");
	cleanup_free char *gcloud = NULL;

	if (path && *path)
		return load(path, "GOOGLE_APPLICATION_CREDENTIALS", ret, err);
	gcloud = gcloud_file();
	if (gcloud)
		return load(gcloud,
			    "gcloud's default; CLOUDSDK_CONFIG names another folder", ret,
			    err);
	if (!metadata_is_here())
		return err_set(
			err, -EACCES,
			"no credentials: GOOGLE_APPLICATION_CREDENTIALS names no file, "
			"nobody logged in (gcloud auth application-default login), and "
			"this is no virtual machine of Google Cloud, whose service "
			"account would be used; STORAGE_EMULATOR_HOST names a store that "
			"needs none");
	ret->source = AUTH_METADATA;
	return 0;
}
