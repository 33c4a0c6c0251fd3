// SPDX-License-Identifier: Apache-2.0
// The data folders, reached around the mount.
#include "worker/data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/worker.h"

enum { DATA_STORE_S = 600, MARKER_MAX_BYTES = 4096 };

/* One listing: counted, or kept for deletion. */
struct listing {
	struct files_count count;
	bool is_keeping;
	size_t n;
	struct item {
		char *name;
		uint64_t generation;
	} * items;
};

static void listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].name);
	free(l->items);
}

static int take_object(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct listing *l = arg;

	(void)err;
	if (l->is_keeping) {
		if ((l->n & (l->n + 1)) == 0)
			l->items = xrealloc(l->items, (l->n + 1) * 2, sizeof(*l->items));
		l->items[l->n++] = (struct item){xstrdup(meta->name), meta->generation};
	}
	/* "…/" is how gcsfuse writes a folder */
	if (!str_ends(meta->name, "/")) {
		l->count.files++;
		l->count.bytes += meta->size_bytes;
	}
	return 0;
}

static int list_below(struct worker *w, const char *name, struct listing *l,
		      struct err *err)
{
	cleanup_free char *prefix = xasprintf("%s/", name);
	struct list_req req = {.prefix = prefix, .on_object = take_object, .arg = l};

	worker_deadline(w, w->data, DATA_STORE_S);
	return w->data->ops->list(w->data, &req, NULL, err);
}

static char *local_path(struct worker *w, const char *name)
{
	return xasprintf("%s/data/%s", w->id.workspace, name);
}

int data_count(struct worker *w, enum arm_kind kind, const char *name,
	       struct files_count *ret, struct err *err)
{
	struct listing l cleanup(listing_done) = {0};
	int r;

	if (kind == ARM_DIR) {
		cleanup_free char *path = local_path(w, name);

		return files_count(path, ret, err);
	}
	r = list_below(w, name, &l, err);
	if (r == 0)
		*ret = l.count;
	return r;
}

int data_delete(struct worker *w, enum arm_kind kind, const char *name, struct err *err)
{
	struct listing l cleanup(listing_done) = {.is_keeping = true};
	int r;

	if (kind == ARM_DIR) {
		cleanup_free char *path = local_path(w, name);

		return files_remove_tree(path, err);
	}
	r = list_below(w, name, &l, err);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		r = w->data->ops->del(w->data, l.items[i].name, l.items[i].generation,
				      err);
		/* gone or rewritten since: nobody but this worker writes here */
		if (r == -ENOENT) {
			err_clear(err);
			r = 0;
		}
	}
	return r;
}

int data_read_marker(struct worker *w, enum arm_kind kind, const char *name,
		     struct str *ret, struct err *err)
{
	cleanup_free char *marker = xasprintf("%s.json", name);
	cleanup_free char *path = local_path(w, marker);
	struct obj_meta meta;

	if (kind == ARM_DIR)
		return files_read(path, ret, err);
	worker_deadline(w, w->data, DATA_STORE_S);
	return w->data->ops->get(w->data, marker, MARKER_MAX_BYTES, ret, &meta, err);
}

int data_write_marker(struct worker *w, enum arm_kind kind, const char *name,
		      const struct str *text, struct err *err)
{
	cleanup_free char *marker = xasprintf("%s.json", name);
	cleanup_free char *path = local_path(w, marker);
	struct put_req req = {.data = str_text(text),
			      .n = text->len,
			      .content_type = "application/json",
			      .precondition = PUT_CREATE};
	struct obj_meta meta = {0};
	int r;

	if (kind == ARM_DIR)
		return files_write(path, str_text(text), text->len, err);
	worker_deadline(w, w->data, DATA_STORE_S);
	r = w->data->ops->stat(w->data, marker, &meta, err);
	if (r == 0) {
		req.precondition = PUT_REPLACE;
		req.if_generation = meta.generation;
	} else if (r == -ENOENT) {
		err_clear(err);
	} else {
		return r;
	}
	return w->data->ops->put(w->data, marker, &req, &meta, err);
}
