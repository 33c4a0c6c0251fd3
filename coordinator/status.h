// SPDX-License-Identifier: Apache-2.0
// What status, watch and wait show and conclude, from a loaded fleet.
#ifndef COORDINATOR_STATUS_H
#define COORDINATOR_STATUS_H

#include <jansson.h>

#include "coordinator/fleet.h"
#include "coordinator/run.h"

/** status_text() - the table of at most @rows_max workers, and what to do about them. */
void status_text(const struct run *run, const struct fleet *fleet, size_t rows_max,
		 struct str *ret);
/** status_line() - the fleet in one line. */
void status_line(const struct run *run, const struct fleet *fleet, struct str *ret);
/** status_json() - new "muster/status/1" document. */
json_t *status_json(const struct run *run, const struct fleet *fleet);
/** status_exit() - 0 all done and every step ok, 1 not so, 3 not over, 4 a step is
 * invalid. Of a run with moved steps, the steps decide alone. */
int status_exit(const struct fleet *fleet);

#endif
