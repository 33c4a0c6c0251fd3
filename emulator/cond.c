// SPDX-License-Identifier: Apache-2.0
// Preconditions.
#include "emulator/cond.h"

const char *emu_cond_name(enum emu_cond_kind kind, bool is_source)
{
	static const char *const names[2][EMU_COND_KINDS] = {
		{"ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch",
		 "ifMetagenerationNotMatch"},
		{"ifSourceGenerationMatch", "ifSourceGenerationNotMatch",
		 "ifSourceMetagenerationMatch", "ifSourceMetagenerationNotMatch"},
	};

	return names[is_source][kind];
}

int emu_cond_check(const struct emu_cond *c, uint64_t generation, uint64_t metageneration,
		   struct emu_fail *f)
{
	const uint64_t have[EMU_COND_KINDS] = {generation, generation, metageneration,
					       metageneration};
	bool is_there = generation != 0;

	for (int k = 0; k < EMU_COND_KINDS; k++) {
		bool is_not = k == EMU_IF_GENERATION_NOT_MATCH ||
			      k == EMU_IF_METAGENERATION_NOT_MATCH;

		if (!c->has[k])
			continue;
		if (!is_there && k == EMU_IF_GENERATION_MATCH && c->value[k] == 0)
			continue;
		if (!is_there || (!is_not && c->value[k] != have[k]))
			return emu_fail_condition(f);
		if (is_not && c->value[k] == have[k])
			return emu_fail(f, 304, "notModified", "Not modified.");
	}
	return 0;
}
