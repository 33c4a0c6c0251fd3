// SPDX-License-Identifier: Apache-2.0
// The object resource as the JSON API writes it.
#include "emulator/meta.h"

#include <string.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "core/str.h"
#include "emulator/base64.h"

void emu_md5_base64(const unsigned char md5[16], char out[EMU_MD5_B64_CAP])
{
	cleanup_str struct str s = STR_INIT(64);

	emu_base64(&s, md5, 16);
	str_copy(out, EMU_MD5_B64_CAP, str_text(&s));
}

static void add_varint(struct str *s, uint64_t v)
{
	for (; v >= 128; v >>= 7)
		str_addc(s, (char)(v | 128));
	str_addc(s, (char)v);
}

/* Etags of the service decode to a message of these two numbers; so do ours. */
void emu_object_etag(const struct emu_object *o, char out[EMU_ETAG_CAP])
{
	cleanup_str struct str raw = STR_INIT(64);
	cleanup_str struct str s = STR_INIT(64);

	str_addc(&raw, 0x08);
	add_varint(&raw, o->generation);
	str_addc(&raw, 0x10);
	add_varint(&raw, o->metageneration);
	emu_base64(&s, raw.s, raw.len);
	str_copy(out, EMU_ETAG_CAP, str_text(&s));
}

const char *emu_object_text(const struct emu_object *o, const char *key,
			    const char *fallback)
{
	const char *text = json_string_value(json_object_get(o->meta, key));

	return text ? text : fallback;
}

static void set_text(json_t *v, const char *key, const char *text)
{
	json_object_set_new(v, key, json_string(text));
}

static void set_u64(json_t *v, const char *key, uint64_t n)
{
	json_object_set_new(v, key, json_sprintf("%llu", (unsigned long long)n));
}

static void set_time(json_t *v, const char *key, int64_t real_ns)
{
	char text[RFC3339_CAP];

	clock_format(real_ns, text);
	set_text(v, key, text);
}

static void set_links(json_t *v, const struct emu_object *o, const char *base)
{
	cleanup_str struct str name = STR_INIT(4 * EMU_NAME_MAX);
	unsigned long long generation = o->generation;

	str_add_percent(&name, o->name, "");
	json_object_set_new(v, "id",
			    json_sprintf("%s/%s/%llu", o->bucket, o->name, generation));
	json_object_set_new(v, "selfLink",
			    json_sprintf("%s/storage/v1/b/%s/o/%s", base, o->bucket,
					 str_text(&name)));
	json_object_set_new(
		v, "mediaLink",
		json_sprintf("%s/download/storage/v1/b/%s/o/%s?generation=%llu&alt=media",
			     base, o->bucket, str_text(&name), generation));
}

static void set_checksums(json_t *v, const struct emu_blob *blob)
{
	char crc[CRC32C_B64_CAP], md5[EMU_MD5_B64_CAP];

	if (blob->has_md5) {
		emu_md5_base64(blob->md5, md5);
		set_text(v, "md5Hash", md5);
	}
	crc32c_base64(blob->crc32c, crc);
	set_text(v, "crc32c", crc);
}

json_t *emu_object_json(const struct emu_object *o, const char *base)
{
	char etag[EMU_ETAG_CAP];
	json_t *v = json_object();

	set_text(v, "kind", "storage#object");
	set_links(v, o, base);
	set_text(v, "name", o->name);
	set_text(v, "bucket", o->bucket);
	set_u64(v, "generation", o->generation);
	set_u64(v, "metageneration", o->metageneration);
	set_text(v, "storageClass", "STANDARD");
	set_u64(v, "size", o->blob->size);
	set_checksums(v, o->blob);
	if (o->components)
		json_object_set_new(v, "componentCount",
				    json_integer((json_int_t)o->components));
	emu_object_etag(o, etag);
	set_text(v, "etag", etag);
	set_time(v, "timeCreated", o->created_ns);
	set_time(v, "updated", o->updated_ns);
	set_time(v, "timeStorageClassUpdated", o->created_ns);
	set_time(v, "timeFinalized", o->created_ns);
	/* a copy: the reply may be cut down to the fields asked for */
	json_object_update_new(v, json_deep_copy(o->meta));
	return v;
}
