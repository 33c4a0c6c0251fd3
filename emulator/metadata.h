// SPDX-License-Identifier: Apache-2.0
// A second listener that answers as Google Cloud's metadata server does.
#ifndef EMULATOR_METADATA_H
#define EMULATOR_METADATA_H

#include "core/err.h"
#include "emulator/instances.h"
#include "emulator/server.h"

struct emu_metadata {
	struct emu_instances *instances;
	struct MHD_Daemon *daemon;
	char url[300];
};

/**
 * emu_metadata_start() - listen and serve in threads of its own.
 *
 * Which instance asks is told by the address a connection comes from.
 *
 * @m: instances is set; the rest is set here
 */
int emu_metadata_start(struct emu_metadata *m, const struct emu_listen *at,
		       struct err *err);
/** emu_metadata_host() - "127.0.0.1:8089", as GCE_METADATA_HOST wants it; borrowed. */
const char *emu_metadata_host(const struct emu_metadata *m);
/** emu_metadata_stop() - end all connections, those that wait too. */
void emu_metadata_stop(struct emu_metadata *m);

#endif
