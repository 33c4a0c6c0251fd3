// SPDX-License-Identifier: Apache-2.0
// The server: what all connections share, starting it and stopping it.
#ifndef EMULATOR_SERVER_H
#define EMULATOR_SERVER_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/err.h"
#include "emulator/faults.h"
#include "emulator/instances.h"
#include "emulator/objects.h"
#include "emulator/reqlog.h"
#include "emulator/retry_test.h"
#include "emulator/sessions.h"

struct MHD_Daemon;

/** struct emu_stats - counters since the start. */
struct emu_stats {
	_Atomic uint64_t requests, bytes_in, bytes_out, resets, faults;
	_Atomic uint64_t by_class[6]; /* replies by status / 100; [0] = none sent */
	_Atomic int64_t connections;  /* open now */
};

struct emu_server {
	struct emu_store store;
	struct emu_sessions *sessions;
	struct emu_faults *faults;
	struct emu_retry_tests *retry_tests;
	struct emu_instances *instances;
	struct emu_reqlog *log;
	struct emu_stats stats;
	uint64_t max_object_bytes;
	struct MHD_Daemon *daemon;
	char url[300]; /* "http://127.0.0.1:4443" */
};

struct emu_listen {
	const char *address; /* numeric, or a name of this machine */
	uint16_t port;	     /* 0 = any free one */
};

/**
 * emu_server_start() - listen and serve in threads of its own.
 *
 * @s: store, faults, retry_tests and instances are ready; the rest is set here
 */
int emu_server_start(struct emu_server *s, const struct emu_listen *at, struct err *err);
/** emu_server_stop() - end all connections and their threads. */
void emu_server_stop(struct emu_server *s);

#endif
