// SPDX-License-Identifier: Apache-2.0
// What runs this machine's processors: a hypervisor, an emulator, or nothing.
#ifndef WORKER_ACCEL_H
#define WORKER_ACCEL_H

#include <stddef.h>

enum { ACCEL_SIGNATURE_BYTES = 12 };

/**
 * accel_name() - "kvm", "tcg", "hyperv", "vmware", "xen", or the printable characters of
 * a signature nobody has named. Pure.
 *
 * @signature: EBX, ECX, EDX of CPUID leaf 0x40000000 (Linux, Documentation/virt/kvm/x86/
 * cpuid.rst; QEMU, target/i386/cpu.c for TCG)
 */
void accel_name(const char signature[ACCEL_SIGNATURE_BYTES], char *out, size_t cap);

/** accel_find() - of this machine; "" on bare metal and where there is no CPUID. */
void accel_find(char *out, size_t cap);

#endif
