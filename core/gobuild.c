// SPDX-License-Identifier: Apache-2.0
// go install with a pinned toolchain.
#include "core/gobuild.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/proc.h"

enum { GOBUILD_TAIL_BYTES = 300, GOBUILD_ENV = 32 };

static void glob_done(glob_t *g)
{
	globfree(g);
}

int gobuild_find_go(char **ret_path, struct err *err)
{
	static const char fixed[] = "/usr/local/go/bin/go";
	glob_t g cleanup(glob_done) = {0};

	if (proc_find("go", ret_path, NULL) == 0)
		return 0;
	if (access(fixed, X_OK) == 0) {
		*ret_path = xstrdup(fixed);
		return 0;
	}
	if (glob("/usr/lib/go-*/bin/go", 0, NULL, &g) == 0 && g.gl_pathc > 0) {
		*ret_path = xstrdup(g.gl_pathv[g.gl_pathc - 1]);
		return 0;
	}
	return err_set(err, -ENOENT,
		       "no go here: not in PATH, /usr/local/go/bin or /usr/lib/go-*/bin");
}

const char *gobuild_arch(void)
{
	static struct utsname u;

	if (uname(&u) < 0)
		return "unknown";
	if (strcmp(u.machine, "x86_64") == 0)
		return "amd64";
	if (strcmp(u.machine, "aarch64") == 0)
		return "arm64";
	return u.machine;
}

/* The environment of go, as an array of owned strings. */
struct env {
	size_t n;
	char *v[GOBUILD_ENV + 1];
};

static void env_done(struct env *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i]);
}

static void env_set(struct env *e, const char *name, const char *value)
{
	if (value && e->n < GOBUILD_ENV)
		e->v[e->n++] = xasprintf("%s=%s", name, value);
}

static void env_fill(struct env *e, const struct gobuild_spec *spec)
{
	/* what decides where modules come from and where they are kept; nothing else of
	 * ours reaches the build */
	static const char *const passed[] = {
		"PATH",	       "GOPROXY",     "GOSUMDB",    "GONOSUMDB",
		"GONOPROXY",   "GOPRIVATE",   "GOMODCACHE", "GOCACHE",
		"GOPATH",      "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY",
		"https_proxy", "http_proxy",  "no_proxy",   "SSL_CERT_FILE",
	};
	const char *home = getenv("HOME");

	env_set(e, "LC_ALL", "C");
	env_set(e, "TZ", "UTC");
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		env_set(e, passed[i], getenv(passed[i]));
	env_set(e, "HOME", home && home[0] == '/' ? home : spec->dir);
	env_set(e, "CGO_ENABLED", "0");
	env_set(e, "GOTOOLCHAIN", spec->go);
	env_set(e, "GOFLAGS", "-buildvcs=false");
	env_set(e, "GOBIN", spec->dir);
}

/* The program's name is the module path's last part that is no version suffix. */
static char *binary_path(const struct gobuild_spec *spec)
{
	const char *end = spec->module + strlen(spec->module);
	const char *start = end;

	while (start > spec->module && start[-1] != '/')
		start--;
	if (start > spec->module && start[0] == 'v' && start[1] >= '2' &&
	    start[1] <= '9') {
		end = start - 1;
		start = end;
		while (start > spec->module && start[-1] != '/')
			start--;
	}
	return xasprintf("%s/%.*s", spec->dir, (int)(end - start), start);
}

/* The last lines of what go said, on one line. */
static int build_failed(int log_fd, const struct proc_end *end, struct err *err)
{
	char tail[GOBUILD_TAIL_BYTES + 1] = "";
	off_t size = lseek(log_fd, 0, SEEK_END);
	off_t from = size > GOBUILD_TAIL_BYTES ? size - GOBUILD_TAIL_BYTES : 0;
	ssize_t n = pread(log_fd, tail, GOBUILD_TAIL_BYTES, from);

	while (n > 0 && tail[n - 1] == '\n')
		n--;
	tail[n > 0 ? n : 0] = '\0';
	for (char *p = tail; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	if (end->signal)
		return err_set(err, -EIO, "go install was ended by signal %d: %s",
			       end->signal, tail);
	return err_set(err, -EIO, "go install ended with status %d: %s", end->exit_status,
		       tail);
}

/* Run the child to its end, its output in @log_fd; 0 only when it exited with 0. */
static int build_wait(struct proc_spec *child, const struct gobuild_spec *spec,
		      int log_fd, struct err *err)
{
	struct proc proc = {0};
	struct proc_end end = {0};
	int r;

	child->stdout_fd = log_fd;
	child->stderr_fd = log_fd;
	r = proc_spawn(child, &proc, err);
	if (r < 0)
		return r;
	r = proc_wait(&proc, spec->deadline_ns, spec->cancel_fd, &end, err);
	if (r < 0 || !end.exited)
		proc_kill_tree(&proc, NULL);
	if (r < 0)
		return r;
	if (end.cancelled)
		return err_set(err, -ECANCELED, "stopped");
	if (end.timed_out)
		return err_set(err, -ETIMEDOUT, "did not end in time");
	return end.exit_status == 0 ? 0 : build_failed(log_fd, &end, err);
}

int gobuild_run(const struct gobuild_spec *spec, char **ret_path, struct err *err)
{
	cleanup_free char *go = NULL;
	cleanup_free char *flags =
		xasprintf("-X %s/common.gcsfuseVersion=%s", spec->module, spec->version);
	cleanup_free char *target = xasprintf("%s@%s", spec->module, spec->version);
	cleanup_free char *path = binary_path(spec);
	cleanup_free char *log = xasprintf("%s/build.log", spec->dir);
	cleanup_close int log_fd = -1;
	struct env env cleanup(env_done) = {0};
	const char *argv[] = {"go",  "install", "-trimpath", "-ldflags",
			      flags, target,	NULL};
	struct proc_spec child = {
		.argv = argv, .envp = (const char *const *)env.v, .cwd = spec->dir};
	int r;

	r = gobuild_find_go(&go, err);
	if (r < 0)
		return r;
	log_fd = open(log, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (log_fd < 0)
		return err_errno(err, -errno, "%s", log);
	child.path = go;
	env_fill(&env, spec);
	r = build_wait(&child, spec, log_fd, err);
	if (r < 0)
		return err_wrap(err, r, "build of %s", target);
	if (access(path, X_OK) < 0)
		return err_errno(err, -errno, "build of %s left no %s", target, path);
	*ret_path = steal_ptr(path);
	return 0;
}

void gobuild_key(const char *module, const char *version, const char *h1, const char *go,
		 const char *os, const char *arch, char out[GOBUILD_KEY_CAP])
{
	cleanup_free char *text =
		xasprintf("%s\n%s\n%s\n%s\n%s\n%s\n%s\n", module, version, h1 ? h1 : "",
			  go, GOBUILD_RECIPE, os, arch);
	char sum[DIGEST_CAP];

	digest_bytes(text, strlen(text), sum);
	sum[GOBUILD_KEY_CAP - 1] = '\0';
	str_copy(out, GOBUILD_KEY_CAP, sum);
}

static json_t *text_or_null(const char *s)
{
	return s[0] ? json_text(s) : json_null();
}

int gobuild_info_dump(const struct gobuild_info *info, struct str *ret, struct err *err)
{
	cleanup_json json_t *doc = json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "schema",
		"muster/binary/1", "key", info->key, "sha256", info->sha256, "bytes",
		json_u64(info->bytes), "module", text_or_null(info->module), "version",
		text_or_null(info->version), "go", text_or_null(info->go), "recipe",
		text_or_null(info->recipe), "os", info->os, "arch", info->arch);

	if (!doc)
		return err_set(err, -EINVAL, "gcsfuse.json: a value is not UTF-8");
	return json_dump(doc, ret, err);
}

int gobuild_info_parse(const char *text, size_t n, struct gobuild_info *ret,
		       struct err *err)
{
	cleanup_json json_t *doc = NULL;
	const char *key = "", *sha256 = "", *module = "", *version = "", *go = "";
	const char *recipe = "", *os = "", *arch = "";
	struct json_in in;
	int r;

	r = json_load(text, n, GOBUILD_JSON_MAX_BYTES, "gcsfuse.json", &doc, err);
	if (r < 0)
		return r;
	*ret = (struct gobuild_info){0};
	json_in_init(&in, doc, JSON_RECORDS, "gcsfuse.json", NULL, err);
	json_in_schema(&in, "binary", 1);
	json_in_str(&in, "key", JSON_MUST, &key);
	json_in_str(&in, "sha256", JSON_MUST, &sha256);
	json_in_u64(&in, "bytes", JSON_MAY, &ret->bytes);
	json_in_str(&in, "module", JSON_MAY, &module);
	json_in_str(&in, "version", JSON_MAY, &version);
	json_in_str(&in, "go", JSON_MAY, &go);
	json_in_str(&in, "recipe", JSON_MAY, &recipe);
	json_in_str(&in, "os", JSON_MAY, &os);
	json_in_str(&in, "arch", JSON_MAY, &arch);
	if (!str_is_hex(key, GOBUILD_KEY_CAP - 1))
		json_in_fail(&in, "key", "is not 24 hex digits");
	if (!str_is_hex(sha256, DIGEST_CAP - 1))
		json_in_fail(&in, "sha256", "is not 64 hex digits");
	if (!str_copy(ret->key, sizeof(ret->key), key) ||
	    !str_copy(ret->sha256, sizeof(ret->sha256), sha256) ||
	    !str_copy(ret->module, sizeof(ret->module), module) ||
	    !str_copy(ret->version, sizeof(ret->version), version) ||
	    !str_copy(ret->go, sizeof(ret->go), go) ||
	    !str_copy(ret->recipe, sizeof(ret->recipe), recipe) ||
	    !str_copy(ret->os, sizeof(ret->os), os) ||
	    !str_copy(ret->arch, sizeof(ret->arch), arch))
		json_in_fail(&in, "key", "stands beside a text that is too long");
	return json_in_end(&in);
}
