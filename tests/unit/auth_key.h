// SPDX-License-Identifier: Apache-2.0
// For the credentials' tests: keys made on the spot, files, a search for spilt secrets.
#ifndef TESTS_UNIT_AUTH_KEY_H
#define TESTS_UNIT_AUTH_KEY_H

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "core/json.h"
#include "core/log.h"
#include "core/str.h"

/* Everything that was logged, printed or put into an error while the test ran. */
static struct str spilt = {.max = 8 << 20};
static pthread_mutex_t spilt_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned spilt_warnings;

__attribute__((unused)) static void spill(const char *text)
{
	pthread_mutex_lock(&spilt_lock);
	str_add(&spilt, text);
	str_addc(&spilt, '\n');
	pthread_mutex_unlock(&spilt_lock);
}

__attribute__((unused)) static void spill_line(enum log_level level, const char *line,
					       void *arg)
{
	(void)arg;
	spill(line);
	if (level == LOG_WARN) {
		pthread_mutex_lock(&spilt_lock);
		spilt_warnings++;
		pthread_mutex_unlock(&spilt_lock);
	}
}

/* Is @secret, or any 16 bytes in a row of it, in what was spilt? */
__attribute__((unused)) static bool is_spilt(const char *secret)
{
	enum { PIECE = 16 };
	size_t n = strlen(secret);

	if (n <= PIECE)
		return strstr(str_text(&spilt), secret) != NULL;
	for (size_t i = 0; i + PIECE <= n; i++) {
		char piece[PIECE + 1] = "";

		memcpy(piece, secret + i, PIECE);
		if (!strchr(piece, '\n') && !strstr(piece, "PRIVATE KEY") &&
		    strstr(str_text(&spilt), piece))
			return true;
	}
	return false;
}

/* PKCS #8 in PEM, as Google's key files have it; the caller frees. */
__attribute__((unused)) static char *key_pem(const EVP_PKEY *key, const char *password)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *pem;
	long n;

	if (!bio || PEM_write_bio_PKCS8PrivateKey(
			    bio, key, password ? EVP_aes_128_cbc() : NULL, password,
			    password ? (int)strlen(password) : 0, NULL, NULL) != 1)
		abort();
	n = BIO_get_mem_data(bio, &bytes);
	pem = xstrndup(bytes, (size_t)n);
	BIO_free(bio);
	return pem;
}

__attribute__((unused)) static void write_file(const char *path, const char *text,
					       mode_t mode)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, mode) < 0)
		abort();
}

/* A service account's key file; the caller frees. */
__attribute__((unused)) static char *key_json(const char *pem)
{
	json_t *doc = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "type", "service_account",
				"private_key_id", "k-1", "private_key", pem,
				"client_email", "muster@p.iam.gserviceaccount.com",
				"token_uri", "https://oauth2.googleapis.com/token",
				"universe_domain", "googleapis.com");
	char *text = json_dumps(doc, JSON_INDENT(2));

	json_decref(doc);
	return text;
}

#define USER_JSON(secret, refresh)                                                       \
	"{\"type\":\"authorized_user\",\"client_id\":\"id.apps\",\"client_secret\":"     \
	"\"" secret "\",\"refresh_token\":\"" refresh "\",\"quota_project_id\":\"p\"}"

#endif
