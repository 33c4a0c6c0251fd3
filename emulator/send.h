// SPDX-License-Identifier: Apache-2.0
// Putting a finished reply on the wire.
#ifndef EMULATOR_SEND_H
#define EMULATOR_SEND_H

#include <microhttpd.h>

#include "emulator/req.h"

/** emu_send_bytes() - length of the reply's body, `fields` applied. */
uint64_t emu_send_bytes(struct emu_req *req);
/** emu_send() - queue the reply of @req, with the faults that strike replies. */
enum MHD_Result emu_send(struct emu_req *req);

#endif
