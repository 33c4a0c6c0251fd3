// SPDX-License-Identifier: Apache-2.0
// Columns of the test cases as placeholders: names in either case, and aliases.
#include <string.h>
#include <strings.h>

#include "core/fio_job.h"

/* Every spelling of one parameter. */
static const char *const aliases[][3] = {
	{"bs", "block_size", NULL},	    {"filesize", "file_size", NULL},
	{"iodepth", "io_depth", NULL},	    {"iotype", "io_type", "rw"},
	{"threads", "num_jobs", "numjobs"}, {"nrfiles", "nr_files", NULL},
};

static int alias_group(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		for (size_t j = 0; j < ARRAY_SIZE(aliases[i]) && aliases[i][j]; j++)
			if (strcasecmp(aliases[i][j], name) == 0)
				return (int)i;
	return -1;
}

bool params_same(const char *a, const char *b)
{
	int group = alias_group(a);

	return strcasecmp(a, b) == 0 || (group >= 0 && group == alias_group(b));
}

const char *params_find(const struct params *params, const char *name)
{
	for (size_t i = 0; i < params->n; i++)
		if (params_same(params->v[i].name, name))
			return params->v[i].value;
	return NULL;
}

bool params_reserved(const char *name)
{
	return strcasecmp(name, "TEST_DATA_DIR") == 0 ||
	       strcasecmp(name, "MOUNT_POINT") == 0 || strcasecmp(name, "DIR") == 0 ||
	       strcasecmp(name, "MUSTER_DIR") == 0;
}
