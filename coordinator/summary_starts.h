// SPDX-License-Identifier: Apache-2.0
// What collect tells of synchronised starts: a table, a line.
#ifndef COORDINATOR_SUMMARY_STARTS_H
#define COORDINATOR_SUMMARY_STARTS_H

#include "coordinator/collect.h"

struct table;

/** summary_starts_table() - a row per start, group and direction; table_done() it. */
void summary_starts_table(const struct collected *c, struct table *t);
/** summary_starts_line() - how far apart the workers began, over all starts. */
void summary_starts_line(const struct collected *c, struct str *ret);

#endif
