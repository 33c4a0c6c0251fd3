// SPDX-License-Identifier: Apache-2.0
// The records workers write: heartbeat, manifest, step; and control orders.
#ifndef MANIFESTS_RECORD_H
#define MANIFESTS_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/fio_json.h"
#include "manifests/paths.h"
#include "manifests/states.h"

enum {
	HEARTBEAT_MAX_BYTES = 8 << 10,
	MANIFEST_MAX_BYTES = 16 << 20,
	STEP_MAX_BYTES = 8 << 20,
	CONTROL_MAX_BYTES = 64 << 10,
	VM_MAX_BYTES = 64 << 10,
	REASON_CAP = 512,
	INSTANCE_CAP = 128,
};

/** struct incarnation - one start of a worker process under a worker name. */
struct incarnation {
	unsigned n; /* from 1 */
	char nonce[NONCE_CAP];
	char boot_id[64];
	char instance_id[INSTANCE_CAP];
};

/** struct heartbeat - workers/<worker>.json. All text is owned by the struct itself. */
struct heartbeat {
	char run[RUN_CAP], worker[WORKER_CAP];
	struct incarnation incarnation;
	enum worker_state state;
	char reason[REASON_CAP]; /* "" = null */
	char step[STEP_ID_CAP];	 /* "" = null: the step in flight */
	unsigned attempt;	 /* 0 = null */
	unsigned done, total;	 /* final steps, all steps of the worker */
	char progress[64];	 /* phase of the step in flight, "" = null */
	char worker_build[64];
	char at[RFC3339_CAP]; /* informative */
};

/*
 * Records are read leniently: keys nobody knows are counted into @ret_unknown (NULL is
 * allowed), whole reals pass as integers, null or absent means no value. Text longer than
 * its field is cut at a UTF-8 boundary and control characters become blanks, on reading
 * and on writing. @ret is written only on success.
 */
int heartbeat_parse(const char *text, size_t n, struct heartbeat *ret,
		    unsigned *ret_unknown, struct err *err);
json_t *heartbeat_to_json(const struct heartbeat *hb);
/** heartbeat_summary() - the one line for custom metadata: "state step attempt
 * done/total incarnation", the last of which may be missing. */
void heartbeat_summary(const struct heartbeat *hb, char out[STORE_SUMMARY_CAP]);
/** heartbeat_from_summary() - what a LIST alone tells; -EINVAL if it is not one of ours.
 */
int heartbeat_from_summary(const char *summary, struct heartbeat *ret, struct err *err);

/** struct provenance - where the numbers come from; "" or 0 = null. */
struct provenance {
	char muster_version[32], muster_build[64];
	char fio_version[32];
	unsigned fio_bits, fio_groups;
	size_t n_gcsfuse;
	struct {
		char label[64], version[64], sha256[65];
	} * gcsfuse; /* owned */
	char kernel[128];
	unsigned cpus;
	uint64_t mem_bytes, nic_bytes_per_s;
	char machine_type[64], cpu_platform[64], zone[64], image[128], accel[32];
	char bucket_location[64], bucket_class[64];
	bool shared_host;
	char *flags; /* owned; space-separated, e.g. "caches_not_dropped" */
	bool has_seed;
	uint64_t seed;
};
void provenance_done(struct provenance *p);
#define cleanup_provenance cleanup(provenance_done)

/** struct manifest_step - the short line of one step. */
struct manifest_step {
	char step[STEP_ID_CAP];
	unsigned attempt;
	enum attempt_state state;
	char reason[REASON_CAP];
	bool has_summary;
	double bw_bytes_per_s, iops; /* of the step's first result */
	uint64_t lat_p50_ns, lat_p99_ns;
};

/** struct manifest - results/<worker>/manifest.json. */
struct manifest {
	char run[RUN_CAP], worker[WORKER_CAP];
	unsigned round;
	struct incarnation incarnation;
	enum worker_state state;
	char reason[REASON_CAP];
	struct provenance provenance;
	size_t n_steps;
	struct manifest_step *steps; /* owned */
};

int manifest_parse(const char *text, size_t n, struct manifest *ret,
		   unsigned *ret_unknown, struct err *err);
json_t *manifest_to_json(const struct manifest *m);
void manifest_done(struct manifest *m);
#define cleanup_manifest cleanup(manifest_done)

/** struct kernel_settings - what gcsfuse and the kernel negotiated; UINT64_MAX = null. */
struct kernel_settings {
	uint64_t read_ahead_kb, max_background, congestion_threshold, max_pages_limit;
};

/** struct monitor_column - over one step; counters as rates per second. */
struct monitor_column {
	char name[40]; /* with its unit, e.g. gcsfuse_rss_bytes, net_rx_bytes_per_s */
	double avg, peak;
};
enum { MONITOR_COLUMNS = 16, STEP_FILES = 8 };

struct step_file_ref {
	char name[128]; /* without folders */
	uint64_t bytes, generation;
	uint32_t crc32c;
	bool is_cut;
};

/** struct step_start - a synchronised start as it was carried out. Times are the store's
 * clock since the epoch. */
struct step_start {
	unsigned barrier;     /* 0 = none: the step began by itself */
	int64_t go_server_ns; /* agreed on */
	int64_t at_server_ns; /* just before fio's fork */
	uint64_t bound_ns;    /* how far off at_server_ns may be, either way */
	uint64_t late_by_ms;  /* at after go, in whole ms */
	unsigned members;     /* workers that the verdict names */
};

enum step_phase {
	PHASE_LAYOUT,
	PHASE_MOUNT,
	PHASE_WARM,
	PHASE_FIO,
	PHASE_UNMOUNT,
	PHASE_PARSE,
	PHASE_UPLOAD,
	PHASE_COUNT,
};

/** struct step_record - step_<i>.json: its creation commits the attempt. */
struct step_record {
	char run[RUN_CAP], worker[WORKER_CAP];
	struct incarnation incarnation;
	unsigned matrix_id, test_id, config_id, iteration, block, pos, attempt;
	enum attempt_state state; /* one of the six ends */
	char reason[REASON_CAP];  /* "" = null, only for ok */
	int exit_status;	  /* fio's; -1 = null */
	int signal;		  /* fio's; 0 = null */
	char started[RFC3339_CAP], ended[RFC3339_CAP];
	int64_t phase_ns[PHASE_COUNT]; /* -1 = null: the phase did not run */
	json_t *gcsfuse_config; /* effective, as gcsfuse logged it; NULL = null; owned */
	char gcsfuse_sha256[65];
	struct step_start sync;
	struct kernel_settings start, end;
	struct {
		int64_t oom_kill, pswpin, pswpout, pgmajfault, tcp_out_segs,
			tcp_retrans_segs;
		int64_t clock_step_ns;
	} host; /* deltas over fio; INT64_MIN = null */
	struct {
		int64_t requests, errors, retries, http_429; /* -1 = null */
	} gcsfuse_log;
	unsigned monitor_samples, monitor_lost;
	size_t n_columns;
	struct monitor_column columns[MONITOR_COLUMNS];
	char *flags; /* owned, space-separated; NULL = none */
	size_t n_results;
	struct fio_result *results; /* owned */
	size_t n_files;
	struct step_file_ref files[STEP_FILES];
};

int step_record_parse(const char *text, size_t n, struct step_record *ret,
		      unsigned *ret_unknown, struct err *err);
json_t *step_record_to_json(const struct step_record *rec);
void step_record_done(struct step_record *rec);
#define cleanup_step_record cleanup(step_record_done)
/** step_record_init() - every nullable field null. */
void step_record_init(struct step_record *rec);

enum control_kind { CONTROL_DRAIN, CONTROL_ABORT, CONTROL_RESUME, CONTROL_REASSIGN };

/** struct control - control/<seq>.json: one order. Strings borrow from @doc. */
struct control {
	enum control_kind kind;
	bool all_workers; /* workers: null */
	size_t n_workers;
	const char **workers;
	bool all_steps; /* steps: null */
	size_t n_steps;
	const char **steps; /* step ids */
	unsigned round;	    /* 0 = null */
	const char *reason; /* NULL = null */
	json_t *doc;
};

/** control_parse() - strict, as job_parse(); a reassign names its steps or null for all.
 */
int control_parse(const char *text, size_t n, struct control *ret, struct err *err);
json_t *control_to_json(const struct control *c);
void control_done(struct control *c);
#define cleanup_control cleanup(control_done)
/** control_names() - does the order concern @worker? */
bool control_names(const struct control *c, const char *worker);

/** struct vm_config - /etc/muster/worker.json (strict order). Borrows from @doc. */
struct vm_config {
	const char *run_url, *worker, *endpoint; /* each may be NULL */
	bool debug;
	json_t *doc;
};
/** vm_config_parse() - strict; only "schema" must be there: the rest is found elsewhere.
 */
int vm_config_parse(const char *text, size_t n, struct vm_config *ret, struct err *err);
json_t *vm_config_to_json(const struct vm_config *c);
void vm_config_done(struct vm_config *c);
#define cleanup_vm_config cleanup(vm_config_done)

#endif
