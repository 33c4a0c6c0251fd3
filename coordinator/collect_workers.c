// SPDX-License-Identifier: Apache-2.0
// results.json's "workers": whose figures these are, and of what machines.
#include <string.h>

#include "coordinator/collect.h"
#include "coordinator/pool.h"
#include "core/json_scratch.h"

/** struct teller - the manifests among the run's objects. */
struct teller {
	struct collected *c;
	struct results *results;
	size_t n;
	size_t *objects;
};

/** struct told - a manifest's text for results.json, or why there is none. */
struct told {
	int r;
	struct err err;
	struct str text;
};

/* A manifest without its index of steps. */
static int tell(const struct teller *t, const struct run_object *object,
		struct told *told)
{
	cleanup_str struct str text = STR_INIT(MANIFEST_MAX_BYTES);
	cleanup_manifest struct manifest manifest = {0};
	unsigned unknown = 0;
	json_t *item;
	int r = fetch_read(&t->c->fetch, object, MANIFEST_MAX_BYTES, &text, &told->err);

	if (r == 0)
		r = manifest_parse(str_text(&text), text.len, &manifest, &unknown,
				   &told->err);
	if (r < 0)
		return r;
	item = manifest_to_json(&manifest);
	json_object_del(item, "schema");
	json_object_del(item, "steps");
	return results_item_render(item, &told->text, &told->err);
}

static void prepare(size_t index, void *item, void *arg)
{
	JSON_SCRATCH;
	const struct teller *t = arg;
	struct told *told = item;

	told->text = STR_INIT(RESULTS_LINE_MAX_BYTES);
	told->r = tell(t, &t->c->objects.v[t->objects[index]], told);
}

static int put(size_t index, void *item, void *arg, struct err *err)
{
	struct teller *t = arg;
	const struct told *told = item;

	(void)err;
	if (told->r == 0) {
		results_item_put(t->results, &told->text);
		return 0;
	}
	t->c->n_refused++;
	collect_note(t->c, "%s refused: %s", t->c->objects.v[t->objects[index]].relative,
		     told->err.text);
	return 0;
}

static void release(void *item)
{
	struct told *told = item;

	str_done(&told->text);
}

int collect_workers(struct collected *c, struct results *results, struct err *err)
{
	cleanup_free size_t *objects = xcalloc(c->objects.n, sizeof(*objects));
	struct teller t = {.c = c, .results = results, .objects = objects};
	const struct pool_line line = {.item_bytes = sizeof(struct told),
				       .prepare = prepare,
				       .take = put,
				       .release = release,
				       .arg = &t};

	for (size_t i = 0; i < c->objects.n; i++)
		if (c->objects.v[i].is_here && c->objects.v[i].kind == PATH_KIND_MANIFEST)
			objects[t.n++] = i;
	results_section(results, "workers");
	return pool_in_order(&line, t.n, err);
}
