// SPDX-License-Identifier: Apache-2.0
// The allow-list of fio options as a table.
#include "manifests/fio_policy.h"

#include <errno.h>
#include <string.h>

#include "core/cleanup.h"

#define OPT(option, kind, reason) {#option, #option, kind, NULL, reason},
#define ALIAS(option, of, kind) {#option, #of, kind, NULL, "another name of " #of},
#define WORDS(option, list, reason) {#option, #option, FIO_WORDS, list, reason},
#define ALIAS_WORDS(option, of, list) {#option, #of, FIO_WORDS, list, "as " #of},
static const struct fio_option options[] = {
#include "manifests/fio_options.def"
};
#undef OPT
#undef ALIAS
#undef WORDS
#undef ALIAS_WORDS

/* What --allow-option cannot name: ways to run code, to leave the folder, to change the
 * host, to lose data other steps share, or to make figures that cannot be compared. */
static const char *const never[] = {
	"exec_*",
	"include*",
	"name",
	"opendir",
	"read_iolog*",
	"write_iolog",
	"merge_blktrace*",
	"replay_*",
	"ioscheduler",
	"cgroup*",
	"uid",
	"gid",
	"profile",
	"allow_mounted_write",
	"lockfile",
	"verify_*",
	"do_verify",
	"unlink*",
	"create_only",
	"fill_device",
	"fill_fs",
	"kb_base",
	"unified_rw_reporting",
	"gtod_reduce",
	"disable_lat",
	"stats",
	"continue_on_error",
	"ignore_error",
	NULL,
};

struct fio_policy fio_policy_default(const char *const *allowed, size_t n_allowed,
				     const char *directory)
{
	return (struct fio_policy){
		.options = options,
		.n_options = ARRAY_SIZE(options),
		.never = never,
		.allowed = allowed,
		.n_allowed = n_allowed,
		.directory = directory,
	};
}

int fio_policy_may_allow(const char *name, struct err *err)
{
	struct fio_policy policy = fio_policy_default(NULL, 0, NULL);
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (!n || name[n] || n > 63)
		return err_set(err, -EINVAL, "\"%.60s\" is not the name of a fio option",
			       name);
	if (fio_policy_bars(&policy, name))
		return err_set(err, -EINVAL, "fio option %s can never be let through",
			       name);
	return 0;
}
