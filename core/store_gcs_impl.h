// SPDX-License-Identifier: Apache-2.0
// Inside of the Cloud Storage client; for core/store_gcs*.c and their tests only.
#ifndef CORE_STORE_GCS_IMPL_H
#define CORE_STORE_GCS_IMPL_H

#include "core/auth.h"
#include "core/http.h"
#include "core/json.h"
#include "core/retry.h"
#include "core/store.h"

enum {
	GCS_EXTRA_MAX = 12,		     /* MUSTER_EXTRA_HEADERS */
	GCS_HEADERS_MAX = 8,		     /* of one call */
	GCS_MULTIPART_MAX = 8 * 1024 * 1024, /* larger objects are resumable uploads */
	GCS_META_MAX = 1024 * 1024,
	GCS_PAGE_MAX = 8 * 1024 * 1024,
	GCS_UUID_CAP = 37,
};

#define GCS_META_FIELDS                                                                  \
	"name,generation,metageneration,size,crc32c,timeCreated,updated,metadata"
#define GCS_BRIEF_FIELDS "name,generation,size,crc32c,updated"

/** struct gcs - one store over the JSON API. */
struct gcs {
	struct store store; /* first: the operations get this pointer */
	struct http *http;
	char *base;	  /* "https://storage.googleapis.com", no slash at the end */
	char *plain_host; /* of an http:// endpoint, else NULL */
	bool needs_auth;
	int64_t base_ns, first_contact_ns;
	int64_t bulk_limit_ns; /* as struct retry's */
	bool has_contact;
	struct rng rng;
	char *extra; /* MUSTER_EXTRA_HEADERS, cut at its line ends */
	const char *extra_headers[GCS_EXTRA_MAX];
};

/**
 * struct gcs_call - one logical operation: the same request, tried until it is settled.
 *
 * @doing: "write", "read", …: errors begin with "cannot <doing> gs://bucket/name"
 * @on_data, @on_sent, @arg, @max_bytes: as in struct http_request
 */
struct gcs_call {
	const char *doing, *name;
	const char *method, *url;
	const char *headers[GCS_HEADERS_MAX];
	struct http_part parts[HTTP_PARTS_MAX];
	enum retry_class class;
	bool is_idempotent;
	bool takes_308; /* "Resume Incomplete" is no failure */
	uint64_t max_bytes;
	http_data_fn *on_data;
	http_sent_fn *on_sent;
	void *arg;
	/* set by @on_data or @on_sent: bytes that no earlier try had; or NULL */
	bool *has_progress;

	struct http_response resp; /* of the last try */
	struct retry retry;
	int64_t begun_ns, full_deadline_ns;
	unsigned tries;
	bool on_new_connection;
	char uuid[GCS_UUID_CAP]; /* x-goog-gcs-idempotency-token */
};

static inline void gcs_call_done(struct gcs_call *call)
{
	http_response_done(&call->resp);
}
#define cleanup_call cleanup(gcs_call_done)

/* store_gcs_call.c */

/** gcs_begin() - start the clock of @call and give it its idempotency token. */
void gcs_begin(struct gcs *gcs, struct gcs_call *call);
/** gcs_try() - one attempt: 0 = done (2xx), 1 = waited, try again, -errno = final. */
int gcs_try(struct gcs *gcs, struct gcs_call *call, struct err *err);
/** gcs_run() - gcs_begin() and gcs_try() to the end. */
int gcs_run(struct gcs *gcs, struct gcs_call *call, struct err *err);
/** gcs_fail() - "cannot <doing> gs://…: <text>". */
int gcs_fail(const struct gcs *gcs, const struct gcs_call *call, int code,
	     struct err *err, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* store_gcs_error.c */

/** gcs_errno() - what an HTTP status means to a caller of the store. */
int gcs_errno(long status);
/** gcs_reason() - the server's own words about a failure, escaped and cut. */
void gcs_reason(const char *body, size_t n, struct str *ret);

/* store_gcs_url.c: new strings */
char *gcs_object_url(const struct gcs *gcs, const char *name, const char *suffix,
		     const char *query);
char *gcs_list_url(const struct gcs *gcs, const struct list_req *req,
		   const char *page_token, unsigned max_results);
char *gcs_upload_url(const struct gcs *gcs, const char *type, const char *name,
		     const struct put_req *req);
/** gcs_precondition() - "ifGenerationMatch=N" or "". */
char *gcs_precondition(const struct put_req *req);
/** gcs_endpoint() - check an endpoint; its host if it is http://, without a slash. */
int gcs_endpoint(const char *url, char **ret_base, char **ret_plain_host,
		 struct err *err);
/** gcs_extra_headers() - cut @text ("Name: value" a line) in place. */
int gcs_extra_headers(char *text, const char *ret[GCS_EXTRA_MAX], struct err *err);

/* store_gcs_meta.c */

/** gcs_meta_read() - an object resource; name is borrowed from @doc. */
int gcs_meta_read(const json_t *doc, struct obj_meta *ret, struct err *err);
/** gcs_meta_parse() - the same from a reply's body; name is NULL. */
int gcs_meta_parse(const struct str *body, struct obj_meta *ret, struct err *err);
/** gcs_hash_crc32c() - the crc32c of an x-goog-hash header; false if it has none. */
bool gcs_hash_crc32c(const char *hash, uint32_t *ret);
/** gcs_content_range() - first byte of "bytes 5-9/10"; false if it is not that. */
bool gcs_content_range(const char *text, uint64_t *ret_start);
/** gcs_persisted() - bytes kept so far, of an upload's "bytes=0-N"; "" is 0. */
int gcs_persisted(const char *range, uint64_t *ret, struct err *err);
/** gcs_resource() - the JSON that describes the object to write; new reference. */
json_t *gcs_resource(const char *name, const struct put_req *req, const char *nonce,
		     const uint32_t *crc32c);

/* store_gcs_put.c */

/** gcs_settle() - after an ambiguous 412: 0 if @nonce is the object's, else -EEXIST. */
int gcs_settle(struct gcs *gcs, const struct gcs_call *call, const char *nonce,
	       struct obj_meta *ret_meta, struct err *err);
int gcs_put(struct store *store, const char *name, const struct put_req *req,
	    struct obj_meta *ret_meta, struct err *err);
int gcs_compose(struct store *store, const char *name, const char *const *sources,
		size_t n, const struct put_req *req, struct obj_meta *ret_meta,
		struct err *err);

/* store_gcs_resumable.c */

/**
 * gcs_upload_end() - where the next request of an upload ends that has @persisted bytes.
 *
 * A checksum that is not known yet is made while bytes go out, and then goes with the
 * last of them: whole units of 256 KiB first, and what is left over (1 byte to 1 unit)
 * in a request of its own. @persisted itself means that only those are left: the
 * checksum must be completed first.
 */
uint64_t gcs_upload_end(uint64_t persisted, uint64_t total, bool is_summed);
int gcs_put_resumable(struct gcs *gcs, const char *name, const struct put_req *req,
		      struct obj_meta *ret_meta, struct err *err);

/* store_gcs_get.c */
int gcs_get(struct store *store, const char *name, uint64_t max_bytes, struct str *ret,
	    struct obj_meta *ret_meta, struct err *err);
int gcs_get_file(struct store *store, const char *name, uint64_t max_bytes, int fd,
		 struct obj_meta *ret_meta, struct err *err);

/* store_gcs_list.c */
int gcs_list(struct store *store, const struct list_req *req, int64_t *ret_server_date_ns,
	     struct err *err);
int gcs_probe(struct store *store, struct err *err);

/* store_gcs.c */
int gcs_stat(struct store *store, const char *name, struct obj_meta *ret,
	     struct err *err);

#endif
