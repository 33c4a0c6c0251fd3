// SPDX-License-Identifier: Apache-2.0
// Reading an object: continued after a break, of one generation, checksum verified.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/crc32c.h"
#include "core/store_gcs_impl.h"

enum { REPLACED_MAX = 5 };

struct download {
	struct str *to; /* or, if NULL, @fd */
	size_t to_start;
	int fd;
	uint64_t max_bytes, have, most; /* most that was ever had */
	bool has_progress;
	uint32_t crc32c;
	bool is_begun;	      /* the current reply's headers are read */
	struct obj_meta meta; /* generation 0 = not pinned */
	bool has_size;
};

static uint64_t header_u64(const struct http_response *resp, const char *name)
{
	uint64_t v = 0;
	char text[32];

	if (http_header(resp, name, text, sizeof(text)))
		parse_u64(text, &v, NULL);
	return v;
}

static void from_zero(struct download *dl)
{
	dl->have = 0;
	dl->crc32c = 0;
	if (dl->to && dl->to->s) {
		dl->to->len = dl->to_start;
		dl->to->s[dl->to_start] = '\0';
	}
}

static void read_meta(struct download *dl, const struct http_response *resp)
{
	struct obj_meta *meta = &dl->meta;
	char text[256];

	*meta = (struct obj_meta){.generation = header_u64(resp, "x-goog-generation"),
				  .metageneration =
					  header_u64(resp, "x-goog-metageneration")};
	if (http_header(resp, "x-goog-hash", text, sizeof(text)))
		meta->has_crc32c = gcs_hash_crc32c(text, &meta->crc32c);
	if (http_header(resp, "Last-Modified", text, sizeof(text)))
		clock_parse_http(text, &meta->updated_ns, NULL);
	http_header(resp, "x-goog-meta-muster-nonce", meta->nonce, sizeof(meta->nonce));
	http_header(resp, "x-goog-meta-muster-summary", meta->summary,
		    sizeof(meta->summary));
	dl->has_size =
		http_header(resp, "x-goog-stored-content-length", text, sizeof(text)) &&
		parse_u64(text, &meta->size_bytes, NULL) == 0;
	if (!dl->has_size && dl->have == 0 && resp->status == 200)
		dl->has_size = http_header(resp, "Content-Length", text, sizeof(text)) &&
			       parse_u64(text, &meta->size_bytes, NULL) == 0;
}

/* Where the reply's bytes belong: a 200 may be the whole object, or (testbench) a part.
 */
static int begin(struct download *dl, const struct http_response *resp, struct err *err)
{
	uint64_t start = 0, generation = header_u64(resp, "x-goog-generation");
	char range[96];
	bool has_range = http_header(resp, "Content-Range", range, sizeof(range)) &&
			 gcs_content_range(range, &start);

	dl->is_begun = true;
	if (resp->status == 206 && !has_range)
		return err_set(err, -EBADMSG, "HTTP 206 without Content-Range");
	if (has_range && start != dl->have && start != 0)
		return err_set(err, -EBADMSG, "bytes from %" PRIu64 ", not from %" PRIu64,
			       start, dl->have);
	if (start == 0)
		from_zero(dl);
	if (dl->have && generation != dl->meta.generation)
		return err_set(err, -EBADMSG, "the object changed while it was read");
	if (dl->have == 0)
		read_meta(dl, resp);
	if (dl->has_size && dl->meta.size_bytes > dl->max_bytes)
		return err_set(err, -EFBIG,
			       "%" PRIu64 " bytes are more than the %" PRIu64 " allowed",
			       dl->meta.size_bytes, dl->max_bytes);
	return 0;
}

static int write_all(struct download *dl, const char *bytes, size_t n, struct err *err)
{
	size_t done = 0;

	if (dl->to) {
		str_addn(dl->to, bytes, n);
		return str_check(dl->to, "the object", err);
	}
	while (done < n) {
		ssize_t put =
			pwrite(dl->fd, bytes + done, n - done, (off_t)(dl->have + done));

		if (put < 0 && errno != EINTR)
			return err_errno(err, -errno, "writing the file");
		done += put > 0 ? (size_t)put : 0;
	}
	return 0;
}

static int on_data(const struct http_response *resp, const void *bytes, size_t n,
		   void *arg, struct err *err)
{
	struct download *dl = arg;
	int r = dl->is_begun ? 0 : begin(dl, resp, err);

	if (r < 0)
		return r;
	if (n > dl->max_bytes - dl->have)
		return err_set(err, -EFBIG, "more than the %" PRIu64 " bytes allowed",
			       dl->max_bytes);
	r = write_all(dl, bytes, n, err);
	if (r < 0)
		return r;
	dl->crc32c = crc32c_update(dl->crc32c, bytes, n);
	dl->have += n;
	if (dl->have > dl->most) {
		dl->most = dl->have;
		dl->has_progress = true;
	}
	return 0;
}

static int verify(const struct gcs *gcs, const struct gcs_call *call,
		  const struct download *dl, struct err *err)
{
	if (dl->has_size && dl->have != dl->meta.size_bytes)
		return gcs_fail(gcs, call, -EBADMSG, err,
				"%" PRIu64 " bytes arrived of %" PRIu64, dl->have,
				dl->meta.size_bytes);
	if (!dl->meta.has_crc32c)
		return gcs_fail(gcs, call, -EBADMSG, err,
				"the server sent no CRC32C to verify it with");
	if (dl->meta.crc32c != dl->crc32c)
		return gcs_fail(gcs, call, -EBADMSG, err,
				"damaged on the way: CRC32C %08x, expected %08x",
				dl->crc32c, dl->meta.crc32c);
	return 0;
}

/* One try from where the last one broke, of the generation it read. */
static int read_on(struct gcs *gcs, struct gcs_call *call, struct download *dl,
		   struct err *err)
{
	cleanup_free char *query =
		dl->have && dl->meta.generation
			? xasprintf("alt=media&generation=%" PRIu64, dl->meta.generation)
			: xstrdup("alt=media");
	cleanup_free char *url = gcs_object_url(gcs, call->name, "", query);
	cleanup_free char *range =
		dl->have ? xasprintf("Range: bytes=%" PRIu64 "-", dl->have) : NULL;
	int r;

	call->url = url;
	call->headers[0] = "Accept-Encoding: gzip"; /* stored bytes, never inflated */
	call->headers[1] = range;
	dl->is_begun = false;
	r = gcs_try(gcs, call, err);
	call->url = NULL;
	call->headers[1] = NULL;
	/* nothing is left of this generation: its checksum tells whether that is true */
	if (r < 0 && call->resp.status == 416 && dl->have)
		return 0;
	if (r == 0 && !dl->is_begun)
		r = begin(dl, &call->resp, err);
	return r;
}

static int download(struct gcs *gcs, const char *name, struct download *dl,
		    struct obj_meta *ret_meta, struct err *err)
{
	cleanup_call struct gcs_call call = {.doing = "read",
					     .name = name,
					     .method = "GET",
					     .class = RETRY_BULK,
					     .is_idempotent = true,
					     .on_data = on_data,
					     .arg = dl,
					     .has_progress = &dl->has_progress};
	unsigned replaced = 0;
	int r;

	gcs_begin(gcs, &call);
	for (;;) {
		struct err why = {0};

		r = read_on(gcs, &call, dl, &why);
		if (r > 0 && dl->has_size && dl->have && dl->have == dl->meta.size_bytes)
			r = 0; /* only the end of the connection was lost */
		if (r == -ENOENT && dl->have && replaced++ < REPLACED_MAX) {
			/* replaced in the middle: begin with the new generation */
			from_zero(dl);
			dl->most = 0;
			r = 1;
		}
		if (r == 0)
			break;
		if (r < 0)
			return err_set(err, r, "%s", why.text);
	}
	r = verify(gcs, &call, dl, err);
	if (r < 0)
		return r;
	dl->meta.size_bytes = dl->have;
	if (ret_meta)
		*ret_meta = dl->meta;
	return 0;
}

int gcs_get(struct store *store, const char *name, uint64_t max_bytes, struct str *ret,
	    struct obj_meta *ret_meta, struct err *err)
{
	struct download dl = {
		.to = ret, .to_start = ret->len, .fd = -1, .max_bytes = max_bytes};

	return download((struct gcs *)store, name, &dl, ret_meta, err);
}

int gcs_get_file(struct store *store, const char *name, uint64_t max_bytes, int fd,
		 struct obj_meta *ret_meta, struct err *err)
{
	struct download dl = {.fd = fd, .max_bytes = max_bytes};
	int r = download((struct gcs *)store, name, &dl, ret_meta, err);
	struct stat st;

	/* an object replaced in mid-read may have been longer before */
	if (r == 0 && (fstat(fd, &st) < 0 || (uint64_t)st.st_size != dl.have) &&
	    ftruncate(fd, (off_t)dl.have) < 0 && errno != EINVAL)
		return err_errno(err, -errno, "writing the file for %s", name);
	return r;
}
