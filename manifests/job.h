// SPDX-License-Identifier: Apache-2.0
// jobs/<worker>.json and config.json: the orders of a run, strict both ways.
#ifndef MANIFESTS_JOB_H
#define MANIFESTS_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/store.h"
#include "manifests/paths.h"

enum { JOB_MAX_BYTES = 32 << 20, CONFIG_MAX_BYTES = 32 << 20 };

/* muster-summary of a job without steps that only keeps its round from others */
#define JOB_CLAIM_SUMMARY "claim"

enum arm_kind { ARM_GCSFUSE, ARM_DIR };
enum arm_role {
	ROLE_NONE,
	ROLE_BUILD,
	ROLE_WAIT,
	ROLE_FETCH
}; /* NONE = null, kind dir */

/** struct arm - a row of the mount configs, pinned. All strings borrowed (see struct
 * job). */
struct arm {
	unsigned config_id; /* from 1; 0 = the single default arm */
	const char *label;
	enum arm_kind kind;
	const char *requested; /* as in the CSV: a version, branch or tag; NULL for kind
				  dir */
	const char *module, *version, *h1, *commit, *go, *key,
		*sha256;    /* each may be NULL */
	enum arm_role role; /* jobs only; config.json has none */
	size_t n_args;
	const char **args;	 /* mount_args, split once */
	const char *config_file; /* YAML text, or NULL */
	size_t n_env;
	const char **env; /* "NAME=value", sorted by name */
};

/** struct test_case - a row of the test cases, rendered. */
struct test_case {
	unsigned test_id;
	json_t *params;	     /* object of strings: every CSV column */
	const char *fio_job; /* rendered; the only token left is ${MUSTER_DIR} */
	bool writes;
	uint64_t data_bytes; /* of the files the case works on */
	bool has_io_bytes;
	uint64_t io_bytes;    /* what an ok run moves, when that is known */
	const char *data_key; /* 24 hex: cases with one key share their data */
	unsigned timeout_s;
};

struct job_step {
	unsigned matrix_id, test_id, config_id, iteration, block, pos, attempt;
	unsigned barrier; /* ordinal of the synchronised start, from 1; 0 = none */
	const char *from; /* worker it was moved away from; NULL = none (round 1) */
};

struct job_data {
	const char *bucket;
	const char *prefix;   /* "" or "a/b" */
	const char *endpoint; /* NULL = Google */
	enum store_auth auth;
};

/** enum barrier_policy - who has to be there for a synchronised start. */
enum barrier_policy {
	BARRIER_ALL,	     /* every member, else nobody starts */
	BARRIER_MAJORITY,    /* at the timeout more than half of them */
	BARRIER_BEST_EFFORT, /* at the timeout whoever is there */
};

/** struct barrier_settings - of runs of design together; no members = another design. */
struct barrier_settings {
	enum barrier_policy policy;
	unsigned timeout_s; /* from the first arrival */
	unsigned lead_ms;   /* from the verdict to the start, at least */
	size_t n_members;
	const char **members; /* workers, sorted; a worker's rank is its place here */
};

struct job_settings {
	unsigned heartbeat_s, stale_s, monitor_hz, max_attempts;
	unsigned mount_timeout_s, layout_timeout_s, upload_timeout_s;
	bool warm_metadata, drop_caches, power_off, keep_data;
	bool steal; /* no step begins before the claim of its unit: manifests/claim.h */
	struct barrier_settings barrier; /* @members owned like the document's arrays */
};

/** job_settings_default() - 30, 120, 10, 2, 60, 7200, 600, true, true, true, false. */
struct job_settings job_settings_default(void);

/**
 * struct job - one worker's orders for one round.
 *
 * Parsed: strings borrow from @doc, arrays are owned; job_done() frees both. Built by
 * hand (split): leave @doc NULL; strings and arrays are the caller's, job_done() then
 * frees nothing.
 */
struct job {
	const char *run;
	const char *worker;
	unsigned round;
	const char *config_sha256;
	const char *control_url;
	struct job_data data;
	struct job_settings settings;
	size_t n_arms, n_cases, n_steps;
	struct arm *arms;
	struct test_case *cases;
	struct job_step *steps;
	const char *
		*allowed_options; /* --allow-option: names let through the fio policy */
	size_t n_allowed_options;
	json_t *doc;
	bool is_like; /* all but worker and steps is another's: manifests/job_like.h */
};

/**
 * job_parse() - strict; -EINVAL names the field. @ret is written only on success.
 *
 * Beyond types: names valid, control.url ends in the run, config_ids, test_ids, labels
 * and steps unique, each step's arm and case present, numbers within the limits that
 * FORMATS.md lists, no ".." in anything that becomes a path.
 */
int job_parse(const char *text, size_t n, struct job *ret, struct err *err);
/** job_to_json() - new document; job_parse(dump(job_to_json(j))) gives j again. */
json_t *job_to_json(const struct job *job);
void job_done(struct job *job);
#define cleanup_job cleanup(job_done)

const struct arm *job_find_arm(const struct job *job, unsigned config_id);
const struct test_case *job_find_case(const struct job *job, unsigned test_id);

enum design { DESIGN_BLOCKS, DESIGN_SPREAD, DESIGN_TOGETHER };

/** struct config - config.json: what was asked for, and what it was pinned to. Memory as
 * in struct job. */
struct config {
	const char *run;
	const char *tests_sha256, *configs_sha256, *fio_sha256; /* configs may be NULL */
	enum design design;
	uint64_t seed; /* at most INT64_MAX: JSON integers are signed here */
	unsigned iterations, replicas;
	size_t n_looks;
	unsigned *looks;
	size_t n_workers;
	const char **workers;
	size_t n_arms, n_cases;
	struct arm *arms;
	struct test_case *cases;
	struct job_data data;
	struct job_settings settings;
	const char **allowed_options;
	size_t n_allowed_options;
	json_t *doc;
};

/** config_parse() - as job_parse(); at least one arm, case and worker. */
int config_parse(const char *text, size_t n, struct config *ret, struct err *err);
json_t *config_to_json(const struct config *config);
void config_done(struct config *config);
#define cleanup_config cleanup(config_done)

const char *arm_kind_name(enum arm_kind k);
const char *design_name(enum design d);
const char *barrier_policy_name(enum barrier_policy p);
/** barrier_policy_find() - false when there is none of that name. */
bool barrier_policy_find(const char *name, enum barrier_policy *ret);

#endif
