// SPDX-License-Identifier: Apache-2.0
// The life of one gcsfuse: start, stop, abort.
#include "worker/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "worker/gcsfuse_log.h"
#include "worker/groups.h"
#include "worker/kernel.h"
#include "worker/mount_impl.h"

static const char child_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/* Longest an aborted gcsfuse was seen to take is 1 s (tried on a stopped one). */
static const int64_t abort_ns = 2LL * NS_PER_S;
/* Somebody still closes a file: no event says when. */
static const int64_t busy_ns = 25LL * NS_PER_MS;

int mount_minor(const struct mount *m)
{
	return m->is_mounted ? (int)m->dev_minor : -1;
}

static int make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "mkdir %s", path);
	return 0;
}

static int write_text(const char *path, const char *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	size_t left = strlen(text);
	int r = 0;

	if (fd < 0)
		return err_errno(err, -errno, "%s", path);
	while (r == 0 && left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0)
			r = err_errno(err, -errno, "%s", path);
		else
			text += n, left -= (size_t)n;
	}
	close(fd);
	return r;
}

/* What gcsfuse may know: the arm's variables, and credentials the operator set. */
static const char **make_env(const struct mount_spec *spec, char **home, char **cred,
			     char **metadata)
{
	const struct arm *arm = spec->arm;
	const char **env = xcalloc(arm->n_env + 8, sizeof(*env));
	const char *file = getenv("GOOGLE_APPLICATION_CREDENTIALS");
	const char *host = getenv("GCE_METADATA_HOST");
	size_t n = 0;

	*home = xasprintf("HOME=%s", spec->workspace);
	*cred = xasprintf("GOOGLE_APPLICATION_CREDENTIALS=%s", file ? file : "");
	*metadata = xasprintf("GCE_METADATA_HOST=%s", host ? host : "");
	for (size_t i = 0; i < 2; i++)
		env[n++] = ((const char *const[]){PROC_ENV_BASE})[i];
	env[n++] = child_path;
	env[n++] = *home;
	for (size_t i = 0; i < arm->n_env; i++)
		env[n++] = arm->env[i];
	if (file && !spec->data->endpoint && spec->data->auth == STORE_AUTH_ADC)
		env[n++] = *cred;
	if (host && !spec->data->endpoint)
		env[n++] = *metadata;
	return env;
}

static int spawn_gcsfuse(const struct mount_spec *spec, const struct mount_args *args,
			 int log_fd, struct proc *ret, struct err *err)
{
	cleanup_free char *home = NULL;
	cleanup_free char *cred = NULL;
	cleanup_free char *metadata = NULL;
	cleanup_free const char **env = make_env(spec, &home, &cred, &metadata);
	cleanup_free char *group = group_name(GROUP_GCSFUSE, spec->step_dir);
	struct proc_spec proc = {
		.path = "gcsfuse",
		.exec_fd = spec->binary_fd,
		.argv = (const char *const *)args->argv,
		.envp = env,
		.cwd = spec->step_dir,
		.stdout_fd = log_fd,
		.stderr_fd = log_fd,
	};

	int r;

	proc.cgroup_fd = spec->cgroup ? cgroup_open(spec->cgroup, group, err) : 0;
	if (proc.cgroup_fd < 0)
		return proc.cgroup_fd;
	r = proc_spawn(&proc, ret, err);
	if (proc.cgroup_fd > 0)
		close(proc.cgroup_fd);
	return r;
}

static int prepare(const struct mount_args *args, const struct arm *arm, struct err *err)
{
	int r = make_dir(args->temp_dir, err);

	if (r == 0 && args->cache_dir)
		r = make_dir(args->cache_dir, err);
	if (r == 0 && args->config_path)
		r = write_text(args->config_path, arm->config_file, err);
	return r;
}

static int start_gcsfuse(const struct mount_spec *spec, struct mount *m, struct err *err)
{
	cleanup(mount_args_done) struct mount_args args = {0};
	cleanup_close int log_fd = open(
		m->log_path,
		O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	cleanup_close int inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int r;

	if (log_fd < 0 || inotify_fd < 0 ||
	    inotify_add_watch(inotify_fd, m->log_path, IN_MODIFY) < 0)
		return err_errno(err, -errno, "%s", m->log_path);
	r = mount_argv(spec, &args, err);
	if (r == 0)
		r = prepare(&args, spec->arm, err);
	if (r == 0)
		r = spawn_gcsfuse(spec, &args, log_fd, &m->proc, err);
	if (r == 0)
		r = mount_wait_ready(spec, m, inotify_fd, err);
	return r;
}

/* Wrong flags are told on a line "Error: …" before the log begins. */
static void add_last_words(const char *log_path, struct err *err)
{
	struct gcsfuse_log log;
	cleanup_file FILE *f = NULL;
	char line[GCSFUSE_LOG_MESSAGE_CAP], found[GCSFUSE_LOG_MESSAGE_CAP] = "";

	if (!err || gcsfuse_log_scan(log_path, &log, NULL) < 0)
		return;
	str_copy(found, sizeof(found), log.last_error);
	f = fopen(log_path, "re");
	while (!found[0] && f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (str_starts(line, "Error") || str_starts(line, "panic"))
			str_copy(found, sizeof(found), line);
	}
	if (found[0]) {
		size_t n = strlen(err->text);

		snprintf(err->text + n, sizeof(err->text) - n, ": %s", found);
	}
}

int mount_start(const struct mount_spec *spec, struct mount *ret, struct err *err)
{
	struct mount m = {0};
	char *real;
	int r = make_dir(spec->point, err);

	if (r < 0)
		return r;
	kernel_settings_init(&m.start);
	m.log_path = xstrdup(spec->log_path);
	m.step_dir = xstrdup(spec->step_dir);
	m.cgroup = spec->cgroup;
	if (spec->arm->kind == ARM_GCSFUSE) {
		mount_need_connections();
		r = mount_sweep(spec->point, NULL, err);
	}
	real = r == 0 ? realpath(spec->point, NULL) : NULL;
	if (!real && r == 0)
		r = err_errno(err, -errno, "%s", spec->point);
	m.point = real ? real : xstrdup(spec->point);
	if (r == 0 && spec->arm->kind == ARM_GCSFUSE)
		r = start_gcsfuse(spec, &m, err);
	if (r < 0) {
		if (m.proc.pid || m.is_mounted)
			add_last_words(m.log_path, err);
		mount_abort(&m, NULL);
		mount_stop(&m, 0, -1, NULL, NULL);
		mount_done(&m);
		return r;
	}
	*ret = m;
	return 0;
}

bool mount_answers(const struct mount *m, int64_t timeout_ns)
{
	if (!m->is_mounted)
		return true;
	return mount_statfs(m->point, clock_mono_ns() + timeout_ns, -1) == 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int remove_tree(const char *dir, const char *name, struct err *err)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);

	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 &&
	    errno != ENOENT)
		return err_errno(err, -errno, "remove %s", path);
	return 0;
}

/* How long an unmount may take, and what shortens that, once. */
struct patience {
	int64_t deadline_ns;
	int hurry_fd;
};

static void hurry(struct patience *p)
{
	int64_t soon_ns = clock_mono_ns() + (int64_t)MOUNT_HURRY_S * NS_PER_S;

	p->hurry_fd = -1;
	if (p->deadline_ns > soon_ns)
		p->deadline_ns = soon_ns;
}

static int wait_for_end(struct mount *m, struct patience *p)
{
	struct proc_end end = {0};
	int r = 0;

	while (m->proc.pid && r == 0 && !end.timed_out) {
		r = proc_wait(&m->proc, p->deadline_ns, p->hurry_fd, &end, NULL);
		if (r == 0 && end.cancelled)
			hurry(p);
	}
	return r == 0 && end.timed_out ? -ETIMEDOUT : r;
}

static int unmount(struct mount *m, struct patience *p)
{
	int r;

	for (;;) {
		int64_t again_ns;

		r = mount_unmount_once(m->point, p->deadline_ns, p->hurry_fd);
		if (r == -ECANCELED && p->hurry_fd >= 0) {
			hurry(p);
			continue;
		}
		if (r != -EBUSY)
			break;
		again_ns = clock_mono_ns() + busy_ns;
		if (again_ns >= p->deadline_ns)
			return r;
		/* gcsfuse's own end would be the answer too */
		if (m->proc.pid)
			proc_poll(&m->proc, again_ns);
		else
			clock_sleep_until(again_ns);
	}
	/* it is no mount any more */
	return r == -EINVAL ? 0 : r;
}

/* gcsfuse has ended; what it may have started has not necessarily. */
static void end_group(const struct mount *m)
{
	cleanup_free char *group = NULL;

	if (!m->cgroup || !m->step_dir)
		return;
	group = group_name(GROUP_GCSFUSE, m->step_dir);
	cgroup_end(m->cgroup, group, clock_mono_ns() + abort_ns, NULL);
}

int mount_stop(struct mount *m, int64_t deadline_ns, int hurry_fd, bool *ret_aborted,
	       struct err *err)
{
	struct patience patience = {deadline_ns, hurry_fd};
	bool is_aborted = false;
	int r = 0, r2;

	if (m->is_mounted)
		r = unmount(m, &patience);
	if (r == 0)
		r = wait_for_end(m, &patience);
	if (r < 0) {
		is_aborted = true;
		r = mount_abort(m, err);
	}
	m->is_mounted = m->is_mounted && r < 0;
	if (ret_aborted)
		*ret_aborted = is_aborted;
	if (r < 0 || !m->step_dir)
		return r;
	end_group(m);
	r = remove_tree(m->step_dir, "cache", err);
	r2 = remove_tree(m->step_dir, "temp", r < 0 ? NULL : err);
	return r < 0 ? r : r2;
}

int mount_abort(struct mount *m, struct err *err)
{
	struct patience patience = {clock_mono_ns() + abort_ns, -1};
	int r = 0;

	if (m->is_mounted)
		mount_connection_abort(m->dev_minor);
	proc_signal(&m->proc, SIGKILL);
	if (m->is_mounted)
		r = mount_detach(m->point);
	if (wait_for_end(m, &patience) < 0)
		return err_set(err, -EBUSY, "SIGKILL does not end gcsfuse (process %d)",
			       m->proc.pid);
	if (r < 0 && r != -EINVAL)
		return err_errno(err, r, "detach %s", m->point);
	m->is_mounted = false;
	return 0;
}

void mount_done(struct mount *m)
{
	free(m->point);
	free(m->step_dir);
	free(m->log_path);
	json_decref(m->config);
	*m = (struct mount){0};
}
