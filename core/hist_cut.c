// SPDX-License-Identifier: Apache-2.0
// The bins of a step record, read without a JSON value for each number.
#include "core/hist_cut.h"

#include <string.h>

#include "core/cleanup.h"

/* Depths of a record's results, of a result's lat, and of the bins in it. */
enum { DEPTH_ROOT = 1, DEPTH_LAT = 4 };

/* What follows the key "bins": its colon and bins, nothing but pairs of whole numbers. */
struct scan {
	const char *p, *end;
};

static void skip_space(struct scan *s)
{
	while (s->p < s->end &&
	       (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool skip_one(struct scan *s, char c)
{
	skip_space(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* At most 18 digits, so that they fit; without the leading zeros JSON forbids. */
static bool read_number(struct scan *s, uint64_t *ret)
{
	const char *begin;
	uint64_t v = 0;

	skip_space(s);
	for (begin = s->p; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++)
		if (s->p - begin == 18)
			return false;
		else
			v = v * 10 + (uint64_t)(*s->p - '0');
	*ret = v;
	return s->p > begin && (*begin != '0' || s->p == begin + 1);
}

static void add_pair(struct hist_cut *cut, const uint64_t pair[2])
{
	if (cut->n_pairs == cut->cap) {
		cut->cap = cut->cap ? cut->cap * 2 : 256;
		cut->pairs = xrealloc(cut->pairs, cut->cap, sizeof(*cut->pairs));
	}
	memcpy(cut->pairs[cut->n_pairs++], pair, sizeof(*cut->pairs));
}

/* Past the list's end; false when it holds anything else, or nothing. */
static bool read_pairs(struct scan *s, struct hist_cut *cut)
{
	uint64_t pair[2];

	do {
		if (!skip_one(s, '[') || !read_number(s, &pair[0]) || !skip_one(s, ',') ||
		    !read_number(s, &pair[1]) || !skip_one(s, ']'))
			return false;
		add_pair(cut, pair);
	} while (skip_one(s, ','));
	return skip_one(s, ']');
}

static bool cut_bins(struct scan *s, struct str *text, struct hist_cut *cut)
{
	size_t from = cut->n_pairs;

	if (cut->n == HIST_CUTS_MAX || !skip_one(s, ':') || !skip_one(s, '[') ||
	    !read_pairs(s, cut))
		return false;
	str_addf(text, ":[%zu]", cut->n);
	cut->from[cut->n++] = from;
	cut->from[cut->n] = cut->n_pairs;
	return true;
}

/* Past the string's closing quote; false at an escape that could spell a key. */
static bool skip_string(struct scan *s)
{
	for (s->p++; s->p < s->end && *s->p != '"'; s->p++) {
		if (*s->p != '\\')
			continue;
		s->p++;
		if (s->p == s->end || *s->p == 'u')
			return false;
	}
	return s->p++ < s->end;
}

static bool is_word(const char *begin, const struct scan *s, const char *word)
{
	size_t n = strlen(word);

	return s->p - begin == (ptrdiff_t)n && memcmp(begin, word, n) == 0;
}

bool hist_cut(const char *text, size_t n, struct str *ret_text, struct hist_cut *ret)
{
	struct scan s = {text, text + n};
	const char *done = text;
	bool in_results = false;
	int depth = 0;

	while (s.p < s.end) {
		const char *begin = s.p;

		if (*begin != '"') {
			depth += *begin == '{' || *begin == '[';
			depth -= *begin == '}' || *begin == ']';
			s.p++;
			continue;
		}
		if (!skip_string(&s))
			return false;
		if (depth == DEPTH_ROOT) /* also values; the next key ends that */
			in_results = is_word(begin, &s, "\"results\"");
		if (!in_results || depth != DEPTH_LAT || !is_word(begin, &s, "\"bins\""))
			continue;
		str_addn(ret_text, done, (size_t)(s.p - done));
		if (!cut_bins(&s, ret_text, ret))
			return false;
		done = s.p;
	}
	str_addn(ret_text, done, (size_t)(s.end - done));
	return ret->n > 0 && !ret_text->failed;
}

void hist_cut_done(struct hist_cut *cut)
{
	free(cut->pairs);
	*cut = (struct hist_cut){0};
}
