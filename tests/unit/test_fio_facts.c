// SPDX-License-Identifier: Apache-2.0
// What fio_job_check() predicts of files and bytes, against what real fio then does.
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/fio_job.h"
#include "core/json.h"
#include "core/proc.h"
#include "manifests/fio_policy.h"
#include "tests/unit/tap.h"

#define G "[global]\ndirectory=${MUSTER_DIR}\nioengine=psync\n"

/* Each is run; is_known says that fio must move exactly what was predicted. */
static const struct {
	const char *name, *job;
	bool is_known;
} rows[] = {
	{"size alone", G "[a]\nrw=read\nsize=1m\nbs=64k\n", true},
	{"size over files", G "[a]\nrw=read\nsize=1m\nbs=64k\nnrfiles=4\n", true},
	{"size that does not divide", G "[a]\nrw=read\nsize=1m\nbs=64k\nnrfiles=3\n",
	 false},
	{"filesize", G "[a]\nrw=read\nfilesize=256k\nbs=64k\n", true},
	{"filesize and nrfiles", G "[a]\nrw=write\nfilesize=256k\nbs=64k\nnrfiles=3\n",
	 true},
	{"rounded down to bs", G "[a]\nrw=read\nfilesize=200k\nbs=64k\nnrfiles=3\n",
	 true},
	{"rounded down, writing", G "[a]\nrw=write\nfilesize=200k\nbs=64k\n", true},
	{"rounded down, random", G "[a]\nrw=randread\nfilesize=200k\nbs=64k\n", true},
	{"jobs", G "[a]\nrw=read\nfilesize=128k\nbs=64k\nnrfiles=2\nnumjobs=3\n", true},
	{"jobs as threads",
	 G "[a]\nrw=randread\nfilesize=128k\nbs=16k\nnrfiles=2\nnumjobs=3\nthread\n"
	   "group_reporting\nfile_service_type=random\nallrandrepeat=0\nopenfiles=1\n",
	 true},
	{"a shared file", G "[a]\nrw=read\nsize=256k\nbs=64k\nfilename=x\nnumjobs=3\n",
	 true},
	{"a shared file, written",
	 G "[a]\nrw=write\nfilesize=256k\nbs=64k\nfilename=x\nnumjobs=3\n", true},
	{"phases", G "filesize=128k\nbs=64k\n[a]\nrw=write\n[b]\nstonewall\nrw=read\n",
	 true},
	{"two sections, one set of files",
	 G "filesize=128k\nbs=64k\nfilename_format=f.$jobnum.$filenum\n"
	   "[a]\nrw=write\nnumjobs=2\n[b]\nstonewall\nrw=read\nnumjobs=3\n",
	 true},
	{"a mix", G "[a]\nrw=randrw\nfilesize=512k\nbs=16k\n", true},
	{"a mix of blocks", G "[a]\nrw=rw\nfilesize=512k\nbs=16k,32k\n", false},
	{"several globals",
	 G "bs=64k\nsize=128k\n[a]\nrw=read\n[global]\nsize=256k\n"
	   "[b]\nrw=read\n",
	 true},
	{"last one wins", G "[a]\nrw=read\nsize=64k\nsize=128k\nbs=4k\nblocksize=8k\n",
	 true},
	{"aliases", G "[a]\nreadwrite=read\nfilesize=64k\nblocksize=8k\nnr_files=3\n",
	 true},
	{"io_size", G "[a]\nrw=read\nsize=256k\nbs=64k\nio_size=128k\n", false},
	{"number_ios", G "[a]\nrw=read\nsize=256k\nbs=64k\nnumber_ios=2\n", false},
	{"loops", G "[a]\nrw=read\nsize=256k\nbs=64k\nloops=2\n", false},
	{"bsrange", G "[a]\nrw=read\nsize=256k\nbsrange=4k-16k\n", false},
	{"bssplit", G "[a]\nrw=read\nsize=256k\nbssplit=4k/50:8k/50\n", false},
	{"size and filesize",
	 G "[a]\nrw=read\nfilesize=64k\nsize=128k\nnrfiles=4\nbs=64k\n", false},
	{"an ending of rw", G "[a]\nrw=read:64k\nsize=512k\nbs=64k\n", false},
	{"a rate", G "[a]\nrw=read\nsize=512k\nbs=64k\nrate=400m\n", true},
	{"comments", G "[a] ; c\nrw=read # x\nsize=64k;128k\nbs = 16k\n", true},
	{"an offset in each", G "[a]\nrw=read\nsize=256k\nbs=64k\noffset=64k\n", false},
	{"shares of a file",
	 G "[a]\nrw=read\nsize=128k\nbs=64k\nfilename=x\nnumjobs=2\n"
	   "offset_increment=128k\n",
	 false},
};

static char folder[] = "/tmp/muster-facts.XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level ? remove(path) : 0;
}

static void count_files(uint64_t *files, uint64_t *bytes)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat st;

	*files = *bytes = 0;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
			continue;
		(*files)++;
		*bytes += (uint64_t)st.st_size;
	}
	if (dir)
		closedir(dir);
}

/* Σ io_bytes of a finished fio; false when it failed. */
static bool run_fio(const char *job, const char *path, uint64_t *io_bytes)
{
	cleanup_str struct str out = STR_INIT(4 << 20);
	const char *const argv[] = {"fio", "--output-format=json", path, NULL};
	const struct proc_spec spec = {.path = "fio", .argv = argv, .cwd = "/tmp"};
	cleanup_file FILE *file = fopen(path, "w");
	cleanup_json json_t *doc = NULL;
	struct proc_end end = {0};
	struct err err = {0};
	size_t i;
	json_t *v;

	fputs(job, file);
	fflush(file);
	if (proc_run_capture(&spec, clock_mono_ns() + 60000000000, &out, &end, &err) <
		    0 ||
	    end.exit_status != 0 || !strchr(str_text(&out), '{')) {
		printf("# fio: %s %s\n", err.text, str_text(&out));
		return false;
	}
	doc = json_loads(strchr(str_text(&out), '{'), JSON_DISABLE_EOF_CHECK, NULL);
	*io_bytes = 0;
	json_array_foreach (json_object_get(doc, "jobs"), i, v) {
		static const char *const dirs[] = {"read", "write"};

		for (size_t d = 0; d < ARRAY_SIZE(dirs); d++)
			*io_bytes += (uint64_t)json_integer_value(
				json_object_get(json_object_get(v, dirs[d]), "io_bytes"));
	}
	return true;
}

static void test_row(size_t i)
{
	struct fio_policy policy = fio_policy_default(NULL, 0, folder);
	cleanup_str struct str job = STR_INIT(1 << 16);
	cleanup_free char *path = xasprintf("%s.fio", folder);
	uint64_t io_bytes = 0, files = 0, bytes = 0;
	struct fio_facts facts = {0};
	struct err err = {0};
	bool ran;

	fio_job_set_dir(rows[i].job, folder, &job, &err);
	if (!ok(fio_job_check(str_text(&job), &policy, &facts, &err) == 0,
		"%s: passes %s", rows[i].name, err.text))
		return;
	ran = run_fio(str_text(&job), path, &io_bytes);
	count_files(&files, &bytes);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	remove(path);
	ok(ran, "%s: fio runs it", rows[i].name);
	ok(facts.has_io_bytes == rows[i].is_known &&
		   (!facts.has_io_bytes || facts.io_bytes == io_bytes),
	   "%s: moves %llu bytes, predicted %s %llu", rows[i].name,
	   (unsigned long long)io_bytes, facts.has_io_bytes ? "" : "(unknown)",
	   (unsigned long long)facts.io_bytes);
	ok(files == facts.n_files && bytes >= facts.data_bytes,
	   "%s: %llu files of %llu bytes, predicted %llu of %llu", rows[i].name,
	   (unsigned long long)files, (unsigned long long)bytes,
	   (unsigned long long)facts.n_files, (unsigned long long)facts.data_bytes);
}

static void test_block_over_file(void)
{
	static const char job[] = G "[a]\nrw=read\nfilesize=128k\nbs=1M\nnrfiles=30\n";
	const struct fio_policy policy = fio_policy_default(NULL, 0, NULL);
	static const char odd[] =
		"[a]\ndirectory=${MUSTER_DIR}\nrw=read\nfilesize=1m\nbs=1M\n";
	struct fio_facts facts = {0};

	ok(fio_job_check(job, &policy, &facts, NULL) == 0 && facts.is_block_over_file &&
		   !facts.has_io_bytes,
	   "a block larger than the file is told, and nothing predicted");
	ok(fio_job_check(odd, &policy, &facts, NULL) == 0 && !facts.is_block_over_file &&
		   facts.io_bytes == 1 << 20,
	   "one as large is not");
}

int main(void)
{
	cleanup_free char *fio = NULL;

	test_block_over_file();
	if (proc_find("fio", &fio, NULL) < 0 || proc_init(NULL) < 0 || !mkdtemp(folder)) {
		printf("# no fio here: its word is not asked\n");
		return done_testing();
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		test_row(i);
	remove(folder);
	return done_testing();
}
