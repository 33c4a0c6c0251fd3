// SPDX-License-Identifier: Apache-2.0
// One instance: its document in and out.
#include <arpa/inet.h>
#include <string.h>

#include "core/json.h"
#include "core/str.h"
#include "emulator/instances.h"

enum { ATTRIBUTE_KEY_MAX = 128 };

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* An address in the one way inet_ntop() writes it; NULL when it is none. */
static char *canonical(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char out[INET6_ADDRSTRLEN];

	for (int i = 0; i < 2; i++) {
		int family = i ? AF_INET6 : AF_INET;

		if (inet_pton(family, text, bytes) == 1 &&
		    inet_ntop(family, bytes, out, sizeof(out)))
			return xstrdup(out);
	}
	return NULL;
}

/* A value of one line. */
static void read_word(struct json_in *in, const char *key, const char *fallback,
		      char **ret)
{
	const char *text = fallback;

	json_in_str(in, key, JSON_MAY, &text);
	if (text && !*text)
		json_in_fail(in, key, "must not be empty");
	for (const char *c = text; c && *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			json_in_fail(in, key, "control character");
	*ret = copy(text);
}

static void read_id(struct json_in *in, uint64_t *ret)
{
	const json_t *v = NULL;
	const char *text;
	uint64_t id = 0;

	json_in_any(in, "id", JSON_MAY, &v);
	if (!v || json_is_null(v))
		return;
	text = json_string_value(v);
	if (json_is_integer(v) && json_integer_value(v) > 0)
		*ret = (uint64_t)json_integer_value(v);
	else if (text && parse_u64(text, &id, NULL) == 0 && id && id <= INT64_MAX)
		*ret = id;
	else
		json_in_fail(in, "id", "not a number from 1 to 2^63 - 1, or its digits");
}

static bool is_attribute_key(const char *key)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = strlen(key);

	return n && n <= ATTRIBUTE_KEY_MAX && strspn(key, allowed) == n;
}

static void read_attributes(struct json_in *in, json_t **ret)
{
	cleanup_str struct str where = STR_INIT(1024);
	const json_t *found = NULL;
	const char *key;
	json_t *v;

	*ret = json_object();
	json_in_obj(in, "attributes", JSON_MAY, &found);
	json_object_foreach ((json_t *)found, key, v) {
		str_reset(&where);
		str_add(&where, "attributes.");
		str_add_escaped(&where, key, strnlen(key, ATTRIBUTE_KEY_MAX + 1));
		if (!is_attribute_key(key))
			json_in_fail(in, str_text(&where), "not 1 to 128 of A-Za-z0-9_-");
		else if (!json_is_string(v))
			json_in_fail(in, str_text(&where), "not a string");
		else
			json_object_set_new(*ret, key, json_text(json_string_value(v)));
	}
}

int emu_instance_read(const char *name, const json_t *doc, struct emu_instance *ret,
		      struct emu_fail *f)
{
	const char *address = NULL;
	struct err err = {0};
	struct json_in in;

	*ret = (struct emu_instance){.name = xstrdup(name)};
	if (!str_is_rfc1035(name))
		return emu_fail(f, 400, "invalid",
				"The instance's name is not 1 to 63 of a-z 0-9 -, "
				"beginning with a letter.");
	json_in_init(&in, doc, JSON_ORDERS, "instance", NULL, &err);
	json_in_str(&in, "address", JSON_MAY, &address);
	ret->address = address ? canonical(address) : NULL;
	if (address && !ret->address)
		json_in_fail(&in, "address", "not an IP address");
	read_id(&in, &ret->id);
	read_word(&in, "zone", "local-a", &ret->zone);
	read_word(&in, "machine_type", "emulated", &ret->machine_type);
	read_word(&in, "project", "emulated", &ret->project);
	read_word(&in, "image", NULL, &ret->image);
	read_word(&in, "cpu_platform", NULL, &ret->cpu_platform);
	read_attributes(&in, &ret->attributes);
	if (json_in_end(&in) < 0)
		return emu_fail(f, 400, "invalid", "%s", err.text);
	return 0;
}

void emu_instance_done(struct emu_instance *in)
{
	free(in->name);
	free(in->address);
	free(in->zone);
	free(in->machine_type);
	free(in->project);
	free(in->image);
	free(in->cpu_platform);
	json_decref(in->attributes);
	*in = (struct emu_instance){0};
}

void emu_instance_clone(const struct emu_instance *in, struct emu_instance *ret)
{
	*ret = *in;
	ret->name = copy(in->name);
	ret->address = copy(in->address);
	ret->zone = copy(in->zone);
	ret->machine_type = copy(in->machine_type);
	ret->project = copy(in->project);
	ret->image = copy(in->image);
	ret->cpu_platform = copy(in->cpu_platform);
	ret->attributes = json_deep_copy(in->attributes);
}

json_t *emu_instance_json(const struct emu_instance *in)
{
	/* digits: 19 of them do not survive a reader that takes numbers for doubles */
	cleanup_free char *id = xasprintf("%llu", (unsigned long long)in->id);

	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "name",
			 json_text(in->name), "address", json_text_or_null(in->address),
			 "id", id, "zone", json_text(in->zone), "machine_type",
			 json_text(in->machine_type), "image",
			 json_text_or_null(in->image), "cpu_platform",
			 json_text_or_null(in->cpu_platform), "project",
			 json_text(in->project), "attributes",
			 json_deep_copy(in->attributes), "preempted", in->is_preempted);
}
