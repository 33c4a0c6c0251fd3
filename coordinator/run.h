// SPDX-License-Identifier: Apache-2.0
// A run as the coordinator opens it: its URL, its store, its config.
#ifndef COORDINATOR_RUN_H
#define COORDINATOR_RUN_H

#include "coordinator/order_log.h"
#include "core/store.h"
#include "manifests/job.h"
#include "manifests/paths.h"

/** struct run - an open run; run_close() releases it. */
struct run {
	struct run_ref ref;
	struct store *store;
	struct config config;
	char config_sha256[65];	 /* of the object's bytes: what jobs name */
	int64_t created_ns;	 /* server clock, of config.json; it is written once */
	struct order_log orders; /* as far as order_log_update() has read */
};

/**
 * run_open() - parse @url, open the control store, read config.json.
 *
 * @ret_exit: on failure the command's exit code (2: no such run, bucket or store; 130)
 * Returns 0 or -errno with @err in words for the user.
 */
int run_open(const char *url, struct run *ret, int *ret_exit, struct err *err);
void run_close(struct run *run);
/** run_open_store() - one more handle on the run's control store, for another thread. */
int run_open_store(const struct run_ref *ref, struct store **ret, struct err *err);
#define cleanup_run cleanup(run_close)

/** run_get() - one small object as text; -ENOENT when it is not there. */
int run_get(struct run *run, const char *name, uint64_t max_bytes, struct str *ret,
	    struct err *err);

/** sha256_hex() - of a text in memory. */
void sha256_hex(const void *data, size_t n, char out[65]);

#endif
