// SPDX-License-Identifier: Apache-2.0
// Scope cleanup: release a local resource when its variable goes out of scope.
// Declare and initialise in one statement; never mix with goto in one function.
#ifndef CORE_CLEANUP_H
#define CORE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free_fn(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_fn(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file_fn(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define cleanup_free cleanup(cleanup_free_fn)
#define cleanup_close cleanup(cleanup_close_fn)
#define cleanup_file cleanup(cleanup_file_fn)

static inline void *steal_ptr_fn(void *p)
{
	void **pp = p;
	void *v = *pp;

	*pp = NULL;
	return v;
}

static inline int steal_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

/* Hand a cleaned-up pointer over to the caller: `return steal_ptr(p);` */
#define steal_ptr(p) ((__typeof__(p))steal_ptr_fn(&(p)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
