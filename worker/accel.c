// SPDX-License-Identifier: Apache-2.0
// The hypervisor's CPUID leaf.
#include "worker/accel.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "core/str.h"

enum { VENDOR_BYTES = 12 };

static const struct {
	char vendor[VENDOR_BYTES + 1]; /* padded with zeros, as KVM does */
	const char *name;
} known[] = {
	{"KVMKVMKVM", "kvm"},	    {"TCGTCGTCGTCG", "tcg"}, {"Microsoft Hv", "hyperv"},
	{"VMwareVMware", "vmware"}, {"XenVMMXenVMM", "xen"},
};

void accel_name(const char vendor[12], char out[ACCEL_CAP])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (memcmp(vendor, known[i].vendor, VENDOR_BYTES) == 0) {
			str_copy(out, ACCEL_CAP, known[i].name);
			return;
		}
	for (size_t i = 0; i < VENDOR_BYTES; i++)
		if (vendor[i] >= ' ' && vendor[i] <= '~')
			out[n++] = vendor[i];
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

#if defined(__x86_64__) || defined(__i386__)
void accel_read(char out[ACCEL_CAP])
{
	static const unsigned has_hypervisor = 1U << 31; /* of leaf 1's ECX */
	unsigned eax, ebx, ecx, edx, vendor[3];

	out[0] = '\0';
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & has_hypervisor))
		return;
	/* past the highest leaf that __get_cpuid() would allow */
	__cpuid(0x40000000, eax, vendor[0], vendor[1], vendor[2]);
	accel_name((const char *)vendor, out);
}
#else
void accel_read(char out[ACCEL_CAP])
{
	out[0] = '\0';
}
#endif
