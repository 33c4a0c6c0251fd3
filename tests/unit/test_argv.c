// SPDX-License-Identifier: Apache-2.0
// Mount arguments: split like a shell would, nothing expanded; and which are refused.
#include <errno.h>
#include <string.h>

#include "core/argv_split.h"
#include "manifests/mount_policy.h"
#include "tests/unit/tap.h"

static void test_split(void)
{
	static const struct {
		const char *in, *want; /* arguments joined by '|' */
	} rows[] = {
		{"", ""},
		{"   ", ""},
		{"--implicit-dirs", "--implicit-dirs"},
		{"  --a   --b=-1\t--c ", "--a|--b=-1|--c"},
		{"--a 'x y' \"z\"", "--a|x y|z"},
		{"--a=\"x y\"'z w'v", "--a=x yz wv"},
		{"''", ""},
		{"a '' b", "a||b"},
		{"\\ x a\\\\b", " x|a\\b"},
		{"\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d"},
		{"'a\\b'", "a\\b"},
		{"$HOME `id` * ~ ${X}", "$HOME|`id`|*|~|${X}"},
		{"--label=z\xc3\xbcrich", "--label=z\xc3\xbcrich"},
		{"--max-read-ahead-kb 16384", "--max-read-ahead-kb|16384"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_argv struct argv_list argv = {0};
		cleanup_str struct str out = STR_INIT(4096);
		int r = argv_split(rows[i].in, &argv, NULL);

		for (size_t a = 0; a < argv.n; a++)
			str_addf(&out, "%s%s", a ? "|" : "", argv.v[a]);
		ok(r == 0 && strcmp(str_text(&out), rows[i].want) == 0 && !argv.v[argv.n],
		   "split \"%s\": %s", rows[i].in, str_text(&out));
	}
}

static void test_not_split(void)
{
	static const char *const bad[] = {"'a", "\"a", "a\\", "a\nb", "a\x01", "\"a\\\""};
	cleanup_str struct str many = STR_INIT(65536);
	struct argv_list argv;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};

		ok(argv_split(bad[i], &argv, &err) == -EINVAL, "refused %zu: %s", i,
		   err.text);
	}
	for (unsigned i = 0; i <= ARGV_MAX; i++)
		str_add(&many, "x ");
	ok(argv_split(str_text(&many), &argv, NULL) == -EINVAL, "too many");
}

static void test_flags(void)
{
	static const struct {
		const char *args;
		bool may;
	} rows[] = {
		{"--implicit-dirs --client-protocol=grpc", true},
		{"--metadata-cache-ttl-secs=-1 --write-global-max-blocks=-1", true},
		{"--max-read-ahead-kb 16384", true},
		{"--only-dir a/b", true},
		{"-o allow_other", true},
		{"-o ro,noexec", true},
		{"--log-severity trace --log-format json", true},
		{"--cache-dir=/x --temp-dir /y", true},
		{"--foreground", false},
		{"--foreground=false", false},
		{"--log-file=/x", false},
		{"--log-file /x", false},
		{"--log_file=/x", false},
		{"--LOG-FILE=/x", false},
		{"--config-file=x", false},
		{"--custom-endpoint=http://x", false},
		{"--key-file x", false},
		{"--token-url=x", false},
		{"--reuse-token-from-url=false", false},
		{"--anonymous-access", false},
		{"--prometheus-port=9000", false},
		{"--only-dir=../x", false},
		{"--only-dir a/../b", false},
		{"--cache-dir=../x", false},
		{"-o suid", false},
		{"-o allow_other,dev", false},
		{"-oexec", false},
		{"-o=exec", false},
		{"--o exec", false},
		{"--o=ro,suid", false},
		{"--kernel-params-file=x", false},
		{"--workload-insight-output-file=x", false},
		{"--some-socket-path=x", false},
		{"-- x", false},
		{"--help", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_argv struct argv_list argv = {0};
		struct err err = {0};
		int r = argv_split(rows[i].args, &argv, NULL);

		if (r == 0)
			r = mount_args_check(argv.n, (const char *const *)argv.v, &err);
		ok((r == 0) == rows[i].may && (r == 0 || r == -EINVAL), "%s %s: %s",
		   rows[i].may ? "may" : "may not", rows[i].args, err.text);
	}
}

static void test_config(void)
{
	static const struct {
		const char *yaml;
		bool may;
	} rows[] = {
		{"", true},
		{"# nothing & more\n", true},
		{"metadata-cache:\n  ttl-secs: -1\n  stat-cache-max-size-mb: 64\n", true},
		{"implicit-dirs: true\r\nonly-dir: a/b\r\n", true},
		{"logging:\n  file-path: /x\n", false},
		{"logging:\n  severity: trace\n", true},
		{"gcs-auth:\n  key-file: /x\n", false},
		{"gcs-auth:\n  \"key-file\": /x\n", false},
		{"gcs-auth:\n  key_file : /x\n", false},
		{"gcs-auth:\n- token-url: x\n", false},
		{"gcs-connection:\n  custom-endpoint: http://x\n", false},
		{"gcs-auth: {key-file: /x}\n", false},
		{"gcs-auth: &a\n", false},
		{"foreground: false\n", false},
		{"only-dir: ../x\n", false},
		{"only-dir: \"../x\"\n", false},
		{"? key-file\n", false},
		{"\"key\\u002dfile\": x\n", false},
		{"a: b\n---\nc: d\n", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = {0};

		ok((mount_config_check(rows[i].yaml, &err) == 0) == rows[i].may,
		   "configuration %zu: %s", i, err.text);
	}
}

static void test_env(void)
{
	static const struct {
		const char *entry;
		bool may;
	} rows[] = {
		{"GOGC=50", true},
		{"GRPC_GO_LOG=", true},
		{"_x=1=2", true},
		{"LD_PRELOAD=x", false},
		{"ld_library_path=x", false},
		{"GOOGLE_APPLICATION_CREDENTIALS=x", false},
		{"HTTPS_PROXY=x", false},
		{"http_proxy=x", false},
		{"HOME=/x", false},
		{"STORAGE_EMULATOR_HOST=x", false},
		{"novalue", false},
		{"1a=x", false},
		{"a-b=x", false},
		{"=x", false},
		{"A=../x", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = {0};

		ok((mount_env_check(rows[i].entry, &err) == 0) == rows[i].may,
		   "environment %s: %s", rows[i].entry, err.text);
	}
}

static void test_grpc(void)
{
	static const char *const a[] = {"--client-protocol=grpc"};
	static const char *const b[] = {"--client_protocol", "GRPC"};
	static const char *const c[] = {"--client-protocol=http1", "grpc"};

	ok(mount_args_ask_grpc(1, a) && mount_args_ask_grpc(2, b) &&
		   !mount_args_ask_grpc(2, c),
	   "who asks for grpc");
}

int main(void)
{
	test_split();
	test_not_split();
	test_flags();
	test_config();
	test_env();
	test_grpc();
	return done_testing();
}
