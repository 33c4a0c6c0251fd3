// SPDX-License-Identifier: Apache-2.0
// Writing control orders: control/<seq>.json, create-only, numbered without gaps.
#ifndef COORDINATOR_ORDER_H
#define COORDINATOR_ORDER_H

#include "coordinator/run.h"
#include "manifests/record.h"

/**
 * order_write() - append one order after the newest; @ret_seq gets its number.
 *
 * Somebody else taking the number first is no error: the next one is tried.
 */
int order_write(struct run *run, const struct control *order, unsigned *ret_seq,
		struct err *err);

#endif
