// SPDX-License-Identifier: Apache-2.0
// Waiting for a mount: gcsfuse's log, the mount table and statfs, all by events.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/json.h"
#include "worker/gcsfuse_log.h"
#include "worker/kernel.h"
#include "worker/mount_impl.h"

enum { LINE_CAP = 1 << 20 };

/*
 * gcsfuse applies kernel settings after it said "mounted" (v3.13.0 cmd/legacy_main.go:
 * only with its kernel reader), one line each. When its log does not tell whether it
 * will, the settings have to stand still this long.
 */
static const int64_t settle_ns = 300LL * NS_PER_MS;
static const int64_t apply_ns = 2LL * NS_PER_S;

enum kernel_writes { WRITES_UNKNOWN, WRITES_NONE, WRITES_SOME };

struct ready {
	const struct mount_spec *spec;
	struct mount *m;
	int log_fd, table_fd, inotify_fd;
	struct str line; /* begun, not ended */
	bool is_hidden;	 /* the log's severity hides the message */
	bool says_mounted, has_answered;
	enum kernel_writes writes;
	size_t params, applied; /* announced and done after "mounted" */
	int64_t quiet_until_ns; /* of settle_ns, apply_ns; 0 = not begun */
	struct kernel_settings last;
};

static size_t count_of(const char *text, size_t n, const char *word)
{
	const char *end = text + n;
	size_t count = 0;

	while ((text = memmem(text, (size_t)(end - text), word, strlen(word)))) {
		text += strlen(word);
		count++;
	}
	return count;
}

static bool is_secret(const char *key)
{
	return strcasestr(key, "secret") || strcasestr(key, "password") ||
	       strcasestr(key, "credential") || strcasestr(key, "TokenUrl") ||
	       strcasestr(key, "token-url") || strcasestr(key, "KeyFile") ||
	       strcasestr(key, "key-file");
}

static void remove_secrets(json_t *obj)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(obj, next, key, value)
	{
		if (is_secret(key))
			json_object_del(obj, key);
		else if (json_is_object(value))
			remove_secrets(value);
	}
}

/* flags as given, the configuration they lead to, what gcsfuse then tuned by itself. */
static void merge_config(struct mount *m, const json_t *attrs)
{
	const char *key, *to;
	bool is_tuning = false;
	json_t *value;

	if (!m->config)
		m->config = json_object();
	json_object_foreach ((json_t *)attrs, key, value)
		is_tuning = is_tuning || strcasestr(key, "optimizations");
	json_object_foreach ((json_t *)attrs, key, value) {
		if (!json_is_object(value))
			continue;
		to = !strcasecmp(key, "CLI Flags") ? "flags"
		     : is_tuning		   ? "optimized"
						   : "config";
		remove_secrets(value);
		json_object_set(m->config, to, value);
	}
}

static void note_config(struct ready *w, const char *line, size_t n)
{
	static const char *const on[] = {
		"\"EnableKernelReader\":true",
		"EnableKernelReader:true",
		"enable-kernel-reader\":{\"final_value\":true",
		"enable-kernel-reader:{FinalValue:true",
	};

	if (!memmem(line, n, "Full Config", 11))
		return;
	if (w->writes == WRITES_UNKNOWN)
		w->writes = WRITES_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(on); i++)
		if (memmem(line, n, on[i], strlen(on[i])))
			w->writes = WRITES_SOME;
}

static void take_line(struct ready *w, const char *line, size_t n)
{
	struct gcsfuse_line parsed;

	gcsfuse_line_parse(line, n, &parsed);
	if (!strncasecmp(parsed.message, "GCSFuse Config", 14))
		note_config(w, line, n);
	if (parsed.config)
		merge_config(w->m, parsed.config);
	if (strcasestr(parsed.message, "successfully mounted"))
		w->says_mounted = true;
	if (w->says_mounted && str_starts(parsed.message, "Applying kernel parameters"))
		w->params = count_of(line, n, "\"name\":") + count_of(line, n, "{Name:");
	if (w->says_mounted && (str_starts(parsed.message, "Setting \"") ||
				str_starts(parsed.message, "Unable to update setting")))
		w->applied++;
	if (w->says_mounted && str_starts(parsed.message, "Failed to apply kernel"))
		w->writes = WRITES_NONE;
	gcsfuse_line_done(&parsed);
}

static int read_log(struct ready *w, struct err *err)
{
	char buf[16384];
	ssize_t n;

	while (read(w->inotify_fd, buf, sizeof(buf)) > 0)
		;
	while ((n = read(w->log_fd, buf, sizeof(buf))) > 0) {
		char *p = buf, *end = buf + n, *nl;

		while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
			str_addn(&w->line, p, (size_t)(nl - p));
			take_line(w, str_text(&w->line), w->line.len);
			str_reset(&w->line);
			p = nl + 1;
		}
		str_addn(&w->line, p, (size_t)(end - p));
	}
	return n < 0 ? err_errno(err, -errno, "%s", w->m->log_path) : 0;
}

static int look_at_table(struct ready *w, struct err *err)
{
	cleanup_free struct mount_entry *entries = NULL;
	size_t n = 0;
	int r = mount_table_read(w->m->point, &entries, &n, err);

	if (r < 0 || !n)
		return r;
	w->m->is_mounted = true;
	w->m->dev_major = entries[n - 1].dev_major;
	w->m->dev_minor = entries[n - 1].dev_minor;
	return 0;
}

static bool same_settings(const struct kernel_settings *a,
			  const struct kernel_settings *b)
{
	return a->read_ahead_kb == b->read_ahead_kb &&
	       a->max_background == b->max_background &&
	       a->congestion_threshold == b->congestion_threshold;
}

/* Are the kernel settings final? If not, quiet_until_ns says when to look again. */
static bool is_settled(struct ready *w)
{
	int64_t now_ns = clock_mono_ns();
	struct kernel_settings now;
	bool was_announced = w->writes == WRITES_SOME;

	kernel_settings_read(w->m->dev_major, w->m->dev_minor, &now);
	if (w->writes == WRITES_NONE || (w->params && w->applied >= w->params))
		return true;
	if (!w->quiet_until_ns || (!was_announced && !same_settings(&now, &w->last))) {
		w->quiet_until_ns = now_ns + (was_announced ? apply_ns : settle_ns);
		w->last = now;
	}
	return now_ns >= w->quiet_until_ns;
}

/* 1 ready, 0 not yet, negative never. */
static int look(struct ready *w, struct err *err)
{
	int r = read_log(w, err);

	if (r == 0)
		r = look_at_table(w, err);
	if (r < 0 || !w->m->is_mounted || !(w->says_mounted || w->is_hidden))
		return r;
	if (!w->has_answered) {
		r = mount_statfs(w->m->point, w->spec->deadline_ns, w->spec->cancel_fd);
		if (r < 0)
			return err_errno(err, r, "statfs on the mount");
		w->has_answered = true;
		r = read_log(w, err);
		if (r < 0)
			return r;
	}
	return is_settled(w);
}

static int wait_for_news(struct ready *w, struct err *err)
{
	struct pollfd fds[] = {{.fd = w->m->proc.pidfd, .events = POLLIN},
			       {.fd = w->spec->cancel_fd, .events = POLLIN},
			       {.fd = w->inotify_fd, .events = POLLIN},
			       {.fd = w->table_fd, .events = POLLPRI}};
	int64_t until_ns = w->spec->deadline_ns;
	int64_t left_ns;
	struct timespec ts;
	int n;

	if (w->quiet_until_ns && w->quiet_until_ns < until_ns)
		until_ns = w->quiet_until_ns;
	left_ns = until_ns - clock_mono_ns();
	if (left_ns < 0)
		left_ns = 0;
	ts = (struct timespec){left_ns / NS_PER_S, left_ns % NS_PER_S};
	n = ppoll(fds, ARRAY_SIZE(fds), &ts, NULL);
	if (n < 0 && errno != EINTR)
		return err_errno(err, -errno, "poll");
	if (n > 0 && fds[0].revents)
		return err_set(err, -EIO, "gcsfuse ended before the mount was there");
	if (n > 0 && fds[1].revents)
		return err_set(err, -ECANCELED, "stopped while mounting");
	if (clock_mono_ns() >= w->spec->deadline_ns)
		return err_set(err, -ETIMEDOUT, "the mount was not ready in time%s",
			       w->m->is_mounted ? ", though the kernel has it" : "");
	return 0;
}

static bool hides_messages(const struct arm *arm)
{
	cleanup_free char *flag = mount_arg_value(arm, "log-severity");
	cleanup_free char *yaml = mount_yaml_value(arm->config_file, "severity");
	const char *severity = flag ? flag : yaml;

	return severity &&
	       (!strcasecmp(severity, "warning") || !strcasecmp(severity, "error") ||
		!strcasecmp(severity, "off"));
}

int mount_wait_ready(const struct mount_spec *spec, struct mount *m, int inotify_fd,
		     struct err *err)
{
	cleanup_close int log_fd = open(m->log_path, O_RDONLY | O_CLOEXEC);
	cleanup_close int table_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct ready w = {
		.spec = spec,
		.m = m,
		.log_fd = log_fd,
		.table_fd = table_fd,
		.inotify_fd = inotify_fd,
		.line = STR_INIT(LINE_CAP),
		.is_hidden = hides_messages(spec->arm),
	};
	int r;

	if (log_fd < 0 || table_fd < 0)
		return err_errno(err, -errno, "%s", m->log_path);
	while ((r = look(&w, err)) == 0) {
		r = wait_for_news(&w, err);
		if (r < 0)
			break;
	}
	str_done(&w.line);
	if (r < 0)
		return r;
	kernel_settings_read(m->dev_major, m->dev_minor, &m->start);
	return 0;
}
