// SPDX-License-Identifier: Apache-2.0
// Sockets: where the server listens, and how a connection is reset.
#ifndef EMULATOR_NET_H
#define EMULATOR_NET_H

#include <stddef.h>

#include "core/err.h"

struct MHD_Connection;
struct emu_listen;

/** emu_net_listen() - a listening socket, and the URL it is reached at. */
int emu_net_listen(const struct emu_listen *at, char *ret_url, size_t url_cap,
		   struct err *err);

/** emu_net_reset() - send RST now: the peer sees a reset, not an end of data. */
void emu_net_reset(struct MHD_Connection *conn);

#endif
