// SPDX-License-Identifier: Apache-2.0
// The token that a service account's key signs itself (AIP-4111).
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "core/auth_impl.h"
#include "core/clock.h"
#include "core/json.h"

enum { PART_MAX = 2048, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192 };

static const char scope[] = "https://www.googleapis.com/auth/devstorage.read_write";

static void key_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void ctx_free(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

/* RFC 4648 §5, without padding; @n is at most PART_MAX. */
static void add_base64url(struct str *s, const void *bytes, size_t n)
{
	unsigned char text[PART_MAX / 3 * 4 + 8];
	int len = EVP_EncodeBlock(text, bytes, (int)n);

	for (int i = 0; i < len && text[i] != '='; i++)
		str_addc(s, text[i] == '+' ? '-' : text[i] == '/' ? '_' : (char)text[i]);
	OPENSSL_cleanse(text, sizeof(text));
}

static int add_json(struct str *s, json_t *doc, struct err *err)
{
	cleanup_str struct str text = STR_INIT(PART_MAX);
	cleanup_json json_t *owned = doc;
	int r = json_dump(owned, &text, err);

	if (r == 0)
		add_base64url(s, text.s, text.len - 1); /* without the line's end */
	return r;
}

/* An encrypted key: nobody is asked for its password. */
static int no_password(char *out, int cap, int is_write, void *arg)
{
	(void)out, (void)cap, (void)is_write, (void)arg;
	return -1;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	bool is_good = key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA &&
		       EVP_PKEY_bits(key) >= RSA_BITS_MIN &&
		       EVP_PKEY_bits(key) <= RSA_BITS_MAX;

	BIO_free(bio);
	if (is_good)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static int add_signature(struct str *s, const char *pem, struct err *err)
{
	EVP_MD_CTX *ctx cleanup(ctx_free) = EVP_MD_CTX_new();
	EVP_PKEY *key cleanup(key_free) = read_key(pem);
	unsigned char signature[RSA_BITS_MAX / 8];
	size_t n = sizeof(signature);
	bool is_good = ctx && key &&
		       EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		       EVP_DigestSign(ctx, signature, &n, (const unsigned char *)s->s,
				      s->len) == 1;

	/* what libcrypto has to say could quote the key; TLS would find it later */
	ERR_clear_error();
	if (!key)
		return err_set(err, -EACCES,
			       "private_key is not a PEM RSA key of 2048 to 8192 bits "
			       "without a password");
	if (!is_good)
		return err_set(err, -EACCES, "private_key cannot sign");
	str_addc(s, '.');
	add_base64url(s, signature, n);
	OPENSSL_cleanse(signature, sizeof(signature));
	return 0;
}

int auth_jwt_sign(const struct auth_cred *cred, int64_t now_s, struct str *ret,
		  struct err *err)
{
	json_int_t iat = now_s - AUTH_JWT_BACK_S;
	int r = add_json(ret,
			 json_pack("{s:s,s:s,s:s}", "alg", "RS256", "typ", "JWT", "kid",
				   cred->key_id),
			 err);

	str_addc(ret, '.');
	if (r == 0)
		r = add_json(ret,
			     json_pack("{s:s,s:s,s:s,s:I,s:I}", "iss", cred->email, "sub",
				       cred->email, "scope", scope, "iat", iat, "exp",
				       iat + AUTH_JWT_LIFE_S),
			     err);
	if (r == 0)
		r = str_check(ret, "the service account's token", err);
	if (r == 0)
		r = add_signature(ret, cred->key, err);
	return r < 0 ? r : str_check(ret, "the service account's token", err);
}

int auth_jwt_token(const struct auth_cred *cred, struct auth_token *ret, struct err *err)
{
	cleanup_secret struct str jwt = auth_secret(AUTH_HEADER_CAP);
	int64_t asked_ns = clock_mono_ns(), life_s = AUTH_JWT_LIFE_S - AUTH_JWT_BACK_S;
	int r = auth_jwt_sign(cred, clock_real_ns() / NS_PER_S, &jwt, err);

	if (r == 0)
		r = auth_token_set(str_text(&jwt), asked_ns + life_s * NS_PER_S, ret,
				   err);
	return r < 0 ? err_wrap(err, r, "key of the service account") : 0;
}
