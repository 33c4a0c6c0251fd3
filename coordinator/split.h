// SPDX-License-Identifier: Apache-2.0
// muster split, in parts: arguments, pins, the documents, writing them, telling of them.
#ifndef COORDINATOR_SPLIT_H
#define COORDINATOR_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/inputs.h"
#include "coordinator/pin.h"
#include "coordinator/plan.h"
#include "core/digest.h"
#include "core/opts.h"
#include "core/store.h"
#include "manifests/job.h"
#include "manifests/paths.h"

/** struct split_flags - the command line as given; strings borrowed from argv. */
struct split_flags {
	const char *tests, *fio, *configs, *data, *gcsfuse, *mount_args, *workers;
	const char *design, *kind, *data_endpoint, *barrier_policy;
	uint64_t iterations, replicas, seed, max_attempts;
	int64_t timeout_ns, heartbeat_ns, stale_ns;
	int64_t barrier_timeout_ns, barrier_lead_ns; /* 0 = not given */
	bool has_seed, has_iterations, build_here, dry_run, as_json, steal;
	struct opt_list pins, binaries, allowed;
};

/** struct split_binary - a binary handed in for an arm, or built here. */
struct split_binary {
	int fd; /* -1 = none; of its own temporary file when it was fetched */
	struct gobuild_info info;
};

/** struct split - one run being planned; split_done() releases it. */
struct split {
	struct split_flags flags;
	struct run_ref ref;
	char *url;
	size_t n_workers;
	char **workers;
	enum design design;
	const char **members; /* the workers, sorted; together only; owned */
	struct store_url data_url;
	char *endpoint; /* of the data store; NULL = Google */
	struct inputs inputs;
	struct pin *pins;	       /* per arm; "" where nothing is pinned */
	struct split_binary *binaries; /* per arm */
	struct config config;	       /* built; borrows from all of the above */
	struct str config_text;	       /* as written, or as found in the bucket */
	char config_sha256[DIGEST_CAP];
	bool is_claimed;       /* config.json was there: its text is config_text */
	struct config claimed; /* what it says */
	struct plan plan;
	struct store *store; /* NULL with --dry-run */
	struct str notes;    /* lines for the user */
	unsigned n_written;
};

void split_done(struct split *split);

/** split_args() - what the flags say, before any file is read: -EINVAL. */
int split_args(struct split *split, const char *url, struct err *err);

/** split_open() - open and probe the control bucket; take over a config.json found. */
int split_open(struct split *split, struct err *err);

/** split_pins() - pin every arm, from the claimed run where it is one. */
int split_pins(struct split *split, struct err *err);

/** split_plan() - the plan and config.json's text; a claimed run must say the same. */
int split_plan(struct split *split, struct err *err);

/** split_write() - config.json, inputs, binaries, jobs: what is missing. */
int split_write(struct split *split, struct err *err);

/** split_report() - the plan for people, or as JSON; an exit code. */
int split_report(const struct split *split);

/** split_build() - --build-here: build what _cache has not, into it. */
int split_build(struct split *split, struct err *err);

/** json_first_difference() - the path of the first value that differs, or NULL. */
char *json_first_difference(const json_t *a, const json_t *b, const char *path);

#endif
