// SPDX-License-Identifier: Apache-2.0
// The table of instances, and waiting for it to change.
#include "emulator/instances.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/rng.h"
#include "core/str.h"

struct emu_instances {
	pthread_mutex_t mu;
	pthread_cond_t changed;
	uint64_t version; /* of the whole table: a waiter looks itself what changed */
	bool is_ended;
	size_t n;
	struct emu_instance *all;
};

struct emu_instances *emu_instances_new(void)
{
	struct emu_instances *t = xcalloc(1, sizeof(*t));
	pthread_condattr_t attr;

	pthread_mutex_init(&t->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attr);
	pthread_condattr_destroy(&attr);
	return t;
}

void emu_instances_free(struct emu_instances *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		emu_instance_done(&t->all[i]);
	free(t->all);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->mu);
	free(t);
}

static void changed(struct emu_instances *t)
{
	t->version++;
	pthread_cond_broadcast(&t->changed);
}

static struct emu_instance *find(struct emu_instances *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->all[i].name, name) == 0)
			return &t->all[i];
	return NULL;
}

static struct emu_instance *find_address(struct emu_instances *t, const char *address)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *own = t->all[i].address;

		if (own && address ? strcmp(own, address) == 0 : own == address)
			return &t->all[i];
	}
	return NULL;
}

static int missing(const char *name, struct emu_fail *f)
{
	return emu_fail(f, 404, "notFound", "There is no instance %s.", name);
}

/* 19 digits, as Google's are, and no more than a JSON integer holds. */
static uint64_t draw_id(void)
{
	const uint64_t low = 1000000000000000000u;

	return low + rng_entropy() % ((uint64_t)INT64_MAX - low);
}

static void complete(struct emu_instance *in, const struct emu_instance *old)
{
	char nonce[NONCE_CAP];

	if (!in->id)
		in->id = old ? old->id : draw_id();
	rng_nonce(nonce);
	snprintf(in->token, sizeof(in->token), "emulated-%s", nonce);
}

int emu_instances_put(struct emu_instances *t, struct emu_instance *in, json_t **ret_json,
		      struct emu_fail *f)
{
	struct emu_instance *old, *other;
	int status;

	pthread_mutex_lock(&t->mu);
	old = find(t, in->name);
	other = find_address(t, in->address);
	if (other && other != old) {
		status = emu_fail(f, 409, "conflict",
				  "Instance %s has the address %s already.", other->name,
				  in->address ? in->address : "null");
		emu_instance_done(in);
	} else {
		status = old ? 200 : 201;
		complete(in, old);
		*ret_json = emu_instance_json(in);
		if (old) {
			emu_instance_done(old);
		} else {
			t->all = xrealloc(t->all, t->n + 1, sizeof(*t->all));
			old = &t->all[t->n++];
		}
		*old = *in;
		*in = (struct emu_instance){0};
		changed(t);
	}
	pthread_mutex_unlock(&t->mu);
	return status;
}

int emu_instances_delete(struct emu_instances *t, const char *name, struct emu_fail *f)
{
	struct emu_instance *in;
	int status = 0;

	pthread_mutex_lock(&t->mu);
	in = find(t, name);
	if (in) {
		size_t after = (size_t)(t->all + t->n - (in + 1));

		emu_instance_done(in);
		memmove(in, in + 1, after * sizeof(*in));
		t->n--;
		changed(t);
	} else {
		status = missing(name, f);
	}
	pthread_mutex_unlock(&t->mu);
	return status;
}

int emu_instances_preempt(struct emu_instances *t, const char *name, json_t **ret_json,
			  struct emu_fail *f)
{
	struct emu_instance *in;
	int status = 0;

	pthread_mutex_lock(&t->mu);
	in = find(t, name);
	if (in) {
		in->is_preempted = true;
		*ret_json = emu_instance_json(in);
		changed(t);
	} else {
		status = missing(name, f);
	}
	pthread_mutex_unlock(&t->mu);
	return status;
}

json_t *emu_instances_json(struct emu_instances *t)
{
	json_t *all = json_array();

	pthread_mutex_lock(&t->mu);
	for (size_t i = 0; i < t->n; i++)
		json_array_append_new(all, emu_instance_json(&t->all[i]));
	pthread_mutex_unlock(&t->mu);
	return json_pack("{s:o}", "instances", all);
}

bool emu_instances_of(struct emu_instances *t, const char *peer, struct emu_instance *ret,
		      uint64_t *ret_version)
{
	const struct emu_instance *in;

	pthread_mutex_lock(&t->mu);
	in = find_address(t, peer);
	if (!in)
		in = find_address(t, NULL);
	if (in)
		emu_instance_clone(in, ret);
	*ret_version = t->version;
	pthread_mutex_unlock(&t->mu);
	return in != NULL;
}

void emu_instances_wait(struct emu_instances *t, uint64_t version, int64_t mono_ns)
{
	struct timespec ts = {.tv_sec = mono_ns / NS_PER_S,
			      .tv_nsec = mono_ns % NS_PER_S};

	pthread_mutex_lock(&t->mu);
	while (!t->is_ended && t->version == version &&
	       pthread_cond_timedwait(&t->changed, &t->mu, &ts) == 0)
		;
	pthread_mutex_unlock(&t->mu);
}

void emu_instances_end(struct emu_instances *t)
{
	pthread_mutex_lock(&t->mu);
	t->is_ended = true;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->mu);
}

bool emu_instances_is_ended(struct emu_instances *t)
{
	bool is_ended;

	pthread_mutex_lock(&t->mu);
	is_ended = t->is_ended;
	pthread_mutex_unlock(&t->mu);
	return is_ended;
}
