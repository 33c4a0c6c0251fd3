// SPDX-License-Identifier: Apache-2.0
// Who this worker is: command line, /etc/muster/worker.json, metadata server.
#ifndef WORKER_IDENTITY_H
#define WORKER_IDENTITY_H

#include <stdbool.h>

#include "core/err.h"
#include "core/store.h"
#include "manifests/paths.h"
#include "manifests/record.h"

/** struct identity_flags - as given on the command line; NULL = not given. Borrowed. */
struct identity_flags {
	const char *run;    /* run URL; in the short form, RUN BUCKET, a run id */
	const char *bucket; /* the short form's second word; NULL otherwise */
	const char *worker;
	const char *workspace;
	bool debug, power_off;
};

/** struct identity - complete after identity_find(). */
struct identity {
	struct run_ref run;
	char url[STORE_NAME_CAP + STORE_BUCKET_CAP + 8];
	char worker[WORKER_CAP];
	char *workspace; /* absolute, exists; owned */
	char *endpoint;	 /* of the control store; NULL = Google; owned */
	bool is_on_gce, debug, power_off;
	char instance_id[INSTANCE_CAP];
	char boot_id[64];
	char machine_type[64], zone[64], image[128], cpu_platform[64]; /* "" = unknown */
};

/** struct identity_part - what one source says; NULL = nothing. All owned. */
struct identity_part {
	char *run, *worker, *endpoint, *debug;
};
void identity_part_done(struct identity_part *part);

/**
 * identity_merge() - the first source that has a field wins it; pure.
 *
 * @parts: command line, file, metadata, instance name, in this order
 *
 * -EINVAL when there is no run URL or worker, or one that is not valid; the text says
 * where it can be given. @ret->debug is set also then.
 */
int identity_merge(const struct identity_part *parts, size_t n, struct identity *ret,
		   struct err *err);

/**
 * identity_find() - ask all sources. The workspace is made; nothing else is touched.
 *
 * The metadata server is asked only where one is to be expected: the firmware says
 * Google, or GCE_METADATA_HOST is set. STORAGE_EMULATOR_HOST names the control store's
 * endpoint when no source does.
 *
 * After an error power_off, debug and is_on_gce hold all the same: the machine may have
 * to be powered off.
 */
int identity_find(const struct identity_flags *flags, struct identity *ret,
		  struct err *err);
void identity_done(struct identity *id);

/** identity_file() - /etc/muster/worker.json; absent is not an error. Of one that is
 * refused debug is set, if it can be read. */
int identity_file(const char *path, struct identity_part *ret, struct err *err);

/** identity_machine() - instance_id where no metadata server gives one:
 * sha256(machine-id, workspace path). */
void identity_machine(const char *machine_id, const char *workspace,
		      char out[INSTANCE_CAP]);

#endif
