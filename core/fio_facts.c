// SPDX-License-Identifier: Apache-2.0
// What a fio job will do: directions, files, bytes.
#include <errno.h>
#include <string.h>

#include "core/digest.h"
#include "core/fio_ini.h"

enum { BS_DEFAULT = 4096 }; /* fio HOWTO, "blocksize" */

/* struct shape - one section's files and blocks. */
struct shape {
	const struct fio_ini *ini;
	unsigned section;
	struct fio_pattern rw;
	uint64_t jobs, files;	 /* per job */
	uint64_t file_low_bytes; /* the smallest file's size */
	uint64_t job_bytes;	 /* of one job's files together */
	uint64_t bs_low, bs_io;	 /* smallest block; the block of every I/O, 0 varies */
	const char *format;	 /* of file names */
	const char *filename;	 /* or the one name */
};

/* struct names - files already counted: what their names are made of. */
struct names {
	size_t n;
	struct {
		char *name;
		uint64_t files, bytes;
	} v[FIO_SECTIONS_MAX];
};

static const char *text_of(const struct shape *s, const char *option)
{
	const struct fio_item *item = fio_ini_find(s->ini, s->section, option);

	return item ? item->value : NULL;
}

static bool is_set(const struct shape *s, const char *option)
{
	return fio_ini_u64(s->ini, s->section, option, 0) != 0;
}

static int fail(const struct shape *s, const char *what, struct err *err)
{
	const struct fio_section *section = &s->ini->sections[s->section];

	return err_set(err, -EINVAL, "line %u: section [%s] %s", section->line,
		       section->name, what);
}

/* Shares of a mix that leave one direction out. */
static void apply_mix(struct shape *s)
{
	uint64_t reads = fio_ini_u64(s->ini, s->section, "rwmixread", 50);

	if (!s->rw.reads || !s->rw.writes)
		return;
	if (!text_of(s, "rwmixread"))
		reads = 100 - fio_ini_u64(s->ini, s->section, "rwmixwrite", 50);
	s->rw.reads = reads != 0;
	s->rw.writes = reads != 100;
}

static void shape_blocks(struct shape *s)
{
	const char *range = text_of(s, "bsrange"), *split = text_of(s, "bssplit");
	const char *bs = text_of(s, "bs");
	const bool used[FIO_DIRS] = {s->rw.reads, s->rw.writes, s->rw.trims};
	struct fio_sizes sizes = {0};
	bool is_fixed = !range && !split;

	s->bs_low = UINT64_MAX;
	(void)fio_sizes_parse(range ? range : bs ? bs : "4k", &sizes, NULL);
	for (unsigned d = 0; d < FIO_DIRS; d++) {
		uint64_t low = sizes.low[d] ? sizes.low[d] : BS_DEFAULT;

		if (!used[d])
			continue;
		if (sizes.low[d] != sizes.high[d] ||
		    (s->bs_low != UINT64_MAX && s->bs_low != low))
			is_fixed = false;
		if (low < s->bs_low)
			s->bs_low = low;
	}
	if (split)
		(void)fio_split_low(split, &s->bs_low, NULL);
	s->bs_io = is_fixed ? s->bs_low : 0;
}

static int shape_files(struct shape *s, struct err *err)
{
	const char *filesize = text_of(s, "filesize");
	struct fio_sizes sizes = {0};

	s->jobs = fio_ini_u64(s->ini, s->section, "numjobs", 1);
	s->files = fio_ini_u64(s->ini, s->section, "nrfiles", 1);
	s->filename = text_of(s, "filename");
	s->format = text_of(s, "filename_format");
	if (!s->format)
		s->format = "$jobname.$jobnum.$filenum";
	if (s->filename)
		s->files = 1;
	if (!s->jobs || !s->files)
		return fail(s, "has numjobs or nrfiles 0", err);
	if (filesize) {
		(void)fio_sizes_parse(filesize, &sizes, NULL);
		s->file_low_bytes = sizes.low[0];
		if (__builtin_mul_overflow(s->file_low_bytes, s->files, &s->job_bytes))
			return fail(s, "has more data than can be counted", err);
	} else {
		s->job_bytes = fio_ini_u64(s->ini, s->section, "size", 0);
		s->file_low_bytes = s->job_bytes / s->files;
		s->job_bytes = s->file_low_bytes * s->files;
	}
	if (!s->file_low_bytes)
		return fail(s, "has neither filesize nor size, or files of 0 bytes", err);
	return 0;
}

static int shape_of(const struct fio_ini *ini, unsigned section, struct shape *ret,
		    struct err *err)
{
	struct shape s = {.ini = ini, .section = section};
	int r;

	if (!text_of(&s, "directory"))
		return fail(&s, "has no directory=${TEST_DATA_DIR}", err);
	if (!text_of(&s, "rw"))
		return fail(&s, "has no rw", err);
	(void)fio_pattern_parse(text_of(&s, "rw"), &s.rw, NULL);
	apply_mix(&s);
	shape_blocks(&s);
	r = shape_files(&s, err);
	if (r == 0)
		*ret = s;
	return r;
}

/* Are there options that make what is moved something else than the files' bytes? */
static bool moves_other(const struct shape *s)
{
	static const char *const options[] = {
		"time_based",	    "runtime",	    "io_size", "number_ios",
		"ramp_time",	    "offset",	    "ba",      "file_append",
		"offset_increment", "offset_align",
	};
	const char *filesize = text_of(s, "filesize"), *type;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (text_of(s, options[i]) ? strcmp(text_of(s, options[i]), "0") != 0
					   : is_set(s, options[i]))
			return true;
	for (size_t i = 0; i < s->ini->n_items; i++)
		if (!s->ini->items[i].option)
			return true;
	type = text_of(s, "file_service_type");
	if (type && !str_starts(type, "random") && !str_starts(type, "roundrobin") &&
	    !str_starts(type, "sequential"))
		return true;
	type = text_of(s, "random_distribution");
	if (type && strcmp(type, "random") != 0)
		return true;
	return s->rw.has_ending || !s->bs_io || (filesize && text_of(s, "size")) ||
	       (filesize && strpbrk(filesize, "-,")) ||
	       fio_ini_u64(s->ini, s->section, "loops", 1) != 1 ||
	       (s->filename && text_of(s, "nrfiles")) ||
	       text_of(s, "percentage_random") ||
	       fio_ini_find(s->ini, s->section, "norandommap");
}

/* One pass over one job's files in whole blocks; 0 = not known. */
static uint64_t pass_bytes(const struct shape *s)
{
	uint64_t bytes;

	if (moves_other(s) || s->bs_io > s->file_low_bytes)
		return 0;
	/* what becomes of the rest of a size= that does not divide differs by release */
	if (!text_of(s, "filesize") &&
	    fio_ini_u64(s->ini, s->section, "size", 0) % (s->files * s->bs_io))
		return 0;
	bytes = s->file_low_bytes / s->bs_io * s->bs_io;
	return __builtin_mul_overflow(bytes, s->files, &bytes) ? 0 : bytes;
}

/* What a section's files are called, fio's counters but the job's name left open. */
static char *name_of(const struct shape *s)
{
	static const char token[] = "$jobname";
	cleanup_str struct str name = STR_INIT(SIZE_MAX / 4);
	const char *p = s->format, *at;

	if (s->filename)
		return xstrdup(s->filename);
	for (; (at = strstr(p, token)); p = at + strlen(token)) {
		str_addn(&name, p, (size_t)(at - p));
		str_add(&name, s->ini->sections[s->section].name);
	}
	str_add(&name, p);
	return str_steal(&name);
}

/* Count a section's files; sections that name the same files share them. */
static int count_files(const struct shape *s, struct names *names, struct err *err)
{
	bool by_job = !s->filename && strstr(s->format, "$jobnum");
	bool by_file = !s->filename && strstr(s->format, "$filenum");
	char *name = name_of(s);
	uint64_t files, bytes;
	size_t i;

	if (__builtin_mul_overflow(by_job ? s->jobs : 1, by_file ? s->files : 1,
				   &files) ||
	    __builtin_mul_overflow(by_job ? s->jobs : 1,
				   by_file ? s->job_bytes : s->file_low_bytes, &bytes)) {
		free(name);
		return fail(s, "has more data than can be counted", err);
	}
	for (i = 0; i < names->n && strcmp(names->v[i].name, name) != 0; i++)
		;
	if (i < names->n) {
		free(name);
	} else {
		names->v[i].name = name;
		names->v[i].files = names->v[i].bytes = 0;
		names->n++;
	}
	if (files > names->v[i].files)
		names->v[i].files = files;
	if (bytes > names->v[i].bytes)
		names->v[i].bytes = bytes;
	return 0;
}

static int sum_files(struct names *names, struct fio_facts *facts, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < names->n; i++) {
		if (__builtin_add_overflow(facts->n_files, names->v[i].files,
					   &facts->n_files) ||
		    __builtin_add_overflow(facts->data_bytes, names->v[i].bytes,
					   &facts->data_bytes) ||
		    facts->data_bytes > INT64_MAX || facts->n_files > INT64_MAX)
			r = err_set(err, -ERANGE, "more data than can be counted");
		free(names->v[i].name);
	}
	return r;
}

/* struct phase - the group being filled, and its longest job so far. */
struct phase {
	size_t sections;
	uint64_t longest_ns;
};

static uint64_t time_of(const struct shape *s, const char *option)
{
	const char *text = text_of(s, option);
	uint64_t ns = 0;

	if (text)
		(void)fio_time_ns(text, &ns, NULL);
	return ns;
}

static int add_group(const struct shape *s, struct phase *phase, struct fio_facts *facts,
		     struct err *err)
{
	bool is_new = is_set(s, "stonewall") || is_set(s, "new_group");
	uint64_t ns = time_of(s, "runtime") + time_of(s, "ramp_time") +
		      time_of(s, "startdelay");
	struct fio_group *group;

	if (!facts->n_groups || (is_new && phase->sections)) {
		if (facts->n_groups == FIO_GROUPS_MAX)
			return err_set(err, -EFBIG, "more than %d groups",
				       FIO_GROUPS_MAX);
		facts->n_groups++;
		*phase = (struct phase){0};
	}
	group = &facts->groups[facts->n_groups - 1];
	group->reads |= s->rw.reads;
	group->writes |= s->rw.writes;
	group->trims |= s->rw.trims;
	phase->sections++;
	if (ns > phase->longest_ns) {
		facts->runtime_ns += ns - phase->longest_ns;
		phase->longest_ns = ns;
	}
	facts->reads |= s->rw.reads;
	facts->writes |= s->rw.writes;
	facts->trims |= s->rw.trims;
	return 0;
}

static void add_io(const struct shape *s, struct fio_facts *facts)
{
	uint64_t bytes = pass_bytes(s);

	if (s->bs_low > s->file_low_bytes)
		facts->is_block_over_file = true;
	if (is_set(s, "time_based"))
		facts->is_time_based = true;
	if (!bytes || __builtin_mul_overflow(bytes, s->jobs, &bytes) ||
	    __builtin_add_overflow(facts->io_bytes, bytes, &facts->io_bytes) ||
	    facts->io_bytes > INT64_MAX)
		facts->has_io_bytes = false;
}

int fio_facts_of(const struct fio_ini *ini, struct fio_facts *ret, struct err *err)
{
	struct fio_facts facts = {.has_io_bytes = true};
	struct names names = {0};
	struct phase phase = {0};
	int r = 0, r_files;

	for (unsigned i = 0; i < ini->n_sections && r == 0; i++) {
		struct shape shape = {0};

		if (ini->sections[i].is_global)
			continue;
		r = shape_of(ini, i, &shape, err);
		if (r == 0)
			r = add_group(&shape, &phase, &facts, err);
		if (r == 0)
			r = count_files(&shape, &names, err);
		if (r == 0) {
			facts.n_jobs += shape.jobs;
			add_io(&shape, &facts);
		}
	}
	r_files = sum_files(&names, &facts, err);
	if (r == 0)
		r = r_files;
	if (r == 0 && !facts.n_groups)
		r = err_set(err, -EINVAL, "no section besides [global]: nothing to run");
	if (r < 0)
		return r;
	if (!facts.has_io_bytes)
		facts.io_bytes = 0;
	fio_data_key(ini, facts.data_key);
	*ret = facts;
	return 0;
}
