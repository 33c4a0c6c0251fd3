// SPDX-License-Identifier: Apache-2.0
// The object resource as the JSON API writes it.
#include "emulator/meta.h"

#include <string.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "core/json.h"
#include "core/str.h"
#include "emulator/base64.h"
#include "emulator/fields.h"

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

/** struct resource - the object being written: @v gets what @want selects. */
struct resource {
	json_t *v;
	const json_t *want;
};

/* Takes @value. */
static void set(struct resource *r, const char *key, json_t *value)
{
	if (emu_fields_has(r->want, key))
		json_object_set_new(r->v, key, value);
	else
		json_decref(value);
}

static void set_text(struct resource *r, const char *key, const char *text)
{
	if (emu_fields_has(r->want, key))
		json_object_set_new(r->v, key, json_string(text));
}

static void set_u64(struct resource *r, const char *key, uint64_t n)
{
	if (emu_fields_has(r->want, key))
		json_object_set_new(r->v, key,
				    json_sprintf("%llu", (unsigned long long)n));
}

static void set_time(struct resource *r, const char *key, int64_t real_ns)
{
	char text[RFC3339_CAP];

	if (!emu_fields_has(r->want, key))
		return;
	clock_format(real_ns, text);
	set_text(r, key, text);
}

static void set_links(struct resource *r, const struct emu_object *o, const char *base)
{
	cleanup_str struct str name = STR_INIT(4 * EMU_NAME_MAX);
	unsigned long long generation = o->generation;

	if (!emu_fields_has(r->want, "id") && !emu_fields_has(r->want, "selfLink") &&
	    !emu_fields_has(r->want, "mediaLink"))
		return;
	str_add_percent(&name, o->name, "");
	set(r, "id", json_sprintf("%s/%s/%llu", o->bucket, o->name, generation));
	set(r, "selfLink",
	    json_sprintf("%s/storage/v1/b/%s/o/%s", base, o->bucket, str_text(&name)));
	set(r, "mediaLink",
	    json_sprintf("%s/download/storage/v1/b/%s/o/%s?generation=%llu&alt=media",
			 base, o->bucket, str_text(&name), generation));
}

static void set_checksums(struct resource *r, const struct emu_blob *blob)
{
	char crc[CRC32C_B64_CAP], md5[EMU_MD5_B64_CAP];

	if (blob->has_md5) {
		emu_md5_base64(blob->md5, md5);
		set_text(r, "md5Hash", md5);
	}
	crc32c_base64(blob->crc32c, crc);
	set_text(r, "crc32c", crc);
}

/* Members are copied: they go out while the object lives on. */
static void set_meta(struct resource *r, json_t *meta)
{
	const char *key;
	json_t *item;

	json_object_foreach (meta, key, item) {
		cleanup_json json_t *copy = NULL;

		if (!emu_fields_has(r->want, key))
			continue;
		copy = json_deep_copy(item);
		set(r, key, emu_fields_cut(copy, emu_fields_of(r->want, key)));
	}
}

json_t *emu_object_json(const struct emu_object *o, const char *base, const json_t *want)
{
	struct resource r = {.v = json_object(), .want = want};
	char etag[EMU_ETAG_CAP];

	set_text(&r, "kind", "storage#object");
	set_links(&r, o, base);
	set_text(&r, "name", o->name);
	set_text(&r, "bucket", o->bucket);
	set_u64(&r, "generation", o->generation);
	set_u64(&r, "metageneration", o->metageneration);
	set_text(&r, "storageClass", "STANDARD");
	set_u64(&r, "size", o->blob->size);
	set_checksums(&r, o->blob);
	if (o->components)
		set(&r, "componentCount", json_integer((json_int_t)o->components));
	if (emu_fields_has(want, "etag")) {
		emu_object_etag(o, etag);
		set_text(&r, "etag", etag);
	}
	set_time(&r, "timeCreated", o->created_ns);
	set_time(&r, "updated", o->updated_ns);
	set_time(&r, "timeStorageClassUpdated", o->created_ns);
	set_time(&r, "timeFinalized", o->created_ns);
	set_meta(&r, o->meta);
	return r.v;
}
