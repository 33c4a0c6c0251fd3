// SPDX-License-Identifier: Apache-2.0
// gcsfuse's command line: our flags, the arm's, and what of them moves to the workspace.
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "core/str.h"
#include "worker/mount.h"
#include "worker/mount_impl.h"

/* gcsfuse takes one dash or two, and '_' for '-'. Length of the name and what follows it.
 */
static bool arg_is_flag(const char *arg, const char *name, const char **ret_rest)
{
	const char *p = arg;

	if (*p != '-')
		return false;
	p += p[1] == '-' ? 2 : 1;
	for (; *name; name++, p++)
		if (*p != *name && !(*p == '_' && *name == '-'))
			return false;
	if (*p && *p != '=')
		return false;
	*ret_rest = p;
	return true;
}

char *mount_arg_value(const struct arm *arm, const char *name)
{
	const char *value = NULL, *rest;

	for (size_t i = 0; i < arm->n_args; i++) {
		if (!arg_is_flag(arm->args[i], name, &rest))
			continue;
		if (*rest)
			value = rest + 1;
		else if (i + 1 < arm->n_args)
			value = arm->args[++i];
	}
	return value ? xstrdup(value) : NULL;
}

/* The text after `key:` on one line without its comment. */
static char *yaml_line_value(const char *line, size_t n, const char *key)
{
	size_t len = strlen(key);
	const char *hash = memchr(line, '#', n), *end = hash ? hash : line + n, *p = line;

	for (; p + len < end; p++) {
		const char *after = p + len;

		if (memcmp(p, key, len) != 0 ||
		    (p > line && (isalnum(p[-1]) || p[-1] == '-')))
			continue;
		while (after < end && strchr(" \"'", *after))
			after++;
		if (after == end || *after != ':')
			continue;
		for (after++; after < end && strchr(" \t\"'", *after);)
			after++;
		for (p = after; p < end && !strchr(" \t\r\"',}", *p);)
			p++;
		return xstrndup(after, (size_t)(p - after));
	}
	return NULL;
}

char *mount_yaml_value(const char *text, const char *key)
{
	char *value = NULL;

	while (text && *text && !value) {
		size_t n = strcspn(text, "\n");

		value = yaml_line_value(text, n, key);
		text += n + (text[n] == '\n');
	}
	return value;
}

static bool wants_grpc(const struct arm *arm)
{
	cleanup_free char *flag = mount_arg_value(arm, "client-protocol");
	cleanup_free char *yaml = mount_yaml_value(arm->config_file, "client-protocol");

	return flag ? !strcasecmp(flag, "grpc") : yaml && !strcasecmp(yaml, "grpc");
}

static void add(struct mount_args *a, char *arg)
{
	a->argv = xrealloc(a->argv, a->n + 2, sizeof(*a->argv));
	a->argv[a->n++] = arg;
	a->argv[a->n] = NULL;
}

static void add_endpoint(struct mount_args *a, const char *endpoint)
{
	size_t n = strlen(endpoint);

	while (n > 0 && endpoint[n - 1] == '/')
		n--;
	add(a, xasprintf("--custom-endpoint=%.*s/storage/v1/", (int)n, endpoint));
	add(a, xstrdup("--anonymous-access"));
	add(a, xstrdup("--enable-hns=false"));
	add(a, xstrdup("--client-protocol=http1"));
}

/* What an arm puts somewhere on the machine goes below the step's folder instead. */
static void add_arm(struct mount_args *a, const struct arm *arm)
{
	const char *rest;

	for (size_t i = 0; i < arm->n_args; i++) {
		const char *arg = arm->args[i];
		bool is_cache = arg_is_flag(arg, "cache-dir", &rest);

		if (!is_cache && !arg_is_flag(arg, "temp-dir", &rest)) {
			add(a, xstrdup(arg));
			continue;
		}
		if (!*rest)
			i++;
		add(a, is_cache ? xasprintf("--cache-dir=%s", a->cache_dir)
				: xasprintf("--temp-dir=%s", a->temp_dir));
	}
}

int mount_argv(const struct mount_spec *spec, struct mount_args *ret, struct err *err)
{
	const struct arm *arm = spec->arm;
	cleanup_free char *flag_cache = mount_arg_value(arm, "cache-dir");
	cleanup_free char *yaml_cache = mount_yaml_value(arm->config_file, "cache-dir");
	struct mount_args a = {0};

	if (spec->data->endpoint && wants_grpc(arm))
		return err_set(err, -EINVAL,
			       "arm %s asks for grpc, which an emulated data store (%s) "
			       "does not speak",
			       arm->label, spec->data->endpoint);
	add(&a, xstrdup("gcsfuse"));
	add(&a, xstrdup("--foreground"));
	add(&a, xstrdup("--log-format=json"));
	add(&a, xstrdup("--log-severity=info"));
	if (spec->data->endpoint)
		add_endpoint(&a, spec->data->endpoint);
	else if (spec->data->auth == STORE_AUTH_ANONYMOUS)
		add(&a, xstrdup("--anonymous-access"));
	if (arm->config_file) {
		a.config_path = xasprintf("%s/gcsfuse.yaml", spec->step_dir);
		add(&a, xasprintf("--config-file=%s", a.config_path));
	}
	/* staged writes go to /tmp otherwise; a flag wins over the same key in the file
	 */
	a.temp_dir = xasprintf("%s/temp", spec->step_dir);
	add(&a, xasprintf("--temp-dir=%s", a.temp_dir));
	if ((flag_cache && *flag_cache) || (yaml_cache && *yaml_cache))
		a.cache_dir = xasprintf("%s/cache", spec->step_dir);
	if (a.cache_dir && yaml_cache)
		add(&a, xasprintf("--cache-dir=%s", a.cache_dir));
	add_arm(&a, arm);
	add(&a, xstrdup(spec->data->bucket));
	add(&a, xstrdup(spec->point));
	*ret = a;
	return 0;
}

void mount_args_done(struct mount_args *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->argv[i]);
	free(a->argv);
	free(a->cache_dir);
	free(a->temp_dir);
	free(a->config_path);
	*a = (struct mount_args){0};
}
