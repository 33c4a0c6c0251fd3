// SPDX-License-Identifier: Apache-2.0
// The emulated virtual machines: what the metadata server says of each.
#ifndef EMULATOR_INSTANCES_H
#define EMULATOR_INSTANCES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "emulator/fail.h"

enum { EMU_TOKEN_CAP = 64 };

struct emu_instance {
	char *name;
	char *address; /* whoever connects from here is it; NULL: who matches no other */
	uint64_t id;   /* 1 to INT64_MAX; 0 = to be drawn */
	char *zone, *machine_type, *project;
	char *image, *cpu_platform; /* NULL = not there */
	json_t *attributes;	    /* key: text */
	bool is_preempted;
	char token[EMU_TOKEN_CAP]; /* the access token of its service account */
};

/**
 * emu_instance_read() - an instance from its document; 400 naming what is wrong with it.
 *
 * @name: a lower-case RFC 1035 label, else 400
 * @ret: to be released with emu_instance_done(), also after an error
 */
int emu_instance_read(const char *name, const json_t *doc, struct emu_instance *ret,
		      struct emu_fail *f);
void emu_instance_done(struct emu_instance *in);
/** emu_instance_json() - the document again, with "name" and "preempted". */
json_t *emu_instance_json(const struct emu_instance *in);
/** emu_instance_clone() - a copy of its own, for use without the table's lock. */
void emu_instance_clone(const struct emu_instance *in, struct emu_instance *ret);

/** struct emu_instances - the table; all functions below are thread-safe. */
struct emu_instances;

struct emu_instances *emu_instances_new(void);
void emu_instances_free(struct emu_instances *t);

/**
 * emu_instances_put() - create (201) or replace (200) the instance of that name.
 *
 * One that is put again keeps its id, unless @in brings one, and is not preempted.
 * 409 when another has its address, or when both have none.
 *
 * @in: taken over, emptied in any case
 * @ret_json: what is stored, as emu_instance_json() has it; on 200 and 201 only
 */
int emu_instances_put(struct emu_instances *t, struct emu_instance *in, json_t **ret_json,
		      struct emu_fail *f);
/** emu_instances_delete() - 0, or 404. */
int emu_instances_delete(struct emu_instances *t, const char *name, struct emu_fail *f);
/** emu_instances_preempt() - `preempted` turns TRUE; 0 with its document, or 404. */
int emu_instances_preempt(struct emu_instances *t, const char *name, json_t **ret_json,
			  struct emu_fail *f);
/** emu_instances_json() - {"instances": […]} in the order of their creation. */
json_t *emu_instances_json(struct emu_instances *t);

/**
 * emu_instances_of() - a copy of the instance that @peer is, false when it is none.
 *
 * @peer: numeric address of the other end of a connection
 * @ret_version: of the whole table, for emu_instances_wait()
 */
bool emu_instances_of(struct emu_instances *t, const char *peer, struct emu_instance *ret,
		      uint64_t *ret_version);
/** emu_instances_wait() - until the table is not of @version any more, or @mono_ns. */
void emu_instances_wait(struct emu_instances *t, uint64_t version, int64_t mono_ns);
/** emu_instances_end() - nobody waits any more, now and later: the program ends. */
void emu_instances_end(struct emu_instances *t);
bool emu_instances_is_ended(struct emu_instances *t);

#endif
