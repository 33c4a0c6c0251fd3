// SPDX-License-Identifier: Apache-2.0
// Building error outcomes.
#include "emulator/fail.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

int emu_fail(struct emu_fail *f, int status, const char *reason, const char *fmt, ...)
{
	va_list ap;

	f->status = status;
	f->reason = reason;
	va_start(ap, fmt);
	vsnprintf(f->message, sizeof(f->message), fmt, ap);
	va_end(ap);
	return status;
}

int emu_fail_condition(struct emu_fail *f)
{
	return emu_fail(f, 412, "conditionNotMet",
			"At least one of the pre-conditions you specified did not hold.");
}

const char *emu_fail_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{400, "invalid"},	    {401, "authError"},
		{403, "forbidden"},	    {404, "notFound"},
		{408, "requestTimeout"},    {409, "conflict"},
		{412, "conditionNotMet"},   {416, "requestedRangeNotSatisfiable"},
		{429, "rateLimitExceeded"}, {500, "backendError"},
		{502, "backendError"},	    {503, "backendError"},
		{504, "backendError"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return table[i].reason;
	return status < 500 ? "invalid" : "backendError";
}
