// SPDX-License-Identifier: Apache-2.0
// "arms": what to mount, pinned by content.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/orders.h"

enum { ARM_ARGS_MAX = 1000, ARM_ENV_MAX = 1000 };

static const char *const kind_names[] = {[ARM_GCSFUSE] = "gcsfuse", [ARM_DIR] = "dir"};
static const char *const role_names[] = {
	[ROLE_NONE] = NULL,
	[ROLE_BUILD] = "build",
	[ROLE_WAIT] = "wait",
	[ROLE_FETCH] = "fetch",
};

const char *arm_kind_name(enum arm_kind k)
{
	return (unsigned)k < ARRAY_SIZE(kind_names) ? kind_names[k] : "?";
}

/* module, version and go become arguments of `go install` and parts of its URLs */
static bool is_module(const char *s)
{
	return prefix_is_valid(s) && s[0] && s[0] != '-' &&
	       !strpbrk(s, "=+@"); /* what prefixes may have and module paths not */
}

static bool is_version(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			     "0123456789.+-");

	return n >= 1 && n <= 128 && !s[n] && s[0] != '-' && !strstr(s, "..");
}

static bool is_go(const char *s)
{
	size_t n;

	if (!str_starts(s, "go1."))
		return false;
	s += 4;
	n = strspn(s, "0123456789");
	if (n < 1 || n > 4)
		return false;
	if (!s[n])
		return true;
	s += n + 1;
	n = strspn(s, "0123456789");
	return s[-1] == '.' && n >= 1 && n <= 4 && !s[n];
}

static bool is_h1(const char *s)
{
	size_t n = strlen(s);

	return str_starts(s, "h1:") && n > 3 && n <= 64 &&
	       strspn(s + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			     "0123456789+/=") == n - 3;
}

static bool is_commit(const char *s)
{
	return str_is_hex(s, 40);
}

static bool has_no_dotdot(const char *s)
{
	return !path_has_dotdot(s);
}

static void pins_in(struct json_in *in, struct arm *ret)
{
	field_str(in, "requested", JSON_NULLABLE, has_no_dotdot, "free of \"..\"",
		  &ret->requested);
	field_str(in, "module", JSON_NULLABLE, is_module, "a Go module's path",
		  &ret->module);
	field_str(in, "version", JSON_NULLABLE, is_version, "a module's version",
		  &ret->version);
	field_str(in, "h1", JSON_NULLABLE, is_h1, "a module's h1: hash", &ret->h1);
	field_str(in, "commit", JSON_NULLABLE, is_commit, "40 hexadecimal digits",
		  &ret->commit);
	field_str(in, "go", JSON_NULLABLE, is_go, "a Go toolchain such as go1.27.2",
		  &ret->go);
	field_str(in, "key", JSON_NULLABLE, is_binary_key, "24 hexadecimal digits",
		  &ret->key);
	field_str(in, "sha256", JSON_NULLABLE, is_sha256, "64 hexadecimal digits",
		  &ret->sha256);
}

static void role_in(struct json_in *in, enum arm_role *ret)
{
	const char *name = NULL;

	json_in_str(in, "role", JSON_NULLABLE, &name);
	for (unsigned i = ROLE_BUILD; name && i < ARRAY_SIZE(role_names); i++)
		if (strcmp(role_names[i], name) == 0)
			*ret = i;
	if (name && *ret == ROLE_NONE)
		json_in_fail(in, "role", "is none of build, wait, fetch");
}

/* What a kind and a role need, and what a plain folder cannot have. */
static void check_kind(struct json_in *in, enum order_kind kind, const struct arm *arm)
{
	if (arm->kind == ARM_DIR) {
		if (arm->module || arm->version || arm->h1 || arm->commit || arm->go ||
		    arm->key || arm->sha256 || arm->role != ROLE_NONE)
			json_in_fail(in, "kind", "a \"dir\" has no pin and no role");
		return;
	}
	if (!arm->key)
		json_in_fail(in, "key", "must not be null for gcsfuse");
	if (kind == ORDER_JOB && arm->role == ROLE_NONE)
		json_in_fail(in, "role", "must not be null for gcsfuse");
	if ((arm->role == ROLE_BUILD || arm->role == ROLE_WAIT) &&
	    (!arm->module || !arm->version || !arm->go))
		json_in_fail(in, "role", "building needs module, version and go");
}

static bool is_env_name(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz_0123456789";

	return *s && !(*s >= '0' && *s <= '9') && strspn(s, letters) == strlen(s);
}

static int by_env(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t n = strcspn(x, "="), m = strcspn(y, "=");
	int r = memcmp(x, y, n < m ? n : m);

	return r ? r : (n > m) - (n < m);
}

static void env_in(struct json_in *in, struct arm *ret)
{
	const json_t *v = NULL;
	const char *name;
	json_t *text;

	json_in_obj(in, "env", JSON_MUST, &v);
	if (!v)
		return;
	if (json_object_size(v) > ARM_ENV_MAX) {
		json_in_fail(in, "env", "more than %d entries", ARM_ENV_MAX);
		return;
	}
	ret->env = xcalloc(json_object_size(v), sizeof(*ret->env));
	json_object_foreach ((json_t *)v, name, text) {
		const char *s = json_string_value(text);
		char shown[EXCERPT_CAP];

		excerpt(shown, name);
		if (!is_env_name(name))
			json_in_fail(in, "env", "\"%s\" is not a variable's name", shown);
		else if (!s || path_has_dotdot(s))
			json_in_fail(in, "env", "%s is not a string free of \"..\"",
				     shown);
		if (in->r < 0)
			return;
		ret->env[ret->n_env++] = xasprintf("%s=%s", name, s);
	}
	if (ret->n_env)
		qsort(ret->env, ret->n_env, sizeof(*ret->env), by_env);
}

/* Arguments may repeat, so field_strings() is not for them. */
static void args_in(struct json_in *in, struct arm *ret)
{
	const json_t *v = orders_array(in, "mount_args", 0, ARM_ARGS_MAX);

	if (!v)
		return;
	ret->args = xcalloc(json_array_size(v), sizeof(*ret->args));
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *s = json_string_value(json_array_get(v, i));

		if (!s || path_has_dotdot(s)) {
			json_in_fail(in, "mount_args",
				     "[%zu] is not a string free of \"..\"", i);
			return;
		}
		ret->args[ret->n_args++] = s;
	}
}

static void arm_in(struct json_in *in, enum order_kind kind, struct arm *ret)
{
	unsigned k = 0;

	field_range(in, "config_id", 0, INT32_MAX, &ret->config_id);
	field_str(in, "label", JSON_MUST, str_is_label,
		  "a label: 1 to 63 of letters, digits and ._+=-", &ret->label);
	field_enum(in, "kind", kind_names, ARRAY_SIZE(kind_names), &k);
	ret->kind = k;
	pins_in(in, ret);
	if (kind == ORDER_JOB)
		role_in(in, &ret->role);
	args_in(in, ret);
	json_in_str(in, "config_file", JSON_NULLABLE, &ret->config_file);
	env_in(in, ret);
	if (in->r == 0)
		check_kind(in, kind, ret);
}

static void check_unique(struct json_in *in, const struct arm *arms, size_t n)
{
	cleanup_free const char **labels = xcalloc(n, sizeof(*labels));
	cleanup_id_set struct id_set ids = {n, xcalloc(n, sizeof(unsigned))};

	for (size_t i = 0; i < n; i++) {
		labels[i] = arms[i].label;
		ids.ids[i] = arms[i].config_id;
	}
	if (has_twins(labels, n))
		json_in_fail(in, "arms", "two have the same label");
	if (!id_set_sort(&ids))
		json_in_fail(in, "arms", "two have the same config_id");
	if (n > 1 && ids.ids[0] == 0)
		json_in_fail(in, "arms", "config_id 0 is for a single arm");
}

void orders_arms_in(struct json_in *in, enum order_kind kind, struct arm **ret,
		    size_t *ret_n)
{
	const json_t *v = orders_array(in, "arms", kind == ORDER_CONFIG, ORDER_ARMS_MAX);

	if (!v)
		return;
	*ret_n = json_array_size(v);
	*ret = xcalloc(*ret_n, sizeof(**ret));
	for (size_t i = 0; i < *ret_n && in->r == 0; i++) {
		char where[WHERE_CAP];
		struct json_in item;

		orders_item(in, "arms", v, i, where, &item);
		arm_in(&item, kind, *ret + i);
		field_sub_end(in, &item);
	}
	if (in->r == 0)
		check_unique(in, *ret, *ret_n);
}

static void env_out(struct json_out *out, const struct arm *arm)
{
	struct json_out env = out_begin();

	for (size_t i = 0; i < arm->n_env; i++) {
		size_t n = strcspn(arm->env[i], "=");
		cleanup_free char *name = xstrndup(arm->env[i], n);

		out_put(&env, name,
			arm->env[i][n] ? json_string(arm->env[i] + n + 1) : NULL);
	}
	out_put(out, "env", env.obj);
}

static json_t *arm_out(const struct arm *arm, enum order_kind kind)
{
	struct json_out out = out_begin();

	out_num(&out, "config_id", arm->config_id);
	out_str(&out, "label", arm->label);
	out_str(&out, "kind", arm_kind_name(arm->kind));
	out_str(&out, "requested", arm->requested);
	out_str(&out, "module", arm->module);
	out_str(&out, "version", arm->version);
	out_str(&out, "h1", arm->h1);
	out_str(&out, "commit", arm->commit);
	out_str(&out, "go", arm->go);
	out_str(&out, "key", arm->key);
	out_str(&out, "sha256", arm->sha256);
	if (kind == ORDER_JOB)
		out_str(&out, "role", role_names[arm->role]);
	out_strings(&out, "mount_args", arm->args, arm->n_args);
	out_str(&out, "config_file", arm->config_file);
	env_out(&out, arm);
	return out.obj;
}

void orders_arms_out(struct json_out *out, enum order_kind kind, const struct arm *arms,
		     size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		array_put(&array, arm_out(&arms[i], kind));
	out_put(out, "arms", array);
}

void orders_arms_free(struct arm *arms, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t e = 0; e < arms[i].n_env; e++)
			free((char *)arms[i].env[e]);
		free(arms[i].env);
		free(arms[i].args);
	}
	free(arms);
}
