// SPDX-License-Identifier: Apache-2.0
// The claims of a run with stealing, from the bucket.
#include "coordinator/claims_load.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "coordinator/claims.h"
#include "coordinator/pool.h"

/** struct loading - what the threads share; @lock guards what they change. */
struct loading {
	struct run *run;
	size_t n, cap;
	struct path_parts *names;
	pthread_mutex_t lock;
	struct steps *steps;
	size_t n_bad;
	struct err *why;
};

static int on_claim(const struct obj_meta *meta, void *arg, struct err *err)
{
	struct loading *l = arg;
	struct path_parts parts;

	(void)err;
	path_parse(&l->run->ref, meta->name, &parts);
	if (parts.kind != PATH_KIND_CLAIM)
		return 0;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->names = xrealloc(l->names, l->cap, sizeof(*l->names));
	}
	l->names[l->n++] = parts;
	return 0;
}

static int read_claim(struct store *store, size_t index, void *arg, struct err *err)
{
	struct loading *l = arg;
	const struct path_parts *p = &l->names[index];
	cleanup_str struct str text = STR_INIT(CLAIM_MAX_BYTES);
	struct obj_meta meta = {0};
	struct err why = {0};
	unsigned unknown = 0;
	char name[PATH_CAP];
	int r = path_claim(name, &l->run->ref, p->matrix_id, p->iteration, p->round, err);

	if (r < 0)
		return r;
	r = store->ops->get(store, name, CLAIM_MAX_BYTES, &text, &meta, &why);
	if (r < 0 && r != -EFBIG && r != -EBADMSG)
		return err_set(err, r, "%s: %s", name, why.text);
	pthread_mutex_lock(&l->lock);
	if (r == 0)
		r = claims_add_text(l->steps, l->run->config.run, p, &text, &unknown,
				    &why);
	if (r < 0 && !l->n_bad++)
		err_set(l->why, r, "%s: %s", name, why.text);
	pthread_mutex_unlock(&l->lock);
	return 0;
}

int claims_load(struct run *run, struct steps *steps, size_t *ret_bad,
		struct err *ret_why, struct err *err)
{
	struct loading l = {.run = run,
			    .steps = steps,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .why = ret_why};
	char prefix[PATH_CAP];
	struct list_req req = {.prefix = prefix, .on_object = on_claim, .arg = &l};
	int64_t date_ns = 0;
	int r = path_dir(prefix, &run->ref, PATH_CLAIMS, err);

	if (r == 0)
		r = run->store->ops->list(run->store, &req, &date_ns, err);
	if (r == 0)
		r = pool_run(run, l.n, read_claim, &l, err);
	free(l.names);
	*ret_bad = l.n_bad;
	return r;
}
