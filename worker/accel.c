// SPDX-License-Identifier: Apache-2.0
// What runs this machine's processors.
#include "worker/accel.h"

#include <stdbool.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "core/str.h"

static const struct {
	char signature[ACCEL_SIGNATURE_BYTES + 1];
	const char *name;
} known[] = {
	{"KVMKVMKVM\0\0\0", "kvm"}, {"TCGTCGTCGTCG", "tcg"}, {"Microsoft Hv", "hyperv"},
	{"VMwareVMware", "vmware"}, {"XenVMMXenVMM", "xen"},
};

void accel_name(const char signature[ACCEL_SIGNATURE_BYTES], char *out, size_t cap)
{
	char text[ACCEL_SIGNATURE_BYTES + 1] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (memcmp(known[i].signature, signature, ACCEL_SIGNATURE_BYTES) == 0) {
			str_copy(out, cap, known[i].name);
			return;
		}
	for (size_t i = 0; i < ACCEL_SIGNATURE_BYTES; i++)
		if (signature[i] > ' ' && signature[i] < 0x7f)
			text[n++] = signature[i];
	str_copy(out, cap, text);
}

#if defined(__x86_64__)
void accel_find(char *out, size_t cap)
{
	enum { LEAF = 0x40000000, HYPERVISOR_BIT = 31 };
	unsigned a = 0, words[3] = {0}, unused = 0, features = 0;
	char signature[ACCEL_SIGNATURE_BYTES];

	str_copy(out, cap, "");
	if (!__get_cpuid(1, &a, &unused, &features, &words[0]) ||
	    !(features >> HYPERVISOR_BIT))
		return;
	__cpuid(LEAF, a, words[0], words[1], words[2]);
	memcpy(signature, words, sizeof(signature));
	accel_name(signature, out, cap);
}
#else
void accel_find(char *out, size_t cap)
{
	str_copy(out, cap, "");
}
#endif
