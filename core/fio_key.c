// SPDX-License-Identifier: Apache-2.0
// Which cases can share their files: a key of what determines them.
#include <string.h>

#include "core/digest.h"
#include "core/fio_ini.h"

/* Options that say how files are read or written, not what they are. What is not named
 * here counts: a case with an option nobody thought of gets files of its own. */
static const char how[] =
	"|directory|description|rwmixread|rwmixwrite|rw_sequencer|bs|bsrange|bssplit|"
	"bs_unaligned|percentage_random|random_distribution|random_generator|norandommap|"
	"file_service_type|io_size|number_ios|loops|runtime|time_based|ramp_time|"
	"startdelay|"
	"rate|rate_iops|rate_process|thinktime|thinktime_blocks|thinktime_spin|ioengine|"
	"iodepth|iodepth_batch|iodepth_batch_complete_min|iodepth_batch_complete_max|"
	"iodepth_low|io_submit_mode|serialize_overlap|direct|buffered|hipri|fixedbufs|"
	"registerfiles|sqthread_poll|nonvectored|userspace_reap|thread|cpus_allowed|"
	"cpus_allowed_policy|numa_cpu_nodes|numa_mem_policy|nice|prio|prioclass|mem|"
	"iomem_align|openfiles|create_serialize|create_fsync|fadvise_hint|invalidate|"
	"pre_read|verify|group_reporting|new_group|stonewall|exitall_on_error|"
	"lat_percentiles|clat_percentiles|slat_percentiles|percentile_list|disable_clat|"
	"disable_slat|fallocate|randrepeat|allrandrepeat|";

static bool is_how(const char *name)
{
	cleanup_free char *bar = xasprintf("|%s|", name);

	return strstr(how, bar) != NULL;
}

static const char *canonical(const struct fio_item *item)
{
	return item->option ? item->option->canonical : item->name;
}

static bool is_in(const struct fio_ini *ini, const struct fio_item *item,
		  unsigned section)
{
	return item->section == section ||
	       (item->section < section && ini->sections[item->section].is_global);
}

static void add_item(const struct fio_item *item, bool is_size_only, struct str *text)
{
	const char *name = canonical(item);
	uint64_t v;
	struct fio_pattern rw;

	/* with size= alone the block size rounds the files' sizes */
	if (is_how(name) && !(is_size_only && (str_starts(name, "bs"))))
		return;
	str_addf(text, "%s=", name);
	if (strcmp(name, "rw") == 0 && item->value &&
	    fio_pattern_parse(item->value, &rw, NULL) == 0)
		str_add(text, rw.writes ? "writes" : "reads");
	else if (item->option && item->value && parse_size(item->value, &v, NULL) == 0)
		str_addf(text, "%llu", (unsigned long long)v);
	else
		str_add(text, item->value ? item->value : "1");
	str_addc(text, '\n');
}

/* Every option that decides for a section, by name: the order of lines is no matter. */
static void add_section(const struct fio_ini *ini, unsigned section, struct str *text)
{
	bool is_size_only = !fio_ini_find(ini, section, "filesize");
	const char *last = "";

	str_addf(text, "[%s]\n", ini->sections[section].name);
	for (;;) {
		const struct fio_item *next = NULL;

		for (size_t i = 0; i < ini->n_items; i++) {
			const struct fio_item *item = &ini->items[i];

			if (is_in(ini, item, section) &&
			    strcmp(canonical(item), last) > 0 &&
			    (!next || strcmp(canonical(item), canonical(next)) < 0))
				next = item;
		}
		if (!next)
			return;
		last = canonical(next);
		add_item(fio_ini_find(ini, section, last), is_size_only, text);
	}
}

void fio_data_key(const struct fio_ini *ini, char out[FIO_DATA_KEY_CAP])
{
	cleanup_str struct str text = STR_INIT(SIZE_MAX / 4);
	char sum[DIGEST_CAP];

	for (unsigned i = 0; i < ini->n_sections; i++)
		if (!ini->sections[i].is_global)
			add_section(ini, i, &text);
	digest_bytes(str_text(&text), text.len, sum);
	memcpy(out, sum, FIO_DATA_KEY_CAP - 1);
	out[FIO_DATA_KEY_CAP - 1] = '\0';
}
