// SPDX-License-Identifier: Apache-2.0
// Any bytes as a fio job and as a template: no crash; what passes holds what a job may.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fio_job.h"
#include "manifests/fio_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What no job that passes may have outside a comment. */
static void check_passed(const char *text)
{
	static const char *const bad[] = {"exec_prerun", "exec_postrun", "$ncpus",
					  "$pagesize",	 "$mb_memory",	 "include"};

	while (*text) {
		size_t len = strcspn(text, "\n");
		cleanup_free char *line = xstrndup(text, len);

		line[strcspn(line, ";#")] = '\0';
		/* a description is only printed */
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
			if (strncmp(line, bad[i], strlen(bad[i])) == 0 ||
			    (bad[i][0] == '$' && strstr(line, bad[i])))
				abort();
		text += len + (text[len] == '\n');
	}
}

static void check(const char *text)
{
	const struct fio_policy policy = fio_policy_default(NULL, 0, NULL);
	struct fio_facts facts;
	struct err err = {0};

	if (fio_job_check(text, &policy, &facts, &err) < 0) {
		if (!err.code || !err.text[0])
			abort();
		return;
	}
	check_passed(text);
	if (!facts.n_groups || !facts.n_files || !facts.data_bytes ||
	    !str_is_hex(facts.data_key, 24) || (!facts.has_io_bytes && facts.io_bytes))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	cleanup_free char *text = xrealloc(NULL, n + 1, 1);
	/* the template's second line also serves as a cell's value */
	const struct param v[] = {{"block_size", "4k"}, {"file_size", NULL}};
	struct param cells[ARRAY_SIZE(v)];
	const struct params params = {ARRAY_SIZE(cells), cells};
	cleanup_str struct str out = STR_INIT(FIO_JOB_MAX_BYTES);
	cleanup_free char *value = NULL;
	const char *second;

	memcpy(text, data, n);
	text[n] = '\0';
	check(text);
	second = strchr(text, '\n');
	value = xstrdup(second ? second + 1 : "");
	memcpy(cells, v, sizeof(cells));
	cells[1].value = value;
	if (fio_job_render(text, &params, &out, NULL) == 0)
		check(str_text(&out));
	return 0;
}
