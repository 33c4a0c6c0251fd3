// SPDX-License-Identifier: Apache-2.0
// Pins from a module proxy in a folder, and the small texts they are read from.
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "coordinator/pin.h"
#include "tests/unit/tap.h"

#define MODULE "github.com/googlecloudplatform/gcsfuse"

static char folder[] = "/tmp/muster-pin.XXXXXX";

static void put(const char *name, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", folder, name);
	cleanup_file FILE *file = NULL;

	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	file = fopen(path, "w");
	fputs(text, file);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void test_go_line(void)
{
	static const struct {
		const char *mod, *want;
	} rows[] = {
		{"module x\n\ngo 1.27.2\n", "go1.27.2"},
		{"module x\r\ngo 1.24\r\n", "go1.24.0"},
		{"go 1.21\n", "go1.21.0"},
		{"go 1.20\n", "go1.21.0"},
		{"go 1.16 // comment\n", "go1.21.0"},
		{"go 1.26.5", "go1.26.5"},
		{"module x\ntoolchain go1.30.1\ngo 1.25.1\n", "go1.25.1"},
		{"module x\n", NULL},
		{"go 2.0\n", NULL},
		{"go 1.24rc1\n", NULL},
		{"go \n", NULL},
		{"go 1.x\n", NULL},
		{"go 1.123456\n", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char out[32] = "";
		struct err err = {0};
		int r = pin_go_line(rows[i].mod, out, sizeof(out), &err);

		ok(rows[i].want ? r == 0 && strcmp(out, rows[i].want) == 0
				: r == -EINVAL && !out[0],
		   "go line %zu: %s%s", i, out, err.text);
	}
}

static void test_small(void)
{
	static const char sum[] = "77\n" MODULE "/v3 v3.1.0 h1:AAAA=\n" MODULE
				  "/v3 v3.1.0/go.mod h1:BBBB=\n\ngo.sum database tree\n";
	cleanup_str struct str out = STR_INIT(256);
	char h1[65] = "";

	pin_escape("github.com/GoogleCloud/Xy", &out);
	ok(strcmp(str_text(&out), "github.com/!google!cloud/!xy") == 0, "escaped: %s",
	   str_text(&out));
	ok(pin_sum_line(sum, MODULE "/v3", "v3.1.0", h1, sizeof(h1), NULL) == 0 &&
		   strcmp(h1, "h1:AAAA=") == 0,
	   "the module's hash, not its go.mod's");
	ok(pin_sum_line(sum, MODULE "/v3", "v3.1.1", h1, sizeof(h1), NULL) == -ENOENT,
	   "no hash of another version");
	ok(pin_no_sumdb("x.org,github.com/googlecloud*", MODULE "/v3") &&
		   pin_no_sumdb("*/googlecloudplatform/", MODULE "/v3") &&
		   !pin_no_sumdb("github.com/other,*.corp", MODULE "/v3") &&
		   !pin_no_sumdb("", MODULE) && !pin_no_sumdb(NULL, MODULE),
	   "patterns of GOPRIVATE");
}

static struct pinner pinner_of(const char *goproxy, const char *gosumdb)
{
	return (struct pinner){.goproxy = goproxy, .gosumdb = gosumdb};
}

static void test_resolved(void)
{
	cleanup_free char *proxy = xasprintf("file://%s", folder);
	cleanup_free char *slash = xasprintf("file://%s/", folder);
	cleanup_free char *list =
		xasprintf("file:///nowhere/at/all,file://%s,direct", folder);
	const struct {
		const char *query, *proxy, *module, *version, *go, *commit, *h1;
	} rows[] = {
		{"v3.1.0", proxy, MODULE "/v3", "v3.1.0", "go1.27.2",
		 "0123456789012345678901234567890123456789", "h1:AAAA="},
		{"v3.1.0", slash, MODULE "/v3", "v3.1.0", "go1.27.2",
		 "0123456789012345678901234567890123456789", "h1:AAAA="},
		{"v3.1.0", list, MODULE "/v3", "v3.1.0", "go1.27.2",
		 "0123456789012345678901234567890123456789", "h1:AAAA="},
		{"v2.4.0", proxy, MODULE "/v2", "v2.4.0", "go1.22.0", "", "h1:CCCC="},
		{"v1.2.0", proxy, MODULE, "v1.2.0", "go1.21.0", "", "h1:DDDD="},
		{"topic", proxy, MODULE "/v3", "v3.1.0", "go1.27.2", "", "h1:AAAA="},
		{"old", proxy, MODULE, "v1.2.0", "go1.21.0", "", "h1:DDDD="},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pinner pinner = pinner_of(rows[i].proxy, "sum.example");
		struct pin pin = {0};
		struct err err = {0};
		int r = pin_resolve(&pinner, rows[i].query, &pin, &err);

		ok(r == 0 && strcmp(pin.module, rows[i].module) == 0 &&
			   strcmp(pin.version, rows[i].version) == 0 &&
			   strcmp(pin.go, rows[i].go) == 0 &&
			   strcmp(pin.commit, rows[i].commit) == 0 &&
			   strcmp(pin.h1, rows[i].h1) == 0 && str_is_hex(pin.key, 24),
		   "%s: %s %s %s %s%s", rows[i].query, pin.module, pin.version, pin.go,
		   pin.key, err.text);
	}
}

static void test_unresolved(void)
{
	cleanup_free char *proxy = xasprintf("file://%s", folder);
	cleanup_free char *off = xasprintf("file:///nowhere,off,%s", proxy);
	const struct {
		const char *query, *proxy, *want;
		int r;
	} rows[] = {
		{"v3.9.9", proxy, "No such file", -ENOENT},
		{"main", proxy, "--pin main=", -ENOENT},
		{"v3.1.0", "off", "GOPROXY=off", -EINVAL},
		{"v3.1.0", off, "GOPROXY=off", -EINVAL},
		{"v3.1.0", "direct", "needs git", -EINVAL},
		{"v3.1.0", "file:///nowhere,direct", "No such file", -ENOENT},
		{"v3.1.0", "ftp://x", "is not a URL", -EINVAL},
		{"", proxy, "no version", -EINVAL},
		{"feature/x", proxy, "--pin feature/x=VERSION", -EINVAL},
		{"../x", proxy, "cannot be asked", -EINVAL},
		{"v3.2.0", proxy, "go.mod", -EINVAL},
		{"v3.3.0", proxy, "is none", -EINVAL},
		{"v3.4.0", proxy, "Version", -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pinner pinner = pinner_of(rows[i].proxy, "off");
		struct pin pin = {0};
		struct err err = {0};
		int r = pin_resolve(&pinner, rows[i].query, &pin, &err);

		ok(r == rows[i].r && strstr(err.text, rows[i].want) && !pin.key[0],
		   "not \"%s\" from %zu: %s", rows[i].query, i, err.text);
	}
}

static void test_no_hash(void)
{
	cleanup_free char *proxy = xasprintf("file://%s", folder);
	struct pinner pinner = pinner_of(proxy, "off");
	struct pin with = {0}, without = {0};

	ok(pin_resolve(&pinner, "v3.1.0", &without, NULL) == 0 && !without.h1[0],
	   "GOSUMDB=off: no hash");
	pinner.gosumdb = "sum.example";
	pin_resolve(&pinner, "v3.1.0", &with, NULL);
	ok(strcmp(with.key, without.key) != 0, "the hash is part of the key");
	pinner.gonosumdb = "github.com/googlecloudplatform";
	pin_resolve(&pinner, "v3.1.0", &with, NULL);
	ok(!with.h1[0] && strcmp(with.key, without.key) == 0, "nor with GONOSUMDB");
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	put(MODULE "/v3/@v/v3.1.0.info",
	    "{\"Version\":\"v3.1.0\",\"Time\":\"2026-01-01T00:00:00Z\",\"Origin\":{"
	    "\"VCS\":"
	    "\"git\",\"Hash\":\"0123456789012345678901234567890123456789\"}}");
	put(MODULE "/v3/@v/topic.info", "{\"Version\":\"v3.1.0\"}");
	put(MODULE "/v3/@v/v3.1.0.mod", "module " MODULE "/v3\n\ngo 1.27.2\n");
	put(MODULE "/v3/@v/v3.2.0.info", "{\"Version\":\"v3.2.0\"}");
	put(MODULE "/v3/@v/v3.2.0.mod", "module x\n");
	put(MODULE "/v3/@v/v3.3.0.info", "{\"Version\":\"../x\"}");
	put(MODULE "/v3/@v/v3.4.0.info", "{}");
	put(MODULE "/v2/@v/v2.4.0.info", "{\"Version\":\"v2.4.0\"}");
	put(MODULE "/v2/@v/v2.4.0.mod", "go 1.22\n");
	put(MODULE "/@v/v1.2.0.info", "{\"Version\":\"v1.2.0\"}");
	put(MODULE "/@v/old.info", "{\"Version\":\"v1.2.0\"}");
	put(MODULE "/@v/v1.2.0.mod", "go 1.16\n");
	put("sumdb/sum.example/lookup/" MODULE "/v3@v3.1.0",
	    "1\n" MODULE "/v3 v3.1.0 h1:AAAA=\n");
	put("sumdb/sum.example/lookup/" MODULE "/v2@v2.4.0",
	    "2\n" MODULE "/v2 v2.4.0 h1:CCCC=\n");
	put("sumdb/sum.example/lookup/" MODULE "@v1.2.0",
	    "3\n" MODULE " v1.2.0 h1:DDDD=\n");
	test_go_line();
	test_small();
	test_resolved();
	test_unresolved();
	test_no_hash();
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return done_testing();
}
