// SPDX-License-Identifier: Apache-2.0
// The bucket layout: building the names of objects.
#include "manifests/paths.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *stem, *suffix;
} step_files[STEP_FILE_COUNT] = {
	[STEP_JOB_FIO] = {"job_", ".fio"},
	[STEP_FIO_OUTPUT] = {"fio_output_", ".json"},
	[STEP_MONITOR] = {"monitor_", ".csv"},
	[STEP_GCSFUSE_LOG] = {"gcsfuse_mount_", ".log.gz"},
	[STEP_RECORD] = {"step_", ".json"},
};

/* [prefix/]<run>/ and then the formatted rest; @out is written only on success. */
__attribute__((format(printf, 4, 5))) static int path_set(PATH_ARGS, struct err *err,
							  const char *fmt, ...)
{
	char name[PATH_CAP];
	size_t base;
	va_list ap;
	int n;

	if (!run_id_is_valid(run->run) || !prefix_is_valid(run->prefix))
		return err_set(err, -EINVAL, "not a run of this layout");
	base = (size_t)snprintf(name, sizeof(name), "%s%s%s/", run->prefix,
				*run->prefix ? "/" : "", run->run);
	va_start(ap, fmt);
	n = vsnprintf(name + base, sizeof(name) - base, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(name) - base)
		return err_set(err, -ENAMETOOLONG, "an object's name is too long");
	memcpy(out, name, base + (size_t)n + 1);
	return 0;
}

static int check_worker(const char *worker, struct err *err)
{
	if (str_is_rfc1035(worker))
		return 0;
	return err_set(err, -EINVAL,
		       "a worker's name has 1 to 63 of a-z, 0-9 and '-', begins with a "
		       "letter and does not end in '-'");
}

static int check_number(const char *what, unsigned n, struct err *err)
{
	return n ? 0 : err_set(err, -EINVAL, "%s is numbered from 1", what);
}

static int check_key(const char *key, struct err *err)
{
	if (str_is_hex(key, BINARY_KEY_CAP - 1))
		return 0;
	return err_set(err, -EINVAL, "a binary's key has 24 hexadecimal digits");
}

int path_config(PATH_ARGS, struct err *err)
{
	return path_set(out, run, err, "config.json");
}

int path_tests_csv(PATH_ARGS, struct err *err)
{
	return path_set(out, run, err, "test-cases.csv");
}

int path_configs_csv(PATH_ARGS, struct err *err)
{
	return path_set(out, run, err, "mount-configs.csv");
}

int path_jobfile(PATH_ARGS, struct err *err)
{
	return path_set(out, run, err, "jobfile.fio");
}

int path_job(PATH_ARGS, const char *worker, unsigned round, struct err *err)
{
	int r = check_worker(worker, err);

	if (r == 0)
		r = check_number("a round", round, err);
	if (r < 0)
		return r;
	if (round == 1)
		return path_set(out, run, err, "jobs/%s.json", worker);
	return path_set(out, run, err, "jobs/%s.r%u.json", worker, round);
}

int path_control(PATH_ARGS, unsigned seq, struct err *err)
{
	int r = check_number("a control order", seq, err);

	return r < 0 ? r : path_set(out, run, err, "control/%04u.json", seq);
}

int path_worker(PATH_ARGS, const char *worker, struct err *err)
{
	int r = check_worker(worker, err);

	return r < 0 ? r : path_set(out, run, err, "workers/%s.json", worker);
}

int path_manifest(PATH_ARGS, const char *worker, struct err *err)
{
	int r = check_worker(worker, err);

	return r < 0 ? r : path_set(out, run, err, "results/%s/manifest.json", worker);
}

int path_worker_log(PATH_ARGS, const char *worker, struct err *err)
{
	int r = check_worker(worker, err);

	return r < 0 ? r : path_set(out, run, err, "results/%s/worker.log", worker);
}

int path_step_file(char out[PATH_CAP], enum step_file file, unsigned iteration,
		   struct err *err)
{
	int r = check_number("an iteration", iteration, err);

	if (r < 0)
		return r;
	if ((unsigned)file >= STEP_FILE_COUNT)
		return err_set(err, -EINVAL, "not a file of a step");
	snprintf(out, PATH_CAP, "%s%u%s", step_files[file].stem, iteration,
		 step_files[file].suffix);
	return 0;
}

int path_step(PATH_ARGS, const struct attempt_ref *at, enum step_file file,
	      struct err *err)
{
	char name[PATH_CAP], folder[32] = "";
	int r = check_worker(at->worker, err);

	if (r == 0)
		r = check_number("a matrix_id", at->matrix_id, err);
	if (r == 0)
		r = check_number("an attempt", at->attempt, err);
	if (r == 0)
		r = path_step_file(name, file, at->iteration, err);
	if (r < 0)
		return r;
	/* the first attempt has no folder: mostly there is no other */
	if (at->attempt > 1)
		snprintf(folder, sizeof(folder), "attempt-%u/", at->attempt);
	return path_set(out, run, err, "results/%s/test-%u/%s%.64s", at->worker,
			at->matrix_id, folder, name);
}

static const char *binary_name(enum binary_file file)
{
	return file == BINARY_GCSFUSE ? "gcsfuse" : "gcsfuse.json";
}

int path_binary(PATH_ARGS, const char *key, enum binary_file file, struct err *err)
{
	int r = check_key(key, err);

	if (r < 0)
		return r;
	return path_set(out, run, err, "binaries/%s/%s", key, binary_name(file));
}

int path_cache(PATH_ARGS, const char *key, enum binary_file file, struct err *err)
{
	int r = check_key(key, err);

	if (r < 0)
		return r;
	if (!prefix_is_valid(run->prefix))
		return err_set(err, -EINVAL, "not a prefix of this layout");
	snprintf(out, PATH_CAP, "%s%s_cache/gcsfuse/%s/%s", run->prefix,
		 *run->prefix ? "/" : "", key, binary_name(file));
	return 0;
}

int path_claim(PATH_ARGS, unsigned matrix_id, unsigned iteration, unsigned round,
	       struct err *err)
{
	char id[STEP_ID_CAP];
	int r = check_number("a matrix_id", matrix_id, err);

	if (r == 0)
		r = check_number("an iteration", iteration, err);
	if (r == 0)
		r = check_number("a round", round, err);
	if (r < 0)
		return r;
	step_id_format(id, matrix_id, iteration);
	if (round == 1)
		return path_set(out, run, err, "claims/%s.json", id);
	return path_set(out, run, err, "claims/%s.r%u.json", id, round);
}

int path_report(PATH_ARGS, const char *name, struct err *err)
{
	if (!str_is_label(name))
		return err_set(err, -EINVAL, "not the name of a report's file");
	return path_set(out, run, err, "report/%s", name);
}

int path_arrivals(PATH_ARGS, unsigned barrier, struct err *err)
{
	int r = check_number("a barrier", barrier, err);

	return r < 0 ? r : path_set(out, run, err, "barriers/%u/arrive/", barrier);
}

int path_arrival(PATH_ARGS, unsigned barrier, const char *worker, struct err *err)
{
	int r = check_worker(worker, err);

	if (r == 0)
		r = check_number("a barrier", barrier, err);
	if (r < 0)
		return r;
	return path_set(out, run, err, "barriers/%u/arrive/%s.json", barrier, worker);
}

int path_verdict(PATH_ARGS, unsigned barrier, struct err *err)
{
	int r = check_number("a barrier", barrier, err);

	return r < 0 ? r : path_set(out, run, err, "barriers/%u/verdict.json", barrier);
}

int path_dir(PATH_ARGS, enum path_dir dir, struct err *err)
{
	static const char *const names[] = {
		[PATH_RUN] = "",
		[PATH_JOBS] = "jobs/",
		[PATH_CONTROL] = "control/",
		[PATH_WORKERS] = "workers/",
		[PATH_RESULTS] = "results/",
		[PATH_BINARIES] = "binaries/",
		[PATH_CLAIMS] = "claims/",
	};

	if ((unsigned)dir >= ARRAY_SIZE(names))
		return err_set(err, -EINVAL, "not a folder of a run");
	return path_set(out, run, err, "%s", names[dir]);
}
