// SPDX-License-Identifier: Apache-2.0
// Putting a finished reply on the wire.
#ifndef EMULATOR_SEND_H
#define EMULATOR_SEND_H

#include <microhttpd.h>

#include "emulator/req.h"

/** emu_send() - queue the reply of @req; applies `fields` and a truncating fault. */
enum MHD_Result emu_send(struct emu_req *req);

#endif
