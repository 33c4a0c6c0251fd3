// SPDX-License-Identifier: Apache-2.0
// Object resources, hashes and ranges of the JSON API, in and out.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "core/store_gcs_impl.h"

/* 64-bit numbers are strings in the JSON API; some emulators send plain numbers. */
static int read_u64(const json_t *doc, const char *key, uint64_t *ret, struct err *err)
{
	json_t *v = json_object_get(doc, key);
	struct err why = {0};

	if (!v)
		return 0;
	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		*ret = (uint64_t)json_integer_value(v);
		return 0;
	}
	if (json_is_string(v) && parse_u64(json_string_value(v), ret, &why) == 0)
		return 0;
	return err_set(err, -EBADMSG, "the server's reply: %s is not a number", key);
}

static int read_time(const json_t *doc, const char *key, int64_t *ret, struct err *err)
{
	const char *text = json_string_value(json_object_get(doc, key));

	if (!text)
		return 0;
	if (clock_parse(text, ret, NULL) < 0)
		return err_set(err, -EBADMSG, "the server's reply: %s is not a time",
			       key);
	return 0;
}

static void read_custom(const json_t *doc, const char *key, char *out, size_t cap)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(doc, "metadata"), key));

	/* somebody else's, if it does not fit */
	if (text)
		str_copy(out, cap, text);
}

int gcs_meta_read(const json_t *doc, struct obj_meta *ret, struct err *err)
{
	const char *crc = json_string_value(json_object_get(doc, "crc32c"));
	struct obj_meta got = {.name = json_string_value(json_object_get(doc, "name"))};
	int r = 0;

	if (!json_is_object(doc) || !got.name)
		return err_set(err, -EBADMSG, "the server's reply is no object resource");
	r = r < 0 ? r : read_u64(doc, "generation", &got.generation, err);
	r = r < 0 ? r : read_u64(doc, "metageneration", &got.metageneration, err);
	r = r < 0 ? r : read_u64(doc, "size", &got.size_bytes, err);
	r = r < 0 ? r : read_time(doc, "timeCreated", &got.created_ns, err);
	r = r < 0 ? r : read_time(doc, "updated", &got.updated_ns, err);
	if (r < 0)
		return r;
	if (!got.generation)
		return err_set(err, -EBADMSG, "the server's reply names no generation");
	if (crc && crc32c_parse(crc, &got.crc32c, NULL) == 0)
		got.has_crc32c = true;
	read_custom(doc, "muster-nonce", got.nonce, sizeof(got.nonce));
	read_custom(doc, "muster-summary", got.summary, sizeof(got.summary));
	*ret = got;
	return 0;
}

int gcs_meta_parse(const struct str *body, struct obj_meta *ret, struct err *err)
{
	cleanup_json json_t *doc = NULL;
	int r = json_load(str_text(body), body->len, GCS_META_MAX, "the server's reply",
			  &doc, err);

	if (r == 0)
		r = gcs_meta_read(doc, ret, err);
	if (r == 0)
		ret->name = NULL;
	return r;
}

bool gcs_hash_crc32c(const char *hash, uint32_t *ret)
{
	const char *at = hash;

	for (; *at; at += strcspn(at, ","), at += *at == ',') {
		char text[CRC32C_B64_CAP];

		at += strspn(at, " ");
		if (!str_starts(at, "crc32c=") || strlen(at) < 7 + CRC32C_B64_CAP - 1)
			continue;
		memcpy(text, at + 7, CRC32C_B64_CAP - 1);
		text[CRC32C_B64_CAP - 1] = '\0';
		return crc32c_parse(text, ret, NULL) == 0;
	}
	return false;
}

/* The decimal number that @text begins with and @end ends. */
static bool number_until(const char *text, const char *end, uint64_t *ret)
{
	char digits[24];
	size_t n = strcspn(text, end);

	if (n >= sizeof(digits))
		return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return parse_u64(digits, ret, NULL) == 0;
}

bool gcs_content_range(const char *text, uint64_t *ret_start)
{
	return str_starts(text, "bytes ") && number_until(text + 6, "-", ret_start);
}

int gcs_persisted(const char *range, uint64_t *ret, struct err *err)
{
	uint64_t last = 0;

	if (!*range) {
		*ret = 0;
		return 0;
	}
	if (!str_starts(range, "bytes=0-") || !number_until(range + 8, "", &last) ||
	    last == UINT64_MAX)
		return err_set(err, -EBADMSG, "the server's Range is not \"bytes=0-N\"");
	*ret = last + 1;
	return 0;
}

json_t *gcs_resource(const char *name, const struct put_req *req, const char *nonce,
		     const uint32_t *crc32c)
{
	const char *type =
		req->content_type ? req->content_type : "application/octet-stream";
	json_t *doc = json_object(), *custom = json_object();
	char sum[CRC32C_B64_CAP];

	if (name)
		json_object_set_new(doc, "name", json_text(name));
	json_object_set_new(doc, "contentType", json_text(type));
	json_object_set_new(doc, "cacheControl", json_string("no-store"));
	if (crc32c) {
		crc32c_base64(*crc32c, sum);
		json_object_set_new(doc, "crc32c", json_string(sum));
	}
	json_object_set_new(custom, "muster-nonce", json_string(nonce));
	if (req->summary)
		json_object_set_new(custom, "muster-summary", json_text(req->summary));
	json_object_set_new(doc, "metadata", custom);
	return doc;
}
