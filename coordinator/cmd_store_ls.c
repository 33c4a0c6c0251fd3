// SPDX-License-Identifier: Apache-2.0
// muster store ls: one level of a bucket, as gcloud storage shows it, or all.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "coordinator/cmd_store.h"
#include "core/clock.h"

struct listing {
	const struct store_cmd *cmd;
	const char *bucket;
	struct str *text;
	json_t *objects, *prefixes;
	uint64_t n;
};

/* A long listing is printed as it comes. */
static int flush_lines(struct listing *ls, struct err *err)
{
	fwrite(str_text(ls->text), 1, ls->text->len, stdout);
	str_reset(ls->text);
	if (ferror(stdout))
		return err_set(err, -EIO, "cannot write to standard output");
	return 0;
}

static int add_line(struct listing *ls, const struct obj_meta *meta, const char *name,
		    struct err *err)
{
	char when[RFC3339_CAP] = "";

	ls->n++;
	if (ls->cmd->is_long && meta) {
		clock_format(meta->updated_ns, when);
		str_addf(ls->text, "%14" PRIu64 "  %-24s  %16" PRIu64 "  ",
			 meta->size_bytes, when, meta->generation);
	} else if (ls->cmd->is_long) {
		str_addf(ls->text, "%14s  %-24s  %16s  ", "", "", "");
	}
	str_addf(ls->text, "gs://%s/", ls->bucket);
	str_add_escaped(ls->text, name, strlen(name));
	str_addc(ls->text, '\n');
	return flush_lines(ls, err);
}

static int on_object(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct listing *ls = arg;

	if (!ls->cmd->is_json)
		return add_line(ls, meta, meta->name, err);
	ls->n++;
	json_array_append_new(ls->objects,
			      store_object_json(ls->bucket, meta->name, meta));
	return 0;
}

static int on_prefix(const char *prefix, void *arg, struct err *err)
{
	struct listing *ls = arg;

	if (!ls->cmd->is_json)
		return add_line(ls, NULL, prefix, err);
	ls->n++;
	json_array_append_new(ls->prefixes,
			      json_sprintf("gs://%s/%s", ls->bucket, prefix));
	return 0;
}

static int list_below(struct store *store, struct listing *ls, const char *prefix,
		      struct err *err)
{
	struct list_req req = {.prefix = prefix,
			       .one_level = !ls->cmd->is_recursive,
			       .on_object = on_object,
			       .on_prefix = on_prefix,
			       .arg = ls};

	return store->ops->list(store, &req, NULL, err);
}

/* gs://b/name is the object of that name if there is one, else the folder. */
static int list_url(struct store *store, struct listing *ls, const char *name,
		    struct err *err)
{
	cleanup_free char *folder = NULL;
	struct obj_meta meta = {0};
	struct err why = {0};
	int r;

	if (!*name || str_ends(name, "/"))
		return list_below(store, ls, name, err);
	r = store->ops->stat(store, name, &meta, &why);
	if (r == 0) {
		meta.name = name;
		return on_object(&meta, ls, err);
	}
	if (r != -ENOENT)
		return err_set(err, r, "%s", why.text);
	folder = xasprintf("%s/", name);
	return list_below(store, ls, folder, err);
}

int store_ls(const struct store_cmd *cmd)
{
	cleanup_store struct store *store = NULL;
	cleanup_str struct str text = STR_INIT(65536);
	cleanup_json json_t *doc = json_object();
	struct store_url url;
	struct listing ls = {.cmd = cmd, .text = &text};
	struct err err = {0};
	int exit_code = 0;

	if (store_open_url(cmd->args.v[0], &url, &store, &exit_code) < 0)
		return exit_code;
	ls.bucket = url.bucket;
	ls.objects = json_array();
	ls.prefixes = json_array();
	json_object_set_new(doc, "schema", json_string("muster/store-ls/1"));
	json_object_set_new(doc, "objects", ls.objects);
	json_object_set_new(doc, "prefixes", ls.prefixes);
	if (list_url(store, &ls, url.name, &err) < 0)
		return store_exit(&err);
	/* an empty bucket is there; a folder without objects is not */
	if (ls.n == 0 && url.name[0])
		return cmd_usage("nothing is there: gs://%s/%.200s", url.bucket,
				 url.name);
	if (cmd->is_json)
		return cmd_print_json(json_incref(doc));
	return cmd_print(&text);
}
