// SPDX-License-Identifier: Apache-2.0
// The error object: first error wins, context, cutting.
#include "core/err.h"

#include <errno.h>
#include <string.h>

#include "core/str.h"
#include "tests/unit/tap.h"

static void test_set(void)
{
	struct err err = {0};

	ok(err_set(&err, -EIO, "disk %d", 7) == -EIO, "set returns the code");
	ok(err.code == -EIO && strcmp(err.text, "disk 7") == 0, "set: %s", err.text);
	ok(err_set(&err, -ENOENT, "later") == -ENOENT,
	   "a later set returns its own code");
	ok(err.code == -EIO && strcmp(err.text, "disk 7") == 0, "the first error stays");
	ok(err_errno(&err, -ENOENT, "later") == -ENOENT && err.code == -EIO,
	   "the first error stays when err_errno comes second");
	err_clear(&err);
	ok(err.code == 0 && err.text[0] == '\0', "clear forgets");
	ok(err_set(&err, -ENOENT, "new") == -ENOENT && strcmp(err.text, "new") == 0,
	   "after clear the next one counts");
}

static void test_errno(void)
{
	struct err err = {0};

	ok(err_errno(&err, -ENOENT, "open %s", "x") == -ENOENT, "errno returns the code");
	ok(strcmp(err.text, "open x: No such file or directory") == 0, "%s", err.text);
}

static void test_wrap(void)
{
	struct err err = {0};

	err_set(&err, -EIO, "short read");
	ok(err_wrap(&err, -EPIPE, "upload %s", "a") == -EPIPE && err.code == -EPIPE,
	   "wrap returns and records the code it is given");
	ok(strcmp(err.text, "upload a: short read") == 0, "%s", err.text);
	err_wrap(&err, -EPIPE, "step 1-1");
	ok(strcmp(err.text, "step 1-1: upload a: short read") == 0, "%s", err.text);
	err_wrap(&err, -EPIPE, "said '%s'", err.text);
	ok(strcmp(err.text, "said 'step 1-1: upload a: short read': "
			    "step 1-1: upload a: short read") == 0,
	   "the old text may be an argument");
	err_clear(&err);
	err_wrap(&err, -EIO, "nothing below");
	ok(err.code == -EIO && strcmp(err.text, "nothing below") == 0,
	   "wrapping nothing gives the context alone");
}

static void test_null(void)
{
	ok(err_set(NULL, -EIO, "x") == -EIO, "set without an object");
	ok(err_errno(NULL, -EIO, "x") == -EIO, "errno without an object");
	ok(err_wrap(NULL, -EIO, "x") == -EIO, "wrap without an object");
	err_clear(NULL);
}

/* Texts around the capacity, ending in sequences of 1 to 4 bytes at every offset. */
static void test_cut(void)
{
	static const char *const tails[] = {"x", "é", "€", "😀", "\xc3\xa9\xc3\xa9"};
	size_t cap = sizeof(((struct err *)0)->text);
	unsigned broken = 0, short_by = 0;

	for (size_t t = 0; t < ARRAY_SIZE(tails); t++) {
		for (size_t fill = cap - 4; fill < cap + 2; fill++) {
			struct err err = {0};

			err_set(&err, -EIO, "%0*d%s%s%s", (int)fill, 0, tails[t],
				tails[t], tails[t]);
			broken += !str_is_utf8(err.text, strlen(err.text));
			short_by += strlen(err.text) < cap - 1 - 3;
		}
	}
	ok(broken == 0, "a cut text is still UTF-8 (%u are not)", broken);
	ok(short_by == 0, "cutting takes at most three bytes more than it must");
}

static void test_cut_wrapped(void)
{
	struct err err = {0};

	err_set(&err, -EIO, "%0500d", 0);
	err_wrap(&err, -EIO, "ééééééééé");
	ok(str_is_utf8(err.text, strlen(err.text)) &&
		   str_starts(err.text, "ééééééééé: 000"),
	   "context survives, the cause is cut");
	err_clear(&err);
	err_set(&err, -EIO, "%0600d", 0);
	ok(strlen(err.text) == sizeof(err.text) - 1, "a plain text fills the array");
	err_errno(&err, -EIO, "x");
	err_clear(&err);
	err_errno(&err, -ENOENT, "%0600d", 0);
	ok(strlen(err.text) == sizeof(err.text) - 1,
	   "no room for strerror is no overflow");
}

static void test_newline(void)
{
	struct err err = {0};

	err_set(&err, -EIO, "one\ntwo\n\n");
	ok(strcmp(err.text, "one\ntwo") == 0, "newlines at the end are dropped");
	err_clear(&err);
	err_set(&err, -EIO, "\n");
	ok(err.code == -EIO && err.text[0] == '\0', "a lone newline is dropped");
	err_clear(&err);
	err_set(&err, -EIO, "bytes \xff\xfe that are no text");
	ok(strlen(err.text) == 25, "foreign bytes are kept as they are: %zu",
	   strlen(err.text));
}

int main(void)
{
	test_set();
	test_errno();
	test_wrap();
	test_null();
	test_cut();
	test_cut_wrapped();
	test_newline();
	return done_testing();
}
