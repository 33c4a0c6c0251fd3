// SPDX-License-Identifier: Apache-2.0
// Where the numbers of a manifest come from. For this folder only.
#ifndef MANIFESTS_PROVENANCE_H
#define MANIFESTS_PROVENANCE_H

#include "manifests/fields.h"

enum { PROVENANCE_ARMS_MAX = 100000 };

/** field_provenance() - the object "provenance"; provenance_done() frees. */
void field_provenance(struct json_in *in, struct provenance *ret);
void out_provenance(struct json_out *out, const struct provenance *p);

#endif
