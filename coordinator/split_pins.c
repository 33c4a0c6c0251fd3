// SPDX-License-Identifier: Apache-2.0
// split: what each arm's gcsfuse is, by content.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/split.h"

enum { BINARY_MAX_BYTES = 1 << 30 };

/* The value of NAME=VALUE in @list, or NULL. */
static const char *pair_of(const struct opt_list *list, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->v[i], name, n) == 0 && list->v[i][n] == '=')
			return list->v[i] + n + 1;
	return NULL;
}

/* Every NAME must be one of an arm's: a typing error would pin nothing. */
static int check_used(const struct split *split, struct err *err)
{
	const struct opt_list *pins = &split->flags.pins, *bins = &split->flags.binaries;

	for (size_t i = 0; i < pins->n + bins->n; i++) {
		bool is_pin = i < pins->n, is_used = false;
		const char *text = is_pin ? pins->v[i] : bins->v[i - pins->n];
		size_t n = strcspn(text, "=");

		for (size_t a = 0; a < split->inputs.n_arms; a++) {
			const struct arm *arm = &split->inputs.arms[a];
			const char *name = is_pin ? arm->requested : arm->label;

			/* of a folder nothing is pinned; its flags may stay */
			if (arm->kind == ARM_DIR ||
			    (name && strlen(name) == n && strncmp(name, text, n) == 0))
				is_used = true;
		}
		if (!is_used)
			return err_set(err, -EINVAL, "--%s: no arm has the %s \"%.*s\"",
				       is_pin ? "pin" : "binary",
				       is_pin ? "commit" : "label", (int)n, text);
	}
	return 0;
}

static int fetch_binary(const char *url, int *ret_fd, struct err *err)
{
	cleanup_free char *endpoint = store_endpoint_from_env();
	cleanup_store struct store *store = NULL;
	struct store_opts opts = {.endpoint = endpoint};
	struct store_url at;
	cleanup_close int fd = -1;
	int r = store_url_parse(url, &at, err);

	if (r < 0)
		return r;
	opts.bucket = at.bucket;
	opts.auth = endpoint ? STORE_AUTH_ANONYMOUS : STORE_AUTH_ADC;
	fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, -errno, "a temporary file");
	r = store_gcs_open(&opts, &store, err);
	if (r == 0)
		r = store->ops->get_file(store, at.name, BINARY_MAX_BYTES, fd, NULL, err);
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

/* A tab-separated field of Go's build information: "\nmod\t<module>\t<version>". */
static void read_mod_line(const char *text, size_t n, struct gobuild_info *info)
{
	static const char tag[] = "\nmod\tgithub.com/";
	const char *at = memmem(text, n, tag, sizeof(tag) - 1);
	size_t left, m, v;

	if (!at)
		return;
	at += strlen("\nmod\t");
	left = n - (size_t)(at - text);
	m = strnlen(at, left < 255 ? left : 255);
	cleanup_free char *line = xstrndup(at, m);

	m = strcspn(line, "\t\n");
	if (line[m] != '\t')
		return;
	v = strcspn(line + m + 1, "\t\n");
	line[m] = line[m + 1 + v] = '\0';
	if (str_is_utf8(line, m) && str_is_utf8(line + m + 1, v)) {
		str_copy(info->module, sizeof(info->module), line);
		str_copy(info->version, sizeof(info->version), line + m + 1);
	}
}

/* Source: debug/buildinfo: magic, then at 32 a length and the toolchain's version. */
static void read_go_version(const char *text, size_t n, struct gobuild_info *info)
{
	static const char magic[] = "\xff Go buildinf:";
	const char *at = memmem(text, n, magic, sizeof(magic) - 1);
	size_t len;

	if (!at || (size_t)(at - text) + 64 > n)
		return;
	len = (unsigned char)at[32];
	if (len > 2 && len < sizeof(info->go) && memcmp(at + 33, "go", 2) == 0)
		memcpy(info->go, at + 33, len);
}

static int describe(struct split_binary *binary, struct err *err)
{
	struct gobuild_info *info = &binary->info;
	const char *text;
	int r = digest_fd(binary->fd, info->sha256, &info->bytes, err);

	if (r < 0)
		return r;
	if (!info->bytes || info->bytes > BINARY_MAX_BYTES)
		return err_set(err, -EINVAL, "empty, or larger than %d MiB",
			       BINARY_MAX_BYTES >> 20);
	memcpy(info->key, info->sha256, GOBUILD_KEY_CAP - 1);
	info->key[GOBUILD_KEY_CAP - 1] = '\0';
	text = mmap(NULL, info->bytes, PROT_READ, MAP_PRIVATE, binary->fd, 0);
	if (text == MAP_FAILED)
		return err_errno(err, -errno, "mmap");
	if (info->bytes < 4 || memcmp(text, "\177ELF", 4) != 0)
		r = err_set(err, -EINVAL, "not an ELF program");
	read_mod_line(text, info->bytes, info);
	read_go_version(text, info->bytes, info);
	munmap((void *)text, info->bytes);
	str_copy(info->os, sizeof(info->os), "linux");
	str_copy(info->arch, sizeof(info->arch), gobuild_arch());
	return r;
}

static int take_binary(struct split *split, size_t a, const char *where, struct err *err)
{
	struct split_binary *binary = &split->binaries[a];
	struct arm *arm = &split->inputs.arms[a];
	struct gobuild_info *info = &binary->info;
	struct err why = {0};
	int r = 0;

	if (str_starts(where, "gs://")) {
		r = fetch_binary(where, &binary->fd, &why);
	} else {
		binary->fd = open(where, O_RDONLY | O_CLOEXEC);
		if (binary->fd < 0)
			r = err_errno(&why, -errno, "open");
	}
	if (r == 0)
		r = describe(binary, &why);
	if (r < 0)
		return err_set(err, r, "binary of arm %s: %.200s: %s", arm->label, where,
			       why.text);
	arm->module = info->module[0] ? info->module : NULL;
	/* a working tree's is "(devel)", which is nobody's version */
	arm->version = info->version[0] == 'v' ? info->version : NULL;
	if (info->go[strspn(info->go, "go0123456789.")])
		info->go[0] = '\0'; /* "devel …": no toolchain to fetch */
	arm->go = info->go[0] ? info->go : NULL;
	arm->key = info->key;
	arm->sha256 = info->sha256;
	return 0;
}

static void use_pin(struct arm *arm, const struct pin *pin)
{
	arm->module = pin->module;
	arm->version = pin->version;
	arm->h1 = pin->h1[0] ? pin->h1 : NULL;
	arm->commit = pin->commit[0] ? pin->commit : NULL;
	arm->go = pin->go;
	arm->key = pin->key;
}

/* What the run was pinned to when it was claimed; a --pin may not say otherwise. */
static void use_claimed(struct split *split, struct arm *arm)
{
	const char *asked =
		arm->requested ? pair_of(&split->flags.pins, arm->requested) : NULL;

	for (size_t i = 0; i < split->claimed.n_arms; i++) {
		const struct arm *from = &split->claimed.arms[i];

		if (from->config_id != arm->config_id)
			continue;
		arm->module = from->module;
		arm->version = from->version;
		arm->h1 = from->h1;
		arm->commit = from->commit;
		arm->go = from->go;
		arm->key = from->key;
		arm->sha256 = from->sha256;
	}
	if (asked && asked[0] == 'v' && strchr(asked, '.'))
		arm->version = asked;
}

static int pin_arm(struct split *split, const struct pinner *pinner, size_t a,
		   struct err *err)
{
	struct arm *arm = &split->inputs.arms[a];
	const char *query = arm->requested ? arm->requested : "";
	const char *mapped = *query ? pair_of(&split->flags.pins, query) : NULL;
	struct err why = {0};
	int r;

	if (mapped)
		query = mapped;
	if (!*query)
		return err_set(err, -EINVAL, "arm %s: commit is empty: no version to pin",
			       arm->label);
	/* arms of one version are one question */
	for (size_t i = 0; i < a; i++) {
		const struct arm *twin = &split->inputs.arms[i];

		if (arm->requested && twin->requested && twin->key &&
		    split->pins[i].key[0] &&
		    strcmp(twin->requested, arm->requested) == 0) {
			use_pin(arm, &split->pins[i]);
			return 0;
		}
	}
	r = pin_resolve(pinner, query, &split->pins[a], &why);
	if (r == 0) {
		use_pin(arm, &split->pins[a]);
		return 0;
	}
	if (!split->flags.dry_run)
		return err_set(err, r, "arm %s: pin %.60s: %s", arm->label, query,
			       why.text);
	str_addf(&split->notes, "arm %s: pin %s is unresolved: %s\n", arm->label, query,
		 why.text);
	return 0;
}

int split_pins(struct split *split, struct err *err)
{
	cleanup_http struct http *http = NULL;
	struct pinner pinner;
	size_t n = split->inputs.n_arms;
	int r = check_used(split, err);

	if (r == 0)
		r = http_new(&http, err);
	if (r < 0)
		return r;
	pinner = pinner_from_env(http);
	split->pins = xcalloc(n, sizeof(*split->pins));
	split->binaries = xcalloc(n, sizeof(*split->binaries));
	for (size_t a = 0; a < n; a++)
		split->binaries[a].fd = -1;
	for (size_t a = 0; a < n && r == 0; a++) {
		struct arm *arm = &split->inputs.arms[a];
		const char *binary = pair_of(&split->flags.binaries, arm->label);

		if (arm->kind == ARM_DIR)
			continue;
		if (!binary)
			binary = split->inputs.binaries[a];
		if (binary)
			r = take_binary(split, a, binary, err);
		else if (split->is_claimed)
			use_claimed(split, arm);
		else
			r = pin_arm(split, &pinner, a, err);
	}
	return r;
}
