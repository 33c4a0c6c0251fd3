// SPDX-License-Identifier: Apache-2.0
// What runs the processors: the signatures, and this machine's.
#include <string.h>

#include "tests/unit/tap.h"
#include "worker/accel.h"

int main(void)
{
	static const struct {
		const char *signature, *name;
	} rows[] = {
		{"KVMKVMKVM\0\0\0", "kvm"},
		{"TCGTCGTCGTCG", "tcg"},
		{"Microsoft Hv", "hyperv"},
		{"VMwareVMware", "vmware"},
		{"XenVMMXenVMM", "xen"},
		{"bhyve bhyve ", "bhyvebhyve"},
		{"\1\2\3\4\5\6\7\x7f\x80\x81\x82\x83", ""},
	};
	char name[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		accel_name(rows[i].signature, name, sizeof(name));
		ok(strcmp(name, rows[i].name) == 0, "signature %zu is \"%s\" (%s)", i,
		   rows[i].name, name);
	}
	memset(name, 'x', sizeof(name));
	accel_find(name, sizeof(name));
	ok(memchr(name, '\0', sizeof(name)) != NULL, "this machine: \"%s\"", name);
	return done_testing();
}
