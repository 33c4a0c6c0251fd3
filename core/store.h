// SPDX-License-Identifier: Apache-2.0
// An object store as a table of operations; the contract every store keeps.
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/rng.h"
#include "core/str.h"

enum {
	STORE_NAME_CAP = 1025,	 /* object names: at most 1024 bytes of UTF-8 */
	STORE_BUCKET_CAP = 223,	 /* bucket names: at most 222 characters */
	STORE_SUMMARY_CAP = 512, /* custom metadata muster-summary */
};

/** struct obj_meta - what the server says of one object. */
struct obj_meta {
	const char *name; /* list: borrowed during the callback; else NULL */
	uint64_t generation, metageneration;
	uint64_t size_bytes;
	bool has_crc32c;
	uint32_t crc32c;
	int64_t created_ns,
		updated_ns;    /* the server's clock, since the epoch; 0 unknown */
	char nonce[NONCE_CAP]; /* custom metadata muster-nonce, "" if none */
	char summary[STORE_SUMMARY_CAP]; /* custom metadata muster-summary, "" if none */
};

enum put_precondition {
	PUT_CREATE,  /* ifGenerationMatch=0: the name must be free */
	PUT_REPLACE, /* ifGenerationMatch=@if_generation */
	PUT_ANY,     /* no precondition: only `muster store cp`, and then never retried */
};

/** struct put_req - one object to write: bytes in memory, or a whole open file. */
struct put_req {
	const void *data;
	size_t n;
	int fd; /* used when @data is NULL: read by pread from 0 to @file_bytes */
	uint64_t file_bytes;
	const char *content_type; /* NULL = application/octet-stream */
	enum put_precondition precondition;
	uint64_t if_generation;
	const char *summary; /* custom metadata muster-summary, or NULL */
	bool is_resumable;   /* use a resumable upload even if it is small */
};

struct store;

/** list_fn - one object; non-zero stops the listing and is returned. */
typedef int list_fn(const struct obj_meta *meta, void *arg, struct err *err);
/** list_prefix_fn - one "directory" when a delimiter is set. */
typedef int list_prefix_fn(const char *prefix, void *arg, struct err *err);

struct list_req {
	const char *prefix;	  /* "" = all */
	const char *start_offset; /* inclusive; NULL = from the beginning */
	bool one_level;		  /* delimiter=/ */
	bool is_brief; /* no custom metadata, no metageneration, no created_ns */
	list_fn *on_object;
	list_prefix_fn *on_prefix; /* only with one_level; may be NULL */
	void *arg;
};

/**
 * struct store_ops - every call returns 0 or -errno and sets @err:
 *   -ENOENT   404: no such object or bucket
 *   -EEXIST   412: the precondition did not hold, and no earlier try of ours had landed
 *   -EACCES   401, 403: the text names permission, bucket and account where the server
 * does -EAGAIN   transient, given up at the deadline -EFBIG    larger than max_bytes
 *   -EBADMSG  checksum mismatch
 *   -ECANCELED  store_set_cancel()'s descriptor became readable
 *   -EINVAL   anything else the server refuses
 * Mutations with a precondition are retried and carry a nonce (custom metadata
 * muster-nonce) that settles an ambiguous reply; without one they are sent once.
 * A store belongs to one thread at a time.
 */
struct store_ops {
	/* the whole object, appended to @ret (its max counts too); CRC32C verified */
	int (*get)(struct store *, const char *name, uint64_t max_bytes, struct str *ret,
		   struct obj_meta *ret_meta, struct err *);
	/* the whole object into @fd from offset 0, resumed after a break; CRC32C verified
	 */
	int (*get_file)(struct store *, const char *name, uint64_t max_bytes, int fd,
			struct obj_meta *ret_meta, struct err *);
	int (*put)(struct store *, const char *name, const struct put_req *,
		   struct obj_meta *ret_meta, struct err *);
	int (*stat)(struct store *, const char *name, struct obj_meta *ret, struct err *);
	/* in order of the names' bytes; @ret_server_date_ns: "Date" of the last page */
	int (*list)(struct store *, const struct list_req *, int64_t *ret_server_date_ns,
		    struct err *);
	/* @if_generation 0: no precondition, never retried */
	int (*del)(struct store *, const char *name, uint64_t if_generation,
		   struct err *);
	/* @sources: names, 1 to 32; @precondition as in put */
	int (*compose)(struct store *, const char *name, const char *const *sources,
		       size_t n, const struct put_req *, struct obj_meta *ret_meta,
		       struct err *);
	/* is the bucket there and readable? 0, -ENOENT, -EACCES, -EAGAIN */
	int (*probe)(struct store *, struct err *);
	void (*close)(struct store *);
};

/** struct store - the head of every implementation. */
struct store {
	const struct store_ops *ops;
	char bucket[STORE_BUCKET_CAP];
	int64_t deadline_ns; /* CLOCK_MONOTONIC end of any call under way; 0 = per class
			      */
	int cancel_fd;	     /* readable = give up with -ECANCELED; -1 none */
	/* counters since open, for tests and the closing line */
	uint64_t requests, retries, bytes_sent, bytes_received;
};

enum store_auth { STORE_AUTH_ADC, STORE_AUTH_ANONYMOUS };

struct store_opts {
	const char *bucket;
	const char
		*endpoint; /* NULL = Google; else http(s)://host:port, always anonymous */
	enum store_auth auth;
	int64_t first_contact_ns; /* give up if nothing has answered by then; 0 = 15 s */
};

/**
 * store_gcs_open() - a store over the JSON API. No request is made.
 *
 * http:// endpoints only to loopback, or to the host given here (contract §7.3).
 * MUSTER_EXTRA_HEADERS and MUSTER_RETRY_BASE_MS are read from the environment.
 */
int store_gcs_open(const struct store_opts *opts, struct store **ret, struct err *err);

/** store_endpoint_from_env() - STORAGE_EMULATOR_HOST as a URL ("host:port" means http),
 * or NULL; new string. */
char *store_endpoint_from_env(void);

/** struct store_url - gs://bucket[/name]; name may be "" and may end in '/'. */
struct store_url {
	char bucket[STORE_BUCKET_CAP];
	char name[STORE_NAME_CAP];
};

int store_url_parse(const char *url, struct store_url *ret, struct err *err);

void store_close(struct store *store);
static inline void store_close_fn(struct store **s)
{
	store_close(*s);
}
#define cleanup_store cleanup(store_close_fn)

#endif
