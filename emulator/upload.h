// SPDX-License-Identifier: Apache-2.0
// What the three ways to upload an object have in common.
#ifndef EMULATOR_UPLOAD_H
#define EMULATOR_UPLOAD_H

#include "emulator/req.h"

/** struct emu_upload - everything about the new object but its data. */
struct emu_upload {
	struct emu_target target; /* borrows its texts */
	json_t *meta;
	struct emu_digests digests;
};

/**
 * emu_upload_read() - from the query, the headers and an object resource.
 *
 * @resource: borrowed; its name serves when the query has none. @ret->target.name is
 * borrowed from one of the two.
 */
int emu_upload_read(const struct emu_req *req, const json_t *resource,
		    struct emu_upload *ret, struct emu_fail *f);
void emu_upload_done(struct emu_upload *u);

/** emu_upload_default_type() - the object's type when its resource names none. */
void emu_upload_default_type(struct emu_upload *u, const char *type);

/** emu_upload_blob() - finish @w and hold the data against the declared digests. */
int emu_upload_blob(struct emu_writer *w, const struct emu_digests *want,
		    struct emu_blob **ret, struct emu_fail *f);

/** emu_upload_data_fail() - the outcome of a writer's error. */
int emu_upload_data_fail(struct emu_fail *f, int code, const struct err *err);

#endif
