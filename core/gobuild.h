// SPDX-License-Identifier: Apache-2.0
// The build recipe of gcsfuse, bit-reproducible, and what is said of a binary.
#ifndef CORE_GOBUILD_H
#define CORE_GOBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/digest.h"
#include "core/err.h"
#include "core/str.h"

/*
 * Recipe v1: CGO_ENABLED=0 GOTOOLCHAIN=<go> GOFLAGS=-buildvcs=false go install -trimpath
 * -ldflags "-X <module>/common.gcsfuseVersion=<version>" <module>@<version>. Two builds
 * with separate caches give one sha256. A change of any part of it is a new recipe id,
 * and so a new key.
 */
#define GOBUILD_RECIPE "muster-go-1"

enum { GOBUILD_KEY_CAP = 25, GOBUILD_JSON_MAX_BYTES = 64 << 10 };

/** struct gobuild_spec - borrowed. */
struct gobuild_spec {
	const char *module;  /* github.com/googlecloudplatform/gcsfuse/v3 */
	const char *version; /* v3.13.0, or a pseudo-version */
	const char *go;	     /* toolchain, go1.27.2 */
	const char *dir;     /* absolute, exists: GOBIN, and HOME where HOME is not set */
	int64_t deadline_ns; /* CLOCK_MONOTONIC */
	int cancel_fd;	     /* readable = stop the build (-ECANCELED); -1 = none */
};

/**
 * gobuild_run() - build; the path of the binary, inside spec->dir.
 *
 * @ret_path: the caller's malloc'd memory
 *
 * -ENOENT: no go here. -ETIMEDOUT, -ECANCELED. -EIO: go failed; the text is the last
 * lines it printed (all of it stays in <dir>/build.log). proc_init() comes first, main
 * thread only. No shell is involved; from our environment only GOPROXY, GOSUMDB,
 * GONOSUMDB, GOPRIVATE, GOMODCACHE, GOCACHE, HOME, PATH and proxy settings are passed on.
 */
int gobuild_run(const struct gobuild_spec *spec, char **ret_path, struct err *err);

/** gobuild_find_go() - PATH, /usr/local/go/bin, the newest /usr/lib/go-*; -ENOENT. */
int gobuild_find_go(char **ret_path, struct err *err);

/** gobuild_arch() - this machine in Go's words: amd64, arm64; else uname's. */
const char *gobuild_arch(void);

/** gobuild_key() - first 24 hex of sha256 over the six parts and the recipe's id, each
 * ended by a newline. @h1: NULL = not known ("") */
void gobuild_key(const char *module, const char *version, const char *h1, const char *go,
		 const char *os, const char *arch, char out[GOBUILD_KEY_CAP]);

/** struct gobuild_info - gcsfuse.json beside a binary; "" = null. */
struct gobuild_info {
	char key[GOBUILD_KEY_CAP];
	char sha256[DIGEST_CAP];
	uint64_t bytes;
	char module[256], version[128], go[32];
	char recipe[32]; /* "" for a binary that was handed in */
	char os[16], arch[16];
};

/** gobuild_info_dump() - the document's text, appended to @ret. */
int gobuild_info_dump(const struct gobuild_info *info, struct str *ret, struct err *err);
/** gobuild_info_parse() - lenient; key and sha256 must be there. */
int gobuild_info_parse(const char *text, size_t n, struct gobuild_info *ret,
		       struct err *err);

#endif
