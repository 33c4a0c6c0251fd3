// SPDX-License-Identifier: Apache-2.0
// muster store: the object store by hand.
#include "coordinator/cmd_store.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/crc32c.h"

static const uint64_t cat_max_bytes = 1ULL << 40;

int store_exit(const struct err *err)
{
	switch (err->code) {
	case -EEXIST:
		return cmd_fail(EXIT_NO, err);
	case -EBADMSG:
		return cmd_fail(EXIT_INVALID, err);
	case -ECANCELED:
		return cmd_fail(EXIT_INTERRUPTED, err);
	default:
		return cmd_fail(EXIT_USAGE, err);
	}
}

int store_open_url(const char *text, struct store_url *ret_url, struct store **ret,
		   int *ret_exit)
{
	cleanup_free char *endpoint = store_endpoint_from_env();
	struct store_opts opts = {.endpoint = endpoint};
	struct err err = {0};
	int r = store_url_parse(text, ret_url, &err);

	if (r == 0) {
		opts.bucket = ret_url->bucket;
		r = store_gcs_open(&opts, ret, &err);
	}
	if (r < 0)
		*ret_exit = store_exit(&err);
	else
		(*ret)->cancel_fd = cmd_interrupt_fd();
	return r;
}

/* The same, of a URL that must name an object. */
static int open_object(const char *text, struct store_url *ret_url, struct store **ret,
		       int *ret_exit)
{
	int r = store_open_url(text, ret_url, ret, ret_exit);

	if (r == 0 && !ret_url->name[0]) {
		*ret_exit = cmd_usage("%.200s names a bucket, not an object", text);
		return -EINVAL;
	}
	return r;
}

void store_condition(const struct store_cmd *cmd, struct put_req *req)
{
	req->precondition = !cmd->has_generation ? PUT_ANY
			    : cmd->if_generation ? PUT_REPLACE
						 : PUT_CREATE;
	req->if_generation = cmd->if_generation;
}

static json_t *time_json(int64_t real_ns)
{
	char text[RFC3339_CAP];

	if (!real_ns)
		return json_null();
	clock_format(real_ns, text);
	return json_string(text);
}

json_t *store_object_json(const char *bucket, const char *name,
			  const struct obj_meta *meta)
{
	cleanup_free char *url = xasprintf("gs://%s/%s", bucket, name);
	json_t *doc = json_object();
	char crc[CRC32C_B64_CAP];

	crc32c_base64(meta->crc32c, crc);
	json_object_set_new(doc, "url", json_text(url));
	json_object_set_new(doc, "size_bytes", json_u64(meta->size_bytes));
	json_object_set_new(doc, "generation", json_u64(meta->generation));
	json_object_set_new(doc, "metageneration", json_u64(meta->metageneration));
	json_object_set_new(doc, "crc32c",
			    meta->has_crc32c ? json_string(crc) : json_null());
	json_object_set_new(doc, "created", time_json(meta->created_ns));
	json_object_set_new(doc, "updated", time_json(meta->updated_ns));
	json_object_set_new(doc, "nonce",
			    json_text_or_null(meta->nonce[0] ? meta->nonce : NULL));
	json_object_set_new(doc, "summary",
			    json_text_or_null(meta->summary[0] ? meta->summary : NULL));
	return doc;
}

int store_print_written(const struct store_cmd *cmd, const struct store_url *url,
			const struct obj_meta *meta)
{
	cleanup_str struct str text = STR_INIT(8192);

	if (cmd->is_json)
		return cmd_print_json(store_object_json(url->bucket, url->name, meta));
	str_addf(&text, "gs://%s/", url->bucket);
	str_add_escaped(&text, url->name, strlen(url->name));
	str_addf(&text, "  %" PRIu64 " bytes  generation %" PRIu64 "\n", meta->size_bytes,
		 meta->generation);
	return cmd_print(&text);
}

static void add_time(struct str *s, const char *label, int64_t real_ns)
{
	char text[RFC3339_CAP];

	if (!real_ns)
		return;
	clock_format(real_ns, text);
	str_addf(s, "  %-16s%s\n", label, text);
}

static void add_text(struct str *s, const char *label, const char *value)
{
	if (!*value)
		return;
	str_addf(s, "  %-16s", label);
	str_add_escaped(s, value, strlen(value));
	str_addc(s, '\n');
}

static int store_stat(const struct store_cmd *cmd)
{
	cleanup_store struct store *store = NULL;
	cleanup_str struct str text = STR_INIT(16384);
	struct obj_meta meta = {0};
	struct store_url url;
	struct err err = {0};
	char crc[CRC32C_B64_CAP];
	int exit_code = 0;

	if (open_object(cmd->args.v[0], &url, &store, &exit_code) < 0)
		return exit_code;
	if (store->ops->stat(store, url.name, &meta, &err) < 0)
		return store_exit(&err);
	if (cmd->is_json)
		return cmd_print_json(store_object_json(url.bucket, url.name, &meta));
	str_addf(&text, "gs://%s/", url.bucket);
	str_add_escaped(&text, url.name, strlen(url.name));
	str_addf(&text, "\n  %-16s%" PRIu64 " bytes\n", "size", meta.size_bytes);
	str_addf(&text, "  %-16s%" PRIu64 "\n", "generation", meta.generation);
	str_addf(&text, "  %-16s%" PRIu64 "\n", "metageneration", meta.metageneration);
	crc32c_base64(meta.crc32c, crc);
	add_text(&text, "crc32c", meta.has_crc32c ? crc : "");
	add_time(&text, "created", meta.created_ns);
	add_time(&text, "updated", meta.updated_ns);
	add_text(&text, "muster-nonce", meta.nonce);
	add_text(&text, "muster-summary", meta.summary);
	return cmd_print(&text);
}

static int copy_out(FILE *from, struct err *err)
{
	char buf[65536];
	size_t n;

	rewind(from);
	while ((n = fread(buf, 1, sizeof(buf), from)) > 0)
		if (fwrite(buf, 1, n, stdout) != n)
			break;
	if (ferror(from) || fflush(stdout) != 0)
		return err_errno(err, errno ? -errno : -EIO, "writing standard output");
	return 0;
}

/* Nothing is printed of an object that did not arrive whole and undamaged. */
static int store_cat(const struct store_cmd *cmd)
{
	for (size_t i = 0; i < cmd->args.n; i++) {
		cleanup_store struct store *store = NULL;
		cleanup_file FILE *file = tmpfile();
		struct store_url url;
		struct err err = {0};
		int exit_code = 0;

		if (!file) {
			err_errno(&err, -errno, "temporary file");
			return store_exit(&err);
		}
		if (open_object(cmd->args.v[i], &url, &store, &exit_code) < 0)
			return exit_code;
		if (store->ops->get_file(store, url.name, cat_max_bytes, fileno(file),
					 NULL, &err) < 0 ||
		    copy_out(file, &err) < 0)
			return store_exit(&err);
	}
	return EXIT_YES;
}

static int store_rm(const struct store_cmd *cmd)
{
	for (size_t i = 0; i < cmd->args.n; i++) {
		cleanup_store struct store *store = NULL;
		struct store_url url;
		struct err err = {0};
		int exit_code = 0;

		if (open_object(cmd->args.v[i], &url, &store, &exit_code) < 0)
			return exit_code;
		if (cmd->has_generation && !cmd->if_generation)
			return cmd_usage("rm: generation 0 is an object that is not "
					 "there");
		if (store->ops->del(store, url.name, cmd->if_generation, &err) < 0)
			return store_exit(&err);
	}
	return EXIT_YES;
}

static int store_compose(const struct store_cmd *cmd)
{
	cleanup_store struct store *store = NULL;
	size_t n = cmd->args.n - 1;
	cleanup_free struct store_url *sources = xcalloc(n, sizeof(*sources));
	cleanup_free const char **names = xcalloc(n, sizeof(*names));
	struct obj_meta meta = {0};
	struct put_req req = {0};
	struct store_url url;
	struct err err = {0};
	int exit_code = 0;

	if (open_object(cmd->args.v[n], &url, &store, &exit_code) < 0)
		return exit_code;
	for (size_t i = 0; i < n; i++) {
		if (store_url_parse(cmd->args.v[i], &sources[i], &err) < 0)
			return store_exit(&err);
		if (strcmp(sources[i].bucket, url.bucket) != 0)
			return cmd_usage("compose: %.200s is in another bucket",
					 cmd->args.v[i]);
		names[i] = sources[i].name;
	}
	store_condition(cmd, &req);
	if (store->ops->compose(store, url.name, names, n, &req, &meta, &err) < 0)
		return store_exit(&err);
	return store_print_written(cmd, &url, &meta);
}

static const struct store_verb verbs[] = {
	{"ls", "URL", "what is there, one level", 1, 1, "rlj", store_ls},
	{"stat", "URL", "size, generation, times of an object", 1, 1, "j", store_stat},
	{"cat", "URL…", "objects to standard output, verified", 1, OPT_LIST_MAX, "",
	 store_cat},
	{"cp", "FILE URL | URL FILE", "upload or download", 2, 2, "gsj", store_cp},
	{"rm", "URL…", "delete objects", 1, OPT_LIST_MAX, "g", store_rm},
	{"compose", "SRC… DST", "join 1 to 32 objects into one", 2, 33, "gj",
	 store_compose},
};

static const char about[] =
	"The object store by hand. Verbs:\n"
	"  ls URL               objects and, ending in '/', what is below\n"
	"  stat URL             size, generation, checksum, times\n"
	"  cat URL…             to standard output, after the checksum was verified\n"
	"  cp FILE URL          upload; a URL ending in '/' takes the file's name\n"
	"  cp URL FILE          download; FILE may be a folder\n"
	"  rm URL…              delete\n"
	"  compose SRC… DST     join 1 to 32 objects of a bucket\n\n"
	"Without --if-generation-match a write has no precondition, and is then not\n"
	"repeated after a failure. STORAGE_EMULATOR_HOST names another server than "
	"Cloud\n"
	"Storage. Exit codes: 0; 1 the precondition does not hold; 2 not there, not\n"
	"reachable, not allowed; 4 damaged.\n"
	"Example: muster store cp --if-generation-match 0 job.json gs://bucket/jobs/\n";

static int check_flags(const struct store_verb *verb, const struct store_cmd *cmd)
{
	const struct {
		bool is_given;
		char letter;
		const char *name;
	} flags[] = {
		{cmd->is_recursive, 'r', "-r"},
		{cmd->is_long, 'l', "-l"},
		{cmd->is_json, 'j', "--json"},
		{cmd->has_generation, 'g', "--if-generation-match"},
		{cmd->is_resumable, 's', "--resumable"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].is_given && !strchr(verb->flags, flags[i].letter))
			return cmd_usage("store %s does not take %s", verb->name,
					 flags[i].name);
	if (cmd->args.n < verb->min_args || cmd->args.n > verb->max_args)
		return cmd_usage("usage: muster store %s %s", verb->name, verb->args);
	return 0;
}

static int no_verb(const char *name)
{
	const char *names[ARRAY_SIZE(verbs) + 1] = {NULL};
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i].name;
	near = str_nearest(name, names);
	return cmd_usage("store: unknown verb \"%.60s\" (%s%s)", name,
			 near ? "did you mean " : "ls stat cat cp rm compose",
			 near ? near : "");
}

int cmd_store(int argc, char **argv)
{
	struct store_cmd cmd = {0};
	const struct opt opts[] = {
		{"r", OPT_FLAG, &cmd.is_recursive, NULL, "ls: all levels", NULL},
		{"l", OPT_FLAG, &cmd.is_long, NULL,
		 "ls: with size in bytes, time of the last change, generation", NULL},
		{"json", OPT_FLAG, &cmd.is_json, NULL, "print JSON", NULL},
		{"if-generation-match", OPT_U64, &cmd.if_generation, "N",
		 "only if the object's generation is N; 0: only if it does not exist",
		 &cmd.has_generation},
		{"resumable", OPT_FLAG, &cmd.is_resumable, NULL,
		 "cp: a resumable upload, however small the file", NULL},
		{0},
	};
	int exit_code = 0, r;

	if (cmd_parse("muster store VERB … [flags]", about, opts, argc, argv, &cmd.args,
		      &exit_code) != 0)
		return exit_code;
	if (cmd.args.n == 0)
		return cmd_usage("store: a verb is missing: ls stat cat cp rm compose");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(cmd.args.v[0], verbs[i].name) != 0)
			continue;
		cmd.args.n--;
		memmove(cmd.args.v, cmd.args.v + 1, cmd.args.n * sizeof(cmd.args.v[0]));
		r = check_flags(&verbs[i], &cmd);
		return r ? r : verbs[i].run(&cmd);
	}
	return no_verb(cmd.args.v[0]);
}
