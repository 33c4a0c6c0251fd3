// SPDX-License-Identifier: Apache-2.0
// Claims of units, in a run with stealing: whose is what, and taking one.
#ifndef WORKER_CLAIM_H
#define WORKER_CLAIM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "manifests/claim.h"

struct worker;

/** struct claim_ref - a claim seen: a unit by its leader, and whether it is our name's.
 */
struct claim_ref {
	unsigned round, matrix_id, iteration;
	bool is_mine;
};

/** struct claims - what is known; a claim never goes away, so it is never wrong. */
struct claims {
	size_t n, cap;
	struct claim_ref *v; /* sorted by claim_add()'s rule */
};

/** claim_add() - note one; @c stays sorted. claim_find() - or NULL. Pure. */
void claim_add(struct claims *c, const struct claim_ref *ref);
const struct claim_ref *claim_find(const struct claims *c, unsigned round,
				   const struct job_step *leader);
void claims_done(struct claims *c);

/** claims_list() - all of the run's, by one LIST of claims/ (1,000 a request). */
int claims_list(struct worker *w, struct err *err);

/**
 * claim_take() - the unit of @job whose leader is step @first: whose is it?
 *
 * Created if it is nobody's. 1: this name's, of whatever incarnation; 0: another's, whose
 * name is in @holder; negative: not known.
 */
int claim_take(struct worker *w, const struct job *job, size_t first,
	       char holder[WORKER_CAP], struct err *err);

/** claim_fetch() - the document of a claim; claim_done() it. -EINVAL: not of this run, or
 * not the one its name says. */
int claim_fetch(struct worker *w, const struct claim_ref *ref, struct claim *ret,
		struct err *err);

#endif
