// SPDX-License-Identifier: Apache-2.0
// What this machine's virtual processors run on.
#ifndef WORKER_ACCEL_H
#define WORKER_ACCEL_H

enum { ACCEL_CAP = 32 };

/**
 * accel_name() - the vendor text of CPUID leaf 0x40000000 as a word; pure.
 *
 * kvm, tcg, hyperv, vmware, xen; any other as it is, as far as it can be printed.
 */
void accel_name(const char vendor[12], char out[ACCEL_CAP]);

/** accel_read() - of this machine; "" = no hypervisor shows itself, or not an x86. */
void accel_read(char out[ACCEL_CAP]);

#endif
