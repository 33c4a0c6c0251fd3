// SPDX-License-Identifier: Apache-2.0
// What an arm may say to gcsfuse.
#include "manifests/mount_policy.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "core/str.h"
#include "manifests/paths.h"

static const struct {
	const char *flag; /* as on the command line */
	const char *why;
} refused[] = {
	{"foreground", "the worker must be the parent of gcsfuse"},
	{"log-file", "the worker keeps the log"},
	{"config-file", "use the column config_file"},
	{"custom-endpoint", "it would send the data elsewhere"},
	{"endpoint", "it would send the data elsewhere"},
	{"key-file", "credentials are the operator's"},
	{"token-url", "credentials are the operator's"},
	{"reuse-token-from-url", "credentials are the operator's"},
	{"anonymous-access", "the data store decides that"},
	{"prometheus-port", "nothing listens on a worker"},
	{"kernel-params-file", "it would write a file of its own"},
	{"insights-file", "it would write a file of its own"},
	{"workload-insight-output-file", "it would write a file of its own"},
	{"help", "nothing would be mounted"},
	{"version", "nothing would be mounted"},
};

/* Parts of names that no flag of a benchmark has: releases add flags of their own. */
static const char *const refused_parts[] = {"output-file", "socket", "params-file"};

/* The same in a configuration file, besides the flags' names. */
static const char *const refused_keys[] = {"file-path", "only-dir-file", "token-url",
					   "output-file"};

/* A flag's name in one spelling: lower case, '-' for '_', no dashes before it. */
static char *plain_name(const char *text, size_t n)
{
	char *name = xstrndup(text, n);

	for (char *p = name; *p; p++)
		*p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
	return name;
}

static int check_name(const char *name, const char *shown, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (strcmp(name, refused[i].flag) == 0)
			return err_set(err, -EINVAL, "%s%s is refused: %s", shown, name,
				       refused[i].why);
	for (size_t i = 0; i < ARRAY_SIZE(refused_parts); i++)
		if (strstr(name, refused_parts[i]))
			return err_set(err, -EINVAL,
				       "%s%s is refused: files and sockets of a worker "
				       "are the worker's",
				       shown, name);
	return 0;
}

/* "-o a,b=c": options of the mount itself. */
static int check_mount_options(const char *text, struct err *err)
{
	static const char *const bad[] = {"suid", "dev", "exec"};

	while (*text) {
		size_t n = strcspn(text, ",");

		for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
			if (strlen(bad[i]) == n && strncasecmp(bad[i], text, n) == 0)
				return err_set(err, -EINVAL,
					       "mount option %s is refused: it weakens "
					       "the host",
					       bad[i]);
		text += n + (text[n] == ',');
	}
	return 0;
}

static bool is_dotdot_dir(const char *name, const char *value)
{
	return strcmp(name, "only-dir") == 0 && value && path_has_dotdot(value);
}

/* One argument; @next is the value when none is behind a '='. */
static int check_arg(const char *arg, const char *next, struct err *err)
{
	bool is_long = str_starts(arg, "--");
	const char *text = arg + (is_long ? 2 : 1);
	size_t n = strcspn(text, "=");
	const char *value = text[n] ? text + n + 1 : next;
	cleanup_free char *name = NULL;
	int r;

	if (!*text && is_long)
		return err_set(err, -EINVAL,
			       "-- is refused: the worker's own arguments "
			       "follow");
	/* "-oallow_other", "-o=x", "-o x", "--o x" */
	if (!is_long && text[0] == 'o')
		return check_mount_options(text[1] == '=' ? text + 2
					   : text[1]	  ? text + 1
					   : next	  ? next
							  : "",
					   err);
	name = plain_name(text, n);
	r = check_name(name, is_long ? "--" : "-", err);
	if (r == 0 && strcmp(name, "o") == 0 && value)
		r = check_mount_options(value, err);
	if (r == 0 && is_dotdot_dir(name, value))
		r = err_set(err, -EINVAL, "--only-dir with \"..\" is refused");
	return r;
}

int mount_args_check(size_t n, const char *const *args, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (path_has_dotdot(args[i]))
			r = err_set(err, -EINVAL, "\"..\" in %.80s is refused", args[i]);
		else if (args[i][0] == '-' && args[i][1])
			r = check_arg(args[i], i + 1 < n ? args[i + 1] : NULL, err);
	}
	return r;
}

/* The key a line of YAML begins with, past "- " and quotes; "" if it has none. */
static char *key_of(const char *line)
{
	size_t n;

	line += strspn(line, " \t-\"'");
	n = strcspn(line, ":\"'");
	if (!line[n])
		n = 0;
	while (n && line[n - 1] == ' ')
		n--;
	return plain_name(line, n);
}

static int check_yaml_line(const char *line, unsigned number, struct err *err)
{
	cleanup_free char *key = key_of(line);
	struct err why = {0};
	const char *value = strchr(line, ':');
	int r;

	if (line[strspn(line, " ")] == '#' || !line[strspn(line, " \t")])
		return 0;
	if (strpbrk(line, "{}&*!?|>\t\\") || str_starts(line, "---") ||
	    str_starts(line, "..."))
		return err_set(err, -EINVAL,
			       "line %u: only plain \"key: value\" lines are read: none "
			       "of { } & * ! ? | > \\ or tabs",
			       number);
	r = check_name(key, "", &why);
	for (size_t i = 0; i < ARRAY_SIZE(refused_keys) && r == 0; i++)
		if (strcmp(key, refused_keys[i]) == 0)
			r = err_set(&why, -EINVAL, "%s is refused", key);
	if (r == 0 && value) {
		cleanup_free char *text = xstrdup(value + 1 + strspn(value + 1, " \"'"));

		text[strcspn(text, " \"'")] = '\0';
		if (is_dotdot_dir(key, text))
			r = err_set(&why, -EINVAL, "only-dir with \"..\" is refused");
	}
	return r < 0 ? err_set(err, r, "line %u: %s", number, why.text) : 0;
}

int mount_config_check(const char *yaml, struct err *err)
{
	unsigned number = 0;
	int r = 0;

	while (*yaml && r == 0) {
		size_t n = strcspn(yaml, "\r\n");
		cleanup_free char *line = xstrndup(yaml, n);

		r = check_yaml_line(line, ++number, err);
		yaml += n;
		yaml += str_starts(yaml, "\r\n") ? 2 : *yaml ? 1 : 0;
	}
	return r;
}

int mount_env_check(const char *entry, struct err *err)
{
	static const char *const bad[] = {
		"LD_",	    "GOOGLE_",	  "GCE_",	  "CLOUDSDK_", "STORAGE_EMULATOR",
		"SSL_CERT", "HTTP_PROXY", "HTTPS_PROXY",  "ALL_PROXY", "NO_PROXY",
		"PATH=",    "HOME=",	  "GODEBUG=http", "MUSTER_",
	};
	size_t n = strspn(entry, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789_");

	if (!n || entry[n] != '=' || isdigit((unsigned char)entry[0]))
		return err_set(err, -EINVAL, "\"%.60s\" is not NAME=value", entry);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (strncasecmp(entry, bad[i], strlen(bad[i])) == 0)
			return err_set(err, -EINVAL,
				       "variable %.*s is refused: it moves credentials, "
				       "data or code",
				       (int)n, entry);
	if (path_has_dotdot(entry))
		return err_set(err, -EINVAL, "\"..\" in variable %.*s is refused", (int)n,
			       entry);
	return 0;
}

bool mount_args_ask_grpc(size_t n, const char *const *args)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *arg = plain_name(args[i], strlen(args[i]));

		if (strcmp(arg, "--client-protocol=grpc") == 0 ||
		    (strcmp(arg, "--client-protocol") == 0 && i + 1 < n &&
		     strcasecmp(args[i + 1], "grpc") == 0))
			return true;
	}
	return false;
}
