// SPDX-License-Identifier: Apache-2.0
// Which build of muster-worker this is.
#ifndef WORKER_BUILD_ID_H
#define WORKER_BUILD_ID_H

enum { BUILD_ID_CAP = 41 };

/** build_id_read() - the running program's GNU build id, at most 40 hexadecimal digits;
 * "" when it was linked without one. */
void build_id_read(char out[BUILD_ID_CAP]);

#endif
