// SPDX-License-Identifier: Apache-2.0
// SHA-256 over libcrypto.
#include "core/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/str.h"

enum { DIGEST_BLOCK_BYTES = 256 << 10 };

static void to_hex(const unsigned char *sum, char out[DIGEST_CAP])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < (DIGEST_CAP - 1) / 2; i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[DIGEST_CAP - 1] = '\0';
}

static void md_free(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

void digest_bytes(const void *data, size_t n, char out[DIGEST_CAP])
{
	unsigned char sum[EVP_MAX_MD_SIZE] = {0};

	EVP_Digest(data, n, sum, NULL, EVP_sha256(), NULL);
	to_hex(sum, out);
}

int digest_fd(int fd, char out[DIGEST_CAP], uint64_t *ret_bytes, struct err *err)
{
	EVP_MD_CTX *ctx cleanup(md_free) = EVP_MD_CTX_new();
	cleanup_free unsigned char *block = xcalloc(1, DIGEST_BLOCK_BYTES);
	unsigned char sum[EVP_MAX_MD_SIZE] = {0};
	uint64_t at = 0;
	ssize_t n;

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		return err_set(err, -ENOMEM, "SHA-256 is not available");
	while ((n = pread(fd, block, DIGEST_BLOCK_BYTES, (off_t)at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, -errno, "read");
		EVP_DigestUpdate(ctx, block, (size_t)n);
		at += (uint64_t)n;
	}
	EVP_DigestFinal_ex(ctx, sum, NULL);
	to_hex(sum, out);
	if (ret_bytes)
		*ret_bytes = at;
	return 0;
}
