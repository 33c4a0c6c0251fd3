// SPDX-License-Identifier: Apache-2.0
// A quick stand-in for fio: real files, small I/O, true json+; what it does wrong follows
// from the attempt's path alone, since the worker's cage shows it nothing else.
//
// The job's description says how: "chaos ms=5-150 fail=4 garbage=3 empty=3" (the latter
// in percent of attempts). The bins carry worker, matrix id, iteration and attempt, so
// that anything counted twice shows. tests/chaos/expect.py computes the same.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 16, BLOCK_MAX = 1 << 20, TEXT_MAX = 1 << 16, EXIT_SIGNALLED = 128 };
/* bins of fio's default geometry that stand for what is run; see key() */
enum {
	BIN_WORKER = 256,
	BIN_MATRIX = 320,
	BIN_ITERATION = 384,
	BIN_ATTEMPT = 448,
	BIN_REST = 512
};

/* One section's job, and what its process did, in memory shared with it. */
struct job {
	char name[64], rw[16];
	unsigned number;
	uint64_t bs, filesize, nrfiles, numjobs;
	char directory[1024];
	uint64_t ios[2], bytes[2]; /* reads, writes */
	uint64_t runtime_ms;
	int error;
};

struct plan {
	unsigned ms_low, ms_high, fail, garbage, empty;
	unsigned worker, matrix, iteration, attempt;
	uint64_t hash;
};

static volatile sig_atomic_t is_stopped;
static struct job *jobs;
static unsigned n_jobs;
static pid_t pids[JOBS_MAX];

static void on_signal(int sig)
{
	is_stopped = 1;
	for (unsigned i = 0; i < n_jobs; i++)
		if (pids[i] > 0)
			kill(pids[i], sig);
}

static _Noreturn void die(const char *what, const char *detail)
{
	fprintf(stderr, "fio: %s: %s\n", what, detail);
	exit(1);
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t fnv(const char *text)
{
	uint64_t h = 14695981039346656037u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	return h ^ h >> 29;
}

static uint64_t size_of(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	return *end == 'k' ? n << 10 : n;
}

static void set_option(struct job *j, const char *key, const char *value)
{
	const struct {
		const char *key;
		uint64_t *to;
	} sizes[] = {{"bs", &j->bs},
		     {"filesize", &j->filesize},
		     {"nrfiles", &j->nrfiles},
		     {"numjobs", &j->numjobs}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (strcmp(key, sizes[i].key) == 0)
			*sizes[i].to = size_of(value);
	if (strcmp(key, "rw") == 0)
		snprintf(j->rw, sizeof(j->rw), "%s", value);
	if (strcmp(key, "directory") == 0)
		snprintf(j->directory, sizeof(j->directory), "%s", value);
}

static void add_jobs(const struct job *section)
{
	for (unsigned i = 0; i < section->numjobs && n_jobs < JOBS_MAX; i++) {
		jobs[n_jobs] = *section;
		jobs[n_jobs++].number = i;
	}
}

/* The number after @before in @at, which moves past it. */
static unsigned number(const char **at, const char *before)
{
	char *end = NULL;
	unsigned long n;

	if (strncmp(*at, before, strlen(before)) != 0)
		die("cannot read", *at);
	n = strtoul(*at + strlen(before), &end, 10);
	*at = end;
	return (unsigned)n;
}

static void read_description(const char *value, struct plan *plan)
{
	plan->ms_low = number(&value, "chaos ms=");
	plan->ms_high = number(&value, "-");
	plan->fail = number(&value, " fail=");
	plan->garbage = number(&value, " garbage=");
	plan->empty = number(&value, " empty=");
}

static void read_job_file(const char *path, struct plan *plan)
{
	struct job global = {.bs = 4096, .nrfiles = 1, .numjobs = 1}, section = global;
	FILE *f = fopen(path, "re");
	bool is_global = true;
	char line[2048];

	if (!f)
		die(path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char *value = strchr(line, '=');

		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '[') {
			if (!is_global)
				add_jobs(&section);
			is_global = strcmp(line, "[global]") == 0;
			section = global;
			snprintf(section.name, sizeof(section.name), "%.*s",
				 (int)strcspn(line + 1, "]"), line + 1);
		} else if (value) {
			*value++ = '\0';
			if (strcmp(line, "description") == 0)
				read_description(value, plan);
			set_option(is_global ? &global : &section, line, value);
		}
	}
	fclose(f);
	if (!is_global)
		add_jobs(&section);
	if (!n_jobs)
		die(path, "no jobs");
}

/* …/<run>/<worker>/<matrix>-<iteration>-a<attempt>/<file>: who and what this is. */
static void read_place(const char *output, struct plan *plan)
{
	char copy[4096], *parts[4], *at;
	const char *step;

	snprintf(copy, sizeof(copy), "%s", output);
	for (int i = 3; i >= 0; i--) {
		at = strrchr(copy, '/');
		if (!at)
			die(output, "not an attempt's path");
		*at = '\0';
		parts[i] = at + 1;
	}
	step = parts[2];
	plan->matrix = number(&step, "");
	plan->iteration = number(&step, "-");
	plan->attempt = number(&step, "-a");
	at = strrchr(parts[1], '-');
	plan->worker = at ? (unsigned)strtoul(at + 1, NULL, 10) : 0;
	/* "<run>/<worker>/<step>-a<n>" is the seed: put together again */
	parts[1][-1] = parts[2][-1] = '/';
	plan->hash = fnv(parts[0]);
}

static void file_name(const struct job *j, uint64_t i, char *out, size_t cap)
{
	snprintf(out, cap, "%s/%s.%u.%llu", j->directory, j->name, j->number,
		 (unsigned long long)i);
}

static void create_files(const struct job *j)
{
	char path[2048];

	for (uint64_t i = 0; i < j->nrfiles; i++) {
		int fd;

		file_name(j, i, path, sizeof(path));
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, (off_t)j->filesize) < 0)
			die(path, strerror(errno));
		close(fd);
	}
}

static bool reads(const struct job *j, uint64_t io)
{
	if (strcmp(j->rw, "rw") == 0 || strcmp(j->rw, "randrw") == 0)
		return io % 2 == 0;
	return strstr(j->rw, "read") != NULL;
}

/* Every block of a file once. */
static void do_file(struct job *j, uint64_t i)
{
	static char block[BLOCK_MAX];
	char path[2048];
	int fd;

	file_name(j, i, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	/* what is read has to be there: fio lays it out when it is not */
	if (fd < 0 || (strstr(j->rw, "rw") && ftruncate(fd, (off_t)j->filesize) < 0)) {
		j->error = errno;
		return;
	}
	for (uint64_t at = 0; at + j->bs <= j->filesize && !is_stopped; at += j->bs) {
		bool is_read = reads(j, at / j->bs);
		ssize_t n = is_read ? pread(fd, block, j->bs, (off_t)at)
				    : pwrite(fd, block, j->bs, (off_t)at);

		if (n != (ssize_t)j->bs) {
			j->error = n < 0 ? errno : EIO;
			break;
		}
		j->ios[!is_read]++;
		j->bytes[!is_read] += j->bs;
	}
	close(fd);
}

/* A process of its own in a session of its own, as fio's jobs are. */
static void run_job(struct job *j, uint64_t ms)
{
	setsid();
	for (uint64_t i = 0; i < j->nrfiles && !j->error; i++) {
		if (!is_stopped)
			usleep((useconds_t)(ms * 1000 / j->nrfiles));
		do_file(j, i);
	}
	j->runtime_ms = ms ? ms : 1;
	_exit(j->error ? 1 : 0);
}

static void run_jobs(uint64_t ms)
{
	for (unsigned i = 0; i < n_jobs; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			run_job(&jobs[i], ms);
		if (pids[i] < 0)
			die("fork", strerror(errno));
	}
	for (unsigned i = 0; i < n_jobs; i++)
		while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
}

/* The middle of a bin of fio's default geometry, 64 bins a power of two. */
static uint64_t key(unsigned bin)
{
	unsigned shift = (bin >> 6) - 1;

	return (1ULL << (shift + 6)) + ((uint64_t)(bin & 63) << shift) +
	       (1ULL << (shift - 1));
}

/* The first I/Os tell matrix id, iteration, attempt, worker, in this order. */
static void write_lat(FILE *f, const struct plan *plan, uint64_t n)
{
	const struct {
		unsigned bin;
		uint64_t count;
	} bins[] = {{BIN_WORKER + plan->worker, n > 3},
		    {BIN_MATRIX + plan->matrix, n > 0},
		    {BIN_ITERATION + plan->iteration, n > 1},
		    {BIN_ATTEMPT + plan->attempt, n > 2},
		    {BIN_REST, n > 4 ? n - 4 : 0}};
	unsigned long long low = 0, high = 0;
	double sum = 0, squares = 0, mean;

	fprintf(f, "\"bins\" : {");
	for (unsigned i = 0; i < sizeof(bins) / sizeof(*bins); i++) {
		double count = (double)bins[i].count;

		if (!bins[i].count)
			continue;
		high = key(bins[i].bin);
		fprintf(f, "%s\"%llu\" : %.0f", low ? ", " : "", high, count);
		low = low ? low : high;
		sum += (double)high * count;
		squares += (double)high * (double)high * count;
	}
	mean = n ? sum / (double)n : 0;
	fprintf(f,
		"}, \"N\" : %llu, \"min\" : %llu, \"max\" : %llu, \"mean\" : %f, "
		"\"stddev\" : %f",
		(unsigned long long)n, low, high, mean,
		n > 1 ? sqrt(fmax(0, (squares - sum * mean) / (double)(n - 1))) : 0);
}

static void write_direction(FILE *f, const struct plan *plan, const struct job *j, int d)
{
	static const char *const names[] = {"read", "write"};

	fprintf(f,
		"%s\"%s\" : {\"io_bytes\" : %llu, \"total_ios\" : %llu, \"runtime\" : "
		"%llu, \"short_ios\" : 0, \"drop_ios\" : 0, \"lat_ns\" : {",
		d ? ", " : "", names[d], (unsigned long long)j->bytes[d],
		(unsigned long long)j->ios[d],
		(unsigned long long)(j->ios[d] ? j->runtime_ms : 0));
	write_lat(f, plan, j->ios[d]);
	fprintf(f, "}}");
}

/* Whatever its caller let it see, for those who look for secrets in what it left. */
static void write_environment(FILE *f)
{
	extern char **environ;

	fprintf(f, "\"environment\" : [");
	for (char **e = environ; *e; e++) {
		fprintf(f, e == environ ? "\"" : ", \"");
		for (const char *c = *e; *c; c++)
			fputc(*c == '"' || *c == '\\' || (unsigned char)*c < ' ' ? '?'
										 : *c,
			      f);
		fprintf(f, "\"");
	}
	fprintf(f, "],\n");
}

static void write_output(const char *path, const struct plan *plan, bool is_garbage)
{
	FILE *f = fopen(path, "we");

	if (!f)
		die(path, strerror(errno));
	if (is_stopped)
		fprintf(f, "\nfio: terminating on signal 2\n");
	fprintf(f, "{\n\"fio version\" : \"fio-3.36\",\n");
	write_environment(f);
	fprintf(f, "\"jobs\" : [\n");
	for (unsigned i = 0; i < n_jobs && !is_garbage; i++) {
		fprintf(f, "%s{\"jobname\" : \"%s\", \"groupid\" : 0, \"error\" : %d, ",
			i ? ",\n" : "", jobs[i].name, jobs[i].error);
		for (int d = 0; d < 2; d++)
			write_direction(f, plan, &jobs[i], d);
		fprintf(f, "}");
	}
	fprintf(f, is_garbage ? "{\"jobna" : "\n]\n}\n");
	if (fclose(f) != 0)
		die(path, strerror(errno));
}

static int run(const char *output, struct plan *plan)
{
	unsigned luck = (unsigned)(plan->hash % 100);
	uint64_t span = plan->ms_high - plan->ms_low + 1;
	uint64_t ms = plan->ms_low + (plan->hash >> 8) % span;

	if (luck < plan->fail)
		die("chaos", "this attempt fails");
	luck -= plan->fail;
	if (luck < plan->garbage || luck >= plan->garbage + plan->empty)
		run_jobs(ms);
	write_output(output, plan, luck < plan->garbage);
	return is_stopped ? EXIT_SIGNALLED : 0;
}

int main(int argc, char **argv)
{
	const char *output = NULL, *job_file = NULL;
	struct sigaction action = {.sa_handler = on_signal};
	struct plan plan = {0};
	bool is_layout = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--version") == 0)
			return puts("fio-3.36") < 0;
		if (strncmp(argv[i], "--output=", 9) == 0)
			output = argv[i] + 9;
		else if (strcmp(argv[i], "--create_only=1") == 0)
			is_layout = true;
		else if (argv[i][0] != '-')
			job_file = argv[i];
	}
	if (!output || !job_file)
		die("usage", "--output=FILE JOBFILE");
	jobs = mmap(NULL, JOBS_MAX * sizeof(*jobs), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (jobs == MAP_FAILED)
		die("mmap", strerror(errno));
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	read_place(output, &plan);
	read_job_file(job_file, &plan);
	if (!is_layout)
		return run(output, &plan);
	for (unsigned i = 0; i < n_jobs; i++)
		create_files(&jobs[i]);
	return 0;
}
