// SPDX-License-Identifier: Apache-2.0
// Who this worker is.
#include "worker/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/auth.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/log.h"

enum {
	IDENTITY_FILE_MAX_BYTES = 64 << 10,
	METADATA_MAX_BYTES = 4096,
	METADATA_S = 20,
	METADATA_FACTS_S = 5,
	SOURCES = 4,
};

void identity_part_done(struct identity_part *part)
{
	free(part->run);
	free(part->worker);
	free(part->endpoint);
	free(part->debug);
	*part = (struct identity_part){0};
}

void identity_done(struct identity *id)
{
	free(id->workspace);
	free(id->endpoint);
	*id = (struct identity){0};
}

static bool is_yes(const char *text)
{
	return text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0 ||
			strcmp(text, "yes") == 0 || strcmp(text, "TRUE") == 0);
}

int identity_merge(const struct identity_part *parts, size_t n, struct identity *ret,
		   struct err *err)
{
	const char *run = NULL, *worker = NULL, *endpoint = NULL, *debug = NULL;
	cleanup_str struct str url = STR_INIT(sizeof(ret->url) - 1);
	int r;

	for (size_t i = 0; i < n; i++) {
		run = run ? run : parts[i].run;
		worker = worker ? worker : parts[i].worker;
		endpoint = endpoint ? endpoint : parts[i].endpoint;
		debug = debug ? debug : parts[i].debug;
	}
	ret->debug = ret->debug || is_yes(debug);
	if (!run)
		return err_set(err, -EINVAL,
			       "no run: give --run gs://bucket/run, run_url in "
			       "/etc/muster/worker.json, or the metadata attribute "
			       "muster-run");
	if (!worker)
		return err_set(err, -EINVAL,
			       "no worker name: give --worker NAME, worker in "
			       "/etc/muster/worker.json, or the metadata attribute "
			       "muster-worker");
	r = run_ref_parse(run, &ret->run, err);
	if (r < 0)
		return r;
	if (!str_is_rfc1035(worker) || !str_copy(ret->worker, WORKER_CAP, worker))
		return err_set(err, -EINVAL,
			       "worker name \"%.80s\" is no RFC 1035 label: lower-case "
			       "letters, digits and '-', at most 63, a letter first",
			       worker);
	run_ref_url(&ret->run, &url);
	str_copy(ret->url, sizeof(ret->url), str_text(&url));
	ret->endpoint = endpoint ? xstrdup(endpoint) : NULL;
	return 0;
}

/* A small file without its final newline. */
static int read_small(const char *path, size_t max, struct str *ret, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char block[4096];
	ssize_t n;

	if (fd < 0)
		return err_errno(err, -errno, "%s", path);
	while ((n = read(fd, block, sizeof(block))) > 0 && ret->len < max)
		str_addn(ret, block, (size_t)n);
	if (n < 0)
		return err_errno(err, -errno, "%s", path);
	while (ret->len > 0 && ret->s[ret->len - 1] == '\n')
		ret->s[--ret->len] = '\0';
	return str_check(ret, path, err);
}

/* Of a file that is refused: whoever wants to look at this machine finds it running. */
static bool says_debug(const struct str *text)
{
	cleanup_json json_t *doc = NULL;

	return json_load(str_text(text), text->len, IDENTITY_FILE_MAX_BYTES, "file", &doc,
			 NULL) == 0 &&
	       json_is_true(json_object_get(doc, "debug"));
}

int identity_file(const char *path, struct identity_part *ret, struct err *err)
{
	cleanup_str struct str text = STR_INIT(IDENTITY_FILE_MAX_BYTES);
	struct vm_config c = {0};
	int r;

	r = read_small(path, IDENTITY_FILE_MAX_BYTES, &text, err);
	if (r == -ENOENT)
		err_clear(err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = vm_config_parse(str_text(&text), text.len, &c, err);
	if (r < 0) {
		ret->debug = says_debug(&text) ? xstrdup("true") : NULL;
		return err_wrap(err, r, "%s", path);
	}
	ret->run = c.run_url ? xstrdup(c.run_url) : NULL;
	ret->worker = c.worker ? xstrdup(c.worker) : NULL;
	ret->endpoint = c.endpoint ? xstrdup(c.endpoint) : NULL;
	ret->debug = c.debug ? xstrdup("true") : NULL;
	vm_config_done(&c);
	return 0;
}

/* One metadata value as the caller's text; NULL where there is none. */
static int metadata_text(struct http *http, const char *path, int64_t deadline_ns,
			 char **ret, struct err *err)
{
	cleanup_str struct str text = STR_INIT(METADATA_MAX_BYTES);
	int r;

	*ret = NULL;
	r = metadata_get(http, path, METADATA_MAX_BYTES, deadline_ns, -1, &text, err);
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return err_wrap(err, r, "asking for %s", path);
	*ret = str_steal(&text);
	return 0;
}

/* What is nice to know; the last part of "projects/1/zones/europe-west4-a". All of it
 * together takes no longer than METADATA_FACTS_S. */
static void ask_facts(struct http *http, struct identity *id)
{
	const struct {
		const char *path;
		char *out;
		size_t cap;
	} facts[] = {
		{"instance/id", id->instance_id, sizeof(id->instance_id)},
		{"instance/machine-type", id->machine_type, sizeof(id->machine_type)},
		{"instance/zone", id->zone, sizeof(id->zone)},
		{"instance/image", id->image, sizeof(id->image)},
		{"instance/cpu-platform", id->cpu_platform, sizeof(id->cpu_platform)},
	};
	int64_t deadline_ns = clock_mono_ns() + (int64_t)METADATA_FACTS_S * NS_PER_S;

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		cleanup_free char *text = NULL;
		struct err err = {0};
		const char *last;

		if (metadata_text(http, facts[i].path, deadline_ns, &text, &err) < 0)
			log_line(LOG_WARN, "%s", err.text);
		if (!text)
			continue;
		last = strrchr(text, '/');
		str_copy(facts[i].out, facts[i].cap, last ? last + 1 : text);
	}
}

static int ask_metadata(struct identity_part *attrs, struct identity_part *instance,
			struct identity *id, struct err *err)
{
	const struct {
		const char *path;
		char **dest;
	} values[] = {
		{"instance/attributes/muster-run", &attrs->run},
		{"instance/attributes/muster-worker", &attrs->worker},
		{"instance/attributes/muster-endpoint", &attrs->endpoint},
		{"instance/attributes/muster-debug", &attrs->debug},
		{"instance/name", &instance->worker},
	};
	cleanup_http struct http *http = NULL;
	int r = http_new(&http, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(values); i++)
		r = metadata_text(http, values[i].path,
				  clock_mono_ns() + (int64_t)METADATA_S * NS_PER_S,
				  values[i].dest, err);
	if (r == 0)
		ask_facts(http, id);
	return r;
}

/* The command line: the two words of the short form become one URL. */
static void from_flags(const struct identity_flags *flags, struct identity_part *ret)
{
	const char *bucket = flags->bucket;

	ret->worker = flags->worker ? xstrdup(flags->worker) : NULL;
	if (!flags->run)
		return;
	if (!bucket)
		ret->run = xstrdup(flags->run);
	else if (str_starts(bucket, "gs://"))
		ret->run = xasprintf("%s%s%s", bucket, str_ends(bucket, "/") ? "" : "/",
				     flags->run);
	else
		ret->run = xasprintf("gs://%s/%s", bucket, flags->run);
}

static int make_workspace(const char *wanted, struct identity *id, struct err *err)
{
	const char *path = wanted ? wanted : "/var/lib/muster";
	char absolute[PATH_MAX];

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "workspace %s", path);
	if (!realpath(path, absolute))
		return err_errno(err, -errno, "workspace %s", path);
	/* fio and the kernel's tables give these a meaning in a path */
	if (strpbrk(absolute, ":;#$\\ \t\n\"'"))
		return err_set(err, -EINVAL,
			       "workspace %s: blanks, quotes and any of :;#$\\ cannot be "
			       "used in its path",
			       absolute);
	id->workspace = xstrdup(absolute);
	return 0;
}

void identity_machine(const char *machine_id, const char *workspace,
		      char out[INSTANCE_CAP])
{
	cleanup_free char *text = xasprintf("%s\n%s", machine_id, workspace);
	char sum[DIGEST_CAP];

	digest_bytes(text, strlen(text), sum);
	str_copy(out, INSTANCE_CAP, sum);
}

static void machine_facts(struct identity *id)
{
	cleanup_str struct str boot = STR_INIT(256);
	cleanup_str struct str machine = STR_INIT(256);

	if (read_small("/proc/sys/kernel/random/boot_id", 256, &boot, NULL) == 0)
		str_copy(id->boot_id, sizeof(id->boot_id), str_text(&boot));
	if (id->instance_id[0])
		return;
	if (read_small("/etc/machine-id", 256, &machine, NULL) < 0)
		log_line(LOG_DEBUG, "no /etc/machine-id: the workspace path alone tells "
				    "this machine from others");
	identity_machine(str_text(&machine), id->workspace, id->instance_id);
}

static const char *file_path(void)
{
#ifdef MUSTER_TESTING
	const char *other = getenv("MUSTER_VM_FILE");

	if (other)
		return other;
#endif
	return "/etc/muster/worker.json";
}

static void parts_done(struct identity_part (*parts)[SOURCES])
{
	for (size_t i = 0; i < SOURCES; i++)
		identity_part_done(&(*parts)[i]);
}

static int ask_sources(const struct identity_flags *flags,
		       struct identity_part parts[SOURCES], struct identity *id,
		       struct err *err)
{
	struct err why = {0};
	int r, asked;

	from_flags(flags, &parts[0]);
	r = identity_file(file_path(), &parts[1], err);
	if (!metadata_is_here())
		return r;
	id->is_on_gce = true;
	/* after a bad file too: debug may be said here */
	asked = ask_metadata(&parts[2], &parts[3], id, &why);
	if (asked == 0 || r < 0)
		return r;
	/* started by hand with everything said: the server is not needed */
	if (parts[0].run && parts[0].worker) {
		log_line(LOG_WARN, "%s", why.text);
		return 0;
	}
	return err_set(err, asked, "%s", why.text);
}

int identity_find(const struct identity_flags *flags, struct identity *ret,
		  struct err *err)
{
	struct identity_part parts[SOURCES] cleanup(parts_done) = {0};
	int r, merged;

	*ret = (struct identity){.debug = flags->debug, .power_off = flags->power_off};
	r = ask_sources(flags, parts, ret, err);
	/* after an error for debug alone */
	merged = identity_merge(parts, ARRAY_SIZE(parts), ret, r < 0 ? NULL : err);
	r = r < 0 ? r : merged;
	if (r == 0)
		r = make_workspace(flags->workspace, ret, err);
	if (r < 0)
		return r;
	if (!ret->endpoint)
		ret->endpoint = store_endpoint_from_env();
	machine_facts(ret);
	return 0;
}
