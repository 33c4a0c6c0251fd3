// SPDX-License-Identifier: Apache-2.0
// Command-line flags from a table.
#include <errno.h>
#include <string.h>

#include "core/opts.h"
#include "tests/unit/tap.h"

struct got {
	bool json, letter, has_out;
	const char *out;
	struct opt_list pins;
	uint64_t n;
	double share;
	int64_t timeout_ns;
	struct opt_list args;
	struct err err;
};

static int parse(struct got *g, const char *const *argv)
{
	const struct opt opts[] = {
		{"json", OPT_FLAG, &g->json, NULL, "print JSON", NULL},
		{"l", OPT_FLAG, &g->letter, NULL, "long lines", NULL},
		{"out", OPT_STR, &g->out, "DIR", "the folder", &g->has_out},
		{"pin", OPT_LIST, &g->pins, "NAME=VERSION", "a pin", NULL},
		{"iterations", OPT_U64, &g->n, "N", "how often", NULL},
		{"share", OPT_F64, &g->share, "X", "a share", NULL},
		{"timeout", OPT_DURATION, &g->timeout_ns, "D", "give up", NULL},
		{0},
	};
	int argc = 0;

	*g = (struct got){0};
	while (argv[argc])
		argc++;
	return opts_parse(opts, argc, (char *const *)argv, &g->args, &g->err);
}

#define PARSE(g, ...) parse(g, (const char *const[]){__VA_ARGS__, NULL})

static void refuses(const char *const *argv, const char *text)
{
	struct got g;
	int r = parse(&g, argv);

	ok(r == -EINVAL && strcmp(g.err.text, text) == 0, "%s: %s", argv[0], g.err.text);
}
#define REFUSES(text, ...) refuses((const char *const[]){__VA_ARGS__, NULL}, text)

static void test_values(void)
{
	struct got g;

	ok(PARSE(&g, "a", "--json", "b", "--out", "d") == 0 && g.json && g.has_out &&
		   strcmp(g.out, "d") == 0 && g.args.n == 2 &&
		   strcmp(g.args.v[1], "b") == 0,
	   "flags among the arguments");
	ok(parse(&g, (const char *const[]){NULL}) == 0 && g.args.n == 0 && !g.has_out,
	   "nothing given");
	ok(PARSE(&g, "--out=x=y") == 0 && strcmp(g.out, "x=y") == 0, "--name=value");
	ok(PARSE(&g, "--out=") == 0 && strcmp(g.out, "") == 0 && g.has_out,
	   "--name= is an empty value");
	ok(PARSE(&g, "--out", "--json") == 0 && strcmp(g.out, "--json") == 0 && !g.json,
	   "the next argument is the value");
	ok(PARSE(&g, "--pin", "a=1", "--pin=b=2") == 0 && g.pins.n == 2 &&
		   strcmp(g.pins.v[1], "b=2") == 0,
	   "a list is given again");
	ok(PARSE(&g, "--iterations", "18446744073709551615") == 0 && g.n == UINT64_MAX,
	   "numbers to the last");
	ok(PARSE(&g, "--share=0.25", "--timeout", "90s") == 0 && g.share > 0.24 &&
		   g.share < 0.26 && g.timeout_ns == 90000000000,
	   "reals and durations");
	ok(PARSE(&g, "--", "--json", "-l", "--") == 0 && !g.json && g.args.n == 3 &&
		   strcmp(g.args.v[2], "--") == 0,
	   "-- ends the flags");
	ok(PARSE(&g, "-") == 0 && g.args.n == 1, "- is an argument");
	ok(PARSE(&g, "") == 0 && g.args.n == 1, "the empty argument is one");
	ok(PARSE(&g, "-l") == 0 && g.letter, "a letter");
	ok(PARSE(&g, "--help") == 1 && PARSE(&g, "x", "-h", "--nonsense") == 1, "help");
	ok(PARSE(&g, "--", "--help") == 0 && g.args.n == 1, "no help after --");
}

static void test_refused(void)
{
	REFUSES("unknown flag --jsn (did you mean --json?)", "--jsn");
	REFUSES("unknown flag --iteration (did you mean --iterations?)", "--iteration=3");
	REFUSES("unknown flag --zzzzzzzz (--help lists them)", "--zzzzzzzz");
	REFUSES("unknown flag -out (did you mean --out?)", "-out");
	REFUSES("unknown flag -ll (did you mean -l?)", "-ll");
	REFUSES("unknown flag --hlep (did you mean --help?)", "--hlep");
	REFUSES("--help takes no value", "--help=x");
	REFUSES("--out is given twice", "--out", "a", "--out=b");
	REFUSES("--json is given twice", "--json", "x", "--json");
	REFUSES("-l is given twice", "-l", "-l");
	REFUSES("--json takes no value", "--json=yes");
	REFUSES("--out needs a value: DIR", "--out");
	REFUSES("--pin needs a value: NAME=VERSION", "x", "--pin");
}

static void test_bad_values(void)
{
	static const char *const bad[] = {
		"--iterations=", "--iterations=-1", "--iterations=1x", "--share=nan",
		"--share=",	 "--timeout=5y",    "--timeout=-1s"};
	struct got g;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t n = strcspn(bad[i], "=");

		ok(PARSE(&g, bad[i]) == -EINVAL && strncmp(g.err.text, bad[i], n) == 0 &&
			   g.err.text[n] == ':',
		   "%s: %s", bad[i], g.err.text);
	}
}

static void test_too_many(void)
{
	static const char *argv[2 * OPT_LIST_MAX + 3];
	struct got *g = xcalloc(1, sizeof(*g));

	for (size_t i = 0; i <= OPT_LIST_MAX; i++)
		argv[i] = "x";
	ok(parse(g, argv) == -E2BIG, "arguments without end: %s", g->err.text);
	for (size_t i = 0; i <= OPT_LIST_MAX; i++)
		argv[i] = "--pin=a";
	ok(parse(g, argv) == -E2BIG, "a list without end: %s", g->err.text);
	free(g);
}

static void test_help(void)
{
	bool b = false;
	const char *s = NULL;
	const struct opt opts[] = {
		{"json", OPT_FLAG, &b, NULL, "print JSON", NULL},
		{"l", OPT_FLAG, &b, NULL, "long", NULL},
		{"a-long-name", OPT_STR, &s, "gs://BUCKET[/prefix]", "far out", NULL},
		{0},
	};
	cleanup_str struct str text = STR_INIT(4096);

	opts_help(opts, &text);
	ok(strcmp(str_text(&text), "  --json                    print JSON\n"
				   "  -l                        long\n"
				   "  --a-long-name gs://BUCKET[/prefix]\n"
				   "                            far out\n"
				   "  --help                    show this text\n") == 0,
	   "help is aligned");
}

int main(void)
{
	test_values();
	test_refused();
	test_bad_values();
	test_too_many();
	test_help();
	return done_testing();
}
