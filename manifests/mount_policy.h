// SPDX-License-Identifier: Apache-2.0
// What an arm may say to gcsfuse: flags, configuration file, environment.
#ifndef MANIFESTS_MOUNT_POLICY_H
#define MANIFESTS_MOUNT_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/**
 * mount_args_check() - -EINVAL naming the flag and why it is refused.
 *
 * Refused: what the worker itself sets, what sends data or credentials elsewhere, what
 * writes files of its own or listens, mount options that weaken the host, "--".
 */
int mount_args_check(size_t n, const char *const *args, struct err *err);

/**
 * mount_config_check() - the same for the keys of a configuration file (YAML).
 *
 * Judged line by line: a key of a refused name is refused wherever it stands. Anchors,
 * aliases, tags, several documents and flow mappings are refused, so that no key hides.
 */
int mount_config_check(const char *yaml, struct err *err);

/** mount_env_check() - "NAME=value": -EINVAL for what loads code or moves credentials. */
int mount_env_check(const char *entry, struct err *err);

/** mount_args_ask_grpc() - does an argument ask for the gRPC protocol? */
bool mount_args_ask_grpc(size_t n, const char *const *args);

#endif
