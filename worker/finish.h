// SPDX-License-Identifier: Apache-2.0
// The end of a worker: last words, exit code, power.
#ifndef WORKER_FINISH_H
#define WORKER_FINISH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "manifests/states.h"
#include "worker/stop.h"

struct worker;

/** struct finish_in - what the end is decided by. */
struct finish_in {
	int exit_code;	 /* set already: 2, 5; 0 = not */
	bool has_failed; /* a boot step returned an error */
	bool is_recordless;
	enum stop_why why;
	bool is_draining;
	size_t n_cancelled, n_not_ok; /* of the queue's steps */
};

/** finish_decide() - exit code and last state; pure. */
int finish_decide(const struct finish_in *in, enum worker_state *ret_state);

/** finish_run() - boot step, always: log, heartbeat and manifest written, everything
 * released. @failed: why the boot stopped, code 0 if it did not. */
int finish_run(struct worker *w, const struct err *failed);

/** finish_may_power_off() - only with --power-off, never for a person's signal, and
 * never while another worker may live on this machine. */
bool finish_may_power_off(const struct worker *w);

/** finish_power_off() - systemctl poweroff, else the kernel's. Returns on failure. */
void finish_power_off(void);

#endif
