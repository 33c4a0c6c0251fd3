// SPDX-License-Identifier: Apache-2.0
// Where the numbers of a manifest come from.
#include "manifests/provenance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void muster_in(struct json_in *in, struct provenance *ret)
{
	struct json_in sub;

	if (!field_sub(in, "muster", JSON_MAY, "manifest.provenance.muster", &sub))
		return;
	field_text(&sub, "version", ret->muster_version, sizeof(ret->muster_version));
	field_text(&sub, "build_id", ret->muster_build, sizeof(ret->muster_build));
	field_sub_end(in, &sub);
}

static void geometry_in(struct json_in *in, struct provenance *ret)
{
	struct json_in sub;

	if (!field_sub(in, "fio_geometry", JSON_MAY, "manifest.provenance.fio_geometry",
		       &sub))
		return;
	json_in_uint(&sub, "bits", JSON_MAY, &ret->fio_bits);
	json_in_uint(&sub, "groups", JSON_MAY, &ret->fio_groups);
	field_sub_end(in, &sub);
}

static void gcsfuse_in(struct json_in *in, struct provenance *ret)
{
	const json_t *v = NULL;

	json_in_arr(in, "gcsfuse", JSON_MAY, &v);
	if (!v)
		return;
	if (json_array_size(v) > PROVENANCE_ARMS_MAX) {
		json_in_fail(in, "gcsfuse", "more than %d entries", PROVENANCE_ARMS_MAX);
		return;
	}
	ret->n_gcsfuse = json_array_size(v);
	ret->gcsfuse = xcalloc(ret->n_gcsfuse, sizeof(*ret->gcsfuse));
	for (size_t i = 0; i < ret->n_gcsfuse && in->r == 0; i++) {
		char where[WHERE_CAP];
		struct json_in sub;

		snprintf(where, sizeof(where), "%s.gcsfuse[%zu]", in->where, i);
		json_in_init(&sub, json_array_get(v, i), in->mode, where, in->unknown,
			     in->err);
		field_text(&sub, "label", ret->gcsfuse[i].label,
			   sizeof(ret->gcsfuse[i].label));
		field_text(&sub, "version", ret->gcsfuse[i].version,
			   sizeof(ret->gcsfuse[i].version));
		field_text(&sub, "sha256", ret->gcsfuse[i].sha256,
			   sizeof(ret->gcsfuse[i].sha256));
		field_sub_end(in, &sub);
	}
}

static void machine_in(struct json_in *in, struct provenance *ret)
{
	field_text(in, "kernel", ret->kernel, sizeof(ret->kernel));
	json_in_uint(in, "cpus", JSON_MAY, &ret->cpus);
	json_in_u64(in, "mem_bytes", JSON_MAY, &ret->mem_bytes);
	json_in_u64(in, "nic_bytes_per_s", JSON_MAY, &ret->nic_bytes_per_s);
	field_text(in, "machine_type", ret->machine_type, sizeof(ret->machine_type));
	field_text(in, "cpu_platform", ret->cpu_platform, sizeof(ret->cpu_platform));
	field_text(in, "zone", ret->zone, sizeof(ret->zone));
	field_text(in, "image", ret->image, sizeof(ret->image));
	field_text(in, "accel", ret->accel, sizeof(ret->accel));
	field_text(in, "bucket_location", ret->bucket_location,
		   sizeof(ret->bucket_location));
	field_text(in, "bucket_class", ret->bucket_class, sizeof(ret->bucket_class));
}

void field_provenance(struct json_in *in, struct provenance *ret)
{
	uint64_t none = UINT64_MAX;
	struct json_in sub;

	if (!field_sub(in, "provenance", JSON_MUST, "manifest.provenance", &sub))
		return;
	muster_in(&sub, ret);
	field_text(&sub, "fio_version", ret->fio_version, sizeof(ret->fio_version));
	geometry_in(&sub, ret);
	gcsfuse_in(&sub, ret);
	machine_in(&sub, ret);
	json_in_bool(&sub, "shared_host", JSON_MAY, &ret->shared_host);
	field_flags(&sub, "flags", &ret->flags);
	ret->seed = none;
	json_in_u64(&sub, "seed", JSON_MAY, &ret->seed);
	ret->has_seed = ret->seed != none;
	if (!ret->has_seed)
		ret->seed = 0;
	field_sub_end(in, &sub);
}

static void gcsfuse_out(struct json_out *out, const struct provenance *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->n_gcsfuse; i++) {
		struct json_out sub = out_begin();

		out_text(&sub, "label", p->gcsfuse[i].label, sizeof(p->gcsfuse[i].label));
		out_text(&sub, "version", p->gcsfuse[i].version,
			 sizeof(p->gcsfuse[i].version));
		out_text(&sub, "sha256", p->gcsfuse[i].sha256,
			 sizeof(p->gcsfuse[i].sha256));
		array_put(&array, sub.obj);
	}
	out_put(out, "gcsfuse", array);
}

void out_provenance(struct json_out *out, const struct provenance *p)
{
	struct json_out sub = out_begin(), muster = out_begin(), geometry = out_begin();

	out_text(&muster, "version", p->muster_version, sizeof(p->muster_version));
	out_text(&muster, "build_id", p->muster_build, sizeof(p->muster_build));
	out_num_or(&geometry, "bits", p->fio_bits, 0);
	out_num_or(&geometry, "groups", p->fio_groups, 0);
	out_put(&sub, "muster", muster.obj);
	out_text(&sub, "fio_version", p->fio_version, sizeof(p->fio_version));
	out_put(&sub, "fio_geometry", geometry.obj);
	gcsfuse_out(&sub, p);
	out_text(&sub, "kernel", p->kernel, sizeof(p->kernel));
	out_num_or(&sub, "cpus", p->cpus, 0);
	out_num_or(&sub, "mem_bytes", p->mem_bytes, 0);
	out_num_or(&sub, "nic_bytes_per_s", p->nic_bytes_per_s, 0);
	out_text(&sub, "machine_type", p->machine_type, sizeof(p->machine_type));
	out_text(&sub, "cpu_platform", p->cpu_platform, sizeof(p->cpu_platform));
	out_text(&sub, "zone", p->zone, sizeof(p->zone));
	out_text(&sub, "image", p->image, sizeof(p->image));
	out_text(&sub, "accel", p->accel, sizeof(p->accel));
	out_text(&sub, "bucket_location", p->bucket_location, sizeof(p->bucket_location));
	out_text(&sub, "bucket_class", p->bucket_class, sizeof(p->bucket_class));
	out_bool(&sub, "shared_host", p->shared_host);
	out_flags(&sub, "flags", p->flags);
	out_put(&sub, "seed", p->has_seed ? json_u64(p->seed) : json_null());
	out_put(out, "provenance", sub.obj);
}

void provenance_done(struct provenance *p)
{
	free(p->gcsfuse);
	free(p->flags);
	*p = (struct provenance){0};
}
