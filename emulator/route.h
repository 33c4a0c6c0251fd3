// SPDX-License-Identifier: Apache-2.0
// From a request line to its handler.
#ifndef EMULATOR_ROUTE_H
#define EMULATOR_ROUTE_H

#include "emulator/req.h"

/**
 * emu_route() - cut the URI up, decode it and find the handler.
 *
 * Sets path, query, params, args, is_xml and route of @req; 400 or 404 otherwise.
 */
int emu_route(struct emu_req *req, struct emu_fail *f);
/** emu_route_has_rpc() - is there a route of that method name? */
bool emu_route_has_rpc(const char *rpc);
/** emu_route_done() - release what emu_route() set. */
void emu_route_done(struct emu_req *req);

#endif
