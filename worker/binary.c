// SPDX-License-Identifier: Apache-2.0
// The gcsfuse binaries of the arms.
#include "worker/binary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "worker/acquire.h"
#include "worker/worker.h"

enum { BINARY_WAIT_S = 900, BINARY_LOOK_S = 5, CTIME_OLD_S = 2 };

bool binary_stat_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int binary_verify(struct binary *b, struct err *err)
{
	char sum[DIGEST_CAP];
	struct stat now;
	int r;

	if (b->fd < 0)
		return err_set(err, -ENOENT, "no gcsfuse for this arm: %s", b->reason);
	if (fstat(b->fd, &now) < 0)
		return err_errno(err, -errno, "gcsfuse");
	if (b->is_seen_old && binary_stat_same(&now, &b->seen))
		return 0;
	r = digest_fd(b->fd, sum, NULL, err);
	if (r < 0)
		return err_wrap(err, r, "gcsfuse");
	if (strcmp(sum, b->sha256) != 0)
		return err_set(err, -EBADMSG,
			       "gcsfuse was changed on disk: sha256 %s, pinned is %s",
			       sum, b->sha256);
	b->seen = now;
	b->is_seen_old = clock_real_ns() / NS_PER_S - now.st_ctim.tv_sec > CTIME_OLD_S;
	return 0;
}

static struct binary *find_key(struct worker *w, const char *key)
{
	for (size_t i = 0; i < w->n_binaries; i++)
		if (strcmp(w->binaries[i].key, key) == 0)
			return &w->binaries[i];
	return NULL;
}

struct binary *binary_find(struct worker *w, const struct arm *arm)
{
	return arm->kind == ARM_GCSFUSE && arm->key ? find_key(w, arm->key) : NULL;
}

static unsigned wait_limit_s(void)
{
#ifdef MUSTER_TESTING
	const char *text = getenv("MUSTER_BUILD_WAIT_S");
	uint64_t s;

	if (text && parse_u64(text, &s, NULL) == 0)
		return (unsigned)s;
#endif
	return BINARY_WAIT_S;
}

/* Another worker builds it: look for its object until it must have failed. */
static int wait_for_builder(struct worker *w, const struct arm *arm, struct binary *b,
			    struct err *err)
{
	int64_t end_ns = clock_mono_ns() + (int64_t)wait_limit_s() * NS_PER_S;

	worker_say("waiting for another worker to build gcsfuse %s", arm->version);
	for (;;) {
		double share = 0.7 + 0.6 * (double)(rng_entropy() >> 11) * 0x1p-53;
		int r;

		err_clear(err);
		r = acquire_run(w, arm, b, err);
		if (r != -ENOENT && r != -EAGAIN)
			return r;
		if (clock_mono_ns() >= end_ns)
			return r;
		if (stop_pause(&w->stop, (int64_t)(share * BINARY_LOOK_S * NS_PER_S)) < 0)
			return err_set(err, -ECANCELED, "stopped");
	}
}

static int acquire(struct worker *w, const struct arm *arm, struct binary *b,
		   const char **ret_where, struct err *err)
{
	const struct {
		const char *name;
		int (*get)(struct worker *, const struct arm *, struct binary *,
			   struct err *);
		bool is_for_this;
	} places[] = {
		{"the local cache", acquire_local, true},
		{"the bucket's cache", acquire_cache, true},
		{"the run's binaries", acquire_run, arm->role != ROLE_WAIT},
		{"another worker", wait_for_builder, arm->role == ROLE_WAIT},
		{"a build here", acquire_build, arm->role != ROLE_FETCH},
	};
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct err why = {0};

		if (!places[i].is_for_this)
			continue;
		r = places[i].get(w, arm, b, &why);
		*ret_where = places[i].name;
		if (r == 0 || r == -ECANCELED) {
			err_clear(err);
			return r == 0 ? 0 : err_set(err, r, "stopped");
		}
		/* "not there" says less than what went wrong elsewhere */
		if (r != -ENOENT)
			err_clear(err);
		err_set(err, r, "%s: %s", places[i].name, why.text);
	}
	return r;
}

static int get_one(struct worker *w, const struct arm *arm)
{
	struct binary *b;
	struct err err = {0};
	const char *where = "";
	int r;

	w->binaries = xrealloc(w->binaries, w->n_binaries + 1, sizeof(*w->binaries));
	b = &w->binaries[w->n_binaries++];
	*b = (struct binary){.fd = -1};
	str_copy(b->key, sizeof(b->key), arm->key);
	str_copy(b->version, sizeof(b->version), arm->version ? arm->version : "");
	str_copy(b->label, sizeof(b->label), arm->label);
	r = acquire(w, arm, b, &where, &err);
	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		reason_set(b->reason, err.text);
		worker_say("gcsfuse for arm %s could not be had: %s", arm->label,
			   err.text);
		return 0;
	}
	log_line(LOG_INFO, "gcsfuse for arm %s from %s, sha256 %s", arm->label, where,
		 b->sha256);
	if (arm->role == ROLE_BUILD && acquire_publish(w, arm, b, &err) < 0)
		worker_say("gcsfuse not published for the others: %s", err.text);
	return 0;
}

/* The manifest says which binaries measured. */
static void tell(struct worker *w)
{
	struct provenance *p = &w->board.manifest.provenance;

	pthread_mutex_lock(&w->board.lock);
	free(p->gcsfuse);
	p->gcsfuse = xcalloc(w->n_binaries + 1, sizeof(*p->gcsfuse));
	p->n_gcsfuse = 0;
	for (size_t i = 0; i < w->n_binaries; i++) {
		const struct binary *b = &w->binaries[i];

		if (b->fd < 0)
			continue;
		str_copy(p->gcsfuse[p->n_gcsfuse].label, 64, b->label);
		str_copy(p->gcsfuse[p->n_gcsfuse].version, 64, b->version);
		str_copy(p->gcsfuse[p->n_gcsfuse].sha256, 65, b->sha256);
		p->n_gcsfuse++;
	}
	w->board.manifest_changed = true;
	pthread_mutex_unlock(&w->board.lock);
}

/* Arms may share a key with different roles: the one that builds must not wait. */
static const struct arm *builder_of(const struct worker *w, const struct arm *arm)
{
	for (size_t j = 0; j < w->queue.n_jobs; j++)
		for (size_t i = 0; i < w->queue.jobs[j]->n_arms; i++) {
			const struct arm *other = &w->queue.jobs[j]->arms[i];

			if (other->kind == ARM_GCSFUSE && other->role == ROLE_BUILD &&
			    other->key && strcmp(other->key, arm->key) == 0)
				return other;
		}
	return arm;
}

int binaries_get(struct worker *w, struct err *err)
{
	for (size_t j = 0; j < w->queue.n_jobs; j++) {
		const struct job *job = w->queue.jobs[j];

		for (size_t i = 0; i < job->n_arms; i++) {
			const struct arm *arm = &job->arms[i];

			if (arm->kind != ARM_GCSFUSE || !arm->key ||
			    find_key(w, arm->key))
				continue;
			if (get_one(w, builder_of(w, arm)) < 0)
				return err_set(err, -ECANCELED,
					       "stopped while gcsfuse was fetched");
		}
	}
	tell(w);
	return 0;
}

void binaries_done(struct worker *w)
{
	for (size_t i = 0; i < w->n_binaries; i++)
		if (w->binaries[i].fd >= 0)
			close(w->binaries[i].fd);
	free(w->binaries);
	w->binaries = NULL;
	w->n_binaries = 0;
}
