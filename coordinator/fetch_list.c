// SPDX-License-Identifier: Apache-2.0
// Listing a run: a large one in several stretches at once.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cmd.h"
#include "coordinator/fetch.h"

/* A page comes after the page before it: stretches of names need not wait for each other.
 * Where they end is a guess at equal shares and decides nothing. */
enum { STRETCHES = FETCH_CUTS + 1, WORKERS_MIN = 64, STRETCH_OVER = 1 };
static const unsigned share_percent[FETCH_CUTS] = {15, 50, 85};

struct stretch {
	struct run *run;
	struct store *store;
	const char *prefix;
	char begin[PATH_CAP], end[PATH_CAP]; /* "" = that of the run */
	struct run_objects objects;
	struct err err;
	int r;
	pthread_t thread;
	bool is_started;
};

static void add_strange(struct run_objects *objects, const char *name)
{
	if (!objects->strange)
		objects->strange = xcalloc(FETCH_STRANGE_MAX, sizeof(char *));
	if (objects->n_strange < FETCH_STRANGE_MAX)
		objects->strange[objects->n_strange] = xstrdup(name);
	objects->n_strange++;
}

static void make_room(struct run_objects *objects, size_t more)
{
	size_t cap = objects->cap ? objects->cap : 256;

	while (cap < objects->n + more)
		cap *= 2;
	if (cap == objects->cap)
		return;
	objects->cap = cap;
	objects->v = xrealloc(objects->v, cap, sizeof(*objects->v));
}

static int on_object(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct stretch *stretch = arg;
	struct run_objects *objects = &stretch->objects;
	struct path_parts parts;

	if (cmd_interrupted())
		return err_set(err, -ECANCELED, "interrupted");
	if (*stretch->end && strcmp(meta->name, stretch->end) >= 0)
		return STRETCH_OVER;
	path_parse(&stretch->run->ref, meta->name, &parts);
	if (parts.kind == PATH_KIND_NONE) {
		add_strange(objects, meta->name);
		return 0;
	}
	make_room(objects, 1);
	objects->v[objects->n++] = (struct run_object){
		.relative = xstrdup(parts.relative),
		.kind = parts.kind,
		.is_record =
			parts.kind == PATH_KIND_STEP_FILE && parts.file == STEP_RECORD,
		.has_crc32c = meta->has_crc32c,
		.crc32c = meta->crc32c,
		.size_bytes = meta->size_bytes,
		.generation = meta->generation,
		.updated_ns = meta->updated_ns,
	};
	return 0;
}

static void *stretch_list(void *arg)
{
	struct stretch *stretch = arg;
	struct list_req req = {.prefix = stretch->prefix,
			       .is_brief = true,
			       .start_offset = *stretch->begin ? stretch->begin : NULL,
			       .on_object = on_object,
			       .arg = stretch};
	int64_t date_ns = 0;

	stretch->r =
		stretch->store->ops->list(stretch->store, &req, &date_ns, &stretch->err);
	return NULL;
}

/* As folders: "w-1/" comes before "w/". */
static int by_folder(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;

	for (; *x && *x == *y; x++, y++)
		;
	return (*x ? (unsigned char)*x : '/') - (*y ? (unsigned char)*y : '/');
}

size_t fetch_cuts(const char *const *workers, size_t n, const char *ret[FETCH_CUTS])
{
	cleanup_free const char **names = xcalloc(n, sizeof(char *));

	if (n < WORKERS_MIN)
		return 0;
	for (size_t i = 0; i < n; i++)
		names[i] = workers[i];
	qsort(names, n, sizeof(char *), by_folder);
	for (size_t i = 0; i < FETCH_CUTS; i++)
		ret[i] = names[n * share_percent[i] / 100];
	return FETCH_CUTS;
}

/* Most names are of results, in the order of the workers' folders. How many stretches. */
static size_t divide(const struct config *config, const char *prefix,
		     struct stretch stretches[STRETCHES])
{
	const char *cuts[FETCH_CUTS];
	size_t n = fetch_cuts(config->workers, config->n_workers, cuts);

	for (size_t i = 0; i < n; i++) {
		if (snprintf(stretches[i].end, PATH_CAP, "%sresults/%s/", prefix,
			     cuts[i]) >= PATH_CAP) {
			stretches[i].end[0] = '\0';
			return i + 1;
		}
		memcpy(stretches[i + 1].begin, stretches[i].end, PATH_CAP);
	}
	return n + 1;
}

/* Appends and empties @from: its names come after those of @to. */
static void append(struct run_objects *to, struct run_objects *from)
{
	make_room(to, from->n);
	if (from->n)
		memcpy(to->v + to->n, from->v, from->n * sizeof(*from->v));
	to->n += from->n;
	from->n = 0;
	for (size_t i = 0; i < from->n_strange && i < FETCH_STRANGE_MAX; i++)
		add_strange(to, from->strange[i]);
	if (from->n_strange > FETCH_STRANGE_MAX)
		to->n_strange += from->n_strange - FETCH_STRANGE_MAX;
	run_objects_done(from);
}

/* Without a store or thread of its own, the caller's does a stretch afterwards. */
static void stretch_start(struct stretch *stretch)
{
	if (run_open_store(&stretch->run->ref, &stretch->store, NULL) == 0)
		stretch->is_started = pthread_create(&stretch->thread, NULL, stretch_list,
						     stretch) == 0;
}

static void stretch_end(struct stretch *stretch)
{
	if (stretch->is_started) {
		pthread_join(stretch->thread, NULL);
		store_close(stretch->store);
		return;
	}
	store_close(stretch->store);
	stretch->store = stretch->run->store;
	stretch_list(stretch);
}

int fetch_list(struct run *run, struct run_objects *ret, struct err *err)
{
	cleanup_free struct stretch *all = xcalloc(STRETCHES, sizeof(*all));
	char prefix[PATH_CAP];
	int r = path_dir(prefix, &run->ref, PATH_RUN, err);
	size_t n = r == 0 ? divide(&run->config, prefix, all) : 0;

	*ret = (struct run_objects){0};
	for (size_t i = 0; i < n; i++) {
		all[i].run = run;
		all[i].prefix = prefix;
		if (i > 0)
			stretch_start(&all[i]);
	}
	for (size_t i = 0; i < n; i++) {
		stretch_end(&all[i]);
		if (all[i].r < 0 && r == 0)
			r = err_set(err, all[i].r, "%s", all[i].err.text);
		append(ret, &all[i].objects);
	}
	if (r < 0)
		run_objects_done(ret);
	return r;
}
