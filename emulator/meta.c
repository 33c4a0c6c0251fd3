// SPDX-License-Identifier: Apache-2.0
// Object records: writable fields and declared checksums, read from requests.
#include "emulator/meta.h"

#include <string.h>
#include <strings.h>

#include "core/crc32c.h"
#include "core/str.h"
#include "emulator/base64.h"

enum field_type { FIELD_TEXT, FIELD_BOOL, FIELD_MAP };

/* What a client may set (JSON API reference, "Objects", writable properties). */
static const struct field {
	const char *key;
	enum field_type type;
} fields[] = {
	{"contentType", FIELD_TEXT},	 {"contentEncoding", FIELD_TEXT},
	{"contentLanguage", FIELD_TEXT}, {"contentDisposition", FIELD_TEXT},
	{"cacheControl", FIELD_TEXT},	 {"storageClass", FIELD_TEXT},
	{"customTime", FIELD_TEXT},	 {"temporaryHold", FIELD_BOOL},
	{"eventBasedHold", FIELD_BOOL},	 {"metadata", FIELD_MAP},
};

static int bad(struct emu_fail *f, const char *key)
{
	return emu_fail(f, 400, "invalid", "Invalid value for field: %s.", key);
}

struct emu_object *emu_object_new(const char *bucket, const char *name, json_t *meta,
				  struct emu_blob *blob)
{
	struct emu_object *o = xcalloc(1, sizeof(*o));

	o->refs = 1;
	o->bucket = xstrdup(bucket);
	o->name = xstrdup(name);
	o->meta = meta;
	o->blob = blob;
	return o;
}

struct emu_object *emu_object_ref(struct emu_object *o)
{
	__atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
	return o;
}

void emu_object_unref(struct emu_object *o)
{
	if (!o || __atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	json_decref(o->meta);
	emu_blob_unref(o->blob);
	free(o->bucket);
	free(o->name);
	free(o);
}

int emu_name_check(const char *name, struct emu_fail *f)
{
	size_t n = strlen(name);

	if (!n)
		return emu_fail(f, 400, "required", "Required parameter: name");
	if (n > EMU_NAME_MAX || !str_is_utf8(name, n) || strpbrk(name, "\r\n") ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    str_starts(name, ".well-known/acme-challenge/"))
		return emu_fail(f, 400, "invalid", "Invalid object name.");
	return 0;
}

static bool is_of_type(const json_t *v, enum field_type type)
{
	const char *key;
	json_t *item;

	if (type == FIELD_TEXT)
		return json_is_string(v);
	if (type == FIELD_BOOL)
		return json_is_boolean(v);
	if (!json_is_object(v))
		return false;
	json_object_foreach ((json_t *)v, key, item)
		if (!json_is_string(item) && !json_is_null(item))
			return false;
	return true;
}

static int merge_map(json_t *meta, const json_t *patch, struct emu_fail *f)
{
	json_t *map = json_object_get(meta, "metadata");
	size_t bytes = 0;
	const char *key;
	json_t *v;

	if (!map) {
		map = json_object();
		json_object_set_new(meta, "metadata", map);
	}
	json_object_foreach ((json_t *)patch, key, v) {
		if (json_is_null(v))
			json_object_del(map, key);
		else
			json_object_set_new(map, key, json_copy(v));
	}
	json_object_foreach (map, key, v)
		bytes += strlen(key) + json_string_length(v);
	if (bytes > EMU_CUSTOM_MAX)
		return emu_fail(f, 400, "invalid",
				"The custom metadata is larger than %d bytes.",
				EMU_CUSTOM_MAX);
	if (json_object_size(map) == 0)
		json_object_del(meta, "metadata");
	return 0;
}

int emu_meta_merge(json_t *meta, const json_t *patch, struct emu_fail *f)
{
	if (!json_is_object(patch))
		return emu_fail(f, 400, "parseError", "Parse Error: not a JSON object.");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const json_t *v = json_object_get(patch, fields[i].key);

		if (!v)
			continue;
		if (json_is_null(v)) {
			json_object_del(meta, fields[i].key);
			continue;
		}
		if (!is_of_type(v, fields[i].type))
			return bad(f, fields[i].key);
		if (fields[i].type != FIELD_MAP) {
			json_object_set_new(meta, fields[i].key, json_copy((json_t *)v));
		} else {
			int status = merge_map(meta, v, f);

			if (status)
				return status;
		}
	}
	return 0;
}

int emu_meta_read(const json_t *resource, json_t **ret_meta, struct emu_fail *f)
{
	json_t *meta = json_object();
	int status = emu_meta_merge(meta, resource, f);

	if (status)
		json_decref(meta);
	else
		*ret_meta = meta;
	return status;
}

static int parse_md5(const char *text, unsigned char out[16], struct emu_fail *f)
{
	cleanup_str struct str raw = STR_INIT(64);

	if (strlen(text) != 24 || emu_base64_parse(text, &raw) < 0 || raw.len != 16)
		return bad(f, "md5Hash");
	memcpy(out, raw.s, 16);
	return 0;
}

static int declare(struct emu_digests *d, const char *what, const char *value,
		   struct emu_fail *f)
{
	int status;

	if (strcmp(what, "crc32c") == 0) {
		if (crc32c_parse(value, &d->crc32c, NULL) < 0)
			return bad(f, "crc32c");
		d->has_crc32c = true;
	} else if (strcmp(what, "md5") == 0) {
		status = parse_md5(value, d->md5, f);
		if (status)
			return status;
		d->has_md5 = true;
	}
	return 0;
}

int emu_meta_digests(const json_t *resource, struct emu_digests *ret, struct emu_fail *f)
{
	const json_t *crc = json_object_get(resource, "crc32c");
	const json_t *md5 = json_object_get(resource, "md5Hash");
	int status = 0;

	if (crc && !json_is_null(crc))
		status = json_is_string(crc)
				 ? declare(ret, "crc32c", json_string_value(crc), f)
				 : bad(f, "crc32c");
	if (!status && md5 && !json_is_null(md5))
		status = json_is_string(md5)
				 ? declare(ret, "md5", json_string_value(md5), f)
				 : bad(f, "md5Hash");
	return status;
}

int emu_meta_hash_header(const char *value, struct emu_digests *ret, struct emu_fail *f)
{
	while (*value) {
		size_t n = strcspn(value, ",");
		cleanup_free char *item = xstrndup(value, n);
		char *text = item + strspn(item, " \t");
		char *eq = strchr(text, '=');
		size_t end = strlen(text);

		while (end && strchr(" \t", text[end - 1]))
			text[--end] = '\0';
		if (eq) {
			int status;

			*eq = '\0';
			status = declare(ret, text, eq + 1, f);
			if (status)
				return status;
		}
		value += n + (value[n] == ',');
	}
	return 0;
}

int emu_digests_check(const struct emu_digests *want, const struct emu_blob *blob,
		      struct emu_fail *f)
{
	if (want->has_crc32c && want->crc32c != blob->crc32c) {
		char a[CRC32C_B64_CAP], b[CRC32C_B64_CAP];

		crc32c_base64(want->crc32c, a);
		crc32c_base64(blob->crc32c, b);
		return emu_fail(f, 400, "invalid",
				"Provided CRC32C \"%s\" doesn't match calculated CRC32C "
				"\"%s\".",
				a, b);
	}
	if (want->has_md5 && memcmp(want->md5, blob->md5, 16) != 0) {
		char a[EMU_MD5_B64_CAP], b[EMU_MD5_B64_CAP];

		emu_md5_base64(want->md5, a);
		emu_md5_base64(blob->md5, b);
		return emu_fail(f, 400, "invalid",
				"Provided MD5 hash \"%s\" doesn't match calculated MD5 "
				"hash \"%s\".",
				a, b);
	}
	return 0;
}
