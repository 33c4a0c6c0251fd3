// SPDX-License-Identifier: Apache-2.0
// Credentials files: which one is taken, what is refused, the key's own tokens.
#include <errno.h>

#include "core/auth_impl.h"
#include "core/clock.h"
#include "tests/unit/auth_key.h"
#include "tests/unit/tap.h"

#define SECRET "s3cr3t-that-must-not-be-seen"
#define USER(more)                                                                       \
	"{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"" SECRET  \
	"\",\"refresh_token\":\"1//" SECRET "\"" more "}"
#define ACCOUNT(more)                                                                    \
	"{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key_id\":"     \
	"\"k\",\"private_key\":\"" SECRET "\"" more "}"

static char folder[] = "/tmp/muster-auth-XXXXXX";

static char *in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void test_good(void)
{
	static const struct {
		const char *text;
		enum auth_source source;
	} cases[] = {
		{USER(""), AUTH_USER},
		{USER(",\"universe_domain\":\"googleapis.com\""), AUTH_USER},
		{USER(",\"token_uri\":\"https://oauth2.googleapis.com/token\""),
		 AUTH_USER},
		{USER(",\"token_uri\":\"https://www.googleapis.com/oauth2/v4/token\""),
		 AUTH_USER},
		{USER(",\"token_uri\":null,\"account\":\"\""), AUTH_USER},
		{ACCOUNT(""), AUTH_SERVICE_ACCOUNT},
		/* it is not used: the key signs for itself */
		{ACCOUNT(",\"token_uri\":\"https://accounts.google.com/o/oauth2/token\""),
		 AUTH_SERVICE_ACCOUNT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_cred struct auth_cred cred = {0};
		struct err err = {0};

		ok(auth_cred_parse(cases[i].text, strlen(cases[i].text), &cred, &err) ==
				   0 &&
			   cred.source == cases[i].source,
		   "file %zu is good %s", i, err.text);
		spill(err.text);
	}
}

static void test_bad(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{USER(",\"token_uri\":\"https://evil.org/token\""), "token_uri is not"},
		{USER(",\"token_uri\":\"http://oauth2.googleapis.com/token\""),
		 "token_uri is not"},
		{USER(",\"token_uri\":\"https://a.googleapis.com.evil.org/\""),
		 "token_uri is not"},
		{USER(",\"token_uri\":\"https://evil.org/.googleapis.com\""),
		 "token_uri is not"},
		{USER(",\"token_uri\":\"https://x@evil.org?.googleapis.com\""),
		 "token_uri is not"},
		{USER(",\"token_uri\":\"https://evilgoogleapis.com/\""),
		 "token_uri is not"},
		{USER(",\"universe_domain\":\"evil.org\""), "universe_domain"},
		{ACCOUNT(",\"universe_domain\":\"apis-berlin.goog\""), "universe_domain"},
		{ACCOUNT(",\"universe_domain\":5"), "universe_domain: not a string"},
		{"{\"type\":\"external_account\",\"audience\":\"" SECRET "\"}",
		 "type external_account is not supported: supported are service_account, "
		 "authorized_user"},
		{"{\"type\":\"impersonated_service_account\"}", "not supported"},
		{"{\"type\":\"" SECRET "\"}", "type (unreadable) is not supported"},
		{"{\"type\":7}", "type: not a string"},
		{"{}", "type: missing"},
		{"[]", "not an object"},
		{"", "not a JSON document"},
		{"{\"private_key\":\"" SECRET, "not a JSON document"},
		{SECRET, "not a JSON document"},
		{USER(",\"client_secret\":\"" SECRET "\""), "not a JSON document"},
		{"{\"type\":\"service_account\",\"private_key\":\"" SECRET "\"}",
		 "client_email: missing"},
		{"{\"type\":\"authorized_user\",\"client_id\":\"x\",\"client_secret\":["
		 "\"" SECRET "\"]}",
		 "client_secret: not a string"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_cred struct auth_cred cred = {0};
		struct err err = {0};

		ok(auth_cred_parse(cases[i].text, strlen(cases[i].text), &cred, &err) ==
				   -EACCES &&
			   strstr(err.text, cases[i].want),
		   "no file: %s", err.text);
		spill(err.text);
	}
}

/* What auth_find() answers; its error, if any, in @err. */
static enum auth_source found(struct err *err)
{
	enum auth_source source = AUTH_ANONYMOUS;

	err_clear(err);
	auth_find(&source, err);
	spill(err->text);
	return source;
}

static void test_order(void)
{
	static const char name[] = "application_default_credentials.json";
	cleanup_free char *gcloud = in_folder(name);
	cleanup_free char *home = xasprintf("%s/.config/gcloud/%s", folder, name);
	cleanup_free char *dir1 = in_folder(".config");
	cleanup_free char *dir2 = in_folder(".config/gcloud");
	cleanup_free char *key = in_folder("key.json");
	struct err err = {0};

	setenv("CLOUDSDK_CONFIG", folder, 1);
	setenv("HOME", folder, 1);
	setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
	if (mkdir(dir1, 0700) < 0 || mkdir(dir2, 0700) < 0)
		abort();
	ok(found(&err) == AUTH_METADATA, "no file: the metadata server");
	write_file(home, USER(""), 0600);
	ok(found(&err) == AUTH_METADATA, "CLOUDSDK_CONFIG replaces the home folder");
	unsetenv("CLOUDSDK_CONFIG");
	ok(found(&err) == AUTH_USER, "gcloud's file in the home folder");
	write_file(gcloud, ACCOUNT(""), 0600);
	setenv("CLOUDSDK_CONFIG", folder, 1);
	ok(found(&err) == AUTH_SERVICE_ACCOUNT, "gcloud's file in CLOUDSDK_CONFIG");
	write_file(key, USER(""), 0600);
	setenv("GOOGLE_APPLICATION_CREDENTIALS", key, 1);
	ok(found(&err) == AUTH_USER, "GOOGLE_APPLICATION_CREDENTIALS comes first");
	setenv("GOOGLE_APPLICATION_CREDENTIALS", "", 1);
	ok(found(&err) == AUTH_SERVICE_ACCOUNT, "unless it is empty");
	setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json", 1);
	ok(found(&err) == AUTH_ANONYMOUS && err.code == -EACCES &&
		   strstr(err.text, "/nonexistent/key.json") &&
		   strstr(err.text, "GOOGLE_APPLICATION_CREDENTIALS"),
	   "a file that is not there is not passed over (%s)", err.text);
	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	write_file(gcloud, "{\"type\":\"external_account\"}", 0600);
	ok(found(&err) == AUTH_ANONYMOUS && strstr(err.text, "CLOUDSDK_CONFIG") &&
		   strstr(err.text, "supported are"),
	   "nor one of a kind that is not supported (%s)", err.text);
	unlink(gcloud);
	unlink(home);
	rmdir(dir2);
	rmdir(dir1);
	unsetenv("GCE_METADATA_HOST");
	if (!metadata_is_here())
		ok(found(&err) == AUTH_ANONYMOUS && strstr(err.text, "no credentials"),
		   "nothing at all (%s)", err.text);
}

static void test_files(void)
{
	cleanup_free char *key = in_folder("key.json");
	cleanup_free char *link = in_folder("link.json");
	cleanup_free char *big = xcalloc(1, AUTH_FILE_MAX + 2);
	struct err err = {0};

	setenv("GOOGLE_APPLICATION_CREDENTIALS", link, 1);
	if (symlink("key.json", link) < 0)
		abort();
	spilt_warnings = 0;
	write_file(key, USER(""), 0600);
	ok(found(&err) == AUTH_USER && spilt_warnings == 0, "links are followed");
	write_file(key, USER(""), 0640);
	ok(found(&err) == AUTH_USER && spilt_warnings == 1,
	   "a file that the group may read: a warning");
	ok(found(&err) == AUTH_USER && spilt_warnings == 1, "only once");
	memset(big, ' ', AUTH_FILE_MAX + 1);
	memcpy(big, USER(""), strlen(USER("")));
	write_file(key, big, 0600);
	ok(found(&err) == AUTH_ANONYMOUS && strstr(err.text, "larger than"),
	   "a file of a byte too many (%s)", err.text);
	big[AUTH_FILE_MAX] = '\0';
	write_file(key, big, 0600);
	ok(found(&err) == AUTH_USER, "a file as large as may be");
	unlink(key);
	if (mkfifo(key, 0600) < 0)
		abort();
	ok(found(&err) == AUTH_ANONYMOUS && strstr(err.text, "not a regular file"),
	   "a pipe does not hang (%s)", err.text);
	unlink(key);
	unlink(link);
}

/* Part @i of a token, decoded; the caller frees. */
static unsigned char *decode(const char *jwt, size_t i, size_t *ret_n)
{
	const char *at = jwt;
	char text[4096] = "";
	unsigned char *bytes = xcalloc(1, sizeof(text));
	size_t n;
	int got;

	while (i-- && strchr(at, '.'))
		at = strchr(at, '.') + 1;
	n = strcspn(at, ".");
	for (size_t c = 0; c < n; c++)
		text[c] = at[c] == '-' ? '+' : at[c] == '_' ? '/' : at[c];
	memset(text + n, '=', (4 - n % 4) % 4);
	got = EVP_DecodeBlock(bytes, (unsigned char *)text, (int)strlen(text));
	*ret_n = got < 0 ? 0 : (size_t)got - (4 - n % 4) % 4;
	bytes[*ret_n] = '\0';
	return bytes;
}

static bool verifies(EVP_PKEY *key, const char *jwt)
{
	size_t n = 0, signed_n = (size_t)(strrchr(jwt, '.') - jwt);
	cleanup_free unsigned char *signature = decode(jwt, 2, &n);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		       EVP_DigestVerify(ctx, signature, n, (const unsigned char *)jwt,
					signed_n) == 1;

	EVP_MD_CTX_free(ctx);
	return is_good;
}

static void test_jwt(EVP_PKEY *key, const char *pem)
{
	cleanup_free char *text = key_json(pem);
	cleanup_cred struct auth_cred cred = {0};
	cleanup_secret struct str jwt = auth_secret(AUTH_HEADER_CAP);
	struct auth_token token = {0};
	int64_t before_ns = clock_mono_ns(), end_ns = 3595LL * NS_PER_S;
	struct err err = {0};
	size_t n = 0;

	ok(auth_cred_parse(text, strlen(text), &cred, &err) == 0 &&
		   auth_jwt_sign(&cred, 1800000000, &jwt, &err) == 0,
	   "a token is signed (%s)", err.text);
	ok(strspn(jwt.s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			 "-_.") == jwt.len,
	   "of characters that a header may have");
	{
		cleanup_free unsigned char *head = decode(jwt.s, 0, &n);
		cleanup_free unsigned char *claims = decode(jwt.s, 1, &n);

		ok(strcmp((char *)head,
			  "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k-1\"}") == 0,
		   "its header: %s", head);
		ok(strcmp((char *)claims,
			  "{\"iss\":\"muster@p.iam.gserviceaccount.com\",\"sub\":"
			  "\"muster@p.iam.gserviceaccount.com\",\"scope\":\"https://"
			  "www.googleapis.com/auth/devstorage.read_write\",\"iat\":"
			  "1799999995,\"exp\":1800003595}") == 0,
		   "its claims: %s", claims);
	}
	ok(verifies(key, jwt.s), "the public key verifies it");
	jwt.s[3] ^= 1;
	ok(!verifies(key, jwt.s), "and only it");
	ok(auth_jwt_token(&cred, &token, &err) == 0 &&
		   str_starts(token.header, "Authorization: Bearer ey") &&
		   token.expires_ns >= before_ns + end_ns &&
		   token.expires_ns <= clock_mono_ns() + end_ns,
	   "it lasts until its exp");
}

static void test_bad_keys(EVP_PKEY *key, const char *pem)
{
	EVP_PKEY *small = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");
	char *texts[] = {key_pem(small, NULL), key_pem(curve, NULL),
			 key_pem(key, "password"), xstrndup(pem, strlen(pem) / 2),
			 xstrdup("")};
	static const char *const names[] = {"1024 bits", "no RSA key",
					    "a key with a password", "half a key",
					    "no key"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_free char *text = key_json(texts[i]);
		cleanup_cred struct auth_cred cred = {0};
		struct auth_token token = {0};
		struct err err = {0};

		ok(auth_cred_parse(text, strlen(text), &cred, &err) == 0 &&
			   auth_jwt_token(&cred, &token, &err) == -EACCES &&
			   !token.expires_ns && strstr(err.text, "PEM RSA key"),
		   "%s is refused (%s)", names[i], err.text);
		spill(err.text);
		ok(i == 4 || !is_spilt(texts[i]), "and not shown");
		free(texts[i]);
	}
	EVP_PKEY_free(small);
	EVP_PKEY_free(curve);
}

int main(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	char *pem = key_pem(key, NULL);

	if (!mkdtemp(folder))
		abort();
	log_set_sink(spill_line, NULL, LOG_DEBUG);
	test_good();
	test_bad();
	test_order();
	test_files();
	test_jwt(key, pem);
	test_bad_keys(key, pem);
	ok(spilt.len > 0 && !is_spilt(SECRET) && !is_spilt(pem),
	   "no secret in any error or log line");
	spill("1//" SECRET);
	ok(is_spilt(SECRET), "it would have been found");
	rmdir(folder);
	str_done(&spilt);
	EVP_PKEY_free(key);
	free(pem);
	return done_testing();
}
