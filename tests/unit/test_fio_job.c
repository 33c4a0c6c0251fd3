// SPDX-License-Identifier: Apache-2.0
// fio jobs: placeholders, the allow-list, and facts that real fio confirms.
#include <errno.h>
#include <string.h>

#include "core/fio_job.h"
#include "manifests/fio_policy.h"
#include "tests/unit/tap.h"

static const struct param suite[] = {
	{"io_type", "read"},	{"num_jobs", "2"}, {"file_size", "1M"},
	{"block_size", "128k"}, {"io_depth", "4"}, {"nr_files", "3"},
	{"direct", "1"},	{"extra", "7"},	   {"empty", ""},
};
static const struct params suite_params = {ARRAY_SIZE(suite), suite};

static void test_rendered(void)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{"bs=${BS}", "bs=128k\n"},
		{"bs=$BS", "bs=128k\n"},
		{"bs=${BLOCK_SIZE}", "bs=128k\n"},
		{"bs=BLOCK_SIZE", "bs=128k\n"},
		{"iodepth=IO_DEPTH\nnumjobs=NUM_JOBS", "iodepth=4\nnumjobs=2\n"},
		{"size=FILE_SIZE", "size=1M\n"},
		{"directory=MOUNT_POINT", "directory=${MUSTER_DIR}\n"},
		{"directory=${DIR}", "directory=${MUSTER_DIR}\n"},
		{"directory=$TEST_DATA_DIR\n", "directory=${MUSTER_DIR}\n"},
		{"numjobs=${THREADS}", "numjobs=2\n"},
		{"numjobs=${NUMJOBS}", "numjobs=2\n"},
		{"nrfiles=${NRFILES} ; how many", "nrfiles=3\n"},
		{"rw=${RW}", "rw=read\n"},
		{"rw=$IOTYPE", "rw=read\n"},
		{"filesize=${FILESIZE}", "filesize=1M\n"},
		{"iodepth=${IODEPTH}", "iodepth=4\n"},
		{"x=${EXTRA}", "x=7\n"},
		{"x=BS", "x=BS\n"},
		{"x=MY_FILE_SIZE", "x=MY_FILE_SIZE\n"},
		{"filename_format=$jobname.$jobnum.$filenum.size-${FILE_SIZE}",
		 "filename_format=$jobname.$jobnum.$filenum.size-1M\n"},
		{"filename_format=$clientuid$BS", "filename_format=$clientuid128k\n"},
		{"[job-${BS}]", "[job-128k]\n"},
		{"  rw = ${IO_TYPE}  \r", "rw=read\n"},
		{"# ${NOTHING}\nthread", "\nthread\n"},
		{"; $ncpus\n\nthread\n", "\n\nthread\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_str struct str out = STR_INIT(4096);
		struct err err = {0};
		int r = fio_job_render(rows[i].in, &suite_params, &out, &err);

		ok(r == 0 && strcmp(str_text(&out), rows[i].want) == 0,
		   "render %zu: \"%.40s\" is \"%.40s\" %s", i, rows[i].in, str_text(&out),
		   err.text);
	}
}

static void test_not_rendered(void)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{"a=1\nbs=${NOTHING}", "line 2: placeholder NOTHING"},
		{"bs=$NOTHING", "placeholder NOTHING"},
		{"bs=${EMPTY}", "its cell is empty"},
		{"bs=${io_type}", "upper case"},
		{"bs=${BS", "not a placeholder"},
		{"bs=${BS:-4k}", "not a placeholder"},
		{"bs=$", "not a placeholder"},
		{"bs=$1", "not a placeholder"},
		{"numjobs=$ncpus", "would run a shell"},
		{"size=4k*$pagesize", "would run a shell"},
		{"size=${mb_memory}", "would run a shell"},
		{"${EXTRA}", "option's value"},
		{"${EXTRA}=1", "option's value"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_str struct str out = STR_INIT(4096);
		struct err err = {0};
		int r = fio_job_render(rows[i].in, &suite_params, &out, &err);

		ok(r == -EINVAL && strstr(err.text, rows[i].want) && !out.len,
		   "not rendered: \"%s\": %s", rows[i].in, err.text);
	}
}

/* No value of a cell can become an option, a section or a comment. */
static void test_injection(void)
{
	static const char *const values[] = {
		"4k\nexec_prerun=id",
		"4k\rx",
		"4k;x",
		"4k#x",
		"$ncpus",
		"${HOME}",
		"4k\\",
		"`id`",
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const struct param v = {"block_size", values[i]};
		const struct params params = {1, &v};
		cleanup_str struct str out = STR_INIT(4096);
		struct err err = {0};

		ok(fio_job_render("bs=${BS}", &params, &out, &err) == -EINVAL,
		   "value %zu is refused: %s", i, err.text);
	}
}

static int check(const char *job, struct fio_facts *facts, struct err *err)
{
	const struct fio_policy policy = fio_policy_default(NULL, 0, NULL);

	return fio_job_check(job, &policy, facts, err);
}

#define JOB "[a]\nrw=read\nsize=1m\ndirectory=${MUSTER_DIR}\n"

static const struct {
	const char *job, *want;
} refused[] = {
	{JOB "exec_prerun=id", "line 5: fio option exec_prerun is refused"},
	{JOB "exec_postrun=id", "exec_postrun"},
	{JOB "  exec_prerun  =  id", "exec_prerun"},
	{JOB "include foo", "not an option's name"},
	{JOB "include=foo", "include is refused"},
	{JOB "includes=foo", "includes is refused"},
	{JOB "ioengine=external:/tmp/x.so", "ioengine"},
	{JOB "ioengine=/tmp/x.so", "ioengine"},
	{JOB "ioengine=exec", "ioengine"},
	{JOB "ioengine=libaio|sync", "ioengine"},
	{JOB "write_bw_log=/tmp/x", "write_bw_log"},
	{JOB "read_iolog=x", "read_iolog"},
	{JOB "opendir=/etc", "opendir"},
	{JOB "unlink=1", "unlink"},
	{JOB "name=../x", "fio option name is refused"},
	{JOB "mem=mmap:/tmp/x", "mem"},
	{JOB "filename=../x", "filename"},
	{JOB "filename=/etc/passwd", "filename"},
	{JOB "filename=a:b", "filename"},
	{JOB "filename=$jobname", "filename"},
	{JOB "filename_format=../$jobnum", "filename_format"},
	{JOB "filename_format=.$jobnum", "filename_format"},
	{JOB "filename_format=a/$jobnum", "filename_format"},
	{JOB "filename_format=$ncpus", "filename_format"},
	{JOB "filename_format=$jobname.$other", "filename_format"},
	{JOB "filename_format=", "filename_format"},
	{JOB "directory=/tmp", "directory"},
	{JOB "directory=${MUSTER_DIR}/x", "directory"},
	{JOB "directory=${MUSTER_DIR}:/tmp", "directory"},
	{JOB "bs=4k*2", "bs"},
	{JOB "bs=", "bs"},
	{JOB "bs", "is missing"},
	{JOB "bs=0", "bs"},
	{JOB "bs=8k-4k", "bs"},
	{JOB "bs=1,2,3,4", "bs"},
	{JOB "size=50%", "size"},
	{JOB "size=(4*1k)", "size"},
	{JOB "numjobs=-1", "numjobs"},
	{JOB "direct=yes", "direct"},
	{JOB "runtime=ten", "runtime"},
	{JOB "rw=trim", "trims"},
	{JOB "rw=reads", "rw"},
	{JOB "lat_percentiles=0", "lat_percentiles"},
	{JOB "disable_lat=1", "disable_lat"},
	{JOB "gtod_reduce=1", "gtod_reduce"},
	{JOB "unified_rw_reporting=1", "unified_rw_reporting"},
	{JOB "kb_base=1000", "kb_base"},
	{JOB "verify=md5", "verify"},
	{JOB "description=$ncpus", "description"},
	{JOB "RW=read", "not an option's name"},
	{JOB "bs:4k", "not an option's name"},
	{JOB "numj=4", "numj"},
	{JOB "bs=\x01", "control character"},
	{JOB "[../x]\n", "section name"},
	{JOB "[a/b]\n", "section name"},
	{JOB "[.x]\n", "section name"},
	{JOB "[globals]\n", "would take it for [global]"},
	{JOB "[b", "not [section]"},
	{JOB "[b] x", "not [section]"},
	{JOB "[]", "not [section]"},
	{"rw=read\n[a]\n", "before any [section]"},
	{"[global]\nrw=read\n", "nothing to run"},
	{"", "nothing to run"},
	{"[a]\nrw=read\nsize=1m\n", "has no directory"},
	{"[a]\nsize=1m\ndirectory=${MUSTER_DIR}\n", "has no rw"},
	{"[a]\nrw=read\ndirectory=${MUSTER_DIR}\n", "neither filesize nor size"},
	{JOB "nrfiles=0", "nrfiles 0"},
	{JOB "numjobs=0", "numjobs or nrfiles 0"},
	{JOB "filesize=8e\nnrfiles=4000000000", "filesize"},
	{JOB "filesize=9000p\nnrfiles=4000000000", "counted"},
};

static void test_refused(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct fio_facts facts;
		struct err err = {0};
		int r = check(refused[i].job, &facts, &err);

		ok(r == -EINVAL && strstr(err.text, refused[i].want), "refused %zu: %s",
		   i, err.text);
	}
}

static void test_long_line(void)
{
	cleanup_str struct str job = STR_INIT(1 << 20);
	struct fio_facts facts;
	struct err err = {0};

	str_add(&job, JOB "#");
	for (unsigned i = 0; i < 4095; i++)
		str_addc(&job, 'x');
	str_add(&job, "exec_prerun=id\n");
	ok(check(str_text(&job), &facts, &err) == -EINVAL &&
		   strstr(err.text, "longer than"),
	   "a comment fio would read as two lines: %s", err.text);
}

static void test_allowed(void)
{
	const char *const allowed[] = {"write_bw_log", "exec_prerun", "log_avg_msec"};
	struct fio_policy policy = fio_policy_default(allowed, ARRAY_SIZE(allowed), NULL);
	struct fio_facts facts;
	struct err err = {0};

	ok(fio_job_check(JOB "log_avg_msec=100\n", &policy, &facts, &err) == 0 &&
		   !facts.has_io_bytes,
	   "--allow-option lets one through; %s", err.text);
	ok(fio_job_check(JOB "write_bw_log=/tmp/x\n", &policy, &facts, &err) == -EINVAL,
	   "but no path: %s", err.text);
	err = (struct err){0};
	ok(fio_job_check(JOB "exec_prerun=id\n", &policy, &facts, &err) == -EINVAL,
	   "and never a command: %s", err.text);
	ok(fio_policy_may_allow("exec_prerun", NULL) < 0 &&
		   fio_policy_may_allow("include", NULL) < 0 &&
		   fio_policy_may_allow("Bad Name", NULL) < 0 &&
		   fio_policy_may_allow("log_avg_msec", NULL) == 0,
	   "names that may be let through");
	policy.directory = "/w/step";
	ok(fio_job_check("[a]\nrw=read\nsize=1m\ndirectory=/w/step\n", &policy, &facts,
			 NULL) == 0 &&
		   fio_job_check(JOB, &policy, &facts, NULL) < 0,
	   "the worker's check knows its own folder only");
}

static void test_groups(void)
{
	static const char job[] = "[global]\ndirectory=${MUSTER_DIR}\nsize=1m\n"
				  "runtime=3\n[a]\nrw=read\n[b]\nrw=write\nruntime=5s\n"
				  "[c]\nrw=randrw\nstonewall\nruntime=7\n"
				  "[d]\nrw=rw\nrwmixread=100\nnew_group=1\n"
				  "[e]\nrw=randrw\nrwmixwrite=100\nnew_group=0\n";
	struct fio_facts f = {0};
	struct err err = {0};

	ok(check(job, &f, &err) == 0 && f.n_groups == 3, "three groups %s", err.text);
	ok(f.groups[0].reads && f.groups[0].writes, "the first reads and writes");
	ok(f.groups[1].reads && f.groups[1].writes, "a mix asks for both");
	ok(f.groups[2].reads && f.groups[2].writes,
	   "mixes of one direction each, together both");
	ok(f.runtime_ns == 15000000000 && f.n_jobs == 5 && f.writes && !f.is_time_based,
	   "5 s + 7 s + 3 s, five jobs");
}

static void key_of(const char *lines, char out[FIO_DATA_KEY_CAP])
{
	cleanup_free char *job = xasprintf(
		"[global]\ndirectory=${MUSTER_DIR}\nrw=read\nfilesize=1m\n[a]\n%s",
		lines);
	struct fio_facts facts = {0};
	struct err err = {0};

	if (check(job, &facts, &err) < 0)
		printf("# %s\n", err.text);
	str_copy(out, FIO_DATA_KEY_CAP, facts.data_key);
}

static void test_data_key(void)
{
	static const char *const same[] = {
		"bs=64k",	  "rw=randread\niodepth=8", "direct=1\nioengine=libaio",
		"filesize=1024k", "time_based\nruntime=4",  "group_reporting",
	};
	static const char *const other[] = {
		"filesize=2m", "nrfiles=2", "numjobs=2",    "filename=x",
		"rw=write",    "size=1m",   "zero_buffers", "filename_format=$jobnum",
		"[b]",	       "offset=4k", "randseed=4",
	};
	char key[FIO_DATA_KEY_CAP], its[FIO_DATA_KEY_CAP];

	key_of("", key);
	ok(str_is_hex(key, 24), "24 hex digits: %s", key);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		key_of(same[i], its);
		ok(strcmp(key, its) == 0, "the same data with %s", same[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		key_of(other[i], its);
		ok(str_is_hex(its, 24) && strcmp(key, its) != 0, "other data with %s",
		   other[i]);
	}
}

static void test_set_dir(void)
{
	static const char *const bad[] = {"relative", "/a:b", "/a b", "/a;b",
					  "/a#",      "/a$b", "/a\nb"};
	cleanup_str struct str out = STR_INIT(4096);

	ok(fio_job_set_dir(JOB, "/w/data", &out, NULL) == 0 &&
		   strstr(str_text(&out), "\ndirectory=/w/data\n"),
	   "the folder is put in");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(fio_job_set_dir(JOB, bad[i], &out, NULL) == -EINVAL,
		   "folder %zu is refused", i);
}

int main(void)
{
	test_rendered();
	test_not_rendered();
	test_injection();
	test_refused();
	test_long_line();
	test_allowed();
	test_groups();
	test_data_key();
	test_set_dir();
	return done_testing();
}
