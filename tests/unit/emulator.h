// SPDX-License-Identifier: Apache-2.0
// The emulator as a child of a test program.
#ifndef TESTS_UNIT_EMULATOR_H
#define TESTS_UNIT_EMULATOR_H

#include <stdbool.h>
#include <string.h>

#include "core/clock.h"
#include "core/proc.h"
#include "core/str.h"

struct emulator {
	struct proc proc;
	char url[128];
};

/* $BUILD/muster-emulator, or where a program in build/tests/unit/ finds it. */
static inline char *emulator_path(const char *argv0)
{
	const char *build = getenv("BUILD");
	const char *slash = strrchr(argv0, '/');

	if (build)
		return xasprintf("%s/muster-emulator", build);
	return xasprintf("%.*s/../../muster-emulator", slash ? (int)(slash - argv0) : 1,
			 slash ? argv0 : ".");
}

/* With a bucket "data"; false when there is no emulator. */
static inline bool emulator_start(const char *argv0, struct emulator *ret)
{
	cleanup_free char *path = emulator_path(argv0);
	const char *const argv[] = {"muster-emulator", "--bucket", "data", NULL};
	struct proc_spec spec = {.path = path, .argv = argv};
	int fds[2];
	ssize_t n;

	if (access(path, X_OK) < 0 || pipe(fds) < 0)
		return false;
	spec.stdout_fd = fds[1];
	if (proc_spawn(&spec, &ret->proc, NULL) < 0)
		return false;
	close(fds[1]);
	n = read(fds[0], ret->url, sizeof(ret->url) - 1);
	close(fds[0]);
	ret->url[n > 0 ? n : 0] = '\0';
	ret->url[strcspn(ret->url, "\n")] = '\0';
	return n > 0;
}

static inline void emulator_stop(struct emulator *e)
{
	proc_kill_tree(&e->proc, NULL);
}

/* rm -rf of a test's own folder. */
static inline void emulator_remove(const char *dir)
{
	const char *const argv[] = {"rm", "-rf", "--one-file-system", dir, NULL};
	struct proc_spec spec = {.path = "/bin/rm", .argv = argv};
	cleanup_str struct str out = STR_INIT(4096);
	struct proc_end end;

	proc_run_capture(&spec, clock_mono_ns() + 10LL * NS_PER_S, &out, &end, NULL);
}

#endif
