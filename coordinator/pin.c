// SPDX-License-Identifier: Apache-2.0
// Pins: one GET each to a module proxy and the checksum database.
#include "coordinator/pin.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"

#define GCSFUSE_MODULE "github.com/googlecloudplatform/gcsfuse"
#define GOPROXY_DEFAULT "https://proxy.golang.org,direct"
#define GOSUMDB_DEFAULT "sum.golang.org"

enum { REPLY_MAX_BYTES = 4 << 20 };

struct pinner pinner_from_env(struct http *http)
{
	const char *no_sumdb = getenv("GONOSUMDB");

	return (struct pinner){
		.http = http,
		.goproxy = getenv("GOPROXY"),
		.gosumdb = getenv("GOSUMDB"),
		.gonosumdb = no_sumdb ? no_sumdb : getenv("GOPRIVATE"),
	};
}

void pin_escape(const char *text, struct str *ret)
{
	for (; *text; text++) {
		if (isupper((unsigned char)*text))
			str_addc(ret, '!');
		str_addc(ret, (char)tolower((unsigned char)*text));
	}
}

/* A file:// document: -ENOENT is a proxy's 404. */
static int get_file(const char *path, struct str *body, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char block[4096];
	ssize_t n;

	if (fd < 0)
		return err_errno(err, -errno, "%s", path);
	while ((n = read(fd, block, sizeof(block))) > 0)
		str_addn(body, block, (size_t)n);
	return n < 0 ? err_errno(err, -errno, "%s", path) : str_check(body, path, err);
}

/* One document; -ENOENT: the server has none (404, 410). */
static int get_url(const struct pinner *pinner, const char *url, struct str *body,
		   struct err *err)
{
	long status = 0;
	int r;

	str_reset(body);
	if (str_starts(url, "file://"))
		return get_file(url + strlen("file://"), body, err);
	r = http_get(pinner->http, url, REPLY_MAX_BYTES, body, &status, err);
	if (r < 0)
		return err_wrap(err, r, "%.200s", url);
	if (status == 404 || status == 410)
		return err_set(err, -ENOENT, "%.200s: %ld: %.200s", url, status,
			       str_text(body));
	if (status != 200)
		return err_set(err, -EAGAIN, "%.200s: status %ld", url, status);
	return 0;
}

/* struct proxies - walks $GOPROXY: "a,b|c,off". */
struct proxies {
	const char *next;
	char *entry;
	char separator; /* behind @entry: ',' '|' or NUL */
};

static bool next_proxy(struct proxies *list)
{
	size_t n;

	free(list->entry);
	list->entry = NULL;
	list->next += strspn(list->next, ",| ");
	if (!*list->next)
		return false;
	n = strcspn(list->next, ",|");
	list->entry = xstrndup(list->next, n);
	list->next += n;
	list->separator = *list->next;
	for (n = strlen(list->entry); n && strchr("/ ", list->entry[n - 1]); n--)
		list->entry[n - 1] = '\0';
	return true;
}

static void proxies_done(struct proxies *list)
{
	free(list->entry);
}

static int check_proxy(const char *entry, struct err *err)
{
	if (strcmp(entry, "off") == 0)
		return err_set(err, -EINVAL, "GOPROXY=off: no module may be looked up");
	if (strcmp(entry, "direct") == 0)
		return err_set(err, -EINVAL,
			       "GOPROXY has only \"direct\" left, which needs git: name "
			       "a module proxy, or use --binary");
	if (!str_starts(entry, "https://") && !str_starts(entry, "http://") &&
	    !str_starts(entry, "file://"))
		return err_set(err, -EINVAL, "GOPROXY: \"%.80s\" is not a URL", entry);
	return 0;
}

/*
 * @path of the first proxy that has it; @ret_proxy says which. As Go: after ',' the next
 * one is asked only when this one has none (404, 410), after '|' on any failure.
 */
static int get_proxied(const struct pinner *pinner, const char *path, struct str *body,
		       char **ret_proxy, struct err *err)
{
	const char *all =
		pinner->goproxy && *pinner->goproxy ? pinner->goproxy : GOPROXY_DEFAULT;
	cleanup(proxies_done) struct proxies list = {.next = all};
	struct err why = {.code = -EINVAL, .text = "GOPROXY is empty"};

	while (next_proxy(&list)) {
		cleanup_free char *url = xasprintf("%s/%s", list.entry, path);
		struct err one = {0};
		int r = check_proxy(list.entry, &one);

		/* what an earlier proxy answered says more than "direct" */
		if (r < 0 && strcmp(list.entry, "direct") == 0 && why.code == -ENOENT)
			break;
		if (r == 0)
			r = get_url(pinner, url, body, &one);
		if (r == 0) {
			if (ret_proxy)
				*ret_proxy = xstrdup(list.entry);
			return 0;
		}
		why = one;
		if (r != -ENOENT && list.separator != '|')
			break;
	}
	return err_set(err, why.code, "%s", why.text);
}

static int read_info(const struct str *body, struct pin *pin, struct err *err)
{
	cleanup_json json_t *doc = NULL;
	const char *version = NULL, *hash = NULL;
	const json_t *origin = NULL;
	struct json_in in;
	int r = json_load(body->s, body->len, REPLY_MAX_BYTES, "the proxy's answer", &doc,
			  err);

	if (r < 0)
		return r;
	json_in_init(&in, doc, JSON_RECORDS, "the proxy's answer", NULL, err);
	json_in_str(&in, "Version", JSON_MUST, &version);
	json_in_any(&in, "Origin", JSON_MAY, &origin);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	if (!str_copy(pin->version, sizeof(pin->version), version) || version[0] != 'v' ||
	    strpbrk(version, "/ \\"))
		return err_set(err, -EINVAL, "the proxy's version \"%.60s\" is none",
			       version);
	hash = json_string_value(json_object_get(origin, "Hash"));
	if (hash && str_is_hex(hash, 40))
		str_copy(pin->commit, sizeof(pin->commit), hash);
	return 0;
}

int pin_go_line(const char *mod, char *out, size_t cap, struct err *err)
{
	unsigned minor = 0;
	size_t n, digits;

	while (!str_starts(mod, "go ")) {
		mod = strchr(mod, '\n');
		if (!mod++)
			return err_set(err, -EINVAL, "go.mod has no go line");
	}
	mod += 3 + strspn(mod + 3, " \t");
	n = strcspn(mod, " \t\r\n/");
	digits = str_starts(mod, "1.") ? strspn(mod + 2, "0123456789") : 0;
	if (!digits || digits > 4 || n > 20)
		return err_set(err, -EINVAL, "go.mod's go line \"%.20s\" is unknown",
			       mod);
	for (size_t i = 0; i < digits; i++)
		minor = minor * 10 + (unsigned)(mod[2 + i] - '0');
	/* no toolchain of today's recipe is older; "go 1.22" means 1.22.0 since 1.21 */
	if (minor < 21)
		snprintf(out, cap, "go1.21.0");
	else if (2 + digits == n)
		snprintf(out, cap, "go1.%u.0", minor);
	else if (mod[2 + digits] == '.' &&
		 strspn(mod + 3 + digits, "0123456789") == n - 3 - digits)
		snprintf(out, cap, "go%.*s", (int)n, mod);
	else
		return err_set(err, -EINVAL, "go.mod asks for %.*s, not a release",
			       (int)n, mod);
	return 0;
}

int pin_sum_line(const char *text, const char *module, const char *version, char *out,
		 size_t cap, struct err *err)
{
	cleanup_free char *begin = xasprintf("%s %s ", module, version);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		cleanup_free char *hash = NULL;

		p += *p == '\n';
		if (!str_starts(p, begin))
			continue;
		p += strlen(begin);
		hash = xstrndup(p, strcspn(p, " \r\n"));
		if (str_starts(hash, "h1:") && str_copy(out, cap, hash))
			return 0;
	}
	return err_set(err, -ENOENT, "the checksum database has no %s@%s", module,
		       version);
}

/* As Go's module.MatchPrefixPatterns: a glob against as many leading path elements. */
static bool pattern_takes(const char *pattern, const char *module)
{
	size_t slashes = 0, n = 0;
	cleanup_free char *prefix = NULL;

	for (const char *p = pattern; *p; p++)
		slashes += *p == '/';
	for (; module[n] && (module[n] != '/' || slashes--); n++)
		;
	prefix = xstrndup(module, n);
	return fnmatch(pattern, prefix, FNM_PATHNAME) == 0;
}

bool pin_no_sumdb(const char *patterns, const char *module)
{
	while (patterns && *patterns) {
		size_t n = strcspn(patterns, ",");
		cleanup_free char *pattern = xstrndup(patterns, n);

		for (; *pattern && pattern[strlen(pattern) - 1] == '/';)
			pattern[strlen(pattern) - 1] = '\0';
		if (*pattern && pattern_takes(pattern, module))
			return true;
		patterns += n + (patterns[n] == ',');
	}
	return false;
}

static int read_sum(const struct pinner *pinner, const char *proxy, const char *path,
		    struct pin *pin, struct err *err)
{
	const char *db =
		pinner->gosumdb && *pinner->gosumdb ? pinner->gosumdb : GOSUMDB_DEFAULT;
	cleanup_free char *name = xstrndup(db, strcspn(db, "+ "));
	cleanup_free char *via = xasprintf("%s/sumdb/%s/%s", proxy, name, path);
	cleanup_free char *direct = xasprintf("https://%s/%s", name, path);
	cleanup_str struct str body = STR_INIT(REPLY_MAX_BYTES);
	struct err why = {0};
	int r;

	if (strcmp(name, "off") == 0 || pin_no_sumdb(pinner->gonosumdb, pin->module))
		return 0;
	/* a proxy may pass the database on; if not, it is asked itself */
	r = get_url(pinner, via, &body, &why);
	if (r < 0) {
		err_clear(&why);
		r = get_url(pinner, direct, &body, &why);
	}
	if (r == 0)
		r = pin_sum_line(str_text(&body), pin->module, pin->version, pin->h1,
				 sizeof(pin->h1), &why);
	if (r < 0)
		return err_set(err, r,
			       "checksum database: %s (GOSUMDB=off does without it)",
			       why.text);
	return 0;
}

static int resolve_module(const struct pinner *pinner, const char *module,
			  const char *query, struct pin *ret, struct err *err)
{
	cleanup_str struct str path = STR_INIT(2048), body = STR_INIT(REPLY_MAX_BYTES);
	cleanup_free char *proxy = NULL;
	struct pin pin = {0};
	size_t base;
	int r;

	str_copy(pin.module, sizeof(pin.module), module);
	pin_escape(module, &path);
	str_add(&path, "/@v/");
	base = path.len;
	pin_escape(query, &path);
	str_add(&path, ".info");
	r = get_proxied(pinner, str_text(&path), &body, &proxy, err);
	if (r == 0)
		r = read_info(&body, &pin, err);
	if (r < 0)
		return r;
	path.s[path.len = base] = '\0';
	pin_escape(pin.version, &path);
	str_add(&path, ".mod");
	r = get_proxied(pinner, str_text(&path), &body, NULL, err);
	if (r == 0)
		r = pin_go_line(str_text(&body), pin.go, sizeof(pin.go), err);
	if (r < 0)
		return r;
	str_reset(&path);
	str_add(&path, "lookup/");
	pin_escape(module, &path);
	str_addc(&path, '@');
	pin_escape(pin.version, &path);
	r = read_sum(pinner, proxy, str_text(&path), &pin, err);
	if (r < 0)
		return r;
	gobuild_key(pin.module, pin.version, pin.h1[0] ? pin.h1 : NULL, pin.go, "linux",
		    gobuild_arch(), pin.key);
	*ret = pin;
	return 0;
}

/* The module of a version by its first number; NULL: not a version. */
static const char *module_of(const char *query)
{
	uint64_t major = 0;
	size_t n = query[0] == 'v' ? strspn(query + 1, "0123456789") : 0;
	cleanup_free char *digits = xstrndup(query + (n ? 1 : 0), n);

	if (!n || query[1 + n] != '.' || parse_u64(digits, &major, NULL) < 0)
		return NULL;
	return major < 2    ? GCSFUSE_MODULE
	       : major == 2 ? GCSFUSE_MODULE "/v2"
	       : major == 3 ? GCSFUSE_MODULE "/v3"
			    : NULL;
}

static int check_query(const char *query, struct err *err)
{
	size_t n = strspn(query, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789._+-");

	if (!*query)
		return err_set(err, -EINVAL, "no version is given");
	if (query[n] || n > 128 || strstr(query, "..") || query[0] == '-' ||
	    query[0] == '.')
		return err_set(err, -EINVAL,
			       "a module proxy cannot be asked for that name: "
			       "--pin %.60s=VERSION says what it stands for",
			       query);
	return 0;
}

int pin_resolve(const struct pinner *pinner, const char *query, struct pin *ret,
		struct err *err)
{
	static const char *const modules[] = {GCSFUSE_MODULE "/v3", GCSFUSE_MODULE "/v2",
					      GCSFUSE_MODULE};
	const char *module = module_of(query);
	struct err why = {0};
	int r = check_query(query, err);

	if (r < 0)
		return r;
	if (module)
		return resolve_module(pinner, module, query, ret, err);
	r = -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(modules) && r == -ENOENT; i++) {
		err_clear(&why);
		r = resolve_module(pinner, modules[i], query, ret, &why);
	}
	if (r == -ENOENT)
		return err_set(err, r,
			       "%s (a proxy need not answer for branches: "
			       "--pin %.60s=v3.13.0 names a release)",
			       why.text, query);
	return r < 0 ? err_set(err, r, "%s", why.text) : 0;
}
