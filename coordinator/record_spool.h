// SPDX-License-Identifier: Apache-2.0
// Parsed records, kept in a nameless file until they are needed again.
//
// collect needs every record twice: first to learn which of them count, then for its
// figures. Their JSON is dear to parse and all of them are too large to be kept in
// memory.
#ifndef COORDINATOR_RECORD_SPOOL_H
#define COORDINATOR_RECORD_SPOOL_H

#include "manifests/record.h"

/** struct record_spool - initialise with {.fd = -1}. */
struct record_spool {
	int fd;
	_Atomic uint64_t end;
};

/** struct record_place - where a record is; bytes 0 = nowhere. */
struct record_place {
	uint64_t at;
	uint32_t bytes;
};

/** record_spool_open() - a file in @dir without a name; where there is none, nothing is
 * kept. */
void record_spool_open(struct record_spool *spool, const char *dir);
void record_spool_close(struct record_spool *spool);

/** record_spool_put() - keep a copy; several threads may do so. That it cannot be kept is
 * no error: it is then nowhere. */
struct record_place record_spool_put(struct record_spool *spool,
				     const struct step_record *record);

/** record_spool_get() - the same record; false when it is nowhere or cannot be read. */
bool record_spool_get(const struct record_spool *spool, struct record_place place,
		      struct step_record *ret);

#endif
