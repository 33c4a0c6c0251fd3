// SPDX-License-Identifier: Apache-2.0
// What is known about an object: its immutable record, and its JSON on the wire.
#ifndef EMULATOR_META_H
#define EMULATOR_META_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "emulator/blob.h"
#include "emulator/fail.h"

enum {
	EMU_NAME_MAX = 1024,	    /* bytes of UTF-8 (Cloud Storage, "Object names") */
	EMU_CUSTOM_MAX = 8 * 1024,  /* custom metadata, keys and values together */
	EMU_JSON_MAX = 1024 * 1024, /* a JSON request body */
};

/**
 * struct emu_object - one version of one object; immutable once it is in the index, so
 * that a reader who holds a reference needs no lock.
 */
struct emu_object {
	unsigned refs; /* changed atomically */
	char *bucket, *name;
	uint64_t generation, metageneration;
	int64_t created_ns, updated_ns; /* real time since the epoch */
	uint64_t components;		/* 0 = never composed */
	json_t *meta;			/* the writable fields, see emu_meta_read() */
	struct emu_blob *blob;
};

/** emu_object_new() - one reference; names are copied, @meta and @blob are taken. */
struct emu_object *emu_object_new(const char *bucket, const char *name, json_t *meta,
				  struct emu_blob *blob);
/** emu_object_ref() - one reference more; returns its argument. */
struct emu_object *emu_object_ref(struct emu_object *o);
void emu_object_unref(struct emu_object *o);

static inline void emu_object_unref_fn(struct emu_object **o)
{
	emu_object_unref(*o);
}
#define cleanup_object cleanup(emu_object_unref_fn)

/** struct emu_digests - checksums a client declared for the data it sends. */
struct emu_digests {
	bool has_crc32c, has_md5;
	uint32_t crc32c;
	unsigned char md5[16];
};

/** emu_meta_read() - a new reference to the writable fields of an object resource. */
int emu_meta_read(const json_t *resource, json_t **ret_meta, struct emu_fail *f);
/** emu_meta_merge() - apply a PATCH body to @meta: null removes, metadata is merged. */
int emu_meta_merge(json_t *meta, const json_t *patch, struct emu_fail *f);
/** emu_meta_digests() - crc32c and md5Hash of an object resource. */
int emu_meta_digests(const json_t *resource, struct emu_digests *ret, struct emu_fail *f);
/** emu_meta_hash_header() - add what an x-goog-hash header declares. */
int emu_meta_hash_header(const char *value, struct emu_digests *ret, struct emu_fail *f);
/** emu_digests_check() - 400 when the data are not what was declared. */
int emu_digests_check(const struct emu_digests *want, const struct emu_blob *blob,
		      struct emu_fail *f);

/** emu_name_check() - 400 when @name cannot be an object's name. */
int emu_name_check(const char *name, struct emu_fail *f);

/**
 * emu_object_json() - the object resource; @base is "http://host:port", @want what of it
 * is asked for (see emu_fields_parse(), NULL = all).
 */
json_t *emu_object_json(const struct emu_object *o, const char *base, const json_t *want);
/** emu_object_text() - a writable text field, or @fallback. */
const char *emu_object_text(const struct emu_object *o, const char *key,
			    const char *fallback);

enum { EMU_ETAG_CAP = 40, EMU_MD5_B64_CAP = 25 };
/** emu_object_etag() - changes with generation and metageneration. */
void emu_object_etag(const struct emu_object *o, char out[EMU_ETAG_CAP]);
/** emu_md5_base64() - as md5Hash and x-goog-hash write it. */
void emu_md5_base64(const unsigned char md5[16], char out[EMU_MD5_B64_CAP]);

#endif
