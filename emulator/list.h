// SPDX-License-Identifier: Apache-2.0
// Listing: one page of sorted names, folded at a delimiter.
#ifndef EMULATOR_LIST_H
#define EMULATOR_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "emulator/meta.h"

/* The service returns at most this many items and prefixes in one page. */
enum { EMU_PAGE_MAX = 1000 };

struct emu_list_query {
	const char *prefix;    /* "" = all */
	const char *delimiter; /* "" = do not fold */
	const char *start;     /* startOffset, inclusive; "" = none */
	const char *end;       /* endOffset, exclusive; "" = none */
	const char *token;     /* pageToken; "" = first page */
	bool has_trailing;     /* includeTrailingDelimiter */
	size_t max;	       /* 1 to EMU_PAGE_MAX */
};

struct emu_list_page {
	size_t n_items, n_prefixes;
	struct emu_object **items; /* one reference each */
	char **prefixes;
	char *next_token; /* NULL on the last page */
};

/**
 * emu_list() - the page of @objects (sorted by name) that @q asks for.
 *
 * Items and prefixes are found in one order by name, both count toward max, and a prefix
 * is returned once over all pages. Cost: the page, not the objects behind its prefixes.
 * 400 for a page token that is not one of ours.
 */
int emu_list(struct emu_object *const *objects, size_t n, const struct emu_list_query *q,
	     struct emu_list_page *ret, struct emu_fail *f);
void emu_list_page_done(struct emu_list_page *p);

#endif
