// SPDX-License-Identifier: Apache-2.0
// What split is given: test cases, mount configs and the fio template, read and judged.
#ifndef COORDINATOR_INPUTS_H
#define COORDINATOR_INPUTS_H

#include <stddef.h>

#include "core/digest.h"
#include "core/err.h"
#include "core/fio_job.h"
#include "core/str.h"
#include "manifests/job.h"

enum { CONFIG_FILE_MAX_BYTES = 256 << 10 };

/** struct inputs_opts - borrowed from the command line. */
struct inputs_opts {
	const char *tests_path, *fio_path;
	const char *configs_path;	  /* NULL: one arm from the next two */
	const char *gcsfuse, *mount_args; /* --gcsfuse, --mount-args */
	enum arm_kind kind;		  /* of arms that do not say */
	const char *data_bucket;	  /* what a column "bucket" may say */
	unsigned timeout_s;
	const char *const *allowed; /* --allow-option */
	size_t n_allowed;
};

/** struct input_file - one of the three, byte for byte. */
struct input_file {
	struct str text;
	char sha256[DIGEST_CAP]; /* "" when there is no such input */
};

/** struct inputs - read and judged; inputs_done() releases it. */
struct inputs {
	struct input_file tests, configs, fio;
	size_t n_cases, n_arms;
	struct test_case *cases;
	struct fio_facts *facts; /* per case */
	struct arm *arms;	 /* not pinned */
	const char **binaries;	 /* per arm: column "binary", or NULL */
	size_t n_kept;
	void **kept; /* what the texts above live in */
};

/**
 * inputs_read() - everything that can be judged without a network.
 *
 * -EINVAL and the like with "file:line: why" naming the field; @ret only on success.
 */
int inputs_read(const struct inputs_opts *opts, struct inputs *ret, struct err *err);
void inputs_done(struct inputs *inputs);
#define cleanup_inputs cleanup(inputs_done)

/** inputs_keep() - @text is freed with the inputs; returns it. */
char *inputs_keep(struct inputs *inputs, char *text);

/** inputs_read_file() - a whole file, at most @max_bytes; errors name it. */
int inputs_read_file(const char *path, size_t max_bytes, struct str *ret,
		     struct err *err);

/** For inputs.c: the two tables. */
int inputs_cases(const struct inputs_opts *opts, struct inputs *in, struct err *err);
int inputs_arms(const struct inputs_opts *opts, struct inputs *in, struct err *err);

#endif
