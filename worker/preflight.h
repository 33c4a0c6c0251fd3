// SPDX-License-Identifier: Apache-2.0
// What must hold on this machine before the first step.
#ifndef WORKER_PREFLIGHT_H
#define WORKER_PREFLIGHT_H

#include "core/err.h"

struct worker;

/** preflight_workspace() - boot step: own the workspace (-EBUSY, exit 5, when another
 * process does), clean up after a killed worker, start the guardian, open the stores. */
int preflight_workspace(struct worker *w, struct err *err);

/** preflight_check() - boot step: fio, /dev/fuse, room on the disk, the host's measure
 * lock; the provenance's facts. */
int preflight_check(struct worker *w, struct err *err);

#endif
