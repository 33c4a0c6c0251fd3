// SPDX-License-Identifier: Apache-2.0
// The parts of a step record that are objects of their own. For this folder only.
#ifndef MANIFESTS_STEP_PARTS_H
#define MANIFESTS_STEP_PARTS_H

#include "manifests/fields.h"

/* Each reads or writes the key of its name. */
void step_phases_in(struct json_in *in, struct step_record *ret);
void step_phases_out(struct json_out *out, const struct step_record *rec);
void step_effective_in(struct json_in *in, struct step_record *ret);
void step_effective_out(struct json_out *out, const struct step_record *rec);
void step_host_in(struct json_in *in, struct step_record *ret);
void step_host_out(struct json_out *out, const struct step_record *rec);
void step_gcsfuse_log_in(struct json_in *in, struct step_record *ret);
void step_gcsfuse_log_out(struct json_out *out, const struct step_record *rec);
void step_monitor_in(struct json_in *in, struct step_record *ret);
void step_monitor_out(struct json_out *out, const struct step_record *rec);
/* "start": absent unless there was a barrier */
void step_start_in(struct json_in *in, struct step_record *ret);
void step_start_out(struct json_out *out, const struct step_record *rec);
void step_files_in(struct json_in *in, struct step_record *ret);
void step_files_out(struct json_out *out, const struct step_record *rec);

#endif
