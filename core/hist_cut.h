// SPDX-License-Identifier: Apache-2.0
// Reading a record's histograms past the JSON parser.
#ifndef CORE_HIST_CUT_H
#define CORE_HIST_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum { HIST_CUTS_MAX = 32 };

/** struct hist_cut - the bins taken out of a text: cut k has pairs[from[k]] to
 * pairs[from[k + 1]] - 1. Initialise with {0}. */
struct hist_cut {
	size_t n, n_pairs, cap;
	size_t from[HIST_CUTS_MAX + 1];
	uint64_t (*pairs)[2]; /* ns, count; owned */
};

/**
 * hist_cut() - the JSON text @text with [k] for each results[..].lat.bins.
 *
 * A document has hundreds of bins, and a JSON value for each costs more than all the rest
 * of it. False when the text is to be parsed as it is: bins that are no list of pairs of
 * whole numbers, escapes that could hide a key, nothing to cut. It need not be JSON: cut
 * it is JSON exactly if it was before, of the same structure, but the error would name
 * another place. A text that was cut has no "bins" left where hist_from_cut() looks that
 * is not one of the cuts.
 */
bool hist_cut(const char *text, size_t n, struct str *ret_text, struct hist_cut *ret);
void hist_cut_done(struct hist_cut *cut);
#define cleanup_hist_cut cleanup(hist_cut_done)

#endif
