// SPDX-License-Identifier: Apache-2.0
// worker/gcsfuse_log: lines of both formats, counts, the capped and redacted copy.
#include "worker/gcsfuse_log.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/str.h"
#include "tests/unit/tap.h"

#define T "time=\"20/11/2026 02:20:53.461985\" severity="
#define J "{\"timestamp\":{\"seconds\":1,\"nanos\":2},\"severity\":"

static char dir[] = "/tmp/test_gcsfuse_log_XXXXXX";
static char *log_path, *gz_path;

static void test_lines(void)
{
	static const struct {
		const char *line;
		enum gcsfuse_log_level level;
		const char *message;
	} rows[] = {
		{T "INFO message=\"Creating a mount at \\\"/m\\\"\\n\" mount-id=b-1",
		 GCSFUSE_INFO, "Creating a mount at \"/m\""},
		{J "\"ERROR\",\"message\":\"no \\\"b\\\"\\n\",\"mount-id\":\"b\"}",
		 GCSFUSE_ERROR, "no \"b\""},
		{J "\"WARNING\",\"message\":\"w\"}", GCSFUSE_WARNING, "w"},
		{T "TRACE message=\"\"", GCSFUSE_TRACE, ""},
		{"panic: runtime error", GCSFUSE_OTHER, "panic: runtime error"},
		{"{\"severity\":", GCSFUSE_OTHER, "{\"severity\":"},
		{J "\"INFO\",\"message\":\"cut off", GCSFUSE_INFO, NULL},
		{"", GCSFUSE_OTHER, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gcsfuse_line l;

		gcsfuse_line_parse(rows[i].line, strlen(rows[i].line), &l);
		ok(l.level == rows[i].level && !l.config &&
			   (!rows[i].message || !strcmp(l.message, rows[i].message)),
		   "line %zu: %s", i, l.message);
		gcsfuse_line_done(&l);
	}
}

static void test_config_lines(void)
{
	static const char v3[] =
		J "\"INFO\",\"message\":\"GCSFuse Config\","
		  "\"mount-id\":\"b\",\"Full Config\":{\"AppName\":\"x\"}}";
	static const char v2[] =
		J "\"INFO\",\"message\":\"GCSFuse mount config flags: {\\\"a\\\":1}\"}";
	struct gcsfuse_line l;

	gcsfuse_line_parse(v3, strlen(v3), &l);
	ok(l.config && json_object_size(l.config) == 1 &&
		   json_object_get(json_object_get(l.config, "Full Config"), "AppName"),
	   "the effective configuration");
	gcsfuse_line_done(&l);
	gcsfuse_line_parse(v2, strlen(v2), &l);
	ok(l.config && json_object_get(json_object_get(l.config, "Full Config"), "a"),
	   "that of older versions");
	gcsfuse_line_done(&l);
}

static void write_log(const char *text)
{
	cleanup_file FILE *f = fopen(log_path, "w");

	fputs(text, f);
}

static void test_counts(void)
{
	static const char noise[] = J "\"ERROR\",\"message\":\"no exporter\"}\n";
	static const char mounted[] = J
		"\"INFO\",\"message\":\"File system has been successfully mounted.\"}\n";
	static const char retry[] =
		T "WARNING message=\"Retrying ReadObject for \\\"o\\\": due to error: "
		  "googleapi: Error 429: slow down\"\n";
	static const char error[] = T "ERROR message=\"ReadFile: input/output error\"\n";
	static const char request[] = T "TRACE message=\"gcs: Req   0x1: <- Stat()\"\n";
	static const struct {
		const char *name, *lines[6];
		int64_t requests, errors, retries, http_429;
		const char *last;
	} rows[] = {
		{"empty", {NULL}, -1, -1, -1, -1, ""},
		{"start fails",
		 {noise, error},
		 -1,
		 2,
		 -1,
		 -1,
		 "ReadFile: input/output error"},
		{"good", {noise, mounted}, -1, 0, 0, 0, ""},
		{"errors",
		 {noise, mounted, retry, retry, error},
		 -1,
		 1,
		 2,
		 2,
		 "ReadFile: input/output error"},
		{"trace", {request, mounted, request, retry}, 2, 0, 1, 1, ""},
		{"warnings only", {retry}, -1, 0, 1, 1, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_str struct str text = STR_INIT(65536);
		struct gcsfuse_log log;
		int r;

		for (size_t k = 0; k < 6 && rows[i].lines[k]; k++)
			str_add(&text, rows[i].lines[k]);
		write_log(str_text(&text));
		r = gcsfuse_log_scan(log_path, &log, NULL);
		ok(r == 0 && log.requests == rows[i].requests &&
			   log.errors == rows[i].errors &&
			   log.retries == rows[i].retries &&
			   log.http_429 == rows[i].http_429 && log.bytes == text.len &&
			   !strcmp(log.last_error, rows[i].last),
		   "%s: %lld %lld %lld %lld %s", rows[i].name, (long long)log.requests,
		   (long long)log.errors, (long long)log.retries, (long long)log.http_429,
		   log.last_error);
	}
}

static char *unpack(size_t *ret_len)
{
	size_t cap = (size_t)70 << 20;
	char *text = malloc(cap);
	gzFile f = gzopen(gz_path, "rb");
	int n = gzread(f, text, (unsigned)cap - 1);

	gzclose(f);
	*ret_len = n < 0 ? 0 : (size_t)n;
	text[*ret_len] = '\0';
	return text;
}

static void test_pack_small(void)
{
	cleanup_free char *text = NULL;
	struct gcsfuse_log log;
	size_t len;

	write_log("a\nAuthorization: Bearer ya29.secret next\nno newline at the end");
	ok(gcsfuse_log_pack(log_path, gz_path, &log, NULL) == 0 && !log.is_cut, "packed");
	text = unpack(&len);
	ok(!strcmp(text,
		   "a\nAuthorization: Bearer *********** next\nno newline at the end"),
	   "the same text without the secret: %s", text);
	unlink(log_path);
	ok(gcsfuse_log_pack(log_path, gz_path, &log, NULL) == 0 && log.bytes == 0 &&
		   log.errors == -1,
	   "no log: an empty one");
}

static void test_pack_big(void)
{
	cleanup_file FILE *f = fopen(log_path, "w");
	cleanup_free char *text = NULL;
	struct gcsfuse_log log;
	size_t len;
	int r;

	for (int i = 0; i < 700000; i++)
		fprintf(f,
			T "INFO message=\"line %06d of a long log, filled up to be one "
			  "hundred and more\"\n",
			i);
	fputs(T "ERROR message=\"the last one\"\n", f);
	fflush(f);
	r = gcsfuse_log_pack(log_path, gz_path, &log, NULL);
	ok(r == 0 && log.is_cut && log.errors == 1 && log.bytes > GCSFUSE_LOG_MAX_BYTES,
	   "a log of %llu bytes is cut", (unsigned long long)log.bytes);
	text = unpack(&len);
	ok(len <= GCSFUSE_LOG_MAX_BYTES + 100 && len > GCSFUSE_LOG_MAX_BYTES - 1000,
	   "to %zu bytes", len);
	ok(strstr(text, "line 000000") && strstr(text, "bytes left out") &&
		   strstr(text, "line 699999") && str_ends(text, "the last one\"\n"),
	   "head and tail are there");
}

static void test_long_line(void)
{
	cleanup_file FILE *f = fopen(log_path, "w");
	cleanup_free char *text = NULL;
	struct gcsfuse_log log;
	size_t len;

	for (int i = 0; i < 3 << 20; i++)
		fputc('x', f);
	fputs("\n" T "ERROR message=\"after\"\n", f);
	fflush(f);
	gcsfuse_log_pack(log_path, gz_path, &log, NULL);
	text = unpack(&len);
	ok(len == log.bytes && log.errors == 1 && !strcmp(log.last_error, "after"),
	   "a line of 3 MiB is kept and the next one is found");
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	log_path = xasprintf("%s/log", dir);
	gz_path = xasprintf("%s/log.gz", dir);
	test_lines();
	test_config_lines();
	test_counts();
	test_pack_small();
	test_pack_big();
	test_long_line();
	unlink(log_path);
	unlink(gz_path);
	rmdir(dir);
	free(log_path);
	free(gz_path);
	return done_testing();
}
