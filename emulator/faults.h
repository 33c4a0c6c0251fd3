// SPDX-License-Identifier: Apache-2.0
// Seeded faults: which requests fail, and how.
#ifndef EMULATOR_FAULTS_H
#define EMULATOR_FAULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

enum emu_fault {
	EMU_FAULT_NONE,
	EMU_FAULT_STATUS,   /* an error reply; nothing is done */
	EMU_FAULT_RESET,    /* the connection is reset; nothing is done */
	EMU_FAULT_LOST,	    /* everything is done, then the connection is reset */
	EMU_FAULT_STALL,    /* nothing happens for some seconds, then all goes well */
	EMU_FAULT_TRUNCATE, /* half of the reply's body, then the connection is closed */
	EMU_FAULT_BROKEN,   /* some bytes of the reply's body, then it is closed */
	EMU_FAULT_SLOW,	    /* both bodies at so many bytes a second */
	EMU_FAULT_CORRUPT,  /* the first byte of the data, sent or received, is changed */
};

/** struct emu_hit - the fault that one request meets. */
struct emu_hit {
	enum emu_fault kind;
	int status;	      /* EMU_FAULT_STATUS */
	double seconds;	      /* EMU_FAULT_STALL */
	uint64_t bytes_per_s; /* EMU_FAULT_SLOW */
	/*
	 * STATUS: of the request's body; that much is taken, and a shorter body is not
	 * struck. RESET, STALL: of the request's body or, when that is shorter, of the
	 * reply's. BROKEN: of the reply's.
	 */
	uint64_t after_bytes;
};

/** emu_fault_name() - "status", "reset", …; NULL of none. */
const char *emu_fault_name(enum emu_fault kind);

struct emu_faults;

/** emu_faults_new() - no rules yet. */
struct emu_faults *emu_faults_new(uint64_t seed);
void emu_faults_free(struct emu_faults *fs);

/** emu_faults_add() - a rule from the command line: KIND[,key=value]…; before use. */
int emu_faults_add(struct emu_faults *fs, const char *spec, struct err *err);
/** emu_faults_set() - replace all rules (and the seed) from {"seed","rules":[…]}. */
int emu_faults_set(struct emu_faults *fs, const json_t *doc, struct err *err);
/** emu_faults_json() - seed and rules with how often each was asked and struck. */
json_t *emu_faults_json(struct emu_faults *fs);

/**
 * emu_faults_draw() - what happens to this request; thread-safe.
 *
 * Each rule has its own generator, seeded from the seed and the rule's place, and draws
 * once for every request it matches: a sequence of requests meets the same faults again.
 *
 * @uri: as received; a rule's `match` is sought in it and in its decoded form
 */
struct emu_hit emu_faults_draw(struct emu_faults *fs, const char *method,
			       const char *uri);

/** emu_faults_sleep() - a stall that emu_faults_wake() ends. */
void emu_faults_sleep(struct emu_faults *fs, double seconds);
/** emu_faults_wake() - end all stalls, now and later: the program ends. */
void emu_faults_wake(struct emu_faults *fs);

#endif
