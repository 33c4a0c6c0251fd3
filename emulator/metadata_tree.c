// SPDX-License-Identifier: Apache-2.0
// Values by path.
#include "emulator/metadata_tree.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"

enum { TOKEN_S = 3599, MTU = 1460 };

static json_t *text_of(const char *fmt, const char *value)
{
	cleanup_free char *text = xasprintf("%s%s", fmt, value);

	return json_text(text);
}

static json_t *interfaces(const struct emu_instance *in, const char *ip)
{
	char mac[18];

	/* Google's prefix for virtual machines, then what tells them apart */
	snprintf(mac, sizeof(mac), "42:01:%02x:%02x:%02x:%02x",
		 (unsigned)(in->id >> 24 & 0xff), (unsigned)(in->id >> 16 & 0xff),
		 (unsigned)(in->id >> 8 & 0xff), (unsigned)(in->id & 0xff));
	return json_pack("[{s:s, s:s, s:i}]", "ip", ip, "mac", mac, "mtu", MTU);
}

static json_t *accounts(const struct emu_instance *in)
{
	json_t *token = json_pack("{s:s, s:i, s:s}", "access_token", in->token,
				  "expires_in", TOKEN_S, "token_type", "Bearer");
	cleanup_free char *email =
		xasprintf("muster@%s.iam.gserviceaccount.com", in->project);

	return json_pack("{s:{s:[s], s:o, s:[s], s:o}}", "default", "aliases", "default",
			 "email", json_text(email), "scopes",
			 "https://www.googleapis.com/auth/devstorage.read_write", "token",
			 token);
}

static json_t *instance(const struct emu_instance *in, const char *ip)
{
	cleanup_free char *hostname =
		xasprintf("%s.c.%s.internal", in->name, in->project);
	json_t *v = json_object();

	json_object_set_new(v, "attributes", json_deep_copy(in->attributes));
	if (in->cpu_platform)
		json_object_set_new(v, "cpu-platform", json_text(in->cpu_platform));
	json_object_set_new(v, "hostname", json_text(hostname));
	json_object_set_new(v, "id", json_u64(in->id));
	if (in->image)
		json_object_set_new(v, "image", json_text(in->image));
	json_object_set_new(v, "machine-type",
			    text_of("projects/1/machineTypes/", in->machine_type));
	json_object_set_new(v, "maintenance-event", json_string("NONE"));
	json_object_set_new(v, "name", json_text(in->name));
	json_object_set_new(v, "network-interfaces", interfaces(in, ip));
	json_object_set_new(v, "preempted",
			    json_string(in->is_preempted ? "TRUE" : "FALSE"));
	json_object_set_new(v, "service-accounts", accounts(in));
	json_object_set_new(v, "zone", text_of("projects/1/zones/", in->zone));
	return v;
}

json_t *emu_metadata_tree(const struct emu_instance *in, const char *ip)
{
	json_t *project =
		json_pack("{s:{}, s:i, s:o}", "attributes", "numeric-project-id", 1,
			  "project-id", json_text(in->project));

	return json_pack("{s:o, s:o, s:{s:s}}", "instance", instance(in, ip), "project",
			 project, "universe", "universe-domain", "googleapis.com");
}

/* A place in the tree. Below attributes/ every name is the user's own. */
struct node {
	const json_t *v;
	bool is_attributes, is_token;
};

static struct node child_of(struct node n, const char *key)
{
	struct node child = {.is_attributes = n.is_attributes};
	uint64_t i;

	if (json_is_array(n.v)) {
		if (parse_u64(key, &i, NULL) == 0)
			child.v = json_array_get(n.v, (size_t)i);
		return child;
	}
	child.v = json_object_get(n.v, key);
	child.is_token = !n.is_attributes && strcmp(key, "token") == 0;
	child.is_attributes |= strcmp(key, "attributes") == 0;
	return child;
}

static bool is_directory(struct node n)
{
	if (json_is_array(n.v))
		return json_is_object(json_array_get(n.v, 0));
	return json_is_object(n.v) && !n.is_token;
}

static struct node find(const json_t *tree, const char *path)
{
	struct node n = {.v = tree};
	size_t len;

	for (; n.v && *path; path += len + (path[len] == '/')) {
		cleanup_free char *key = NULL;

		len = strcspn(path, "/");
		key = xstrndup(path, len);
		n = is_directory(n) ? child_of(n, key) : (struct node){0};
	}
	return n;
}

static char *camel_case(const char *key)
{
	char *out = xstrdup(key), *to = out;

	for (const char *from = key; *from; from++)
		*to++ = *from == '-' && from[1] ? (char)toupper((unsigned char)*++from)
						: *from;
	*to = '\0';
	return out;
}

/* All below a directory as JSON has it; depth is the tree's own, four at most. */
static json_t *recursive(struct node n)
{
	const char *key;
	json_t *v, *out;
	size_t i;

	if (!is_directory(n))
		return json_deep_copy(n.v);
	if (json_is_array(n.v)) {
		out = json_array();
		json_array_foreach (n.v, i, v)
			json_array_append_new(out, recursive((struct node){.v = v}));
		return out;
	}
	out = json_object();
	json_object_foreach ((json_t *)n.v, key, v) {
		cleanup_free char *name =
			n.is_attributes ? xstrdup(key) : camel_case(key);
		struct node child = child_of(n, key);

		if (!child.is_token)
			json_object_set_new(out, name, recursive(child));
	}
	return out;
}

static void add_json(struct str *s, json_t *v)
{
	char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

	str_add(s, text ? text : "null");
	free(text);
	json_decref(v);
}

/* "name/" for a directory. */
static void add_name(struct str *s, struct node child, const char *key)
{
	str_addf(s, "%s%s\n", key, is_directory(child) ? "/" : "");
}

static void add_listing(struct str *s, struct node n)
{
	const char *key;
	json_t *v;

	for (size_t i = 0; json_is_array(n.v) && i < json_array_size(n.v); i++)
		str_addf(s, "%zu/\n", i);
	json_object_foreach ((json_t *)n.v, key, v)
		add_name(s, child_of(n, key), key);
}

static void add_value(struct str *s, const json_t *v)
{
	json_t *item;
	size_t i;

	if (json_is_string(v))
		str_add(s, json_string_value(v));
	else if (json_is_integer(v))
		str_addf(s, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	json_array_foreach (v, i, item)
		str_addf(s, "%s\n", json_string_value(item));
}

/* The names in a directory as an array of text. */
static json_t *listing_json(struct node n)
{
	cleanup_str struct str text = STR_INIT(EMU_METADATA_MAX);
	json_t *out = json_array();

	add_listing(&text, n);
	for (const char *p = str_text(&text); *p;) {
		size_t len = strcspn(p, "\n");

		json_array_append_new(out, json_stringn(p, len));
		p += len + 1;
	}
	return out;
}

bool emu_metadata_render(const json_t *tree, const char *path,
			 enum emu_metadata_form form, struct str *ret, bool *ret_is_json)
{
	struct node n = find(tree, path);
	bool is_dir = is_directory(n);

	if (!n.v)
		return false;
	*ret_is_json = n.is_token || form == EMU_METADATA_JSON ||
		       (form == EMU_METADATA_RECURSIVE && is_dir);
	if (form == EMU_METADATA_RECURSIVE && is_dir)
		add_json(ret, recursive(n));
	else if (*ret_is_json)
		add_json(ret, is_dir ? listing_json(n) : json_deep_copy(n.v));
	else if (is_dir)
		add_listing(ret, n);
	else
		add_value(ret, n.v);
	return true;
}

void emu_metadata_etag(const struct str *body, char out[EMU_METADATA_ETAG_CAP])
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (size_t i = 0; i < body->len; i++)
		hash = (hash ^ (unsigned char)body->s[i]) * 0x100000001b3u;
	snprintf(out, EMU_METADATA_ETAG_CAP, "%016" PRIx64, hash);
}
