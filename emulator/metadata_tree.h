// SPDX-License-Identifier: Apache-2.0
// The metadata server's tree of values, and how one of them is written.
#ifndef EMULATOR_METADATA_TREE_H
#define EMULATOR_METADATA_TREE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/str.h"
#include "emulator/instances.h"

/**
 * emu_metadata_tree() - everything below /computeMetadata/v1/; new reference.
 *
 * Keys are as paths spell them, in kebab-case. An object or an array of objects is a
 * directory, but for the token; everything else is a value. What an instance has not is
 * not there.
 *
 * @ip: of its first network interface
 */
json_t *emu_metadata_tree(const struct emu_instance *in, const char *ip);

enum emu_metadata_form {
	EMU_METADATA_TEXT,	/* a value, or the names in a directory, one a line */
	EMU_METADATA_JSON,	/* the same as JSON */
	EMU_METADATA_RECURSIVE, /* a directory with all below it as JSON; a value as text
				 */
};

enum { EMU_METADATA_MAX = 4 * 1024 * 1024, EMU_METADATA_ETAG_CAP = 17 };

/**
 * emu_metadata_render() - append the value or directory at @path; false: there is none.
 *
 * In JSON below a directory names are in camelCase, attributes' as they are, and the
 * token is left out.
 *
 * @path: below /computeMetadata/v1/, with or without a final slash; "" is the root
 */
bool emu_metadata_render(const json_t *tree, const char *path,
			 enum emu_metadata_form form, struct str *ret, bool *ret_is_json);

/** emu_metadata_etag() - of a reply's body: the same for the same bytes. */
void emu_metadata_etag(const struct str *body, char out[EMU_METADATA_ETAG_CAP]);

#endif
