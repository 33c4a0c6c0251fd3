// SPDX-License-Identifier: Apache-2.0
// Instances and the metadata tree: documents in, values by path out.
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "emulator/instances.h"
#include "emulator/metadata_tree.h"
#include "tests/unit/tap.h"

#define ACCOUNT "instance/service-accounts/default"

static json_t *parse(const char *text)
{
	json_t *v = NULL;
	struct err err = {0};

	if (json_load(text, strlen(text), 65536, "test", &v, &err) < 0)
		printf("# %s\n", err.text);
	return v;
}

static int read_doc(const char *name, const char *text, struct emu_instance *ret,
		    struct emu_fail *f)
{
	cleanup_json json_t *doc = parse(text);

	return emu_instance_read(name, doc, ret, f);
}

static const struct {
	const char *doc, *names; /* NULL: accepted */
} documents[] = {
	{"{}", NULL},
	{"{\"address\":null,\"id\":null,\"attributes\":null,\"image\":null}", NULL},
	{"{\"address\":\"::1\",\"id\":\"9223372036854775807\",\"image\":\"i\"}", NULL},
	{"{\"colour\":1}", "colour"},
	{"{\"address\":1}", "address"},
	{"{\"address\":\"127.0.0.256\"}", "address"},
	{"{\"address\":\"\"}", "address"},
	{"{\"id\":0}", "id"},
	{"{\"id\":-1}", "id"},
	{"{\"id\":1.5}", "id"},
	{"{\"id\":\"\"}", "id"},
	{"{\"id\":\"12x\"}", "id"},
	{"{\"id\":\"9223372036854775808\"}", "id"},
	{"{\"id\":true}", "id"},
	{"{\"zone\":5}", "zone"},
	{"{\"zone\":\"\"}", "zone"},
	{"{\"machine_type\":[]}", "machine_type"},
	{"{\"cpu_platform\":{}}", "cpu_platform"},
	{"{\"image\":\"a\\nb\"}", "image"},
	{"{\"project\":false}", "project"},
	{"{\"attributes\":[]}", "attributes"},
	{"{\"attributes\":{\"k\":1}}", "attributes.k"},
	{"{\"attributes\":{\"a/b\":\"\"}}", "attributes.a/b"},
	{"{\"attributes\":{\"\":\"\"}}", "attributes."},
};

static void test_documents(void)
{
	static const char *const bad_names[] = {"", "Upper", "1st", "a/b", "a-", "a_b"};

	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		struct emu_instance in;
		struct emu_fail f = {0};
		int status = read_doc("vm", documents[i].doc, &in, &f);

		ok(documents[i].names
			   ? status == 400 && strstr(f.message, documents[i].names)
			   : status == 0,
		   "%s: %d %s", documents[i].doc, status, f.message);
		emu_instance_done(&in);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		struct emu_instance in;
		struct emu_fail f = {0};

		ok(read_doc(bad_names[i], "{}", &in, &f) == 400, "name \"%s\" is refused",
		   bad_names[i]);
		emu_instance_done(&in);
	}
}

static const struct {
	const char *path;
	enum emu_metadata_form form;
	const char *want; /* NULL: not there */
	bool is_json;
} values[] = {
	{"", EMU_METADATA_TEXT, "instance/\nproject/\nuniverse/\n", false},
	{"instance/id", EMU_METADATA_TEXT, "77", false},
	{"instance/id", EMU_METADATA_JSON, "77", true},
	{"instance/id/", EMU_METADATA_TEXT, "77", false},
	{"instance/name", EMU_METADATA_JSON, "\"vm\"", true},
	{"instance/name", EMU_METADATA_RECURSIVE, "vm", false},
	{"instance/hostname", EMU_METADATA_TEXT, "vm.c.p.internal", false},
	{"instance/zone", EMU_METADATA_TEXT, "projects/1/zones/z-a", false},
	{"instance/machine-type", EMU_METADATA_TEXT, "projects/1/machineTypes/e2", false},
	{"instance/preempted", EMU_METADATA_TEXT, "FALSE", false},
	{"instance/maintenance-event", EMU_METADATA_TEXT, "NONE", false},
	{"instance/machineType", EMU_METADATA_TEXT, NULL, false},
	{"instance/image", EMU_METADATA_TEXT, NULL, false},
	{"instance/cpu-platform", EMU_METADATA_TEXT, "Some CPU", false},
	{"instance/name/x", EMU_METADATA_TEXT, NULL, false},
	{"instance//name", EMU_METADATA_TEXT, NULL, false},
	{"nothing", EMU_METADATA_TEXT, NULL, false},
	{"instance/attributes", EMU_METADATA_TEXT, "my-key\ntoken\nattributes\n", false},
	{"instance/attributes/", EMU_METADATA_RECURSIVE,
	 "{\"my-key\":\"a\\nb\",\"token\":\"t\",\"attributes\":\"\"}", true},
	{"instance/attributes/my-key", EMU_METADATA_TEXT, "a\nb", false},
	{"instance/attributes/attributes", EMU_METADATA_TEXT, "", false},
	{"instance/attributes/token", EMU_METADATA_TEXT, "t", false},
	{"instance/network-interfaces/", EMU_METADATA_TEXT, "0/\n", false},
	{"instance/network-interfaces/0/", EMU_METADATA_TEXT, "ip\nmac\nmtu\n", false},
	{"instance/network-interfaces/0/ip", EMU_METADATA_TEXT, "10.0.0.2", false},
	{"instance/network-interfaces/0/mac", EMU_METADATA_TEXT, "42:01:00:00:00:4d",
	 false},
	{"instance/network-interfaces/1/ip", EMU_METADATA_TEXT, NULL, false},
	{"instance/network-interfaces/?recursive", EMU_METADATA_TEXT, NULL, false},
	{"instance/network-interfaces/", EMU_METADATA_RECURSIVE,
	 "[{\"ip\":\"10.0.0.2\",\"mac\":\"42:01:00:00:00:4d\",\"mtu\":1460}]", true},
	{ACCOUNT "/", EMU_METADATA_TEXT, "aliases\nemail\nscopes\ntoken\n", false},
	{ACCOUNT "/", EMU_METADATA_JSON, "[\"aliases\",\"email\",\"scopes\",\"token\"]",
	 true},
	{ACCOUNT "/aliases", EMU_METADATA_TEXT, "default\n", false},
	{ACCOUNT "/aliases", EMU_METADATA_JSON, "[\"default\"]", true},
	{ACCOUNT "/token", EMU_METADATA_TEXT,
	 "{\"access_token\":\"secret\",\"expires_in\":3599,\"token_type\":\"Bearer\"}",
	 true},
	{ACCOUNT "/token/access_token", EMU_METADATA_TEXT, NULL, false},
	{ACCOUNT "/", EMU_METADATA_RECURSIVE,
	 "{\"aliases\":[\"default\"],\"email\":\"muster@p.iam.gserviceaccount.com\","
	 "\"scopes\":[\"https://www.googleapis.com/auth/devstorage.read_write\"]}",
	 true},
	{"project/", EMU_METADATA_RECURSIVE,
	 "{\"attributes\":{},\"numericProjectId\":1,\"projectId\":\"p\"}", true},
	{"project/attributes/", EMU_METADATA_TEXT, "", false},
	{"universe/universe-domain", EMU_METADATA_TEXT, "googleapis.com", false},
};

static void test_values(void)
{
	struct emu_instance in;
	struct emu_fail f = {0};
	json_t *tree;

	read_doc("vm",
		 "{\"id\":77,\"zone\":\"z-a\",\"machine_type\":\"e2\",\"project\":\"p\","
		 "\"cpu_platform\":\"Some CPU\",\"attributes\":{\"my-key\":\"a\\nb\","
		 "\"token\":\"t\",\"attributes\":\"\"}}",
		 &in, &f);
	str_copy(in.token, sizeof(in.token), "secret");
	tree = emu_metadata_tree(&in, "10.0.0.2");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		cleanup_str struct str body = STR_INIT(EMU_METADATA_MAX);
		bool is_json = false;
		bool found = emu_metadata_render(tree, values[i].path, values[i].form,
						 &body, &is_json);

		if (!ok(found == (values[i].want != NULL) &&
				(!found ||
				 (strcmp(str_text(&body), values[i].want) == 0 &&
				  is_json == values[i].is_json)),
			"%s, form %d", values[i].path, (int)values[i].form))
			printf("# %s\n", found ? str_text(&body) : "not there");
	}
	json_decref(tree);
	emu_instance_done(&in);
}

static int put(struct emu_instances *t, const char *name, const char *doc, json_t **ret)
{
	struct emu_instance in;
	struct emu_fail f = {0};
	int status = read_doc(name, doc, &in, &f);

	*ret = NULL;
	if (!status)
		status = emu_instances_put(t, &in, ret, &f);
	emu_instance_done(&in);
	return status;
}

static bool is_name(struct emu_instances *t, const char *peer, const char *want)
{
	struct emu_instance in = {0};
	uint64_t version;
	bool found = emu_instances_of(t, peer, &in, &version);
	bool good = want ? found && strcmp(in.name, want) == 0 : !found;

	emu_instance_done(&in);
	return good;
}

static void test_table(void)
{
	struct emu_instances *t = emu_instances_new();
	struct emu_fail f = {0};
	json_t *first, *again, *other, *preempted = NULL;
	const char *id;

	ok(put(t, "a", "{\"address\":\"127.0.7.1\"}", &first) == 201, "created");
	ok(is_name(t, "127.0.7.1", "a") && is_name(t, "127.0.7.2", NULL),
	   "by its address");
	ok(put(t, "b", "{\"address\":\"127.0.7.1\"}", &other) == 409, "address taken");
	ok(put(t, "b", "{}", &other) == 201, "without an address");
	json_decref(other);
	ok(put(t, "c", "{}", &other) == 409, "only one without an address");
	ok(is_name(t, "127.0.7.1", "a") && is_name(t, "::1", "b"),
	   "it is all the others");
	id = json_string_value(json_object_get(first, "id"));
	ok(id && strlen(id) == 19, "an id of 19 digits: %s", id);
	ok(emu_instances_preempt(t, "a", &preempted, &f) == 0 &&
		   json_is_true(json_object_get(preempted, "preempted")),
	   "preempted");
	json_decref(preempted);
	ok(put(t, "a", "{\"address\":\"127.0.7.3\"}", &again) == 200, "replaced");
	ok(strcmp(json_string_value(json_object_get(again, "id")), id) == 0 &&
		   json_is_false(json_object_get(again, "preempted")),
	   "... with its id, not preempted");
	ok(is_name(t, "127.0.7.1", "b") && is_name(t, "127.0.7.3", "a"), "... moved");
	json_decref(again);
	json_decref(first);
	ok(emu_instances_delete(t, "a", &f) == 0 && is_name(t, "127.0.7.3", "b"),
	   "deleted");
	ok(emu_instances_delete(t, "a", &f) == 404 &&
		   emu_instances_preempt(t, "a", &preempted, &f) == 404,
	   "not there: 404");
	emu_instances_end(t);
	emu_instances_wait(t, 4, clock_mono_ns() + 60LL * NS_PER_S);
	ok(emu_instances_is_ended(t), "nobody waits after the end");
	emu_instances_free(t);
}

static void test_etag(void)
{
	static const char *const texts[] = {"", "FALSE", "TRUE"};
	char etags[3][EMU_METADATA_ETAG_CAP];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_str struct str s = STR_INIT(64);

		str_add(&s, texts[i]);
		emu_metadata_etag(&s, etags[i]);
		ok(str_is_hex(etags[i], 16), "etag %s", etags[i]);
	}
	ok(strcmp(etags[0], etags[1]) && strcmp(etags[1], etags[2]), "they differ");
}

int main(void)
{
	test_documents();
	test_values();
	test_table();
	test_etag();
	return done_testing();
}
