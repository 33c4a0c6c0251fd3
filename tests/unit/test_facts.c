// SPDX-License-Identifier: Apache-2.0
// What is stamped on every manifest: the hypervisor's name, the program's build id.
#include <string.h>

#include "core/str.h"
#include "tests/unit/tap.h"
#include "worker/accel.h"
#include "worker/build_id.h"

static void test_names(void)
{
	static const struct {
		char vendor[13];
		const char *name;
	} cases[] = {
		{"KVMKVMKVM", "kvm"},
		{"TCGTCGTCGTCG", "tcg"},
		{"Microsoft Hv", "hyperv"},
		{"VMwareVMware", "vmware"},
		{"XenVMMXenVMM", "xen"},
		{"bhyve bhyve ", "bhyve bhyve"},
		{"KVMKVMKVM\0\0x", "KVMKVMKVMx"},
		{"a\tb\n\x1b[\xff\x80\0c\x7f.", "ab[c."},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[ACCEL_CAP] = "x";

		accel_name(cases[i].vendor, out);
		ok(strcmp(out, cases[i].name) == 0, "vendor %zu is \"%s\"", i, out);
	}
}

static void test_here(void)
{
	char accel[ACCEL_CAP] = "x", build[BUILD_ID_CAP] = "x", again[BUILD_ID_CAP];

	accel_read(accel);
	ok(strcmp(accel, "x") != 0 && strlen(accel) <= 12, "this machine: \"%s\"", accel);
	build_id_read(build);
	build_id_read(again);
	ok((!build[0] || str_is_hex(build, strlen(build))) && strlen(build) % 2 == 0 &&
		   strcmp(build, again) == 0,
	   "this program: \"%s\"", build);
}

int main(void)
{
	test_names();
	test_here();
	return done_testing();
}
