// SPDX-License-Identifier: Apache-2.0
// Opening a run.
#include "coordinator/run.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/cmd.h"

void sha256_hex(const void *data, size_t n, char out[65])
{
	unsigned char sum[SHA256_DIGEST_LENGTH];

	SHA256(data, n, sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

int run_get(struct run *run, const char *name, uint64_t max_bytes, struct str *ret,
	    struct err *err)
{
	struct obj_meta meta = {0};

	return run->store->ops->get(run->store, name, max_bytes, ret, &meta, err);
}

static int run_read_config(struct run *run, struct err *err)
{
	cleanup_str struct str text = STR_INIT(CONFIG_MAX_BYTES);
	struct obj_meta meta = {0};
	struct err why = {0};
	char name[PATH_CAP];
	int r = path_config(name, &run->ref, err);

	if (r < 0)
		return r;
	r = run->store->ops->get(run->store, name, CONFIG_MAX_BYTES, &text, &meta, &why);
	if (r == -ENOENT && run->store->ops->probe(run->store, NULL) == -ENOENT)
		return err_set(err, r, "no bucket gs://%s", run->ref.bucket);
	if (r == -ENOENT)
		return err_set(
			err, r,
			"no run %s: gs://%s/%s is not there (muster split makes it)",
			run->ref.run, run->ref.bucket, name);
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	run->created_ns = meta.updated_ns;
	sha256_hex(text.s, text.len, run->config_sha256);
	r = config_parse(text.s, text.len, &run->config, err);
	if (r < 0)
		return err_wrap(err, r, "gs://%s/%s", run->ref.bucket, name);
	if (strcmp(run->config.run, run->ref.run) != 0)
		return err_set(err, -EINVAL, "gs://%s/%s is the config of run %s",
			       run->ref.bucket, name, run->config.run);
	return 0;
}

int run_open_store(const struct run_ref *ref, struct store **ret, struct err *err)
{
	cleanup_free char *endpoint = store_endpoint_from_env();
	const struct store_opts opts = {
		.bucket = ref->bucket,
		.endpoint = endpoint,
		.auth = endpoint ? STORE_AUTH_ANONYMOUS : STORE_AUTH_ADC,
	};
	int r = store_gcs_open(&opts, ret, err);

	if (r == 0)
		(*ret)->cancel_fd = cmd_interrupt_fd();
	return r;
}

int run_open(const char *url, struct run *ret, int *ret_exit, struct err *err)
{
	int r;

	*ret = (struct run){0};
	r = run_ref_parse(url, &ret->ref, err);
	if (r == 0)
		r = run_open_store(&ret->ref, &ret->store, err);
	if (r == 0)
		r = run_read_config(ret, err);
	if (r < 0)
		run_close(ret);
	*ret_exit = cmd_interrupted() ? EXIT_INTERRUPTED : EXIT_USAGE;
	return r;
}

void run_close(struct run *run)
{
	config_done(&run->config);
	order_log_done(&run->orders);
	if (run->store)
		store_close(run->store);
	run->store = NULL;
}
