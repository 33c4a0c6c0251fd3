// SPDX-License-Identifier: Apache-2.0
// A Cloud Storage bucket over the JSON API: opening, stat, delete.
#include "core/store.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/store_gcs_impl.h"

static const int64_t first_contact_default_ns = 15LL * NS_PER_S;

int gcs_stat(struct store *store, const char *name, struct obj_meta *ret, struct err *err)
{
	struct gcs *gcs = (struct gcs *)store;
	cleanup_free char *url = gcs_object_url(gcs, name, "", "fields=" GCS_META_FIELDS);
	cleanup_call struct gcs_call call = {.doing = "look up",
					     .name = name,
					     .method = "GET",
					     .url = url,
					     .is_idempotent = true,
					     .max_bytes = GCS_META_MAX};
	int r = gcs_run(gcs, &call, err);

	if (r == 0)
		r = gcs_meta_parse(&call.resp.body, ret, err);
	return r;
}

static int gcs_del(struct store *store, const char *name, uint64_t if_generation,
		   struct err *err)
{
	struct gcs *gcs = (struct gcs *)store;
	struct put_req condition = {.precondition = if_generation ? PUT_REPLACE : PUT_ANY,
				    .if_generation = if_generation};
	cleanup_free char *query = gcs_precondition(&condition);
	cleanup_free char *url = gcs_object_url(gcs, name, "", query);
	cleanup_call struct gcs_call call = {.doing = "delete",
					     .name = name,
					     .method = "DELETE",
					     .url = url,
					     .is_idempotent = if_generation != 0};
	struct err why = {0};
	int r = gcs_run(gcs, &call, &why);

	/* an earlier try of ours may be what removed it */
	if (r == -ENOENT && call.resp.status == 404 && call.retry.is_ambiguous)
		return 0;
	return r < 0 ? err_set(err, r, "%s", why.text) : 0;
}

static void gcs_close(struct store *store)
{
	struct gcs *gcs = (struct gcs *)store;

	http_free(gcs->http);
	free(gcs->base);
	free(gcs->plain_host);
	free(gcs->extra);
	free(gcs);
}

static const struct store_ops gcs_ops = {
	.get = gcs_get,
	.get_file = gcs_get_file,
	.put = gcs_put,
	.stat = gcs_stat,
	.list = gcs_list,
	.del = gcs_del,
	.compose = gcs_compose,
	.probe = gcs_probe,
	.close = gcs_close,
};

static int read_env(struct gcs *gcs, struct err *err)
{
	const char *extra = getenv("MUSTER_EXTRA_HEADERS");
	int r = retry_base_from_env(&gcs->base_ns, err);

	if (r < 0 || !extra)
		return r;
	gcs->extra = xstrdup(extra);
	return gcs_extra_headers(gcs->extra, gcs->extra_headers, err);
}

static int set_up(struct gcs *gcs, const struct store_opts *opts, struct err *err)
{
	enum auth_source source;
	int r = read_env(gcs, err);

	if (r < 0)
		return r;
	if (!str_copy(gcs->store.bucket, sizeof(gcs->store.bucket), opts->bucket))
		return err_set(err, -EINVAL, "the bucket's name is too long");
	if (opts->endpoint) {
		r = gcs_endpoint(opts->endpoint, &gcs->base, &gcs->plain_host, err);
	} else {
		gcs->base = xstrdup("https://storage.googleapis.com");
		gcs->needs_auth = opts->auth == STORE_AUTH_ADC;
		if (gcs->needs_auth)
			r = auth_find(&source, err);
	}
	return r < 0 ? r : http_new(&gcs->http, err);
}

int store_gcs_open(const struct store_opts *opts, struct store **ret, struct err *err)
{
	struct gcs *gcs = xcalloc(1, sizeof(*gcs));
	int r;

	gcs->store.ops = &gcs_ops;
	gcs->store.cancel_fd = -1;
	gcs->first_contact_ns = opts->first_contact_ns ? opts->first_contact_ns
						       : first_contact_default_ns;
	rng_init(&gcs->rng, rng_entropy());
	r = set_up(gcs, opts, err);
	if (r < 0) {
		gcs_close(&gcs->store);
		return r;
	}
	*ret = &gcs->store;
	return 0;
}
