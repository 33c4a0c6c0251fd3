// SPDX-License-Identifier: Apache-2.0
// Faults that a request asks for itself: x-retry-test-id, x-goog-emulator-instructions.
#ifndef EMULATOR_SCRIPT_H
#define EMULATOR_SCRIPT_H

#include "emulator/req.h"

/** emu_script_begin() - set req->hit if one strikes a routed request; 404: no such test.
 */
int emu_script_begin(struct emu_req *req, struct emu_fail *f);
/** emu_script_reply() - the same for its reply with @bytes of body. */
void emu_script_reply(struct emu_req *req, uint64_t bytes);

#endif
